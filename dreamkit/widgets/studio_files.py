"""The studio's files: pictures that are uploaded, and free names to save under."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

from ..pictures.image import FORMATS, Image, load_image


@dataclass(frozen=True)
class Upload:
    """A picture that was uploaded, with the name of its file."""

    name: str
    image: Image


def read_upload(name: str, data: bytes, side: int) -> Upload:
    """The uploaded picture, its longest side `side` pixels. Raises ValueError if it is not one."""
    try:
        return Upload(name, load_image(io.BytesIO(data), side))
    except ValueError as error:
        raise ValueError(str(error).replace("the open file", repr(name))) from None


def free_path(path: Path) -> Path:
    """The path itself, or, where a file of that name exists, the next one with a number.

    Raises ValueError for a suffix that is not one of a picture.
    """
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"the file name must end in {', '.join(FORMATS)}; given: {str(path)!r}")
    stem, number = re.sub(r"-\d+$", "", path.stem), 2
    while path.exists():
        path, number = path.with_name(f"{stem}-{number}{path.suffix}"), number + 1
    return path
