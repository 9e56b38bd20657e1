"""Pictures: files become tensors [1, 3, H, W], sRGB in [0, 1], and tensors become files.

Every picture in dreamkit follows that convention. A file is written whole or not at all.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TypeAlias

import PIL.Image
import PIL.PngImagePlugin
import torch
from torch import Tensor
from torch.nn import functional as F

from ..checks.numbers import is_whole
from .decoding import MAX_PIXELS as MAX_PIXELS
from .decoding import decode, file_name, opened
from .files import check_place, write_whole

#: A tensor [N, 3, H, W], RGB, every value in [0, 1]; float32, or float64 if the user gives float64.
Image: TypeAlias = Tensor

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
MAX_SIDE = 65_536  # in pixels; a longer side is a typing mistake
# The most pixels a side that a format holds. JPEG could hold 65,535; libjpeg stops below that.
_MAX_SIDES = {"PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383}
_OPTIONS = {
    "PNG": {},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "method": 4},
}
_ROWS = 256  # of a picture that are converted at a time: a poster leaves no memory for a copy
PASSPORT_KEY = "dreamkit"  # of the PNG text chunk
MAX_PASSPORT = 2**20  # characters
_BYTES = " (divide values of 0 to 255 by 255)"
_EXIF_DESCRIPTION = 0x010E  # where JPEG and WebP carry the passport


def load_image(path_or_file: str | os.PathLike[str] | IO[bytes], side: int | None = None) -> Image:
    """A picture [1, 3, H, W] in [0, 1], float32, from a file or an open binary file.

    The file's colour profile (Display P3, Adobe RGB, CMYK, …) is converted to sRGB; without one
    the numbers are sRGB. EXIF orientation is applied, transparency is laid over white, grey
    becomes RGB, 16 bits keep their precision, and of an animation the first frame is taken.
    `side` is the longest side of the result in pixels; a smaller picture is enlarged to it.
    Raises FileNotFoundError or ValueError in one line that names the file.

    >>> file = io.BytesIO()
    >>> PIL.Image.new("RGB", (4, 2), (255, 0, 0)).save(file, "PNG")
    >>> load_image(file)[0, :, 0, 0].tolist()
    [1.0, 0.0, 0.0]
    """
    check_side(side)
    with opened(path_or_file) as file:
        picture = decode(file)
    return picture if side is None else fit(picture, side)


def save_image(
    image: Image, path: str | os.PathLike[str], passport: Mapping[str, object] | None = None
) -> None:
    """Write one picture [1, 3, H, W] or [3, H, W] as PNG, JPEG or WebP, whole or not at all.

    The file holds 8-bit RGB in sRGB, without a colour profile: programs take that for sRGB.
    The suffix of `path` decides the format. `passport` (anything JSON can hold) travels inside
    the file, as PNG text or as EXIF description in JPEG and WebP; `read_passport` returns it.
    Raises ValueError for a wrong shape, suffix or folder, and for a side that is too long for
    the format.
    """
    path = Path(path)
    kind, picture = _format(path), to_pillow(image)
    if max(picture.size) > _MAX_SIDES[kind]:
        raise ValueError(
            f"cannot write {str(path)!r}: {kind} holds at most {_MAX_SIDES[kind]} pixels a side; "
            f"given: {picture.width}×{picture.height}"
        )
    write_whole(path, lambda file: _encode(picture, file, kind, passport))


def as_saved(image: Image, path: str | os.PathLike[str]) -> Image:
    """The picture as it would come back from a file of the same format as the file at `path`.

    JPEG and WebP lose a little; this loses the same. ValueError if `save_image` cannot write
    the format.
    """
    with opened(path) as file:
        kind = file.format
    if kind not in _OPTIONS:
        raise ValueError(
            f"{file_name(path)} is a {kind} file; dreamkit saves {', '.join(_OPTIONS)}"
        )
    memory = io.BytesIO()
    _encode(to_pillow(image), memory, kind, None)
    return load_image(memory)


def check_target(path: str | os.PathLike[str]) -> None:
    """Raise ValueError if `save_image` cannot write to `path`; call it before the work starts."""
    path = Path(path)
    _format(path)
    check_place(path)


def _format(path: Path) -> str:
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"cannot save as {str(path)!r}: the name must end in {', '.join(FORMATS)}")
    return FORMATS[path.suffix.lower()]


def to_pillow(image: Image) -> PIL.Image.Image:
    """The picture [1, 3, H, W] or [3, H, W] as an 8-bit Pillow image, each value rounded.

    Values a little outside [0, 1], as a dream without clipping has them, are clipped. Raises
    ValueError for another shape, for values that are NaN or infinite, and for values that count
    to 255: whole numbers above 1, and fractions beyond ±10.
    """
    if not isinstance(image, Tensor) or tuple(image.shape[:-2]) not in ((3,), (1, 3)):
        given = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(f"one picture has the shape (1, 3, H, W) or (3, H, W); given: {given}")
    dtype = torch.float64 if image.dtype == torch.float64 else torch.float32
    pixels = image.detach().reshape(image.shape[-3:]).to("cpu", dtype)
    if pixels.numel() and not torch.stack(pixels.aminmax()).isfinite().all():
        raise ValueError("the picture holds NaN or infinite values; every value must lie in [0, 1]")
    _check_range(pixels, 10 if image.is_floating_point() else 1)
    rounded = torch.empty(*pixels.shape[-2:], 3, dtype=torch.uint8)  # [H, W, 3]
    for values, rows in zip(pixels.split(_ROWS, -2), rounded.split(_ROWS), strict=True):
        rows.copy_((values.clamp(0, 1) * 255).round_().permute(1, 2, 0))
    return PIL.Image.fromarray(rounded.numpy())


def _check_range(pixels: Tensor, limit: float) -> None:
    low, high = (v.item() for v in pixels.aminmax()) if pixels.numel() else (0, 0)
    if max(-low, high) > limit:
        raise ValueError(
            f"the values of a picture lie in [0, 1]; given: {low:.4g} to {high:.4g}{_BYTES}"
        )


def _encode(
    picture: PIL.Image.Image, file: IO[bytes], kind: str, passport: Mapping[str, object] | None
) -> None:
    options: dict[str, object] = dict(_OPTIONS[kind])
    text = json.dumps(passport, sort_keys=True)  # ASCII, as the EXIF tag demands
    if passport is not None and kind == "PNG":
        options["pnginfo"] = PIL.PngImagePlugin.PngInfo()
        options["pnginfo"].add_text(PASSPORT_KEY, text)
    elif passport is not None:
        options["exif"] = PIL.Image.Exif()
        options["exif"][_EXIF_DESCRIPTION] = text
    picture.save(file, kind, **options)


def read_passport(path: str | os.PathLike[str]) -> dict[str, object]:
    """The passport that `save_image` put into the file at `path`, as plain data.

    Raises ValueError if the file carries no passport.
    """
    with opened(path) as file:
        in_png = file.format == "PNG"
        text = file.info.get(PASSPORT_KEY) if in_png else file.getexif().get(_EXIF_DESCRIPTION)
    passport = None
    if isinstance(text, str) and len(text) < MAX_PASSPORT:
        # Other programs write descriptions too: not JSON, or JSON nested without end.
        with contextlib.suppress(ValueError, RecursionError):
            passport = json.loads(text)
    if not isinstance(passport, dict) or "dreamkit" not in passport:
        raise ValueError(f"{file_name(path)} carries no dreamkit passport")
    return passport


def fit(picture: Image, side: int) -> Image:
    """The picture [N, 3, H, W] with a longest side of `side` pixels, anti-aliased.

    If the size already matches, the input is returned.
    """
    height, width = picture.shape[-2:]
    side = int(side)  # one of NumPy's small kinds would overflow
    size = [max(1, round(n * side / max(height, width))) for n in (height, width)]
    if size == [height, width]:
        return picture
    return F.interpolate(picture, size=size, mode="bilinear", antialias=True).clamp_(0, 1)


def noise(height: int, width: int, seed: int = 0, contrast: float = 1.0) -> Image:
    """Uniform noise [1, 3, height, width] around grey: values in 0.5 ± contrast / 2.

    The same seed gives the same noise. ValueError for a side below one pixel.

    >>> bool((noise(2, 3) == noise(2, 3)).all())
    True
    """
    if height < 1 or width < 1:
        raise ValueError(f"noise needs at least 1×1 pixels; given: {height}×{width}")
    generator = torch.Generator().manual_seed(seed)
    return 0.5 + contrast * (torch.rand(1, 3, height, width, generator=generator) - 0.5)


def check_image(image: object) -> None:
    """Raise ValueError unless `image` is a floating-point tensor [N, 3, H, W]."""
    if not isinstance(image, Tensor):
        raise ValueError(f"a picture is a tensor [N, 3, H, W]; given: {type(image).__name__}")
    if image.dim() != 4 or image.shape[1] != 3 or 0 in image.shape:
        raise ValueError(f"a picture has the shape [N, 3, H, W]; given: {list(image.shape)}")
    if not image.is_floating_point():
        hint = _BYTES if image.dtype == torch.uint8 else ""
        raise ValueError(
            f"a picture holds floating-point values in [0, 1]; given: {image.dtype}{hint}"
        )


def check_values(image: object) -> None:
    """Raise ValueError unless `image` is a picture [N, 3, H, W] with all values in [0, 1]."""
    check_image(image)
    low, high = image.aminmax()
    if not (low >= 0 and high <= 1):  # NaN fails this comparison too
        hint = _BYTES if high > 10 else ""
        raise ValueError(
            f"a picture's values lie in [0, 1]; given: {low.item():.4g} to {high.item():.4g}{hint}"
        )


def check_side(side: int | None) -> None:
    """Raise ValueError unless `side` is None or a whole number of pixels up to MAX_SIDE."""
    if side is not None and not is_whole(side, 1, MAX_SIDE):
        raise ValueError(
            f"side is the longest side in pixels, a whole number from 1 to {MAX_SIDE}; "
            f"given: {side!r}"
        )
