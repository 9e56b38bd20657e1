"""Makes the shipped growth: filters, accuracy and a few channels' pictures at snapshots of a run.

After figure 4 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2014):
low layers settle within an epoch, high layers take far longer. Made once by
`python -m dreamkit.training.growth RUN 0 1 2 …`.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

from ..inside.evolution import Growth
from ..networks.dreamnet import MEAN, STD
from ..networks.network import as_network
from .export import WEIGHTS, load_checkpoint
from .portraits import portraits

# Chosen by eye, at the last snapshot.
CHANNELS = {"inception4b": (6, 93, 156, 336), "inception5a": (48, 136, 360, 456)}


def save_growth(growth: Growth, path: Path) -> None:
    """Writes filters as float16 and pictures as uint8, under 1 MB in all."""
    tensors = {"conv1": growth.filters.half().contiguous()}
    for block, pictures in growth.dreams.items():
        tensors[block] = (pictures * 255).round().byte().contiguous()
    names = ("epochs", "accuracy", "side", "channels")
    facts = {name: getattr(growth, name) for name in names}
    save_file(tensors, path, {"growth": json.dumps(facts)})
    path.chmod(0o644)


def make_growth(
    snapshots: Mapping[float, Path],
    accuracy: Sequence[float],
    side: int,
    channels: Mapping[str, Sequence[int]] = CHANNELS,
    picture: int = 64,
) -> Growth:
    """The Growth of a run.

    snapshots: checkpoints by epoch.
    accuracy: top-1 accuracy at each snapshot.
    side: pixels of the training pictures.
    channels: which channels are drawn, by block.
    picture: side of each channel's picture, in pixels.
    """
    trained = [load_checkpoint(path) for path in snapshots.values()]
    filters = torch.stack([module.conv1.conv.weight.detach() for module in trained])
    networks = [as_network(module, MEAN, STD) for module in trained]
    dreams = {
        block: torch.stack([portraits(network, block, indices, picture) for network in networks])
        for block, indices in channels.items()
    }
    drawn = {block: tuple(indices) for block, indices in channels.items()}
    return Growth(tuple(snapshots), tuple(accuracy), side, filters, dreams, drawn)


def read_run(
    run: Path, numbers: Sequence[int], share: float
) -> tuple[dict[float, Path], list[float]]:
    """The run's snapshots by epoch, and the accuracy of each from its log.

    `numbers` are epochs of the run, each of which saw `share` of the pictures.
    """
    with (run / "log.csv").open() as file:
        logged = {int(row["epoch"]): float(row["val_accuracy"]) for row in csv.DictReader(file)}
    if missing := [number for number in numbers if number and number not in logged]:
        raise ValueError(f"{run} has no epoch {missing[0]}; logged: {', '.join(map(str, logged))}")
    logged[0] = 1 / 200  # an untrained network guesses
    snapshots = {number * share: run / f"epoch-{number:02d}.safetensors" for number in numbers}
    return snapshots, [logged[number] for number in numbers]


def main(arguments: list[str] | None = None) -> None:
    """The command line: reads a run, writes its growth."""
    parser = argparse.ArgumentParser(
        prog="python -m dreamkit.training.growth", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add("run", type=Path, help="folder of a run that started from random weights")
    add("snapshots", type=int, nargs="+", help="epochs of the run, such as 0 1 2 5 10")
    add("--share", type=float, default=1.0, help="share of the pictures that an epoch saw")
    add("--side", type=int, default=64, help="pixels of the training pictures")
    add("--out", type=Path, default=WEIGHTS / "growth.safetensors")
    given = parser.parse_args(arguments)
    try:
        snapshots, accuracy = read_run(given.run, given.snapshots, given.share)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{error}\n")
    save_growth(make_growth(snapshots, accuracy, given.side), given.out)
    print(f"{given.out}: {given.out.stat().st_size / 1e3:.0f} kB, {len(snapshots)} snapshots")


if __name__ == "__main__":
    main()
