"""Sheets of what a network draws: `python -m benchmarks.drawn classes|channels -o sheet.webp`.

`classes`: the eight classes of the 2015 post, and dumbbell from four starts. `channels`: eight
random channels of a layer in each block, from the first to the last, a row for each.
"""

import argparse
from collections.abc import Sequence

import torch

import dreamkit as dk
from benchmarks import sheets
from dreamkit.inside.channels_by_depth import channel_picture
from dreamkit.published.class_pictures import class_picture
from dreamkit.published.figure_pictures import POST_CLASSES

CELL = 128  # pixels
SEED = 2  # the first whose channels suit a school: some of the others look like bare skin
ROWS = (  # one layer in each block of EfficientNet-Lite
    "stem",
    "block1a",
    "block2b.expand",
    "block3b.expand",
    "block4c.expand",
    "block5c.expand",
    "block6d.expand",
    "block7a.expand",
    "top",
)


def class_sheet(network: dk.Network) -> dict[str, dk.Image]:
    """{name: picture} of the post's classes and four dumbbells."""
    posts = class_picture(network, POST_CLASSES[:4]), class_picture(network, POST_CLASSES[4:])
    shown = dict(zip(POST_CLASSES, torch.cat(posts).split(1), strict=True))
    for seed in range(4):
        shown[f"dumbbell, start {seed}"] = class_picture(network, "dumbbell", seed=seed)
    return shown


def random_channels(network: dk.Network, layer: str, count: int = 8, seed: int = SEED) -> list[int]:
    """`count` channels of a layer, drawn with a seed; those without any weight are passed over."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(dk.layer_info(network, layer).channels, generator=generator).tolist()
    part = network.module.get_submodule(layer)
    weights = getattr(part, "project", part).conv.weight.flatten(1).abs().amax(1)
    return [index for index in order if weights[index] > 1e-3][:count]


def channel_sheet(network: dk.Network, layers: Sequence[str] = ROWS) -> dict[str, dk.Image]:
    """{layer and channel: picture}, row by row, all enlarged or shrunk to one side."""
    shown = {}
    for layer in layers:
        channels = random_channels(network, layer)
        pictures = channel_picture(network, layer, channels)
        how = "nearest" if pictures.shape[-1] < CELL else "area"
        pictures = torch.nn.functional.interpolate(pictures, size=(CELL, CELL), mode=how)
        for index, picture in zip(channels, pictures.split(1), strict=True):
            shown[f"{layer} {index}"] = picture
        print(layer, [round(float(p.std()), 2) for p in pictures], flush=True)
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["classes", "channels"])
    parser.add_argument("-o", required=True, help="a WebP file of at most 300 kB")
    parser.add_argument("--network", default="efficientnet_lite0")
    given = parser.parse_args()
    network = dk.load_network(given.network)
    make, columns = {"classes": (class_sheet, 4), "channels": (channel_sheet, 8)}[given.what]
    sheets.save(sheets.labelled(make(network), columns), given.o, 300_000)


if __name__ == "__main__":
    main()
