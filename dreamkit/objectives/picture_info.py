"""What a passport says of a photo or a guide picture: its name, its size and its sha256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..checks import fields as checks
from ..pictures.image import MAX_PIXELS, MAX_SIDE, Image

_SIZE = checks.integer(1, MAX_SIDE)
_FIELDS = {
    "kind": checks.one_of("sample", "file"),
    "name": checks.text,
    "side": checks.optional(_SIZE),
    "height": _SIZE,
    "width": _SIZE,
    "sha256": checks.sha256,
}


@dataclass(frozen=True)
class PictureInfo:
    """A photo or a guide picture, known by the sha256 of its pixels, never by a path.

    `kind` is "sample" or "file"; `side` is the longest side in pixels that it was loaded at, None
    for its own; `height` and `width` are in pixels.
    """

    kind: str
    name: str
    side: int | None
    height: int
    width: int
    sha256: str

    @classmethod
    def of(cls, image: Image, kind: str, name: str, side: int | None = None) -> PictureInfo:
        """The info of a picture. Of a file's path the directory is dropped for privacy."""
        name = name.replace("\\", "/").rpartition("/")[2][-200:]
        return cls(kind, name, side, *image.shape[-2:], pixels_digest(image))

    @classmethod
    def read(cls, data: object, where: str) -> PictureInfo:
        """The info that plain data describes; ValueError in one line for other data."""
        info = cls(**checks.take(data, where, _FIELDS))
        size = f"{info.width}×{info.height}"
        if info.height * info.width > MAX_PIXELS:
            raise ValueError(f"{where} has at most {MAX_PIXELS // 10**6} megapixels; given: {size}")
        if info.side not in (None, max(info.height, info.width)):
            raise ValueError(f"{where} cannot have the side {info.side} and the size {size}")
        return info

    def __getitem__(self, field: str) -> object:
        """The field of that name, as in the plain data of a passport."""
        return getattr(self, field)

    def python(self) -> str:
        """The Python that loads the picture."""
        side = "" if self.side is None else f", side={self.side}"
        return f"dk.{'sample' if self.kind == 'sample' else 'load_image'}({self.name!r}{side})"


def pixels_digest(image: Image) -> str:
    """The sha256 (hex) of a picture's dtype, shape and values (little-endian, in row order)."""
    array = image.detach().cpu().contiguous().numpy()
    digest = hashlib.sha256(f"{array.dtype} {list(array.shape)} ".encode())
    digest.update(memoryview(array.astype(array.dtype.newbyteorder("<"), copy=False)).cast("B"))
    return digest.hexdigest()
