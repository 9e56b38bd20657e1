"""How strongly a first-layer filter prefers one direction, as one number."""

from __future__ import annotations

import torch
from torch import Tensor


def orientation_selectivity(filters: Tensor) -> Tensor:
    """How strongly each filter [C, 3, k, k] prefers one direction: [C], from 0 to 1.

    0 means no preference (a blob, a flat colour), 1 a single direction (a grating). The measure is
    1 minus the circular variance of the filter's Fourier energy E over its angle, modulo 180
    degrees: `|sum E exp(2i angle)| / sum E` (Ringach, Shapley & Hawken, 2002, for neurons of the
    visual cortex). The mean of each colour has no angle and is left out; a filter that is constant
    in each colour gives 0. Raises ValueError for another number of dimensions.

    >>> stripes = torch.tensor([1.0, -1.0]).repeat(4).expand(1, 3, 8, 8)
    >>> examples = (stripes, torch.ones(1, 3, 8, 8), stripes + stripes.mT)
    >>> [round(orientation_selectivity(filters).item(), 2) for filters in examples]
    [0.95, 0.0, 0.04]
    """
    if filters.dim() != 4:
        raise ValueError(f"filters must be [C, 3, k, k]; given: {list(filters.shape)}")
    energy, angle = _spectrum(filters)
    total = energy.sum((1, 2))
    pull = (energy * torch.exp(2j * angle)).sum((1, 2)).abs()
    return torch.where(total > 1e-12, pull / total.clamp(min=1e-12), 0.0).clamp(0, 1).float()


def _spectrum(filters: Tensor, side: int = 32) -> tuple[Tensor, Tensor]:
    """The filters' energy [C, side, side] at each frequency, summed over colours, and its angle.

    Frequencies outside the largest circle count 0, so that the square's corners favour no diagonal.
    """
    flat = filters.detach().double().cpu()
    flat = flat - flat.mean((2, 3), keepdim=True)
    fy, fx = torch.meshgrid(*[torch.fft.fftfreq(side, dtype=torch.float64)] * 2, indexing="ij")
    radius = torch.hypot(fy, fx)
    circle = (radius > 0) & (radius < 0.5)
    energy = torch.fft.fft2(flat, s=(side, side)).abs().square().sum(1) * circle
    return energy, torch.atan2(fy, fx)
