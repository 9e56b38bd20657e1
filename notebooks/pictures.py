"""Makes the README's strip and the gallery: `python notebooks/pictures.py`.

It writes notebooks/pictures/*.webp and GALLERY.md; with names of the gallery, only those pictures
and the page.

Every picture of the gallery is made by the command that stands under it, and carries its recipe:
`dreamkit again` remakes it.
"""

import shlex
import sys
from pathlib import Path

import torch

import dreamkit as dk
from dreamkit.cli.app import call

FOLDER = Path(__file__).resolve().parent / "pictures"
STRIP = ("strokes", "patchwork", "scales", "animals")  # styles, from shallow to deep layers
WIDTH = 380

# name: (what is seen, the command but for its -o)
GALLERY = {
    "clouds": ("Animals in a sky", "dreamkit dream clouds --side 640"),
    "city": ("A city in the same sky", "dreamkit dream clouds --side 640 --style buildings"),
    "night": ("A launch at night", "dreamkit dream rocket --side 640"),
    "flower": ("Who lives behind a dahlia", "dreamkit dream flower --side 640"),
    "coffee": ("A coffee that looks back", "dreamkit dream coffee --side 640 --style eyes"),
    "birds": ("Birds", "dreamkit dream clouds --side 640 --style birds"),
    "flowers": ("A pavilion in bloom", "dreamkit dream china --side 640 --style flowers"),
    "ornament": ("Stained glass", "dreamkit dream coffee --side 640 --style ornament"),
    "spirals": ("Curls and eddies", "dreamkit dream china --side 640 --style spirals"),
    "scales": ("Scales", "dreamkit dream astronaut --side 512 --style scales"),
    "patchwork": ("Patchwork", "dreamkit dream motorcycle --side 640 --style patchwork"),
    "strokes": ("Strokes of a low layer", "dreamkit dream chelsea --side 448 --style strokes"),
    "guided": (
        "A pavilion pulled towards a flower",
        "dreamkit dream china --side 640 --layer block5c --guide flower",
    ),
    "caffe": ("The recipe of 2015", "dreamkit dream china --side 640 --recipe caffe"),
    "robust": (
        "The sky again, seen by a small robust network",
        "dreamkit dream clouds --side 448 --network dreamnet-robust",
    ),
    "grid": ("What a layer sees in each part of a cat", "dreamkit grid chelsea"),
    "groups": ("Channels that act together", "dreamkit groups chelsea"),
    "caricature": ("A caricature, grown from noise", "dreamkit caricature chelsea"),
}


def strip(side: int = 640) -> dk.Image:
    """The sample photo and its dreams from shallow to deep, side by side, [1, 3, H, W]."""
    photo, network = dk.sample("china", side), dk.load_network()
    styles = [dk.styles()[name] for name in STRIP]
    dreams = [dk.dream(dk.scorer(network, s.objective), photo, s.settings) for s in styles]
    height = round(WIDTH * photo.shape[-2] / photo.shape[-1])
    gap = torch.ones(1, 3, height, 6)
    parts = [part for one in [photo, *dreams] for part in (dk.resize(one, (height, WIDTH)), gap)]
    return torch.cat(parts[:-1], dim=-1)


def make(name: str) -> None:
    """Run the command of one picture of the gallery."""
    _, command = GALLERY[name]
    status = call([*shlex.split(command)[1:], "-o", str(FOLDER / f"{name}.webp")])
    if status:
        raise SystemExit(status)


def gallery() -> str:
    """The page."""
    lines = [
        "# Gallery",
        "",
        "*Made by `python notebooks/pictures.py`; do not edit.* Each picture carries its recipe: "
        "`dreamkit again PICTURE` remakes it.",
    ]
    for name, (seen, command) in GALLERY.items():
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
    if not sys.argv[1:]:
        dk.save_image(strip(), FOLDER / "strip.webp")
    for name in sys.argv[1:] or GALLERY:
        make(name)
    FOLDER.with_name("GALLERY.md").write_text(gallery(), encoding="utf-8")
