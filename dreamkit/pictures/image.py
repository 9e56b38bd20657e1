"""Pictures in and out: files and sample photos become tensors [1, 3, H, W], RGB in [0, 1], and go back to files.

Every picture in dreamkit obeys that one convention. Files are read by Pillow; nothing is written half.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .files import check_place, one_line, write_whole

if TYPE_CHECKING:  # Pillow takes a tenth of a second to load, so each function that needs it does
    from PIL import Image as pillow

Image: TypeAlias = (
    Tensor  # [N, 3, H, W], RGB, every value in [0, 1]; float32, or float64 where the user gives it
)

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
MAX_SIDE = 65_536  # in pixels; a longer one is a slip of the finger
MAX_PIXELS = 178_956_970  # Pillow's own bound against decompression bombs
_ROWS = 256  # of a picture that are converted at a time
_MOST_SIDE = {
    "WEBP": 16_383,
    "JPEG": 65_500,
}  # in pixels, of these formats (libjpeg's own bound lies below the format's 65,535)
OUTSIDE = (
    "EPS",
    "WMF",
)  # Pillow hands these to other programs: Ghostscript would run what is in them
PASSPORT_KEY = "dreamkit"  # of the PNG text chunk
MAX_PASSPORT = 2**20  # characters
_EXIF_DESCRIPTION = 0x010E  # where JPEG and WebP carry the passport


def load_image(path_or_file: str | os.PathLike[str] | IO[bytes], side: int | None = None) -> Image:
    """A picture [1, 3, H, W] in [0, 1], float32, from a file or an open binary file.

    EXIF orientation is applied, transparency is laid over white, grey becomes RGB, 16 bits keep their precision,
    and of an animation the first frame is taken. `side` is the longest side of the result in pixels (smaller
    pictures are enlarged to it). Raises FileNotFoundError or ValueError in one line that names the file.

    >>> import io
    >>> file = io.BytesIO()
    >>> from PIL import Image as pillow
    >>> pillow.new("RGB", (4, 2), (255, 0, 0)).save(file, "PNG")
    >>> load_image(file)[0, :, 0, 0].tolist()
    [1.0, 0.0, 0.0]
    """
    check_side(side)
    with _opened(path_or_file) as file:
        picture = _to_tensor(_upright(file))
    return picture if side is None else fit(picture, side)


def save_image(
    image: Image, path: str | os.PathLike[str], passport: Mapping[str, object] | None = None
) -> None:
    """Writes one picture [1, 3, H, W] (or [3, H, W]) as PNG, JPEG or WebP by the suffix of `path`, whole or not at all.

    `passport` (anything JSON can hold) travels inside the file: as PNG text, as EXIF description in JPEG and WebP;
    `read_passport` gives it back. Raises ValueError for a wrong shape, suffix or folder.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"cannot save as {str(path)!r}: the name must end in {', '.join(FORMATS)}")
    picture, kind = to_pillow(image), FORMATS[path.suffix.lower()]
    if max(picture.size) > _MOST_SIDE.get(kind, MAX_PIXELS):
        raise ValueError(
            f"cannot write {str(path)!r}: {kind} holds at most {_MOST_SIDE[kind]} pixels a side; "
            f"given: {picture.width}×{picture.height}"
        )
    write_whole(path, lambda file: _encode(picture, file, kind, passport))


def as_saved(image: Image, path: str | os.PathLike[str]) -> Image:
    """The picture as `save_image` and `load_image` would give it back in the format of the file at `path`: what is lost is lost."""
    with _opened(path) as file:
        kind = file.format
    if kind not in FORMATS.values():
        raise ValueError(
            f"{_file_name(path)} is a {kind} file; dreamkit saves {', '.join(dict.fromkeys(FORMATS.values()))}"
        )
    memory = io.BytesIO()
    _encode(to_pillow(image), memory, kind, None)
    return load_image(memory)


def check_target(path: str | os.PathLike[str]) -> None:
    """Raises ValueError where `save_image` could not write to `path`: asked before the work, so that none is lost."""
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"cannot save as {str(path)!r}: the name must end in {', '.join(FORMATS)}")
    check_place(path)


def to_pillow(image: Image) -> pillow.Image:
    """The picture [1, 3, H, W] or [3, H, W] as an 8-bit Pillow image, each value rounded to the nearest of 0…255."""
    from PIL import Image as pillow

    if (
        not isinstance(image, Tensor)
        or image.shape[-3:-2] != (3,)
        or image.dim() not in (3, 4)
        or (image.dim() == 4 and len(image) != 1)
    ):
        given = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(f"one picture has the shape (1, 3, H, W) or (3, H, W); given: {given}")
    pixels = (
        image.detach()
        .reshape(image.shape[-3:])
        .to("cpu", torch.float64 if image.dtype == torch.float64 else torch.float32)
    )
    if pixels.numel() and not all(map(math.isfinite, map(float, pixels.aminmax()))):
        raise ValueError("the picture holds NaN or infinite values; every value must lie in [0, 1]")
    bytes_ = torch.empty(*pixels.shape[-2:], 3, dtype=torch.uint8)
    for values, rows in zip(
        pixels.split(_ROWS, -2), bytes_.split(_ROWS), strict=True
    ):  # a poster has no room for copies of itself
        rows.copy_((values.clamp(0, 1) * 255).round_().permute(1, 2, 0))
    return pillow.fromarray(bytes_.numpy())


def read_passport(path: str | os.PathLike[str]) -> dict[str, object]:
    """The passport that `save_image` put into the file at `path`, as plain data. ValueError where there is none."""
    with _opened(path) as file:
        text = (
            file.info.get(PASSPORT_KEY)
            if file.format == "PNG"
            else file.getexif().get(_EXIF_DESCRIPTION)
        )
    passport = None
    if isinstance(text, str) and len(text) < MAX_PASSPORT:
        with contextlib.suppress(
            ValueError, RecursionError
        ):  # a description that is no JSON, or JSON nested without end
            passport = json.loads(text)
    if not isinstance(passport, dict) or "dreamkit" not in passport:
        raise ValueError(f"{_file_name(path)} carries no dreamkit passport")
    return passport


def fit(picture: Image, side: int) -> Image:
    """The picture [N, 3, H, W] with its longest side brought to `side` pixels, anti-aliased; as it is where it has that size."""
    height, width = picture.shape[-2:]
    size = [max(1, round(n * side / max(height, width))) for n in (height, width)]
    return (
        F.interpolate(picture, size=size, mode="bilinear", antialias=True).clamp_(0, 1)
        if size != [height, width]
        else picture
    )


def noise(height: int, width: int, seed: int = 0, contrast: float = 1.0) -> Image:
    """Uniform noise [1, 3, height, width] around grey: values in 0.5 ± contrast / 2. The same seed, the same noise.

    >>> bool((noise(2, 3) == noise(2, 3)).all())
    True
    """
    if height < 1 or width < 1:
        raise ValueError(f"noise needs at least 1×1 pixels; given: {height}×{width}")
    generator = torch.Generator().manual_seed(seed)
    return 0.5 + contrast * (torch.rand(1, 3, height, width, generator=generator) - 0.5)


def check_image(image: object) -> None:
    """Raises ValueError, naming what is wrong, unless `image` is a floating [N, 3, H, W] tensor."""
    if not isinstance(image, Tensor):
        raise ValueError(f"a picture is a tensor [N, 3, H, W]; given: {type(image).__name__}")
    if image.dim() != 4 or image.shape[1] != 3 or 0 in image.shape:
        raise ValueError(f"a picture has the shape [N, 3, H, W]; given: {list(image.shape)}")
    if not image.is_floating_point():
        raise ValueError(f"a picture holds floating-point values in [0, 1]; given: {image.dtype}")


def check_values(image: object) -> None:
    """Raises ValueError unless `image` is a picture: [N, 3, H, W], floating, finite, every value in [0, 1]."""
    check_image(image)
    low, high = image.aminmax()
    if not (low >= 0 and high <= 1):  # NaN fails this comparison too
        raise ValueError(
            f"a picture's values lie in [0, 1]; given: {low.item():.4g} to {high.item():.4g}"
        )


@contextlib.contextmanager
def _opened(path_or_file: str | os.PathLike[str] | IO[bytes]) -> Iterator[pillow.Image]:
    """The picture file, opened by Pillow and no larger than allowed; whatever goes wrong with it within is one clear line."""
    from PIL import Image as pillow
    from PIL import UnidentifiedImageError

    name = _file_name(path_or_file)
    if isinstance(path_or_file, (str, os.PathLike)):
        _check_file(path_or_file, name)
    elif not hasattr(path_or_file, "read"):
        raise ValueError(
            f"a picture is loaded from a path or an open binary file; given: {type(path_or_file).__name__}"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; the pixels decide
            with pillow.open(path_or_file) as file:
                if file.format in OUTSIDE:
                    raise UnidentifiedImageError
                if file.width * file.height > MAX_PIXELS:
                    raise pillow.DecompressionBombError
                yield file
    except pillow.DecompressionBombError:
        raise ValueError(
            f"{name} has more than {MAX_PIXELS // 10**6} megapixels, the most that is allowed"
        ) from None
    except UnidentifiedImageError:
        raise ValueError(
            f"{name} is not a picture that Pillow can read (PNG, JPEG, WebP, GIF, TIFF, BMP, …)"
        ) from None
    except PermissionError:
        raise ValueError(f"{name} cannot be read: permission denied") from None
    except MemoryError:
        raise ValueError(f"{name} does not fit into memory") from None
    except Exception as error:  # a broken file can raise nearly anything inside a decoder
        raise ValueError(f"{name} is a broken picture: {one_line(error)}") from None


def _check_file(path: str | os.PathLike[str], name: str) -> None:
    if os.path.isdir(
        path
    ):  # os.path answers False where Path raises: names too long, links in circles
        raise ValueError(f"{name} is a folder, not a picture")
    if not os.path.exists(path):
        raise FileNotFoundError(f"no picture at {name}")
    if not os.path.isfile(path):
        raise ValueError(f"{name} is not a regular file")


def _upright(file: pillow.Image) -> pillow.Image:
    from PIL import ImageOps

    file.load()
    try:
        return ImageOps.exif_transpose(file)
    except Exception:  # broken EXIF does not make the pixels worse
        return file


def _to_tensor(picture: pillow.Image) -> Image:
    from PIL import Image as pillow

    if picture.mode.startswith("I;16") or picture.mode in (
        "I",
        "F",
    ):  # one channel of more than 8 bits
        values = torch.from_numpy(np.array(picture, dtype=np.float32))
        if not torch.isfinite(values).all():
            raise ValueError("it holds NaN or infinite values")
        values = (
            values / 65535 if picture.mode != "F" else values / (255 if values.max() > 1 else 1)
        )
        return values.clamp(0, 1).expand(1, 3, -1, -1).contiguous()
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = pillow.alpha_composite(pillow.new("RGBA", picture.size, "white"), picture)
    pixels = np.array(picture.convert("RGB"))  # a copy, so that torch may own it
    return (
        torch.from_numpy(pixels)
        .permute(2, 0, 1)[None]
        .to(torch.float32, memory_format=torch.contiguous_format)
        .div_(255)
    )


def _encode(
    picture: pillow.Image, file: IO[bytes], kind: str, passport: Mapping[str, object] | None
) -> None:
    options: dict[str, object] = {
        "PNG": {},
        "JPEG": {"quality": 95, "subsampling": 0},
        "WEBP": {"quality": 95, "method": 4},
    }[kind]
    if passport is not None:
        options |= _passport_option(kind, json.dumps(passport, sort_keys=True))
    picture.save(file, kind, **options)


def _passport_option(kind: str, text: str) -> dict[str, object]:
    from PIL import Image as pillow
    from PIL import PngImagePlugin

    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text(PASSPORT_KEY, text)
        return {"pnginfo": info}
    exif = pillow.Exif()
    exif[_EXIF_DESCRIPTION] = text  # json.dumps writes ASCII, as the EXIF tag demands
    return {"exif": exif}


def check_side(side: int | None) -> None:
    if side is not None and (
        isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= MAX_SIDE
    ):
        raise ValueError(
            f"side is the longest side in pixels, a whole number from 1 to {MAX_SIDE}; given: {side!r}"
        )


def _file_name(file: object) -> str:
    return repr(str(file)) if isinstance(file, (str, os.PathLike)) else "the open file"
