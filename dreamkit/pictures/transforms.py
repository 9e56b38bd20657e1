"""Pictures that are zoomed, turned and shifted, or carried along a field of motion."""

from __future__ import annotations

import cmath
import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checks.numbers import is_number
from .image import Image


def motion(
    seconds: float, zoom: float = 1.0, turn: float = 0.0, shift: tuple[float, float] = (0.0, 0.0)
) -> tuple[complex, complex]:
    """How a point z = x + iy, counted from the middle, moves in so many seconds: factor, offset.

    The point moves to factor * z + offset, with y pointing down. It flows along dz/dt = a z + v:
    a holds the zoom and the turn, v is the shift. Therefore two moves of half a second equal one
    move of a second, whatever the rates are. ValueError for rates that are not finite numbers.

    All are per second.

    Args:
        zoom: the enlargement, a number above 0.
        turn: degrees, anticlockwise.
        shift: pixels that the middle moves down and to the right.

    >>> factor, offset = motion(0.5, zoom=4.0, shift=(0.0, 10.0))
    >>> round(abs(factor), 6)
    2.0
    """
    if not all(map(is_number, (turn, *shift))):
        raise ValueError(f"turn and shift are finite numbers; given: {turn!r}, {shift!r}")
    # y points down, so anticlockwise is negative.
    rate = complex(math.log(positive("zoom", zoom)), -math.radians(turn))
    speed = complex(shift[1], shift[0])
    factor = cmath.exp(rate * seconds)
    return factor, speed * ((factor - 1) / rate if rate else seconds)


def positive(name: str, value: float) -> float:
    """The value as a float. ValueError unless it is a finite number above 0."""
    if not (is_number(value, 0) and value > 0):
        raise ValueError(f"{name} is a number above 0; given: {value!r}")
    return float(value)


def move(image: Image, factor: complex, offset: complex = 0) -> Image:
    """The picture [N, 3, H, W] with every point z moved to factor * z + offset.

    z = x + iy is counted from the middle, in pixels, as in `motion`. Bilinear: the new pixel at z
    shows the old picture at (z - offset) / factor. Borders are mirrored.

    >>> move(torch.tensor([[[[0.0, 0.5, 1.0]]]]), 1, 1).flatten().tolist()  # one pixel to the right
    [0.5, 0.0, 0.5]
    """
    if factor == 1 and offset == 0:
        return image
    height, width = image.shape[-2:]
    y, x = pixel_grid(height, width)
    z = torch.complex(x - (width - 1) / 2, y - (height - 1) / 2)
    z = (z - offset) / factor
    return sample_at(image, z.real + (width - 1) / 2, z.imag + (height - 1) / 2).clamp(0, 1)


def warp(image: Image, back: Tensor) -> Image:
    """The picture [N, C, H, W] whose pixel at p is that of `image` at p + back(p).

    `back` [1, 2, H, W] holds (dx, dy) in pixels.
    """
    y, x = pixel_grid(*image.shape[-2:])
    dx, dy = back[0].to(image)
    return sample_at(image, x.to(image) + dx, y.to(image) + dy)


def pixel_grid(height: int, width: int) -> tuple[Tensor, Tensor]:
    """The row and the column of each pixel, [H, W] each, float64."""
    rows, columns = (torch.arange(length, dtype=torch.float64) for length in (height, width))
    return torch.meshgrid(rows, columns, indexing="ij")


def sample_at(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The picture [N, C, H, W] at the places (x, y) [H, W] in pixels.

    Bilinear; beyond its borders the picture is mirrored about its outermost pixels.
    """
    height, width = image.shape[-2:]
    places = torch.stack([2 * x / max(1, width - 1) - 1, 2 * y / max(1, height - 1) - 1], -1)
    places = places.to(image)[None].expand(len(image), -1, -1, -1)
    return F.grid_sample(
        image, places, mode="bilinear", padding_mode="reflection", align_corners=True
    )
