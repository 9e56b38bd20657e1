"""The formats in which pictures are read; photos of phones (HEIC) need one package more."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from typing import IO

import PIL.Image

# Pillow opens more than twice as many; each is a parser that a stranger's file can reach.
_KNOWN = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "DIB", "PPM", "JPEG2000", "AVIF", "HEIF")
_KNOWN += ("TGA", "ICO", "ICNS", "PCX", "SGI", "QOI", "DDS", "XBM")
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
HEIF_SUFFIXES = (".heic", ".heif")
# Of a folder, the files with these suffixes are pictures; see `picture_suffixes`.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
HEIF_HINT = "pip install pillow-heif installs the decoder"


class NoHeifError(ValueError):
    """The picture is a HEIC photo, and pillow-heif is not installed."""


def open_picture(path_or_file: str | os.PathLike[str] | IO[bytes]) -> PIL.Image.Image:
    """The picture, opened by Pillow as one of the known formats and not decoded yet.

    Raises what Pillow raises; NoHeifError for a HEIC photo if pillow-heif is not installed.
    """
    try:
        return PIL.Image.open(path_or_file, formats=_readable())
    except PIL.UnidentifiedImageError:
        if not _is_heif(path_or_file) or "HEIF" in PIL.Image.OPEN:
            raise
        if not reads_heif():
            raise NoHeifError from None
    import pillow_heif  # large, so only for such a photo

    pillow_heif.register_heif_opener()
    return PIL.Image.open(path_or_file, formats=_readable())


def reads_heif() -> bool:
    """Whether HEIC photos can be read: by pillow-heif, or by what a program gave to Pillow."""
    return "HEIF" in PIL.Image.OPEN or importlib.util.find_spec("pillow_heif") is not None


def picture_suffixes() -> tuple[str, ...]:
    """The suffixes, in lower case, of the files that are taken of a folder of pictures."""
    return SUFFIXES + (HEIF_SUFFIXES if reads_heif() else ())


def _readable() -> list[str]:
    PIL.Image.init()
    return [name for name in _KNOWN if name in PIL.Image.OPEN]


def _is_heif(path_or_file: str | os.PathLike[str] | IO[bytes]) -> bool:
    """Whether the first bytes are those of a HEIC or HEIF file."""
    with contextlib.ExitStack() as stack:
        file = path_or_file
        if isinstance(file, (str, os.PathLike)):
            file = stack.enter_context(open(file, "rb"))
        file.seek(0)
        start = file.read(12)
    return start[4:8] == b"ftyp" and start[8:12] in _HEIF
