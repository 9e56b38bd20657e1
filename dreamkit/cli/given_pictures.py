"""The pictures that a command is given: files, samples, and those that a passport asks for."""

from __future__ import annotations

import os
from pathlib import Path

import dreamkit as dk

from .. import passport as passports
from ..pictures.image import fit
from .console import say

MAX_SHEET_PIXELS = 2**26  # of a sample, or of a picture whose feature maps are drawn
# Longest sides in pixels without --side; photos are never enlarged.
PHOTO_SIDE, SAMPLE_SIDE, GUIDE_SIDE, FILM_SIDE = 1024, 512, 320, 512


def picture_at(
    name: str, side: int | None, greatest: int, quiet: bool = False
) -> tuple[dk.Image, dict]:
    """The picture of a file or a sample, and its description for a passport.

    Without `side`, a picture whose longest side is over `greatest` is shrunk to it; unless `quiet`,
    that is said. Raises FileNotFoundError or ValueError if there is no such picture.
    """
    if _is_sample(name):
        side = min(SAMPLE_SIDE, greatest) if side is None else side
        image = dk.sample(name, side)
        return image, passports.picture_spec(image, "sample", name, side)
    if not os.path.lexists(name) and not Path(name).suffix and os.sep not in name:
        raise FileNotFoundError(
            f"no picture at {name!r}, and no sample of this name; "
            f"samples: {', '.join(dk.samples())}"
        )
    image = dk.load_image(name, side)
    height, width = image.shape[-2:]
    if side is None and max(height, width) > greatest:
        side, image = greatest, fit(image, greatest)
        if not quiet:
            size = f"{image.shape[-1]}×{image.shape[-2]}"
            say(f"{name!r} has {width}×{height} pixels; taken at {size} (--side changes that)")
    return image, passports.picture_spec(image, "file", os.path.basename(name), side)


def picture_for(wanted: dict, given: str | None, flag: str) -> dk.Image:
    """The picture that a passport asks for: `given`, or, if it is None, the sample of that name.

    Raises ValueError if a file is wanted and none is given, and if the size is another. Pixels that
    differ from the wanted ones are only warned of.
    """
    if given is None and wanted["kind"] == "file":
        raise ValueError(
            f"it was made from a picture of yours, {wanted['name']!r}: give it with {flag} PICTURE"
        )
    expected = wanted["height"], wanted["width"]
    if expected[0] * expected[1] > MAX_SHEET_PIXELS and wanted["kind"] == "sample":
        raise ValueError(f"no sample has {wanted['width']}×{wanted['height']} pixels")
    name = given or wanted["name"]
    load = dk.sample if given is None or _is_sample(given) else dk.load_image
    image = load(name, wanted["side"])
    if tuple(image.shape[-2:]) != expected:
        raise ValueError(
            f"{name!r} is another picture: at this side it has "
            f"{image.shape[-1]}×{image.shape[-2]} pixels, "
            f"and the passport says {wanted['width']}×{wanted['height']}"
        )
    if passports.pixels_digest(image) != wanted["sha256"]:
        say(
            f"warning: {name!r} does not have the pixels that the passport names "
            f"(sha256 {wanted['sha256'][:12]}…)"
        )
    return image


def check_not_an_input(output: Path, *inputs: str | None) -> None:
    """Raises ValueError if the result would overwrite a file that it is made from."""
    for given in inputs:
        if given and output.exists() and os.path.exists(given) and output.samefile(given):
            raise ValueError(
                f"{str(output)!r} is a picture it is made from; "
                "give the result another name with -o"
            )


def _is_sample(name: str) -> bool:
    return not os.path.lexists(name) and name in dk.samples()
