"""The power spectrum of a picture or a gradient: how much of it lies in fine detail."""

from __future__ import annotations

import torch
from torch import Tensor


def spectrum(field: Tensor, rings: int = 24) -> tuple[Tensor, Tensor]:
    """(frequency, power), each [rings]: the mean power of the waves of about one frequency.

    Frequencies are in cycles a pixel, from 0 to 0.5, whatever the wave's direction. A Hann window
    fades the field out towards its borders, whose jump would pass for fine detail.

    Args:
        field: [N, C, H, W], a picture or a gradient; the mean of each channel is taken away.
        rings: the number of frequencies.

    >>> frequency, power = spectrum(torch.rand(1, 3, 32, 48), rings=4)
    >>> frequency.tolist()
    [0.0625, 0.1875, 0.3125, 0.4375]
    """
    frequency, power = _waves(field)
    ring = (2 * rings * frequency).long()
    means = [power[ring == index].mean() for index in range(rings)]
    return (torch.arange(rings) + 0.5) / (2 * rings), torch.stack(means)


def fine_share(field: Tensor, limit: float = 0.25) -> float:
    """The share of a field's power [N, C, H, W] in waves above `limit` cycles a pixel, 0 to 1.

    A limit of 0.25 means waves shorter than four pixels. The field is treated as in `spectrum`.

    >>> stripes = (torch.arange(32) % 2).expand(1, 1, 32, 32).float()
    >>> round(fine_share(stripes), 3)
    1.0
    """
    frequency, power = _waves(field)
    return float(power[frequency > limit].sum() / power.sum())


def _waves(field: Tensor) -> tuple[Tensor, Tensor]:
    """(frequency, power), each [H, W], of every wave; the power is the mean of the channels'."""
    field = field.detach().cpu()
    height, width = field.shape[-2:]
    window = torch.hann_window(height)[:, None] * torch.hann_window(width)
    centred = field - field.mean((2, 3), keepdim=True)
    power = torch.fft.fft2(centred * window).abs().square().mean((0, 1))
    return torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)[None, :]), power
