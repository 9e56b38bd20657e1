"""A painting in dots, drawn by code: a riverside on a summer day."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from .drawing import check_size, draw_seed, fractal, mix, random_line, rgb
from .image import Image


def riverside(height: int, width: int, seed: int = 0) -> Image:
    """A pointillist painting [1, 3, height, width]: trees, a river with sails, a lawn, parasols.

    It is laid on in three coats of dots, from broad to fine; each dot has nearly the colour of what
    it covers, as in the paintings of Georges Seurat and Paul Signac, whose works it does not copy.

    >>> riverside(30, 40).shape
    torch.Size([1, 3, 30, 40])
    """
    check_size(height, width)
    generator = torch.Generator().manual_seed(seed)
    scene = picture = _scene(height, width, generator)
    size = math.sqrt(height * width)
    for share, spread in ((0.014, 0.06), (0.009, 0.08), (0.006, 0.09)):
        picture = _dotted(picture, scene, max(2.0, share * size), spread, generator)
    return picture.clamp(0, 1)


def _scene(height: int, width: int, generator: torch.Generator) -> Tensor:
    """What is painted, in plain colours [1, 3, height, width]."""
    y = (torch.arange(height).float() / height)[:, None].expand(height, width)
    x = (torch.arange(width).float() / width)[None].expand(height, width)
    line = lambda slope=1.6: random_line(width, draw_seed(generator), slope)[None]
    picture = mix(rgb(0.55, 0.72, 0.90), rgb(0.98, 0.90, 0.72), (y / 0.36).clamp(0, 1))
    bank = 0.36 - 0.045 * line().abs()  # trees beyond the river
    picture = mix(picture, rgb(0.30, 0.50, 0.38), _edge(y - bank, height))
    river = mix(rgb(0.62, 0.75, 0.86), rgb(0.24, 0.45, 0.66), ((y - 0.38) / 0.26).clamp(0, 1))
    ripples = fractal(height, width, draw_seed(generator), slope=1.0, stretch=6.0)
    picture = mix(picture, river * (1 + 0.07 * ripples), _edge(y - 0.38, height))
    for place, low, tall in ((0.42, 0.47, 0.13), (0.60, 0.43, 0.09), (0.83, 0.50, 0.17)):
        sail = _triangle(y, x, low, place, tall, height)
        picture = mix(picture, rgb(0.98, 0.95, 0.88), sail)
        glint = _triangle(2 * low + 0.02 - y, x, low, place, 0.8 * tall, height)  # its reflection
        picture = mix(picture, rgb(0.90, 0.90, 0.88), 0.5 * glint)
        hull = _ellipse(y, x, low + 0.012, place + 0.02, 0.014, 0.05, height)
        picture = mix(picture, rgb(0.45, 0.20, 0.16), hull)
    shore = 0.62 + 0.10 * (x - 0.5) + 0.006 * line()
    grass = rgb(0.62, 0.70, 0.26) * (1 + 0.10 * fractal(height, width, draw_seed(generator), 1.2))
    picture = mix(picture, grass, _edge(y - shore, height))
    shade = 0.86 + 0.05 * line() - 0.08 * x  # the foreground lies in the shade
    picture = mix(picture, rgb(0.20, 0.40, 0.28), 0.85 * _edge(y - shade, height))
    for place, foot, tall, red in (
        (0.56, 0.72, 0.16, 0.25),
        (0.90, 0.75, 0.18, 0.5),
        (0.36, 0.84, 0.30, 0.9),
        (0.73, 0.93, 0.40, 0.8),
    ):
        picture = _figure(picture, y, x, place, foot, tall, red)
    return _tree(picture, y, x, generator)


def _figure(
    picture: Tensor, y: Tensor, x: Tensor, place: float, foot: float, tall: float, red: float
) -> Tensor:
    """The picture with somebody in a long dress under a parasol; `red` decides its colour."""
    height = y.shape[0]
    shadow = _ellipse(y, x, foot, place + 0.35 * tall, 0.02, 0.4 * tall, height)
    picture = mix(picture, rgb(0.18, 0.36, 0.26), 0.8 * shadow)
    dress = _triangle(y, x, foot, place, 0.72 * tall, height, lean=0.0, wide=0.5)
    picture = mix(picture, rgb(0.28, 0.24, 0.48) + red * rgb(0.3, 0.0, -0.2), dress)
    head = _ellipse(y, x, foot - 0.72 * tall, place, 0.06 * tall, 0.045 * tall, height)
    picture = mix(picture, rgb(0.86, 0.66, 0.52), head)
    roof = _ellipse(y, x, foot - 0.78 * tall, place + 0.06 * tall, 0.24 * tall, 0.26 * tall, height)
    roof = roof * (y < foot - 0.78 * tall)
    return mix(picture, rgb(0.35, 0.30, 0.28) + red * rgb(0.55, 0.10, -0.05), roof)


def _tree(picture: Tensor, y: Tensor, x: Tensor, generator: torch.Generator) -> Tensor:
    """The picture with a tree at its left edge, whose crown hangs into it."""
    height, width = y.shape
    trunk = _edge(0.022 + 0.03 * (y - 0.5).clamp(min=0) ** 2 - (x - 0.12).abs(), width)
    picture = mix(picture, rgb(0.34, 0.22, 0.22), trunk * (y < 0.93))
    leafy = fractal(height, width, draw_seed(generator), slope=1.3)
    depth = 0.34 - 0.55 * (x - 0.08).clamp(min=0) - y + 0.05 * leafy
    tone = (0.5 + 0.3 * leafy).clamp(0, 1)
    leaves = mix(rgb(0.10, 0.28, 0.22), rgb(0.45, 0.58, 0.20), tone)
    return mix(picture, leaves, _edge(depth, height))


def _edge(distance: Tensor, pixels: int) -> Tensor:
    """1 where the distance (in sides) is above 0, else 0, with an edge one pixel wide."""
    return (distance * pixels + 0.5).clamp(0, 1)


def _ellipse(
    y: Tensor, x: Tensor, row: float, column: float, high: float, wide: float, pixels: int
) -> Tensor:
    out = (((y - row) / high).square() + ((x - column) / wide).square()).sqrt()
    return _edge((1 - out) * min(high, wide), pixels)


def _triangle(
    y: Tensor,
    x: Tensor,
    low: float,
    place: float,
    tall: float,
    pixels: int,
    lean: float = 0.35,
    wide: float = 0.5,
) -> Tensor:
    """A triangle on its side of `wide` × `tall`, whose tip leans to the right by `lean` of it."""
    up = (low - y) / tall  # 0 to 1 within it
    half = 0.5 * wide * tall * (1 - up)
    across = x - place - lean * tall * up * wide
    return _edge(half - across.abs(), pixels) * ((up > 0) & (up < 1))


def _dotted(
    picture: Tensor, scene: Tensor, spacing: float, spread: float, generator: torch.Generator
) -> Tensor:
    """The picture under a coat of dots, about one in each square of `spacing` pixels.

    Each has the colour of the scene at its middle, changed by normal noise of standard deviation
    `spread`.
    """
    height, width = picture.shape[-2:]
    rows, columns = int(height / spacing) + 3, int(width / spacing) + 3
    middle = torch.rand(2, rows, columns, generator=generator)
    middle[0] = (middle[0] + torch.arange(rows)[:, None] - 1) * spacing
    middle[1] = (middle[1] + torch.arange(columns)[None] - 1) * spacing
    at = [middle[i].round().long().clamp(0, side - 1) for i, side in enumerate((height, width))]
    colors = scene[0, :, at[0], at[1]]  # [3, rows, columns]
    colors = colors + spread * torch.randn(colors.shape, generator=generator)
    radius = spacing * (0.45 + 0.25 * torch.rand(rows, columns, generator=generator))
    y, x = torch.arange(height)[:, None], torch.arange(width)[None]
    for down, right in itertools.product((-1, 0, 1), repeat=2):
        i = ((y / spacing).long() + 1 + down).clamp(0, rows - 1).expand(height, width)
        j = ((x / spacing).long() + 1 + right).clamp(0, columns - 1).expand(height, width)
        away = ((y - middle[0, i, j]).square() + (x - middle[1, i, j]).square()).sqrt()
        picture = mix(picture, colors[:, i, j][None], (radius[i, j] - away + 0.5).clamp(0, 1))
    return picture
