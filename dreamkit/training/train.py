"""Training and evaluation of DreamNet: `python -m dreamkit.training.train DATA --run FOLDER`.

SGD with Nesterov momentum on one cycle of the learning rate, label smoothing, an exponential moving
average of the weights, bfloat16 where the machine has arithmetic for it. `--robust 0.75` trains on
attacked pictures (see `attack`). `--evaluate NAME` measures a shipped network or a checkpoint.
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

import torch

from ..networks.dreamnet import DreamNet
from .data import Split, read_split
from .evaluation import accuracy
from .export import WEIGHTS, load_checkpoint
from .schedule import TrainingSettings
from .seeds import global_seed, seeded
from .trainer import Training


def new_network(classes: int, seed: int, init: Path | None = None) -> DreamNet:
    """A DreamNet with random weights, or with those of the checkpoint `init`.

    Raises ValueError for a checkpoint that cannot be trained on this number of classes.
    """
    if init is None:
        with global_seed(seed):
            return DreamNet(classes)
    network = load_checkpoint(init)
    if network.conv1.conv.bias is not None:
        raise ValueError(f"{init} is folded; training needs a checkpoint with its BatchNorm")
    if network.fc.out_features != classes:
        raise ValueError(f"{init} has {network.fc.out_features} classes, the data have {classes}")
    return network


def find_weights(name_or_file: str) -> Path:
    """The path of a shipped network, given by its name, or of a checkpoint, given by its path."""
    for path in (WEIGHTS / f"{name_or_file}.safetensors", Path(name_or_file)):
        if path.is_file():
            return path
    shipped = ", ".join(sorted(path.stem for path in WEIGHTS.glob("dreamnet*.safetensors")))
    raise ValueError(f"no network or file {name_or_file!r}; shipped: {shipped}")


def main(arguments: list[str] | None = None) -> None:
    """The command line: trains, or evaluates with --evaluate."""
    parser = argparse.ArgumentParser(
        prog="python -m dreamkit.training.train", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add(
        "data",
        type=Path,
        help="Tiny ImageNet: the official folder, or one with zips of train/<wnid>/… and val/…",
    )
    add(
        "--run",
        type=Path,
        default=Path("runs/dreamnet"),
        help="folder of the run; a run that was stopped there continues",
    )
    add("--init", type=Path, help="checkpoint to start from")
    add("--cache", type=Path, help="folder for decoded pictures (1.2 GB)")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--evaluate", metavar="NAME_OR_FILE", help="show the validation accuracy and exit")
    add(
        "--attack",
        type=int,
        default=0,
        metavar="N",
        help="with --evaluate: also the accuracy of N pictures under 20-step PGD, L2 radius 0.5",
    )
    for field in fields(TrainingSettings):
        option = "--" + field.name.replace("_", "-")
        add(option, type=type(field.default), default=field.default)
    given = parser.parse_args(arguments)
    try:
        evaluate(given) if given.evaluate else train(given)
    except ValueError as error:
        parser.exit(2, f"{error}\n")


def train(given: argparse.Namespace) -> None:
    """Trains a network as the command line says, and prints its accuracy."""
    val = read_split(given.data, "val", given.cache)
    values = {field.name: getattr(given, field.name) for field in fields(TrainingSettings)}
    settings, split = TrainingSettings(**values), read_split(given.data, "train", given.cache)
    network = new_network(len(split.classes), settings.seed, given.init)
    last = Training(settings, network, split, val, given.run, given.device).run()
    print(f"{last}: top-1 {accuracy(load_checkpoint(last).to(given.device), val):.2%}")


def evaluate(given: argparse.Namespace) -> None:
    """Prints the accuracy of a network, and with --attack that under attack."""
    val = read_split(given.data, "val", given.cache)
    network = load_checkpoint(find_weights(given.evaluate)).requires_grad_(False)
    network = network.to(given.device, memory_format=torch.channels_last)
    top, count = f"{accuracy(network, val):.2%}", len(val.labels)
    print(f"{given.evaluate}: top-1 {top} of {count} validation pictures")
    if given.attack:
        # The pictures are sorted by class: a random choice holds all classes.
        chosen = torch.randperm(count, generator=seeded(0, 0))[: given.attack]
        some = Split(val.pictures[chosen], val.labels[chosen], val.classes)
        robust = accuracy(network, some, radius=0.5)
        print(f"under 20-step PGD, L2 radius 0.5: {robust:.2%} of {len(chosen)}")


if __name__ == "__main__":
    main()
