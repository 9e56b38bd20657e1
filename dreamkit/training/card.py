"""The model card's pictures and figures, from the shipped networks: `python -m dreamkit.training.card [DATA]`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from ..inside.evolution import Growth, filter_pictures, growth
from ..networks.dreamnet import Conv, DreamNet
from ..pictures.image import to_pillow
from ..pictures.samples import sample
from .data import Split, read_split
from .export import WEIGHTS, load_checkpoint
from .portraits import class_portraits, dream, portraits, sheet
from .train import standardise

PAGES = ["conv1", "channels", "china", "growth"]
NAMES = ("dreamnet", "dreamnet-robust")
BLOCKS = (
    "conv1",
    "conv2",
    *(f"inception{block}" for block in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")),
)
SHEET = ("conv2", "inception3b", "inception4a", "inception4c", "inception4e", "inception5b")


def filters(network: DreamNet) -> Tensor:
    """conv1's filters [48, 3, 7, 7] as pictures: 0 is mid-grey, each filter's largest weight is white, black or a full colour.

    BatchNorm's scale is folded in, so some are negatives of others; the standardising of the input is left out.
    """
    return filter_pictures(network.conv1.conv.weight)


def spread(channels: int, count: int = 16) -> list[int]:
    """`count` channels spread evenly over a block, so that every branch has its share."""
    return [at * channels // count for at in range(count)]


def channel_sheet(network: DreamNet) -> Tensor:
    """One row for each block of SHEET: portraits of 16 of its channels."""
    rows = []
    for block in SHEET:
        last = network.get_submodule(block)
        count = sum(conv.conv.out_channels for conv in ends(last))
        rows.append(portraits(network, block, spread(count)))
    return sheet(torch.cat(rows), 16)


def ends(block: torch.nn.Module) -> Iterator[Conv]:
    """The convolutions whose outputs are the block's."""
    for branch in (
        [block]
        if not hasattr(block, "branch1")
        else [getattr(block, f"branch{n}") for n in (1, 2, 3, 4)]
    ):
        yield branch if isinstance(branch, Conv) else branch[-1]


def block_sheet(network: DreamNet, photo: Tensor) -> Tensor:
    """The photo and its dreams at every block, four in a row."""
    return sheet(torch.cat([photo, *(dream(network, block, photo) for block in BLOCKS)]), 4, gap=4)


def class_sheet(network: DreamNet) -> Tensor:
    """All classes in label order, 20 in a row, each risen from the same noise."""
    classes = range(network.fc.out_features)
    return sheet(
        torch.cat(
            [class_portraits(network, classes[at : at + 20], steps=24) for at in classes[::20]]
        ),
        20,
    )


def silent_channels(network: DreamNet, split: Split, batch: int = 250) -> dict[str, int]:
    """For each convolution the number of its channels that no picture of the split excites at any place, ReLU included."""
    highest: dict[str, Tensor] = {}

    def keep(name: str):
        def hook(module, inputs, output):
            peak = output.detach().amax((0, 2, 3))
            highest[name] = torch.maximum(highest.get(name, peak), peak)

        return hook

    handles = [
        module.register_forward_hook(keep(name))
        for name, module in network.named_modules()
        if isinstance(module, Conv)
    ]
    try:
        with torch.no_grad():
            for at in range(0, len(split.labels), batch):
                network(standardise(split.pictures[at : at + batch].float() / 255))
    finally:
        for handle in handles:
            handle.remove()
    return {name: int((peak <= 0).sum()) for name, peak in highest.items()}


def growth_sheet(growth: Growth) -> Tensor:
    """A row for each channel of the growth, a column for each snapshot."""
    rows = torch.cat(
        [pictures.transpose(0, 1).flatten(0, 1) for pictures in growth.dreams.values()]
    )
    return sheet(rows, len(growth.epochs))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m dreamkit.training.card", description=__doc__)
    parser.add_argument(
        "data",
        type=Path,
        nargs="?",
        help="Tiny ImageNet, to count silent channels; without it only pictures are made",
    )
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--side", type=int, default=256, help="longest side of the dreamt photo")
    parser.add_argument(
        "--pages",
        nargs="*",
        choices=[*PAGES, "classes"],
        default=PAGES,
        help="classes too takes minutes",
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS / "card")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    photo = sample("china", given.side)
    if "growth" in given.pages:
        to_pillow(growth_sheet(growth())).save(given.out / "growth.webp", quality=75, method=6)
    for name in NAMES:
        network = (
            load_checkpoint(WEIGHTS / f"{name}.safetensors")
            .requires_grad_(False)
            .to(memory_format=torch.channels_last)
        )
        pages = {
            "conv1": lambda n: sheet(filters(n), 12, scale=8),
            "channels": channel_sheet,
            "classes": class_sheet,
            "china": lambda n: block_sheet(n, photo),
        }
        for page in pages.keys() & given.pages:
            to_pillow(pages[page](network)).save(
                given.out / f"{name}-{page}.webp", quality=75, method=6
            )
        if given.data:
            print(f"{name}: {silent_line(network, read_split(given.data, 'val', given.cache))}")


def silent_line(network: DreamNet, split: Split) -> str:
    silent = silent_channels(network, split)
    total = sum(
        module.conv.out_channels for module in network.modules() if isinstance(module, Conv)
    )
    where = ", ".join(f"{block} {count}" for block, count in silent.items() if count)
    return f"{sum(silent.values())} of {total} channels silent on {len(split.labels)} pictures ({where or 'none'})"


if __name__ == "__main__":
    main()
