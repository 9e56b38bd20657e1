"""Exercises of lesson 05, smoothing the gradient."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ..ascent.steps import normalize, smooth
from ..pictures.scales import mirror_pad
from . import Condition, Exercise, Mistake


def _gradient(channels: int = 3) -> torch.Tensor:
    return torch.randn(1, channels, 14, 19, generator=torch.Generator().manual_seed(5))


def _kernel(sigma: float, radius: int) -> torch.Tensor:
    offsets = torch.arange(-radius, radius + 1)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    return weights / weights.sum()


def _blur(gradient, sigma, kernel=_kernel, pad=mirror_pad, rows=True, columns=True):
    radius = int(4 * sigma + 0.5)
    weights = kernel(sigma, radius)
    channels = gradient.shape[1]
    blurred = pad(gradient, radius * rows, radius * columns)
    if rows:
        blurred = F.conv2d(
            blurred, weights.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels
        )
    if columns:
        blurred = F.conv2d(
            blurred, weights.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels
        )
    return blurred


def _zero_pad(gradient, rows, columns):
    return F.pad(gradient, (columns, columns, rows, rows))


def _unit_sum_forgotten(sigma, radius):
    return torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)


def _box(sigma, radius):
    return torch.full((2 * radius + 1,), 1 / (2 * radius + 1))


def _inside(smoothed):
    """Far enough from the border that no padding is seen."""
    return smoothed[..., 5:-5, 5:-5]


def _two_bands(gradient, sigma):
    low = smooth(gradient, sigma)
    return normalize(low, by="rms") + normalize(gradient - low, by="rms")


def _not_split(gradient, sigma):
    return normalize(smooth(gradient, sigma), by="rms") + normalize(gradient, by="rms")


def _not_evened(gradient, sigma):
    low = smooth(gradient, sigma)
    return low + (gradient - low)


def _only_the_sum(gradient, sigma):
    low = smooth(gradient, sigma)
    return normalize(low + (gradient - low), by="rms")


def _low_only(gradient, sigma):
    return normalize(smooth(gradient, sigma), by="rms")


def _close(a, b):
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-5)


def _nearly(a, b):
    """Near enough for a kernel cut off at 3 sigma instead of 4."""
    return torch.allclose(a, b, atol=1e-2)


def _is(answer, value):
    return abs(float(answer) - value) < 1e-6


EXERCISES = (
    Exercise(
        "smooth",
        "05",
        "A Gaussian blur of your own",
        8,
        2,
        _blur,
        (
            Condition(
                lambda f: f(_gradient(), 1.0).shape == _gradient().shape,
                "the result has another size: pad the gradient by the kernel's radius on every side before you convolve",
            ),
            Condition(
                lambda f: _close(_inside(f(torch.ones(1, 3, 14, 19), 1.0)), torch.ones(1, 3, 4, 9)),
                "a gradient of ones does not stay one: the kernel's weights must sum to 1",
            ),
            Condition(
                lambda f: _close(f(_gradient().mT, 1.0), f(_gradient(), 1.0).mT),
                "rows and columns are not treated alike: blur along the height and along the width",
            ),
            Condition(
                lambda f: _close(f(torch.ones(1, 3, 14, 19), 1.0), torch.ones(1, 3, 14, 19)),
                'right inside, but darker at the borders: zeros come in there; mirror the gradient instead (mode="reflect")',
            ),
            Condition(
                lambda f: _nearly(_inside(f(_gradient(), 1.0)), _inside(smooth(_gradient(), 1.0))),
                "it blurs, but not by a Gaussian of this sigma: the weight at offset d is exp(-d² / (2 sigma²))",
            ),
            Condition(
                lambda f: _nearly(f(_gradient(), 1.0), smooth(_gradient(), 1.0)),
                'right inside, but not at the borders: mirror the gradient there (mode="reflect")',
            ),
        ),
        (
            Mistake(
                "no padding: the result is smaller",
                lambda g, s: _blur(g, s, pad=lambda x, rows, columns: x),
            ),
            Mistake(
                "weights that do not sum to 1", lambda g, s: _blur(g, s, kernel=_unit_sum_forgotten)
            ),
            Mistake("blurred along one axis only", lambda g, s: _blur(g, s, columns=False)),
            Mistake("zeros at the border", lambda g, s: _blur(g, s, pad=_zero_pad)),
            Mistake("a box instead of a Gaussian", lambda g, s: _blur(g, s, kernel=_box)),
        ),
        "weights that sum to 1, both axes, mirrored borders: it equals dk.smooth",
    ),
    Exercise(
        "two_bands",
        "05",
        "A pyramid of two bands",
        5,
        2,
        _two_bands,
        (
            Condition(
                lambda f: f(_gradient(), 1.0).shape == _gradient().shape,
                "the result should have the gradient's shape",
            ),
            Condition(
                lambda f: not _close(f(_gradient(), 1.0), _gradient()),
                "split and put together again without a change: each band has to be divided by its own RMS in between",
            ),
            Condition(
                lambda f: not _close(f(_gradient(), 1.0), _only_the_sum(_gradient(), 1.0)),
                "the sum was normalised, so both bands shrink by the same factor: normalise each band before you add them",
            ),
            Condition(
                lambda f: not _close(f(_gradient(), 1.0), _low_only(_gradient(), 1.0)),
                "only the coarse band is left: the fine one is what the blur took away, gradient - low",
            ),
            Condition(
                lambda f: not _close(f(_gradient(), 1.0), _not_split(_gradient(), 1.0)),
                "the second band is the whole gradient, so the coarse part counts twice: take gradient - low",
            ),
            Condition(
                lambda f: _close(f(_gradient(), 1.0), _two_bands(_gradient(), 1.0)),
                "not yet: low = the blurred gradient, high = what is left; each divided by its own RMS, then added",
            ),
        ),
        (
            Mistake("bands not evened out", _not_evened),
            Mistake("the sum normalised", _only_the_sum),
            Mistake("fine band forgotten", _low_only),
            Mistake("whole gradient as the fine band", _not_split),
        ),
        "both bands now have the same strength, whatever they had before",
    ),
    Exercise(
        "blur_twice",
        "05",
        "Blurring twice",
        3,
        1,
        5.0,
        (
            Condition(
                lambda a: not _is(a, 7),
                "standard deviations do not add up when blurs are chained; their squares do",
            ),
            Condition(
                lambda a: not _is(a, 25), "that is the variance; its root is the standard deviation"
            ),
            Condition(
                lambda a: float(a) >= 4,
                "a second blur never sharpens: the result is blurrier than either blur alone",
            ),
            Condition(lambda a: _is(a, 5), "not this: the variances of chained Gaussians add"),
        ),
        (
            Mistake("deviations added", 7.0),
            Mistake("variance given", 25),
            Mistake("the mean of both", 3.5),
            Mistake("the product", 12),
        ),
        "variances add: 3² + 4² = 5²",
    ),
)
