"""Pictures whose amplitudes are those of photos, and whose phases grow: MACO.

A picture's Fourier amplitudes say how loud each frequency is, its phases say where things are. Here
only the phases change, so the spectrum stays that of photos whatever the network would like: no
high frequency can win (Fel et al., "Unlocking Feature Visualization for Deep Networks with
MAgnitude Constrained Optimization", 2023).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..pictures.image import Image
from .fourier import frequencies
from .gradients import Score
from .held import Look, check_steps, climbing
from .photo_statistics import AMPLITUDES, COLORS
from .views import Crops, Views


def phases(height: int, width: int, seed: int = 0, batch: int = 1) -> Tensor:
    """Random phases [batch, 3, height, width // 2 + 1], even from -π to π.

    >>> phases(8, 10).shape
    torch.Size([1, 3, 8, 6])
    """
    generator = torch.Generator().manual_seed(seed)
    return math.pi * (2 * torch.rand(batch, 3, height, width // 2 + 1, generator=generator) - 1)


def from_phases(held: Tensor, width: int) -> Image:
    """The picture [N, 3, H, width] of the phases [N, 3, H, width // 2 + 1].

    Each coefficient is as long as that of the sample photos at its frequency (`AMPLITUDES`); the
    mean has none. The planes are mixed from uncorrelated colours to RGB and mapped into [0, 1] by a
    sigmoid.
    """
    height = held.shape[-2]
    frequency = frequencies(height, width).to(held)
    scale, power = torch.tensor(AMPLITUDES).to(held)[:, :, None, None].unbind(1)
    amplitude = scale / frequency**power  # [3, H, width // 2 + 1]
    amplitude[:, 0, 0] = 0
    planes = torch.fft.irfft2(torch.polar(amplitude, held), s=(height, width), norm="ortho")
    return torch.sigmoid(torch.einsum("rc,nchw->nrhw", torch.tensor(COLORS).to(planes), planes))


def growing_phases(
    score: Score,
    height: int = 192,
    width: int = 192,
    steps: int = 160,
    rate: float = 0.3,
    views: Views | Crops | None = None,
    seed: int = 0,
    *,
    noise: float = 0.15,
    count: int = 1,
    batch: int = 1,
) -> Iterator[Image]:
    """The pictures [batch, 3, height, width] after each step of NAdam on random phases.

    Args:
        score: what to raise.
        height: of the picture in pixels; `width` likewise.
        steps: number of steps; the learning rate of NAdam is `rate`.
        views: each step sees the picture in such random views.
        seed: of the phases and of the views.
        noise: standard deviation of the noise laid over each view; it fades to 0 with the steps.
        count: number of views a step.
        batch: number of pictures that grow together, each from phases of its own.

    Raises ValueError as `growing` does.
    """
    check_steps(steps, rate)
    held = phases(height, width, seed, batch).requires_grad_(True)
    look = Look(views or Crops(), noise, count, torch.Generator().manual_seed(seed))
    optimizer = torch.optim.NAdam([held], lr=rate)
    return climbing(score, lambda done: from_phases(held, width), optimizer, steps, look)
