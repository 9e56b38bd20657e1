"""Synthetic pictures: a horizon, a forest and leaves, drawn from simple shapes and fractal noise, the same for the same seed.

They stand for the three starting pictures of the 2015 "Inceptionism" post, can be made at any size, and belong to nobody.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .image import Image


def fractal(
    height: int, width: int, seed: int = 0, slope: float = 1.7, stretch: float = 1.0
) -> Tensor:
    """A random field [height, width] of mean 0 and deviation 1 whose amplitude falls as 1 / frequency ** `slope`.

    The greater the slope, the smoother the field. `stretch` above 1 draws its shapes out across the picture, below 1 upwards.

    >>> rough, smooth = (fractal(32, 32, slope=s).diff(dim=1).std() for s in (0.5, 2.5))
    >>> bool(smooth < rough)
    True
    """
    _check(height, width)
    white = torch.randn(height, width, generator=torch.Generator().manual_seed(seed))
    fy, fx = torch.meshgrid(
        torch.fft.fftfreq(height) * height, torch.fft.rfftfreq(width) * width, indexing="ij"
    )
    frequency = (fy.square() / stretch + fx.square() * stretch).clamp(min=1.0)
    field = torch.fft.irfft2(torch.fft.rfft2(white) * frequency.pow(-slope / 2), s=(height, width))
    field = field - field.mean()
    return field / field.std(correction=0).clamp(min=1e-12)


def clouds(height: int = 427, width: int = 640, seed: int = 3) -> Image:
    """A blue sky with clouds [1, 3, height, width], drawn from fractal noise: a random field whose amplitude falls as 1/f^1.7."""
    generator = torch.Generator().manual_seed(seed)
    white = torch.randn(height, width, generator=generator)
    fy, fx = torch.meshgrid(
        torch.fft.fftfreq(height) * height, torch.fft.rfftfreq(width) * width, indexing="ij"
    )
    amplitude = (
        (fy.square() * 2.2 + fx.square()).clamp(min=1.0).pow(-0.85)
    )  # clouds are wider than they are high
    field = torch.fft.irfft2(torch.fft.rfft2(white) * amplitude, s=(height, width))
    field = (field - field.mean()) / field.std(correction=0).clamp(
        min=1e-6
    )  # one pixel deviates from nothing
    cover = torch.sigmoid(3.0 * field - 0.6)  # 0 is open sky, 1 is cloud
    down = torch.linspace(0, 1, height)[:, None]  # the sky pales towards the horizon
    blue = torch.stack(
        [c0 + (c1 - c0) * down for c0, c1 in ((0.22, 0.60), (0.43, 0.76), (0.76, 0.92))]
    )
    shade = 0.97 - 0.16 * torch.sigmoid(2.0 * field - 2.6)  # thick clouds are a little darker
    white = shade * torch.tensor([0.98, 0.985, 1.0])[:, None, None]
    return (cover * white + (1 - cover) * blue).clamp(0, 1)[None]


def horizon(height: int, width: int, seed: int = 0) -> Image:
    """A wide view [1, 3, height, width]: a clouded sky over ridges that pale with distance, and a plain before them.

    >>> horizon(30, 40).shape
    torch.Size([1, 3, 30, 40])
    """
    _check(height, width)
    generator = torch.Generator().manual_seed(seed)
    line = round(height * 0.56)  # the horizon, in rows from the top
    picture = clouds(height, max(2, width), seed=seed + 11)[..., :width]
    rows = torch.arange(height)[:, None].float()
    glow = torch.exp(-((rows - line) / (0.16 * height)).square())  # low air is bright and warm
    picture = _mix(picture, _color(0.98, 0.90, 0.78), 0.75 * glow)
    for distance, rise in ((1.0, 0.20), (0.6, 0.13), (0.25, 0.07)):  # ridges, far to near
        ridge = _profile(width, seed=_draw(generator), slope=1.9) * 0.35 * rise + 0.75 * rise
        top = line - height * ridge.clamp(min=0.01)
        rock = 0.16 * fractal(height, width, _draw(generator), slope=1.2, stretch=0.8)
        bare = _color(0.24, 0.27, 0.24) * (1 + (1 - distance) * rock)
        picture = _mix(
            picture,
            bare + distance * (_color(0.66, 0.72, 0.82) - bare),
            (rows - top + 0.5).clamp(0, 1),
        )
    return _mix(
        picture, _plain(height, width, line, generator), (rows - line + 0.5).clamp(0, 1)
    ).clamp(0, 1)


def forest(height: int, width: int, seed: int = 0) -> Image:
    """Tree trunks [1, 3, height, width] in three rows, the far ones thin and pale in the haze, over a floor of needles.

    >>> forest(30, 40).shape
    torch.Size([1, 3, 30, 40])
    """
    _check(height, width)
    generator = torch.Generator().manual_seed(seed)
    rows = torch.arange(height)[:, None].float() / height
    crowns = torch.sigmoid(
        1.6 * fractal(height, width, _draw(generator), slope=1.0) + 2.2 - 4.5 * rows
    )
    picture = _mix(
        _color(0.80, 0.86, 0.74).expand(1, 3, height, width),
        _color(0.40, 0.53, 0.30),
        0.85 * crowns,
    )
    for depth, count in ((1.0, 13), (0.5, 8), (0.0, 4)):  # far to near
        foot = 0.74 + 0.2 * (1 - depth)
        picture = _mix(
            picture,
            _floor(height, width, depth, generator),
            ((rows - foot + 0.06) * height).clamp(0, 1),
        )
        for place in _spread(count, generator):
            picture = _trunk(picture, place, foot, depth, generator)
    return picture.clamp(0, 1)


def leaves(height: int, width: int, seed: int = 0) -> Image:
    """Overlapping leaves [1, 3, height, width] with ribs, veins and shadows, as if one looked down on them.

    >>> leaves(30, 40).shape
    torch.Size([1, 3, 30, 40])
    """
    _check(height, width)
    generator = torch.Generator().manual_seed(seed)
    ground = 0.11 + 0.03 * fractal(height, width, _draw(generator), slope=1.2)
    picture = (ground * _color(0.8, 1.0, 0.6)).expand(1, 3, height, width).clone()
    size = math.sqrt(height * width)
    count = 110
    for number in range(count):  # the last lies on top
        y, x, turn, long, green, warm = torch.rand(6, generator=generator).tolist()
        long = size * (0.20 + 0.14 * long)
        shade = 0.45 + 0.55 * number / count  # what lies deep is dark
        color = _color(0.24 + 0.36 * warm**3, 0.38 + 0.20 * green, 0.15 + 0.08 * green) * shade
        _leaf(
            picture,
            (1.2 * y - 0.1) * height,
            (1.2 * x - 0.1) * width,
            2 * math.pi * turn,
            long,
            color,
        )
    return picture.clamp(0, 1)


def among_its_pieces(
    thing: Image, top: int, left: int, side: int = 64, tile: int = 4, seed: int = 0
) -> tuple[Image, Tensor]:
    """A picture [1, 3, side, side] with a round thing in it, on a ground of the thing's own pieces, and the mask [side, side] of the thing.

    The thing is the ellipse within what is given. The pieces are squares of `tile` pixels from anywhere in it, turned by
    quarters: colours are the same everywhere, and only who knows the whole can tell where it is. ValueError where the thing
    does not fit.

    >>> picture, mask = among_its_pieces(torch.rand(1, 3, 16, 16), 8, 40)
    >>> picture.shape, mask.any(1).nonzero()[[0, -1]].flatten().tolist()
    (torch.Size([1, 3, 64, 64]), [9, 22])
    """
    height, width = thing.shape[-2:]
    if (
        top < 0
        or left < 0
        or top + height > side
        or left + width > side
        or not 1 <= tile <= min(height, width)
    ):
        raise ValueError(
            f"a thing of {height}×{width} pixels at row {top}, column {left} does not fit into {side} pixels, or gives no "
            f"pieces of {tile}"
        )
    generator, count = torch.Generator().manual_seed(seed), -(-side // tile)
    rows = []
    for _ in range(count):
        places = [
            [
                int(torch.randint(0, most, (1,), generator=generator))
                for most in (height - tile + 1, width - tile + 1, 4)
            ]
            for _ in range(count)
        ]
        rows.append(
            torch.cat(
                [
                    thing[..., y : y + tile, x : x + tile].rot90(turns, (2, 3))
                    for y, x, turns in places
                ],
                3,
            )
        )
    picture = torch.cat(rows, 2)[..., :side, :side].clone()
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    mask = torch.zeros(side, side, dtype=torch.bool)
    mask[top : top + height, left : left + width] = x.square() + y.square() <= 1
    whole = torch.zeros_like(picture)
    whole[..., top : top + height, left : left + width] = thing
    return torch.where(mask, whole, picture), mask


def _plain(height: int, width: int, line: int, generator: torch.Generator) -> Tensor:
    """Meadows [1, 3, H, W] seen from low above: one field of noise, drawn out more and more towards the horizon row `line`."""
    depth = (torch.arange(height).float() - line).clamp(min=0.0)[:, None] / max(
        1, height - line
    )  # 0 far, 1 near
    across = (torch.arange(width).float()[None] / width - 0.5) / (0.25 + depth)
    patches = fractal(256, 256, _draw(generator), slope=1.3)
    field = patches[
        ((1 / (0.12 + depth)) * 30).long().expand(height, width) % 256, (across * 90).long() % 256
    ]
    blades = fractal(height, width, _draw(generator), slope=0.9, stretch=3.0)
    green = _color(0.46, 0.50, 0.24) + 0.10 * field * _color(1.0, 0.5, 0.3)
    near = green * (1 + 0.22 * blades * depth) * (1.0 - 0.35 * depth)
    return near + (1 - depth).pow(4) * 0.6 * (_color(0.80, 0.78, 0.62) - near)


def _floor(height: int, width: int, depth: float, generator: torch.Generator) -> Tensor:
    needles = fractal(height, width, _draw(generator), slope=0.9, stretch=3.0)
    floor = _color(0.30, 0.25, 0.15) * (1 + 0.30 * needles)
    moss = torch.sigmoid(3 * fractal(height, width, _draw(generator), slope=1.6, stretch=2.0) - 1.0)
    return _haze(_mix(floor, _color(0.30, 0.40, 0.14) * (1 + 0.25 * needles), moss), depth)


def _trunk(
    picture: Tensor, place: float, foot: float, depth: float, generator: torch.Generator
) -> Tensor:
    """The picture with one trunk at `place` of its width, standing at `foot` of its height, `depth` 1 far to 0 near."""
    height, width = picture.shape[-2:]
    thick, lean, tone = torch.rand(3, generator=generator).tolist()
    rows = torch.arange(height)[:, None].float() / height
    half = width * (0.006 + 0.030 * (1 - depth) ** 1.5) * (0.7 + 0.6 * thick)
    half = (
        half * (1 + 0.5 * torch.exp(-(foot - rows).clamp(min=0) / 0.05)) * (0.8 + 0.3 * rows)
    )  # roots below, thinner above
    centre = (
        width * (place + 0.08 * (lean - 0.5) * (foot - rows))
        + 0.25 * half * _profile(height, _draw(generator), 2.0)[:, None]
    )
    across = (torch.arange(width)[None].float() - centre) / half  # -1 … 1 over the trunk
    inside = ((1 - across.abs()) * half + 0.5).clamp(0, 1) * (
        (foot - rows) * height + 1.5 - 2 * across.square()
    ).clamp(0, 1)
    round_ = (
        (1 - across.clamp(-1, 1).square()).sqrt() * 0.55 + 0.50 - 0.22 * across.clamp(-1, 1)
    )  # light from the left
    bark = 1 + 0.28 * fractal(height, width, _draw(generator), slope=0.8, stretch=0.06)
    color = (_color(0.33, 0.25, 0.19) + (tone - 0.5) * _color(0.12, 0.10, 0.08)) * round_ * bark
    return _mix(picture, _haze(color, depth), inside)


def _leaf(picture: Tensor, y: float, x: float, turn: float, long: float, color: Tensor) -> None:
    """Draws one leaf of length `long` pixels with its middle at (y, x) into the picture, in place, over its own shadow."""
    height, width = picture.shape[-2:]
    reach = 0.65 * long
    top, bottom = max(0, int(y - reach)), min(height, int(y + reach) + 2)
    left, right = max(0, int(x - reach)), min(width, int(x + reach) + 2)
    if top >= bottom or left >= right:
        return
    part = picture[..., top:bottom, left:right]
    dy, dx = (
        (torch.arange(top, bottom).float() - y)[:, None],
        (torch.arange(left, right).float() - x)[None],
    )
    shadow = _leaf_shape(dy - 0.05 * long, dx - 0.04 * long, turn, long, blur=0.05 * long)[0]
    part = part * (1 - 0.55 * shadow)
    inside, along, across = _leaf_shape(dy, dx, turn, long)
    rib = torch.exp(-(across.abs() * long / max(0.8, 0.012 * long)).square())
    veins = torch.cos(2 * math.pi * (9 * along - 11 * across.abs())).clamp(min=0).pow(6) * (1 - rib)
    bulge = (
        1
        + 0.9 * across * (1 - 2 * along).abs().clamp(min=0.4)
        + 0.12 * torch.cos(2 * math.pi * (9 * along - 11 * across.abs()))
    )
    surface = color * bulge * (1 + 0.22 * veins) + rib * _color(0.22, 0.22, 0.12)
    picture[..., top:bottom, left:right] = _mix(part, surface, inside)


def _leaf_shape(
    dy: Tensor, dx: Tensor, turn: float, long: float, blur: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """How far each point lies inside a leaf (0 to 1, over `blur` pixels), and its place along (0 to 1) and across it, in leaf lengths."""
    along = (dx * math.cos(turn) + dy * math.sin(turn)) / long + 0.5
    across = (dy * math.cos(turn) - dx * math.sin(turn)) / long
    ends = along.clamp(0, 1)
    half = 0.235 * (math.pi * ends.pow(0.8)).sin().clamp(min=0).pow(
        0.85
    )  # widest before the middle, pointed at the tip
    distance = (half - across.abs()) * long
    inside = (distance / blur + 0.5).clamp(0, 1) * ((along > 0) & (along < 1))
    return inside, along, across


def _profile(length: int, seed: int, slope: float) -> Tensor:
    """A random line [length], mean 0 and deviation 1: the outline of a ridge, the sway of a trunk."""
    white = torch.randn(2 * length, generator=torch.Generator().manual_seed(seed))
    frequency = (torch.fft.rfftfreq(2 * length) * 2 * length).clamp(min=1.0)
    line = torch.fft.irfft(torch.fft.rfft(white) * frequency.pow(-slope), n=2 * length)[:length]
    line = line - line.mean()
    return line / line.std(correction=0).clamp(min=1e-12)


def _spread(count: int, generator: torch.Generator) -> list[float]:
    """`count` places in 0…1, one in each of as many equal stretches, in random order."""
    places = (torch.arange(count) + 0.15 + 0.7 * torch.rand(count, generator=generator)) / count
    return places[torch.randperm(count, generator=generator)].tolist()


def _haze(color: Tensor, depth: float) -> Tensor:
    return color + 0.62 * depth * (_color(0.74, 0.80, 0.70) - color)


def _mix(below: Tensor, above: Tensor, share: Tensor) -> Tensor:
    return below + share * (above - below)


def _color(red: float, green: float, blue: float) -> Tensor:
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1)


def _draw(generator: torch.Generator) -> int:
    return int(torch.randint(2**31, (), generator=generator))


def _check(height: int, width: int) -> None:
    if height < 1 or width < 1:
        raise ValueError(f"a scene has at least 1×1 pixels; given: {height}×{width}")
