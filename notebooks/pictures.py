"""Makes the README's strip and the gallery: `python notebooks/pictures.py [NAME ...]`.

It writes notebooks/pictures/*.webp and GALLERY.md. With names only these pictures are made; the
page is written whole, with the others as they are.

Every picture of the gallery is made by the command that stands under it. Dreams carry their recipe:
`dreamkit again` remakes them.
"""

import os
import shlex
import sys
import tempfile
from pathlib import Path

import torch

import dreamkit as dk
from dreamkit.cli.app import call

FOLDER = Path(__file__).resolve().parent / "pictures"
STRIP = ("strokes", "patchwork", "scales", "animals")  # styles, from shallow to deep layers
WIDTH = 380

# starting pictures that are drawn, as the page shows it
DRAWN = """import dreamkit as dk

dk.save_image(dk.scenes.evening(427, 640), "evening.png")
dk.save_image(dk.scenes.riverside(427, 640), "riverside.png")"""
# name: (what is seen, the command but for its -o)
GALLERY = {
    "evening": ("Animals in an evening sky", "dreamkit dream evening.png"),
    "zoom": (
        "Deeper into the same sky, a film",
        "dreamkit zoom evening.png --side 320 --seconds 3 --fps 8 --zoom 1.6 --turn 8",
    ),
    "classes": (
        "Eight classes of the post of 2015, grown from noise",
        "dreamkit figures classes -o figures",
    ),
    "dumbbells": ("Dumbbells, and what came along", "dreamkit figures dumbbells -o figures"),
    "painting": ("A riverside in dots", "dreamkit dream riverside.png --style spirals"),
    "dogs": (
        "The astronaut's dogs",
        "dreamkit dream astronaut --side 512 --layer block5c.expand",
    ),
    "city": ("A city in a bright sky", "dreamkit dream clouds --side 640 --style buildings"),
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


def gallery(wanted: set[str]) -> str:
    """The page, after the commands of the wanted pictures have been run."""
    lines = [
        "# Gallery",
        "",
        "*Made by `python notebooks/pictures.py`; do not edit.* A dream carries its recipe: "
        "`dreamkit again PICTURE` remakes it. Two of the starting pictures are drawn by code:",
        "",
        "```python",
        DRAWN,
        "```",
    ]
    for name, (seen, command) in GALLERY.items():
        figures = command.startswith("dreamkit figures")
        if name in wanted:
            (figure if figures else dream)(command, FOLDER / f"{name}.webp")
        shown = f"`{command}`, side by side" if figures else f"`{command} -o {name}.webp`"
        lines += ["", f"## {seen}", "", f"![{seen}](pictures/{name}.webp)", "", shown]
    return "\n".join(lines) + "\n"


def dream(command: str, target: Path) -> None:
    """Runs a command that makes one picture or film."""
    _run([*shlex.split(command)[1:], "-o", str(target)])


def figure(command: str, target: Path) -> None:
    """Runs `dreamkit figures` and lays its pictures in rows of four."""
    _run(shlex.split(command)[1:])
    files = sorted(Path("figures").glob(f"{target.stem}-*.png"))
    pictures = [
        torch.nn.functional.pad(dk.load_image(file), (0, 6, 0, 6), value=1) for file in files
    ]
    rows = [torch.cat(pictures[k : k + 4], 3) for k in range(0, len(pictures), 4)]
    dk.save_image(torch.cat(rows, 2)[..., :-6, :-6], target)


def _run(words: list[str]) -> None:
    status = call(words)
    if status:
        raise SystemExit(status)


if __name__ == "__main__":
    wanted = set(sys.argv[1:]) or {"strip", *GALLERY}
    if unknown := wanted - {"strip", *GALLERY}:
        raise SystemExit(f"no picture {', '.join(unknown)}; there are strip, {', '.join(GALLERY)}")
    FOLDER.mkdir(exist_ok=True)
    if "strip" in wanted:
        dk.save_image(strip(), FOLDER / "strip.webp")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        exec(DRAWN)
        page = gallery(wanted)
        os.chdir(FOLDER)
    FOLDER.with_name("GALLERY.md").write_text(page, encoding="utf-8")
