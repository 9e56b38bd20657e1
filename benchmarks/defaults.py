"""The sheets from which defaults and styles were chosen by eye: `python -m benchmarks.defaults`.

It writes three WebP files into the folder of -o: `defaults` has nine photos (rows) and one idea
more in each column; `depths` has layers from shallow to deep, each with the settings that follow
from its stride; `styles` has every style on three photos.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import dreamkit as dk
from benchmarks import sheets

PHOTOS = (
    *("clouds", "china", "astronaut", "chelsea", "flower"),
    *("coffee", "rocket", "motorcycle", "gravel"),
)
ANIMALS = dk.styles()["animals"]
CHOICES = {
    "dk.Settings()": dk.Settings(),
    "five octaves, 15 steps": dk.Settings(steps=15, octaves=5, step_size=0.015),
    "and smoothing 0.7": dk.Settings(steps=15, octaves=5, step_size=0.015, smoothing=0.7),
    "and Laplacian": replace(ANIMALS.settings, chroma=1.0),
    "and chroma 0.2: chosen": ANIMALS.settings,
    "twice the step": replace(ANIMALS.settings, step_size=0.03),
}
DEPTHS = (
    *("stem", "block1a", "block2b.expand", "block2b", "block3b.expand", "block3b"),
    *("block4b.expand", "block4c", "block5b.expand", "block5c.expand", "block6a.expand", "top"),
)


def defaults(network: dk.Network, side: int) -> dict[str, dk.Image]:
    """Each photo, and its dreams under each of the choices."""
    score, made = dk.scorer(network, ANIMALS.objective), {}
    for name in PHOTOS:
        photo = made[name] = dk.sample(name, side)
        for what, settings in CHOICES.items():
            made[f"{name}: {what}"] = dk.dream(score, photo, settings)
    return made


def depths(network: dk.Network, side: int) -> dict[str, dk.Image]:
    """Two photos' dreams of layers from shallow to deep."""
    return {
        f"{name}: {layer}": dk.dream(
            dk.scorer(network, dk.layer(layer)),
            dk.sample(name, side),
            dk.settings_for(network, layer),
        )
        for name in ("chelsea", "china")
        for layer in DEPTHS
    }


def styles(network: dk.Network, side: int) -> dict[str, dk.Image]:
    """Three photos' dreams of every style."""
    return {
        f"{name}: {style.name}": dk.dream(
            dk.scorer(network, style.objective), dk.sample(name, side), style.settings
        )
        for style in dk.styles().values()
        for name in ("clouds", "china", "coffee")
    }


def shrunk(image: dk.Image, width: int = 288) -> dk.Image:
    """The picture [1, 3, h, width] with the proportions 3:2; of a higher one, the upper part."""
    height = min(image.shape[-2], image.shape[-1] * 2 // 3)
    return dk.resize(image[..., :height, :], (width * 2 // 3, width))


SHEETS: dict[str, tuple[Callable[[dk.Network, int], dict[str, dk.Image]], int, int]] = {
    "defaults": (defaults, 512, 1 + len(CHOICES)),  # side of a dream in pixels, columns
    "depths": (depths, 384, 6),
    "styles": (styles, 448, 6),
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SHEETS)}; all if not given")
    parser.add_argument("-o", default="benchmarks", help="the folder")
    given = parser.parse_args()
    for name in given.names or SHEETS:
        make, side, columns = SHEETS[name]
        pictures = {text: shrunk(p) for text, p in make(dk.load_network(), side).items()}
        sheets.save(sheets.labelled(pictures, columns), str(Path(given.o) / f"{name}.webp"))
