"""The model card's pictures, and its silent channels: `python -m dreamkit.training.card [DATA]`."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from ..ascent.loop import dream
from ..ascent.settings import Settings
from ..inside.evolution import Growth, filter_pictures, growth
from ..networks.dreamnet import Conv, DreamNet
from ..networks.layers import layer_info
from ..networks.network import Network
from ..networks.zoo import load_network
from ..objectives.objective import layer
from ..objectives.scorer import scorer
from ..pictures.image import Image, to_pillow
from ..pictures.samples import sample
from .data import Split, read_split
from .evaluation import standardize
from .export import WEIGHTS
from .portraits import class_portraits, portraits, sheet

PAGES = ("conv1", "channels", "china", "growth")
NAMES = ("dreamnet", "dreamnet-robust")
_NUMBERS = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
BLOCKS = ("conv1", "conv2", *(f"inception{number}" for number in _NUMBERS))
SHEET = ("conv2", "inception3b", "inception4a", "inception4c", "inception4e", "inception5b")


def filter_sheet(network: Network) -> Image:
    """conv1's 48 filters, with the scale of BatchNorm: some are negatives of others."""
    return sheet(filter_pictures(network.module.conv1.conv.weight), 12, scale=8)


def channel_sheet(network: Network) -> Image:
    """One row for each block of SHEET: 16 of its channels, spread evenly over its branches."""
    rows = []
    for block in SHEET:
        count = layer_info(network, block).channels
        rows.append(portraits(network, block, [i * count // 16 for i in range(16)]))
    return sheet(torch.cat(rows), 16)


def block_sheet(network: Network, photo: Image) -> Image:
    """The photo and its dream at every block, four in a row."""
    settings = Settings(10, 0.012, octaves=4, smoothing=0.5)
    dreams = [dream(scorer(network, layer(block)), photo, settings) for block in BLOCKS]
    return sheet(torch.cat([photo, *dreams]), 4, gap=4)


def class_sheet(network: Network) -> Image:
    """All 200 classes in label order, 20 in a row."""
    rows = [class_portraits(network, range(start, start + 20)) for start in range(0, 200, 20)]
    return sheet(torch.cat(rows), 20)


def growth_sheet(growth: Growth) -> Image:
    """A row for each channel of the growth, a column for each snapshot."""
    rows = [pictures.transpose(0, 1).flatten(0, 1) for pictures in growth.dreams.values()]
    return sheet(torch.cat(rows), len(growth.epochs))


def silent_channels(network: DreamNet, split: Split, batch: int = 250) -> dict[str, int]:
    """{convolution: number of its channels that are 0, after the ReLU, for all of the pictures}."""
    highest: dict[str, Tensor] = {}

    def keep(name: str, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        peak = output.detach().amax((0, 2, 3))
        highest[name] = torch.maximum(highest.get(name, peak), peak)

    handles = [
        module.register_forward_hook(partial(keep, name))
        for name, module in network.named_modules()
        if isinstance(module, Conv)
    ]
    try:
        with torch.no_grad():
            for pictures in split.pictures.split(batch):
                network(standardize(pictures.float() / 255))
    finally:
        for handle in handles:
            handle.remove()
    return {name: int((peak <= 0).sum()) for name, peak in highest.items()}


def silent_line(network: DreamNet, split: Split) -> str:
    """The number of silent channels in words, and where they are."""
    silent = silent_channels(network, split)
    total = sum(m.conv.out_channels for m in network.modules() if isinstance(m, Conv))
    where = ", ".join(f"{block} {count}" for block, count in silent.items() if count) or "none"
    pictures = f"{len(split.labels)} pictures"
    return f"{sum(silent.values())} of {total} channels silent on {pictures} ({where})"


def main(arguments: list[str] | None = None) -> None:
    """The command line: writes the pages asked for as WebP files."""
    parser = argparse.ArgumentParser(prog="python -m dreamkit.training.card", description=__doc__)
    add = parser.add_argument
    add("data", type=Path, nargs="?", help="Tiny ImageNet; if given, counts silent channels")
    add("--cache", type=Path, help="folder for decoded pictures")
    add("--side", type=int, default=256, help="longest side of the dreams of the photo")
    add(
        "--pages",
        nargs="*",
        choices=[*PAGES, "classes"],
        default=PAGES,
        help="classes takes minutes and is made only if named",
    )
    add("--out", type=Path, default=WEIGHTS / "card")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)

    def save(name: str, page: Image) -> None:
        to_pillow(page).save(given.out / f"{name}.webp", quality=75, method=6)

    pages = {
        "conv1": filter_sheet,
        "channels": channel_sheet,
        "classes": class_sheet,
        "china": partial(block_sheet, photo=sample("china", given.side)),
    }
    if "growth" in given.pages:
        save("growth", growth_sheet(growth()))
    for name in NAMES:
        network = load_network(name, device="cpu")
        for page in pages.keys() & given.pages:
            save(f"{name}-{page}", pages[page](network))
        if given.data:
            split = read_split(given.data, "val", given.cache)
            print(f"{name}: {silent_line(network.module, split)}")


if __name__ == "__main__":
    main()
