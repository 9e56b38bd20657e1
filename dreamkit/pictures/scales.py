"""Pictures at several sizes: `resize`, the octaves of DeepDream, and Laplacian pyramids (Burt & Adelson, 1983)."""

from __future__ import annotations

import itertools
import math
import numbers
import operator

import torch
from torch import Tensor
from torch.nn import functional as F

from .image import Image

HOWS = ("area", "bilinear", "corners", "bicubic")


def resize(image: Image, size: tuple[int, int], how: str = "area") -> Image:
    """The picture [N, C, H, W] at size (height, width) in pixels.

    `how`: "area" averages the pixels under each new one along a side that shrinks, and is bilinear along one that
    grows; "bilinear" takes half-pixel centres and no anti-aliasing; "corners" is bilinear with the corner pixels
    kept in place (Caffe's and SciPy's zoom); "bicubic" like "bilinear". A picture of that size already comes back as it is.
    ValueError for another `how`, and for a size that is not two whole numbers of at least 1.

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
        return (
            F.interpolate(image, size=(height, width), mode="bilinear", align_corners=False)
            if smaller != (height, width)
            else image
        )
    mode = "bicubic" if how == "bicubic" else "bilinear"
    resized = F.interpolate(image, size=(height, width), mode=mode, align_corners=how == "corners")
    if how == "bicubic":  # it overshoots at edges; each picture keeps its own range
        resized = resized.clamp(
            image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)
        )
    return resized


def octave_sizes(height: int, width: int, count: int, ratio: float) -> list[tuple[int, int]]:
    """The sizes (height, width) of `count` octaves, small to large; each is `ratio` times the one before.

    >>> octave_sizes(70, 140, 3, 1.4)
    [(36, 71), (50, 100), (70, 140)]
    """
    whole = isinstance(count, numbers.Integral) and not isinstance(count, bool)
    if not (whole and count >= 1 and 1 <= ratio < math.inf):
        raise ValueError(
            f"octaves need a whole count of at least 1 and a ratio of at least 1; given: {count!r}, {ratio!r}"
        )
    return [
        (max(1, round(height / ratio**k)), max(1, round(width / ratio**k)))
        for k in reversed(range(count))
    ]


def octaves(image: Image, count: int, ratio: float) -> list[Image]:
    """The picture at `count` sizes, small to large, each `ratio` times the one before; the last is the picture itself.

    >>> [tuple(o.shape[-2:]) for o in octaves(torch.zeros(1, 3, 70, 140), 3, 1.4)]
    [(36, 71), (50, 100), (70, 140)]
    """
    return [resize(image, size) for size in octave_sizes(*image.shape[-2:], count, ratio)]


def laplacian_split(image: Tensor, levels: int) -> list[Tensor]:
    """The bands of a Laplacian pyramid, fine to coarse: `levels` differences and the small rest.

    Each level blurs with the binomial kernel 1 4 6 4 1, keeps every second pixel, and subtracts its enlargement.
    Any size will do: a side of n pixels becomes one of n / 2, rounded up. ValueError for levels below 0.

    >>> [tuple(band.shape[-2:]) for band in laplacian_split(torch.rand(1, 3, 9, 7), 2)]
    [(9, 7), (5, 4), (3, 2)]
    """
    if not isinstance(levels, numbers.Integral) or isinstance(levels, bool) or levels < 0:
        raise ValueError(f"levels must be a whole number, 0 or more; given: {levels!r}")
    bands = []
    for _ in range(levels):
        small = F.conv2d(mirror_pad(image, 2, 2), _binomial(image), stride=2, groups=image.shape[1])
        bands.append(image - _enlarge(small, image))
        image = small
    return [*bands, image]


def laplacian_merge(bands: list[Tensor]) -> Tensor:
    """The picture whose `laplacian_split` gave these bands, fine to coarse. ValueError where their sizes do not fit.

    >>> picture = torch.rand(1, 3, 9, 7)
    >>> torch.allclose(laplacian_merge(laplacian_split(picture, 2)), picture, atol=1e-6)
    True
    """
    sizes = [tuple(band.shape[-2:]) for band in bands]
    if not sizes or any(
        (-(-h // 2), -(-w // 2)) != small for (h, w), small in itertools.pairwise(sizes)
    ):
        raise ValueError(
            f"bands go from fine to coarse, each half the size of the one before (rounded up); given: {sizes}"
        )
    image = bands[-1]
    for band in reversed(bands[:-1]):
        image = band + _enlarge(image, band)
    return image


def _binomial(like: Tensor) -> Tensor:
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=like.dtype, device=like.device) / 16
    return torch.outer(row, row).expand(like.shape[1], 1, 5, 5)


def _enlarge(small: Tensor, like: Tensor) -> Tensor:
    height, width = like.shape[-2:]
    spread = small.new_zeros(*small.shape[:2], height, width)
    spread[..., ::2, ::2] = small  # zeros between, so the kernel weighs four times as much
    # Dividing by the blurred comb keeps a flat picture flat up to its borders.
    comb = torch.zeros_like(spread[:1, :1])
    comb[..., ::2, ::2] = 1
    blur = lambda x: F.conv2d(F.pad(x, (2, 2, 2, 2)), _binomial(x), groups=x.shape[1])
    return blur(spread) / blur(comb)


def mirror_pad(image: Tensor, rows: int, columns: int) -> Tensor:
    """The picture continued by its mirror image, without repeating the border pixel, by any number of rows and columns."""
    return image[..., mirror(image.shape[-2], rows, image), :][
        ..., mirror(image.shape[-1], columns, image)
    ]


def mirror(
    length: int, margin: int, like: Tensor, start: int = 0, end: int | None = None
) -> Tensor:
    """The indices of the rows from `start` to `end` of `length`, and of `margin` more on both sides, mirrored at the borders."""
    index = torch.arange(
        start - margin, (length if end is None else end) + margin, device=like.device
    )
    if length == 1:
        return torch.zeros_like(index)
    index = index.remainder(2 * (length - 1))  # a triangle wave: 0 1 2 1 0 1 2 …
    return torch.where(index < length, index, 2 * (length - 1) - index)
