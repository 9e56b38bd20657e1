"""What is common to photos: their uncorrelated colours, and how loud each frequency is.

Both are measured on the sample photos; the constants hold the results, rounded.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from ..pictures.image import Image
from ..pictures.samples import sample
from ..pictures.scales import resize

#: The columns are the uncorrelated colour directions of the sample photos in RGB, each as long as
#: its standard deviation, scaled to a greatest length of 1; what `color_directions` computes.
COLORS = ((0.6546, -0.3078, 0.0255), (0.5569, 0.1016, -0.0825), (0.5113, 0.2834, 0.0573))

#: (scale, power) of each of these directions: at f cycles a pixel the photos have a mean amplitude
#: of scale / f ** power; what `photo_amplitudes` computes.
AMPLITUDES = ((0.139, 1.272), (0.113, 1.285), (0.227, 1.159))

_PHOTOS = ("china", "flower", "chelsea", "astronaut", "coffee", "rocket", "motorcycle")


def color_directions() -> Tensor:
    """The uncorrelated colour directions [3 (RGB), 3 (directions)] of the sample photos.

    They are the eigenvectors of the covariance of the colours, the strongest first, each times its
    standard deviation; the longest column is scaled to a length of 1.
    """
    photos = [sample(name, 64) for name in _PHOTOS]
    colors = torch.cat([photo[0].flatten(1) for photo in photos], 1).double()  # [3, pixels]
    values, vectors = torch.linalg.eigh(torch.cov(colors))  # least eigenvalue first
    directions = (vectors * values.sqrt()).flip(1)
    directions = directions * torch.where(directions[2] < 0, -1.0, 1.0)  # blue is positive
    return (directions / directions.norm(dim=0).max()).float()


def photo_amplitudes() -> Tensor:
    """(scale, power) [3 (directions), 2] of the mean amplitude of the sample photos.

    Each photo's inner square is shrunk to 192 pixels, taken back through the sigmoid and out of the
    colours, and multiplied by a Hann window: without one, the jump between opposite edges would
    pass for a cross of loud frequencies. The mean amplitudes of rings of equal width in log
    frequency are fitted by a straight line, up to 0.2 cycles a pixel: shrinking has weakened what
    lies above.
    """
    side = 192
    fy, fx = torch.meshgrid(torch.fft.fftfreq(side), torch.fft.rfftfreq(side), indexing="ij")
    frequency = (fy.square() + fx.square()).sqrt().double()
    amplitude = sum(_spectrum_of(sample(name), side) for name in _PHOTOS) / len(_PHOTOS)
    edges = torch.logspace(-2, -0.7, 11, dtype=torch.float64)  # 0.01 to 0.2
    rings = [(frequency >= low) & (frequency < high) for low, high in itertools.pairwise(edges)]
    points = torch.stack([frequency[ring].log().mean() for ring in rings])
    heights = torch.stack([amplitude[:, ring].mean(1).log() for ring in rings])  # [rings, 3]
    line = torch.stack([torch.ones_like(points), -points], 1)
    offset, power = torch.linalg.lstsq(line, heights).solution
    return torch.stack([offset.exp(), power], 1).float()


def _spectrum_of(photo: Image, side: int) -> Tensor:
    """The amplitudes [3, side, side // 2 + 1] of a photo's inner square."""
    short = min(photo.shape[-2:])
    top, left = ((length - short) // 2 for length in photo.shape[-2:])
    square = photo[..., top : top + short, left : left + short].double()
    planes = torch.logit(resize(square, (side, side))[0].clamp(0.02, 0.98))
    planes = torch.einsum("cr,rhw->chw", torch.linalg.inv(torch.tensor(COLORS).double()), planes)
    slope = torch.hann_window(side, periodic=False, dtype=torch.float64)
    window = torch.outer(slope, slope)
    planes = (planes - planes.mean((1, 2), keepdim=True)) * window
    return torch.fft.rfft2(planes / window.square().mean().sqrt(), norm="ortho").abs()
