"""How a network grows: conv1's filters, the accuracy and what a few channels dream of, at snapshots of one training run.

After figure 4 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2014): low layers settle
within an epoch, high ones take far longer. Made once by `python -m dreamkit.training.growth RUN DATA …`, shipped small.
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
from .export import WEIGHTS, load_checkpoint
from .portraits import portraits

CHANNELS = {
    "inception4b": (6, 93, 156, 336),
    "inception5a": (48, 136, 360, 456),
}  # chosen by sight, at the last snapshot


def save_growth(growth: Growth, path: Path) -> None:
    """Writes filters as float16 and dreams as uint8, under 1 MB in all."""
    tensors = {"conv1": growth.filters.half().contiguous()}
    tensors |= {
        block: (pictures * 255).round().byte().contiguous()
        for block, pictures in growth.dreams.items()
    }
    said = {
        "epochs": growth.epochs,
        "accuracy": growth.accuracy,
        "side": growth.side,
        "channels": growth.channels,
    }
    save_file(tensors, path, {"growth": json.dumps(said)})
    path.chmod(0o644)


def make_growth(
    snapshots: Mapping[float, Path],
    accuracy: Sequence[float],
    side: int,
    channels: Mapping[str, Sequence[int]] = CHANNELS,
    picture: int = 64,
) -> Growth:
    """The growth of a run from its snapshots, checkpoints by epoch; its channels' dreams have `picture` pixels a side."""
    networks = [load_checkpoint(path).requires_grad_(False) for path in snapshots.values()]
    filters = torch.stack([network.conv1.conv.weight for network in networks])
    dreams = {
        block: torch.stack([portraits(network, block, indices, picture) for network in networks])
        for block, indices in channels.items()
    }
    return Growth(
        tuple(snapshots),
        tuple(accuracy),
        side,
        filters,
        dreams,
        {block: tuple(c) for block, c in channels.items()},
    )


def read_run(
    run: Path, numbers: Sequence[int], share: float
) -> tuple[dict[float, Path], list[float]]:
    """The run's snapshots by epoch and their accuracy from its log; one of its epochs is `share` of the pictures."""
    with (run / "log.csv").open() as file:
        logged = {int(row["epoch"]): float(row["val_accuracy"]) for row in csv.DictReader(file)}
    if missing := [number for number in numbers if number and number not in logged]:
        raise ValueError(f"{run} has no epoch {missing[0]}; logged: {', '.join(map(str, logged))}")
    logged[0] = 1 / 200  # before training it guesses
    return {number * share: run / f"epoch-{number:02d}.safetensors" for number in numbers}, [
        logged[number] for number in numbers
    ]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m dreamkit.training.growth", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "run", type=Path, help="folder of a run of dreamkit.training.train that began from nothing"
    )
    parser.add_argument(
        "snapshots", type=int, nargs="+", help="which of its epochs, such as 0 1 2 5 10"
    )
    parser.add_argument(
        "--share", type=float, default=1.0, help="what share of the pictures one of its epochs saw"
    )
    parser.add_argument("--side", type=int, default=64, help="pixels it was trained at")
    parser.add_argument("--out", type=Path, default=WEIGHTS / "growth.safetensors")
    given = parser.parse_args(arguments)
    try:
        snapshots, accuracy = read_run(given.run, given.snapshots, given.share)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{error}\n")
    save_growth(make_growth(snapshots, accuracy, given.side), given.out)
    print(f"{given.out}: {given.out.stat().st_size / 1e3:.0f} kB, {len(snapshots)} snapshots")


if __name__ == "__main__":
    main()
