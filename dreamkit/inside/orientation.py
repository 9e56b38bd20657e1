"""How far a filter prefers one direction: a number that goes with what the eye sees in first-layer filters."""

from __future__ import annotations

import torch
from torch import Tensor


def orientation_selectivity(filters: Tensor) -> Tensor:
    """How far each filter [C, 3, k, k] prefers one direction, [C] from 0 (none: a blob, or a flat colour) to 1 (one alone: a grating).

    It is 1 minus the circular variance of the filter's Fourier energy over its angle, counted modulo 180 degrees, with the mean of
    each colour (no angle) left out: |sum E exp(2i angle)| / sum E (Ringach, Shapley & Hawken, 2002, measured neurons of the
    visual cortex so). A filter that is flat in each colour gives 0.

    >>> stripes = torch.tensor([1.0, -1.0]).repeat(4).expand(1, 3, 8, 8)
    >>> [
    ...     round(orientation_selectivity(f).item(), 2)
    ...     for f in (stripes, torch.ones(1, 3, 8, 8), stripes + stripes.mT)
    ... ]
    [0.95, 0.0, 0.04]
    """
    if filters.dim() != 4:
        raise ValueError(
            f"filters are [C, 3, k, k], as in a first layer; given: {list(filters.shape)}"
        )
    energy, angle = _spectrum(filters)
    total = energy.sum((1, 2))
    pull = (energy * torch.exp(2j * angle)).sum((1, 2)).abs()
    return torch.where(total > 1e-12, pull / total.clamp(min=1e-12), 0.0).clamp(0, 1).float()


def _spectrum(filters: Tensor, side: int = 32) -> tuple[Tensor, Tensor]:
    """Energy [C, side, side], summed over colours, of the filters' answers to gratings of each frequency, and their angle [side, side].

    Only frequencies inside the circle count, so that the corners of the square favour no diagonal.
    """
    flat = filters.detach().double().cpu()
    flat = flat - flat.mean((2, 3), keepdim=True)
    fy, fx = torch.meshgrid(*[torch.fft.fftfreq(side, dtype=torch.float64)] * 2, indexing="ij")
    radius = torch.hypot(fy, fx)
    energy = torch.fft.fft2(flat, s=(side, side)).abs().square().sum(1) * (
        (radius > 0) & (radius < 0.5)
    )
    return energy, torch.atan2(fy, fx)
