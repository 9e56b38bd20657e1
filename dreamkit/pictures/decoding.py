"""Picture files are opened safely by Pillow and become tensors; every error is one clear line."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from typing import IO

import numpy as np
import PIL.Image
import PIL.ImageOps
import torch
from torch import Tensor

from .files import check_source, one_line
from .formats import HEIF_HINT, NoHeifError, open_picture
from .profiles import grey_to_srgb, to_srgb

MAX_PIXELS = 178_956_970  # Pillow's own bound against decompression bombs
_MEGAPIXELS = f"has more than {MAX_PIXELS // 10**6} megapixels, the most that is allowed"
_UNREADABLE = "is not a picture that Pillow can read (PNG, JPEG, WebP, GIF, TIFF, BMP, …)"
_FAULTS = {
    NoHeifError: f"is a HEIC photo: {HEIF_HINT}",
    PIL.Image.DecompressionBombError: _MEGAPIXELS,
    PIL.UnidentifiedImageError: _UNREADABLE,
    PermissionError: "cannot be read: permission denied",
    MemoryError: "does not fit into memory",
}


@contextlib.contextmanager
def opened(path_or_file: str | os.PathLike[str] | IO[bytes]) -> Iterator[PIL.Image.Image]:
    """The picture file, opened by Pillow, of at most MAX_PIXELS pixels.

    What goes wrong inside the `with` block is raised as FileNotFoundError or ValueError in one
    line that names the file.
    """
    name = file_name(path_or_file)
    if isinstance(path_or_file, (str, os.PathLike)):
        check_source(path_or_file, "picture")
    elif not hasattr(path_or_file, "read"):
        given = type(path_or_file).__name__
        raise ValueError(f"a picture is loaded from a path or an open binary file; given: {given}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; the pixels decide
            with open_picture(path_or_file) as file:
                if file.width * file.height > MAX_PIXELS:
                    raise PIL.Image.DecompressionBombError
                yield file
    except Exception as error:  # a broken file can raise nearly anything inside a decoder
        broken = f"is a broken picture: {one_line(error)}"
        fault = next((_FAULTS[kind] for kind in _FAULTS if isinstance(error, kind)), broken)
        raise ValueError(f"{name} {fault}") from None


def file_name(file: object) -> str:
    """What an error calls a file: its path in quotes, or "the open file"."""
    return repr(str(file)) if isinstance(file, (str, os.PathLike)) else "the open file"


def decode(file: PIL.Image.Image) -> Tensor:
    """The pixels [1, 3, H, W] of an opened file in [0, 1], sRGB, float32, upright as EXIF says."""
    file.load()
    profile = file.info.get("icc_profile")
    try:
        picture = PIL.ImageOps.exif_transpose(file)
    except Exception:  # broken EXIF data does not spoil the pixels
        picture = file
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        return _decode_deep(picture, profile)
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = to_srgb(picture.convert("LA" if picture.mode[0] == "L" else "RGBA"), profile)
        white = PIL.Image.new("RGBA", picture.size, "white")
        picture = PIL.Image.alpha_composite(white, picture).convert("RGB")
    else:
        known = picture.mode in ("L", "CMYK", "LAB")
        picture = to_srgb(picture if known else picture.convert("RGB"), profile)
    pixels = torch.from_numpy(np.array(picture))  # [H, W, 3], a copy that torch owns
    return to_floats(pixels)


def to_floats(pixels: Tensor) -> Tensor:
    """Bytes [H, W, 3] as a picture [1, 3, H, W] in [0, 1], float32."""
    planes = pixels.permute(2, 0, 1)[None]
    return planes.to(torch.float32, memory_format=torch.contiguous_format).div_(255)


def _decode_deep(picture: PIL.Image.Image, profile: bytes | None) -> Tensor:
    """A picture of one channel of more than 8 bits: whole numbers up to 65535, or floats."""
    values = torch.from_numpy(np.array(picture, dtype=np.float32))  # [H, W]
    if not torch.isfinite(values).all():
        raise ValueError("it holds NaN or infinite values")
    if picture.mode != "F":
        white = 65535
    else:  # floats count either to 1 or to 255
        white = 255 if values.max() > 1 else 1
    greys = (values / white).clamp(0, 1).numpy()
    return torch.from_numpy(grey_to_srgb(greys, profile)).expand(1, 3, -1, -1).contiguous()
