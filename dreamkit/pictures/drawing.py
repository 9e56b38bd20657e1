"""What synthetic scenes are drawn from: fractal noise, random lines, colours, a leaf."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def fractal(
    height: int, width: int, seed: int = 0, slope: float = 1.7, stretch: float = 1.0
) -> Tensor:
    """A random field [height, width] of mean 0 and standard deviation 1.

    Its amplitude falls as 1 / frequency ** `slope`: the greater the slope, the smoother the
    field. `stretch` above 1 makes its shapes wider, below 1 higher.

    >>> rough, smooth = (fractal(32, 32, slope=s).diff(dim=1).std() for s in (0.5, 2.5))
    >>> bool(smooth < rough)
    True
    """
    check_size(height, width)
    squared = lambda rows, columns: rows / stretch + columns * stretch
    field = filtered_noise(height, width, seed, slope, squared)
    field = field - field.mean()
    return field / field.std(correction=0).clamp(min=1e-12)


def filtered_noise(
    height: int,
    width: int,
    seed: int,
    slope: float,
    squared: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Normal noise [height, width] whose amplitude falls as 1 / frequency ** `slope`.

    `squared` makes the square of the frequency from the squares of the frequency along the rows'
    axis and along the columns' axis, in cycles a picture.
    """
    white = torch.randn(height, width, generator=torch.Generator().manual_seed(seed))
    fy, fx = torch.meshgrid(
        torch.fft.fftfreq(height) * height, torch.fft.rfftfreq(width) * width, indexing="ij"
    )
    amplitude = squared(fy.square(), fx.square()).clamp(min=1.0).pow(-slope / 2)
    return torch.fft.irfft2(torch.fft.rfft2(white) * amplitude, s=(height, width))


def random_line(length: int, seed: int, slope: float) -> Tensor:
    """A random line [length] of mean 0 and standard deviation 1: the outline of a ridge."""
    white = torch.randn(2 * length, generator=torch.Generator().manual_seed(seed))
    frequency = (torch.fft.rfftfreq(2 * length) * 2 * length).clamp(min=1.0)
    line = torch.fft.irfft(torch.fft.rfft(white) * frequency.pow(-slope), n=2 * length)[:length]
    line = line - line.mean()
    return line / line.std(correction=0).clamp(min=1e-12)


def draw_leaf(
    picture: Tensor, y: float, x: float, turn: float, length: float, color: Tensor
) -> None:
    """Draw a leaf of `length` pixels with its middle at (y, x) into the picture, in place.

    `turn` is the angle of its rib in radians. The leaf throws a shadow on what lies below it.
    """
    height, width = picture.shape[-2:]
    reach = 0.65 * length
    top, bottom = max(0, int(y - reach)), min(height, int(y + reach) + 2)
    left, right = max(0, int(x - reach)), min(width, int(x + reach) + 2)
    if top >= bottom or left >= right:
        return
    part = picture[..., top:bottom, left:right]
    dy = (torch.arange(top, bottom).float() - y)[:, None]
    dx = (torch.arange(left, right).float() - x)[None]
    shadow = _leaf_shape(dy - 0.05 * length, dx - 0.04 * length, turn, length, blur=0.05 * length)[
        0
    ]
    part = part * (1 - 0.55 * shadow)
    inside, along, across = _leaf_shape(dy, dx, turn, length)
    rib = torch.exp(-(across.abs() * length / max(0.8, 0.012 * length)).square())
    waves = torch.cos(2 * math.pi * (9 * along - 11 * across.abs()))
    veins = waves.clamp(min=0).pow(6) * (1 - rib)
    bulge = 1 + 0.9 * across * (1 - 2 * along).abs().clamp(min=0.4) + 0.12 * waves
    surface = color * bulge * (1 + 0.22 * veins) + rib * rgb(0.22, 0.22, 0.12)
    picture[..., top:bottom, left:right] = mix(part, surface, inside)


def _leaf_shape(
    dy: Tensor, dx: Tensor, turn: float, length: float, blur: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """How far each point lies inside a leaf, 0 to 1, and its places along and across the leaf.

    The edge is `blur` pixels wide. The places are in leaf lengths: along from 0 to 1, across
    from the rib.
    """
    along = (dx * math.cos(turn) + dy * math.sin(turn)) / length + 0.5
    across = (dy * math.cos(turn) - dx * math.sin(turn)) / length
    # Widest before the middle, pointed at the tip.
    half = 0.235 * (math.pi * along.clamp(0, 1).pow(0.8)).sin().clamp(min=0).pow(0.85)
    distance = (half - across.abs()) * length
    inside = (distance / blur + 0.5).clamp(0, 1) * ((along > 0) & (along < 1))
    return inside, along, across


def mix(below: Tensor, above: Tensor, share: Tensor) -> Tensor:
    """The picture `below` with a share, 0 to 1, of the picture `above` over it."""
    return below + share * (above - below)


def rgb(red: float, green: float, blue: float) -> Tensor:
    """A colour as a picture of one pixel [1, 3, 1, 1]."""
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1)


def draw_seed(generator: torch.Generator) -> int:
    """A random seed for another generator, as for the shift of the tiles of one step."""
    return int(torch.randint(2**31, (), generator=generator))


def check_size(height: int, width: int) -> None:
    """Raise ValueError for a scene of less than 1×1 pixels."""
    if height < 1 or width < 1:
        raise ValueError(f"a scene has at least 1×1 pixels; given: {height}×{width}")
