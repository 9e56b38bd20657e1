"""The best rate of arithmetic that this machine reaches in one large operation."""

from __future__ import annotations

import torch

from .turns import PATIENCE, seconds

SHAPES = (
    (64, 64, 3, 112),
    (128, 128, 3, 56),
    (256, 256, 3, 28),
    (512, 512, 3, 14),
    (512, 256, 1, 28),
)  # in, out, kernel, side


def best_rate(dtype: torch.dtype, repeats: int, sides: tuple[int, ...] = (1024, 2048)) -> float:
    """The best rate [FLOP/s] that any one large convolution or matrix product reaches here."""
    rates = []
    for inputs, outputs, kernel, side in SHAPES:
        picture = _channels_last(torch.randn(1, inputs, side, side), dtype)
        weight = _channels_last(torch.randn(outputs, inputs, kernel, kernel), dtype)
        work = lambda picture=picture, weight=weight, pad=kernel // 2: torch.conv2d(
            picture, weight, padding=pad
        )
        rates.append(2 * outputs * inputs * kernel**2 * side**2 / _quickest(work, repeats))
    for n in sides:
        if 2 * n**3 > PATIENCE * max(rates):  # emulated arithmetic would take minutes
            break
        a, b = torch.randn(n, n).to(dtype), torch.randn(n, n).to(dtype)
        rates.append(2 * n**3 / _quickest(lambda a=a, b=b: a @ b, repeats))
        if rates[-1] < 0.1 * max(rates):
            break
    return max(rates)


def bandwidth(repeats: int, values: int = 2**25) -> float:
    """Bytes a second that copying a large tensor reads and writes."""
    source, target = torch.zeros(values), torch.zeros(values)
    return 8 * values / _quickest(lambda: target.copy_(source), repeats)


def _channels_last(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return values.to(dtype).contiguous(memory_format=torch.channels_last)


def _quickest(work, repeats: int) -> float:
    """Seconds of the quickest of several runs after one that does not count."""
    first = seconds(work)
    if first > PATIENCE:
        return first
    return min(seconds(work) for _ in range(repeats))
