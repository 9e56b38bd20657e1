"""Pictures at several sizes: `resize`, octaves, and Laplacian pyramids (Burt & Adelson, 1983)."""

from __future__ import annotations

import math
import operator

from torch import Tensor
from torch.nn import functional as F

from ..checks.numbers import is_number, is_whole
from .filters import enlarge, halve
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

    >>> import torch
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

    >>> import torch
    >>> [tuple(o.shape[-2:]) for o in octaves(torch.zeros(1, 3, 70, 140), 3, 1.4)]
    [(36, 71), (50, 100), (70, 140)]
    """
    return [resize(image, size) for size in octave_sizes(*image.shape[-2:], count, ratio)]


def laplacian_split(image: Tensor, levels: int) -> list[Tensor]:
    """The bands of a Laplacian pyramid, fine to coarse: `levels` differences and the small rest.

    Each level blurs with the binomial kernel 1 4 6 4 1, keeps every second pixel, and subtracts
    its enlargement. Pictures of all sizes are allowed: a side of n pixels becomes n / 2, rounded
    up. ValueError for levels below 0.

    >>> import torch
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

    >>> import torch
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
