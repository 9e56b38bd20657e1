"""Colour profiles: a picture file's own colours become sRGB, the colours of every picture here."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import PIL.Image
from PIL import ImageCms

_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}  # ICC's name: Pillow's mode
_GREYS = PIL.Image.frombytes("L", (256, 1), bytes(range(256)))


def to_srgb(picture: PIL.Image.Image, profile: bytes | None) -> PIL.Image.Image:
    """A picture of mode RGB, RGBA, L, LA, CMYK or LAB as RGB or RGBA in sRGB.

    `profile` is the ICC profile of the file. Without one, or with one that is broken or of other
    colours than the picture, the numbers are taken as sRGB, grey, or ink without dot gain.
    """
    alpha = picture.getchannel("A") if picture.mode in ("RGBA", "LA") else None
    colours = picture if alpha is None else picture.convert(picture.mode[:-1])
    source = _profile(profile)
    if colours.mode == "LAB" and source is None:
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    mode = source and _SPACES.get(source.profile.xcolor_space.strip())
    if mode == "RGB" and colours.mode == "L":
        colours = colours.convert("RGB")
    converted = _converted(colours, source) if mode == colours.mode else None
    converted = colours.convert("RGB") if converted is None else converted
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def grey_to_srgb(values: np.ndarray, profile: bytes | None) -> np.ndarray:
    """Grey values in [0, 1] of a file with this ICC profile, in sRGB; see `to_srgb`."""
    curve = np.asarray(to_srgb(_GREYS, profile).getchannel("G"), dtype=np.float32)[0] / 255
    levels = np.arange(256, dtype=np.float32) / 255
    if np.array_equal(curve, levels):
        return values  # with all their precision
    return np.interp(values, levels, curve).astype(np.float32)


def _profile(data: bytes | None) -> ImageCms.ImageCmsProfile | None:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(data)) if data else None
    except (OSError, ImportError, TypeError):  # broken, or a Pillow built without LittleCMS
        return None


def _converted(
    picture: PIL.Image.Image, source: ImageCms.ImageCmsProfile
) -> PIL.Image.Image | None:
    """The picture in sRGB as RGB, or None if the profile is sRGB itself or cannot be applied."""
    srgb = ImageCms.createProfile("sRGB")
    try:
        transform = ImageCms.buildTransform(source, srgb, picture.mode, "RGB")
        if picture.mode in ("RGB", "L"):
            probe = _colours() if picture.mode == "RGB" else _GREYS
            change = np.asarray(transform.apply(probe), int) - np.asarray(probe.convert("RGB"), int)
            if abs(change).max() <= 1:  # only rounded: the exact bytes are better
                return None
        return transform.apply(picture)
    except ImageCms.PyCMSError:
        return None


@cache
def _colours() -> PIL.Image.Image:
    """Each combination of nine levels of red, green and blue."""
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), -1)
    return PIL.Image.fromarray(grid.reshape(27, 27, 3))
