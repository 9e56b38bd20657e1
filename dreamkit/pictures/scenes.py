"""Synthetic pictures: a sky, a horizon, a forest, leaves, a painting, the same for the same seed.

They stand for starting pictures of the 2015 "Inceptionism" post. They are drawn from
simple shapes and fractal noise at any size, so nobody has rights in them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .drawing import (
    check_size,
    draw_leaf,
    draw_seed,
    filtered_noise,
    fractal,
    mix,
    random_line,
    rgb,
)
from .image import Image
from .pointillism import riverside

__all__ = ["among_its_pieces", "clouds", "evening", "forest", "horizon", "leaves", "riverside"]


def clouds(height: int = 427, width: int = 640, seed: int = 3) -> Image:
    """A blue sky with clouds [1, 3, height, width], drawn from noise of amplitude 1/f^1.7."""
    # Clouds are wider than they are high.
    field = filtered_noise(height, width, seed, 1.7, lambda rows, columns: rows * 2.2 + columns)
    spread = field.std(correction=0).clamp(min=1e-6)  # of a picture of one pixel it is 0
    field = (field - field.mean()) / spread
    cover = torch.sigmoid(3.0 * field - 0.6)  # 0 is open sky, 1 is cloud
    down = torch.linspace(0, 1, height)[:, None]  # the sky pales towards the horizon
    sky = ((0.22, 0.60), (0.43, 0.76), (0.76, 0.92))  # red, green, blue: above, below
    blue = torch.stack([above + (below - above) * down for above, below in sky])
    shade = 0.97 - 0.16 * torch.sigmoid(2.0 * field - 2.6)  # thick clouds are a little darker
    white = shade * torch.tensor([0.98, 0.985, 1.0])[:, None, None]
    return (cover * white + (1 - cover) * blue).clamp(0, 1)[None]


def evening(height: int = 427, width: int = 640, seed: int = 3) -> Image:
    """The sky of `clouds` at dusk [1, 3, height, width]: deep blue, and warm where the sun is.

    A dream brightens and darkens; white clouds would leave it no room upwards.

    >>> bool(evening(30, 40).mean() < 0.6 * clouds(30, 40).mean())
    True
    """
    check_size(height, width)
    return clouds(height, max(2, width), seed)[..., :width] ** 2.2 * rgb(0.95, 0.72, 0.62)


def horizon(height: int, width: int, seed: int = 0) -> Image:
    """A wide view [1, 3, height, width]: a sky with clouds, ridges in the distance, a plain.

    >>> horizon(30, 40).shape
    torch.Size([1, 3, 30, 40])
    """
    check_size(height, width)
    generator = torch.Generator().manual_seed(seed)
    line = round(height * 0.56)  # the horizon, in rows from the top
    picture = clouds(height, max(2, width), seed=seed + 11)[..., :width]
    rows = torch.arange(height)[:, None].float()
    glow = torch.exp(-((rows - line) / (0.16 * height)).square())  # low air is bright and warm
    picture = mix(picture, rgb(0.98, 0.90, 0.78), 0.75 * glow)
    for distance, rise in ((1.0, 0.20), (0.6, 0.13), (0.25, 0.07)):  # ridges, far to near
        ridge = random_line(width, draw_seed(generator), slope=1.9) * 0.35 * rise + 0.75 * rise
        top = line - height * ridge.clamp(min=0.01)
        rock = 0.16 * fractal(height, width, draw_seed(generator), slope=1.2, stretch=0.8)
        bare = rgb(0.24, 0.27, 0.24) * (1 + (1 - distance) * rock)
        pale = bare + distance * (rgb(0.66, 0.72, 0.82) - bare)
        picture = mix(picture, pale, (rows - top + 0.5).clamp(0, 1))
    plain = _plain(height, width, line, generator)
    return mix(picture, plain, (rows - line + 0.5).clamp(0, 1)).clamp(0, 1)


def _plain(height: int, width: int, line: int, generator: torch.Generator) -> Tensor:
    """Meadows [1, 3, H, W] up to the horizon at row `line`, seen from low above."""
    depth = (torch.arange(height).float() - line).clamp(min=0.0)[:, None]
    depth = depth / max(1, height - line)  # 0 far, 1 near
    across = (torch.arange(width).float()[None] / width - 0.5) / (0.25 + depth)
    patches = fractal(256, 256, draw_seed(generator), slope=1.3)
    down = (30 * (1 / (0.12 + depth))).long().expand(height, width)
    field = patches[down % 256, (across * 90).long() % 256]
    blades = fractal(height, width, draw_seed(generator), slope=0.9, stretch=3.0)
    green = rgb(0.46, 0.50, 0.24) + 0.10 * field * rgb(1.0, 0.5, 0.3)
    near = green * (1 + 0.22 * blades * depth) * (1.0 - 0.35 * depth)
    return near + (1 - depth).pow(4) * 0.6 * (rgb(0.80, 0.78, 0.62) - near)


def forest(height: int, width: int, seed: int = 0) -> Image:
    """Tree trunks [1, 3, height, width] in three rows, the far ones thin and pale in the haze.

    >>> forest(30, 40).shape
    torch.Size([1, 3, 30, 40])
    """
    check_size(height, width)
    generator = torch.Generator().manual_seed(seed)
    rows = torch.arange(height)[:, None].float() / height
    leafy = 1.6 * fractal(height, width, draw_seed(generator), slope=1.0) + 2.2 - 4.5 * rows
    light = rgb(0.80, 0.86, 0.74).expand(1, 3, height, width)
    picture = mix(light, rgb(0.40, 0.53, 0.30), 0.85 * torch.sigmoid(leafy))
    for depth, count in ((1.0, 13), (0.5, 8), (0.0, 4)):  # far to near
        foot = 0.74 + 0.2 * (1 - depth)
        floor = _forest_floor(height, width, depth, generator)
        picture = mix(picture, floor, ((rows - foot + 0.06) * height).clamp(0, 1))
        # One trunk in each of `count` equal stretches of the width, drawn in random order.
        places = torch.arange(count) + 0.15 + 0.7 * torch.rand(count, generator=generator)
        for place in (places / count)[torch.randperm(count, generator=generator)].tolist():
            picture = _trunk(picture, place, foot, depth, generator)
    return picture.clamp(0, 1)


def _forest_floor(height: int, width: int, depth: float, generator: torch.Generator) -> Tensor:
    needles = fractal(height, width, draw_seed(generator), slope=0.9, stretch=3.0)
    floor = rgb(0.30, 0.25, 0.15) * (1 + 0.30 * needles)
    moss = fractal(height, width, draw_seed(generator), slope=1.6, stretch=2.0)
    green = rgb(0.30, 0.40, 0.14) * (1 + 0.25 * needles)
    return _haze(mix(floor, green, torch.sigmoid(3 * moss - 1.0)), depth)


def _trunk(
    picture: Tensor, place: float, foot: float, depth: float, generator: torch.Generator
) -> Tensor:
    """The picture with one trunk at `place` of its width, whose foot is at `foot` of its height.

    `depth` is 1 for far, 0 for near.
    """
    height, width = picture.shape[-2:]
    thick, lean, tone = torch.rand(3, generator=generator).tolist()
    rows = torch.arange(height)[:, None].float() / height
    half = width * (0.006 + 0.030 * (1 - depth) ** 1.5) * (0.7 + 0.6 * thick)
    roots = 1 + 0.5 * torch.exp(-(foot - rows).clamp(min=0) / 0.05)
    half = half * roots * (0.8 + 0.3 * rows)  # half the width; the trunk is thinner above
    sway = 0.25 * half * random_line(height, draw_seed(generator), 2.0)[:, None]
    centre = width * (place + 0.08 * (lean - 0.5) * (foot - rows)) + sway
    across = (torch.arange(width)[None].float() - centre) / half  # -1 … 1 over the trunk
    end = ((foot - rows) * height + 1.5 - 2 * across.square()).clamp(0, 1)
    inside = ((1 - across.abs()) * half + 0.5).clamp(0, 1) * end
    side = across.clamp(-1, 1)
    light = (1 - side.square()).sqrt() * 0.55 + 0.50 - 0.22 * side  # it comes from the left
    bark = 1 + 0.28 * fractal(height, width, draw_seed(generator), slope=0.8, stretch=0.06)
    color = (rgb(0.33, 0.25, 0.19) + (tone - 0.5) * rgb(0.12, 0.10, 0.08)) * light * bark
    return mix(picture, _haze(color, depth), inside)


def _haze(color: Tensor, depth: float) -> Tensor:
    return color + 0.62 * depth * (rgb(0.74, 0.80, 0.70) - color)


def leaves(height: int, width: int, seed: int = 0) -> Image:
    """Overlapping leaves [1, 3, height, width] with ribs, veins and shadows, seen from above.

    >>> leaves(30, 40).shape
    torch.Size([1, 3, 30, 40])
    """
    check_size(height, width)
    generator = torch.Generator().manual_seed(seed)
    ground = 0.11 + 0.03 * fractal(height, width, draw_seed(generator), slope=1.2)
    picture = (ground * rgb(0.8, 1.0, 0.6)).expand(1, 3, height, width).clone()
    size, count = math.sqrt(height * width), 110
    for number in range(count):  # the last lies on top
        y, x, turn, length, green, warm = torch.rand(6, generator=generator).tolist()
        y, x, turn = (1.2 * y - 0.1) * height, (1.2 * x - 0.1) * width, 2 * math.pi * turn
        length = size * (0.20 + 0.14 * length)
        shade = 0.45 + 0.55 * number / count  # the lower ones are darker
        color = rgb(0.24 + 0.36 * warm**3, 0.38 + 0.20 * green, 0.15 + 0.08 * green) * shade
        draw_leaf(picture, y, x, turn, length, color)
    return picture.clamp(0, 1)


def among_its_pieces(
    thing: Image, top: int, left: int, side: int = 64, tile: int = 4, seed: int = 0
) -> tuple[Image, Tensor]:
    """A thing on a ground of its own pieces [1, 3, side, side], and its mask [side, side].

    Colours are the same everywhere, so only a network that knows the whole thing can tell where
    it is. ValueError if the thing does not fit.

    Args:
        thing: a picture [1, 3, h, w]; the thing is the ellipse within it.
        top, left: where it goes, in pixels.
        side: of the result, in pixels.
        tile: the side of a piece; pieces come from anywhere in `thing`, turned by quarters.
        seed: of the choice of pieces.

    >>> picture, mask = among_its_pieces(torch.rand(1, 3, 16, 16), 8, 40)
    >>> picture.shape, mask.any(1).nonzero()[[0, -1]].flatten().tolist()
    (torch.Size([1, 3, 64, 64]), [9, 22])
    """
    height, width = thing.shape[-2:]
    fits = 0 <= top <= side - height and 0 <= left <= side - width
    if not fits or not 1 <= tile <= min(height, width):
        raise ValueError(
            f"a thing of {height}×{width} pixels at row {top}, column {left} does not fit into "
            f"{side} pixels, or gives no pieces of {tile}"
        )
    generator, count = torch.Generator().manual_seed(seed), -(-side // tile)
    draw = lambda most: int(torch.randint(0, most, (1,), generator=generator))
    rows = []
    for _ in range(count):
        row = []
        for _ in range(count):
            y, x, turns = draw(height - tile + 1), draw(width - tile + 1), draw(4)
            row.append(thing[..., y : y + tile, x : x + tile].rot90(turns, (2, 3)))
        rows.append(torch.cat(row, 3))
    picture = torch.cat(rows, 2)[..., :side, :side].clone()
    y, x = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)
    mask = torch.zeros(side, side, dtype=torch.bool)
    mask[top : top + height, left : left + width] = x.square() + y.square() <= 1
    whole = torch.zeros_like(picture)
    whole[..., top : top + height, left : left + width] = thing
    return torch.where(mask, whole, picture), mask
