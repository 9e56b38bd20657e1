"""Pictures at several sizes: `resize`, octaves, and Laplacian pyramids (Burt & Adelson, 1983)."""

from __future__ import annotations

import math
import operator

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checks.numbers import is_number, is_whole
from .image import Image

HOWS = ("area", "bilinear", "corners", "bicubic")


def resize(image: Image, size: tuple[int, int], how: str = "area") -> Image:
    """The picture [N, C, H, W] at size (height, width) in pixels.

    If the size already matches, the input is returned. `how` is one of:

    - "area": along a side that shrinks, a new pixel is the mean of the pixels under it; along a
      side that grows, "area" is bilinear
    - "bilinear": half-pixel centres, no anti-aliasing
    - "corners": bilinear, with the corner pixels kept in place (Caffe's and SciPy's zoom)
    - "bicubic": centres as in "bilinear"; each picture keeps its own range

    Raises ValueError for another `how`, and for a size that is not two whole numbers of at least 1.

    >>> resize(torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]]), (1, 1)).item()
    0.5
    """
    try:
        height, width = (operator.index(n) for n in size)
    except (TypeError, ValueError):
        raise ValueError(
            f"a size is two whole numbers (height, width), in pixels; given: {size!r}"
        ) from None
    if how not in HOWS:
        raise ValueError(f"how must be one of {', '.join(HOWS)}; given: {how!r}")
    if min(height, width) < 1:
        raise ValueError(f"a picture has at least 1×1 pixels; given: {height}×{width}")
    if tuple(image.shape[-2:]) == (height, width):
        return image
    if how == "area":
        smaller = (min(height, image.shape[-2]), min(width, image.shape[-1]))
        if smaller != tuple(image.shape[-2:]):
            image = F.interpolate(image, size=smaller, mode="area")
        if smaller == (height, width):
            return image
    mode = "bicubic" if how == "bicubic" else "bilinear"
    resized = F.interpolate(image, size=(height, width), mode=mode, align_corners=how == "corners")
    if how == "bicubic":  # it overshoots at edges; each picture keeps its own range
        low, high = (extreme((1, 2, 3), keepdim=True) for extreme in (image.amin, image.amax))
        resized = resized.clamp(low, high)
    return resized


def octave_sizes(height: int, width: int, count: int, ratio: float) -> list[tuple[int, int]]:
    """The sizes (height, width) of `count` octaves: each is `ratio` times the one before.

    >>> octave_sizes(70, 140, 3, 1.4)
    [(36, 71), (50, 100), (70, 140)]
    """
    if not (is_whole(count, 1) and is_number(ratio, 1)):
        needs = "octaves need a whole count of at least 1 and a ratio of at least 1"
        raise ValueError(f"{needs}; given: {count!r}, {ratio!r}")
    divisors = [ratio**k for k in reversed(range(count))]
    return [(max(1, round(height / d)), max(1, round(width / d))) for d in divisors]


def octaves(image: Image, count: int, ratio: float) -> list[Image]:
    """The picture at the sizes of `octave_sizes`, small to large; the last is the picture itself.

    >>> [tuple(o.shape[-2:]) for o in octaves(torch.zeros(1, 3, 70, 140), 3, 1.4)]
    [(36, 71), (50, 100), (70, 140)]
    """
    return [resize(image, size) for size in octave_sizes(*image.shape[-2:], count, ratio)]


def laplacian_split(image: Tensor, levels: int) -> list[Tensor]:
    """The bands of a Laplacian pyramid, fine to coarse: `levels` differences and the small rest.

    Each level blurs with the binomial kernel 1 4 6 4 1, keeps every second pixel, and subtracts
    its enlargement. Pictures of all sizes are allowed: a side of n pixels becomes n / 2, rounded
    up. ValueError for levels below 0.

    >>> [tuple(band.shape[-2:]) for band in laplacian_split(torch.rand(1, 3, 9, 7), 2)]
    [(9, 7), (5, 4), (3, 2)]
    """
    if not is_whole(levels, 0):
        raise ValueError(f"levels must be a whole number, 0 or more; given: {levels!r}")
    bands = []
    for _ in range(levels):
        small = halve(image)
        bands.append(image - enlarge(small, image))
        image = small
    return [*bands, image]


def laplacian_merge(bands: list[Tensor]) -> Tensor:
    """The picture whose `laplacian_split` gave these bands, fine to coarse.

    Raises ValueError unless each band is half the size of the one before, rounded up.

    >>> picture = torch.rand(1, 3, 9, 7)
    >>> torch.allclose(laplacian_merge(laplacian_split(picture, 2)), picture, atol=1e-6)
    True
    """
    sizes = [tuple(band.shape[-2:]) for band in bands]
    halved = [(math.ceil(height / 2), math.ceil(width / 2)) for height, width in sizes]
    if not sizes or halved[:-1] != sizes[1:]:
        order = "bands go from fine to coarse, each half the size of the one before (rounded up)"
        raise ValueError(f"{order}; given: {sizes}")
    image = bands[-1]
    for band in reversed(bands[:-1]):
        image = band + enlarge(image, band)
    return image


def halve(image: Tensor) -> Tensor:
    """Every second pixel of the picture [N, C, H, W], blurred by the binomial kernel 1 4 6 4 1.

    >>> halve(torch.ones(1, 1, 5, 4)).unique().tolist(), halve(torch.ones(1, 1, 5, 4)).shape
    ([1.0], torch.Size([1, 1, 3, 2]))
    """
    return halve_padded(mirror_pad(image, 2, 2))


def halve_padded(padded: Tensor) -> Tensor:
    """`halve` of a picture that has two more pixels on each side already."""
    return F.conv2d(padded, _binomial(padded), stride=2, groups=padded.shape[1])


def _binomial(like: Tensor) -> Tensor:
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=like.dtype, device=like.device) / 16
    return torch.outer(row, row).expand(like.shape[1], 1, 5, 5)


def enlarge(small: Tensor, like: Tensor) -> Tensor:
    """`small` at the size of `like`, twice its own; zeros between the pixels are blurred away.

    >>> enlarge(torch.ones(1, 1, 3, 2), torch.empty(1, 1, 5, 4)).unique().tolist()
    [1.0]
    """
    height, width = like.shape[-2:]
    spread = small.new_zeros(*small.shape[:2], height, width)
    spread[..., ::2, ::2] = small  # zeros lie between the pixels
    # Division by the blurred comb makes up for the zeros: a flat picture stays flat everywhere.
    comb = torch.zeros_like(spread[:1, :1])
    comb[..., ::2, ::2] = 1
    blur = lambda x: F.conv2d(F.pad(x, (2, 2, 2, 2)), _binomial(x), groups=x.shape[1])
    return blur(spread) / blur(comb)


def mirror_pad(image: Tensor, rows: int, columns: int) -> Tensor:
    """The picture continued by its mirror image on each side, without repeating the border pixel.

    Unlike `torch.nn.functional.pad`, it takes margins of any length.
    """
    down = mirror(image.shape[-2], rows, image)
    across = mirror(image.shape[-1], columns, image)
    return image[..., down, :][..., across]


def mirror(
    length: int, margin: int, like: Tensor, start: int = 0, end: int | None = None
) -> Tensor:
    """The indices of a mirrored line: from `start` to `end`, and `margin` more on both sides.

    The line has `length` pixels and is mirrored at its ends: 0 1 2 becomes … 2 1 0 1 2 1 0 ….
    """
    end = length if end is None else end
    index = torch.arange(start - margin, end + margin, device=like.device)
    if length == 1:
        return torch.zeros_like(index)
    index = index.remainder(2 * (length - 1))  # two lines make one period
    return torch.where(index < length, index, 2 * (length - 1) - index)
