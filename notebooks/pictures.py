"""Makes the README's strip and the gallery: `python notebooks/pictures.py`.

It writes notebooks/pictures/*.webp and GALLERY.md.

Every picture of the gallery is made by the command that stands under it, and carries its recipe:
`dreamkit again` remakes it.
"""

import shlex
from pathlib import Path

import torch

import dreamkit as dk
from dreamkit.cli.app import call

FOLDER = Path(__file__).resolve().parent / "pictures"
LAYERS = ("inception3b", "inception4c", "inception5a")
WIDTH = 380

# name: (what is seen, the command but for its -o)
GALLERY = {
    "clouds": ("Dogs and penguins in a sky", "dreamkit dream clouds --side 448 --octaves 5"),
    "clouds-robust": (
        "The same sky, seen by the robust network",
        "dreamkit dream clouds --side 448 --network dreamnet-robust",
    ),
    "cat": ("A cat looked at for too long", "dreamkit dream chelsea --side 448 --steps 14"),
    "strokes": (
        "A low layer: strokes",
        "dreamkit dream chelsea --side 448 --layer conv2 --step-size 0.006 --octaves 3",
    ),
    "coffee": ("What the cup might hold", "dreamkit dream coffee --side 448"),
    "guided": (
        "A pavilion pulled towards a flower",
        "dreamkit dream china --side 448 --layer inception4e --guide flower",
    ),
    "penguins": (
        "One class alone: king penguin",
        "dreamkit dream rocket --side 448 --logit 'king penguin' --network dreamnet-robust",
    ),
    "caffe": ("The recipe of 2015", "dreamkit dream china --side 448 --recipe caffe"),
}


def strip(side: int = 512) -> dk.Image:
    """The sample photo and its dreams at three depths, side by side, [1, 3, H, W]."""
    photo, network = dk.sample("china", side), dk.load_network("dreamnet")
    pictures = [photo, *(dk.dream(dk.scorer(network, dk.layer(layer)), photo) for layer in LAYERS)]
    height = round(WIDTH * photo.shape[-2] / photo.shape[-1])
    gap = torch.ones(1, 3, height, 6)
    parts = [part for picture in pictures for part in (dk.resize(picture, (height, WIDTH)), gap)]
    return torch.cat(parts[:-1], dim=-1)


def gallery() -> str:
    """The page, after each of its commands has been run."""
    lines = [
        "# Gallery",
        "",
        "*Made by `python notebooks/pictures.py`; do not edit.* Each picture carries its recipe: "
        "`dreamkit again PICTURE` remakes it.",
    ]
    for name, (seen, command) in GALLERY.items():
        target = FOLDER / f"{name}.webp"
        status = call([*shlex.split(command)[1:], "-o", str(target)])
        if status:
            raise SystemExit(status)
        lines += [
            "",
            f"## {seen}",
            "",
            f"![{seen}](pictures/{name}.webp)",
            "",
            f"`{command} -o {name}.webp`",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    dk.save_image(strip(), FOLDER / "strip.webp")
    FOLDER.with_name("GALLERY.md").write_text(gallery(), encoding="utf-8")
