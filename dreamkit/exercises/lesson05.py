"""Exercises of lesson 05, smoothing the gradient."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ..ascent.steps import normalize, smooth
from ..pictures.filters import mirror_pad
from . import Condition, Exercise, Mistake
from .checking import close, near, normal, on

_GRADIENT = normal(1, 3, 14, 19, seed=5)
_ONES = torch.ones(1, 3, 14, 19)


def _kernel(sigma: float, radius: int) -> torch.Tensor:
    weights = _weights(sigma, radius)
    return weights / weights.sum()


def _weights(sigma: float, radius: int) -> torch.Tensor:
    return torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)


def _box(sigma: float, radius: int) -> torch.Tensor:
    return torch.full((2 * radius + 1,), 1 / (2 * radius + 1))


def _zero_pad(gradient, rows, columns):
    return F.pad(gradient, (columns, columns, rows, rows))


def _blur(gradient, sigma, kernel=_kernel, pad=mirror_pad, columns=True):
    radius, channels = int(4 * sigma + 0.5), gradient.shape[1]
    weights = kernel(sigma, radius)
    blurred = pad(gradient, radius, radius * columns)
    for shape in ((1, 1, -1, 1), (1, 1, 1, -1))[: 1 + columns]:
        each = weights.view(shape).expand(channels, *weights.view(shape).shape[1:])
        blurred = F.conv2d(blurred, each, groups=channels)
    return blurred


def _inside(smoothed):
    """The part so far from the border that it depends on no padding."""
    return smoothed[..., 5:-5, 5:-5]


def _roughly(given, wanted) -> bool:
    """As `close`, with a tolerance that allows a kernel cut off at 3 sigma instead of 4."""
    return torch.allclose(given, wanted, atol=1e-2)


def _two_bands(gradient, sigma):
    low = smooth(gradient, sigma)
    return normalize(low, by="rms") + normalize(gradient - low, by="rms")


def _less_colour(gradient, share):
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    luma = (gradient * weights).sum(1, keepdim=True)
    return luma + share * (gradient - luma)


EXERCISES = (
    Exercise(
        "smooth",
        "05",
        "A Gaussian blur of your own",
        10,
        2,
        _blur,
        checks=(
            Condition(
                lambda f: f(_GRADIENT, 1.0).shape == _GRADIENT.shape,
                "the result has another size: pad the gradient by the kernel's radius on every "
                "side before you convolve",
            ),
            Condition(
                lambda f: close(_inside(f(_ONES, 1.0)), _inside(_ONES)),
                "a gradient of ones does not stay one: the kernel's weights must sum to 1",
            ),
            Condition(
                lambda f: close(f(_GRADIENT.mT, 1.0), f(_GRADIENT, 1.0).mT),
                "rows and columns are not treated alike: blur along the height and along the width",
            ),
            Condition(
                lambda f: close(f(_ONES, 1.0), _ONES),
                "right inside, but darker at the borders, where you pad with zeros: mirror the "
                'gradient instead (mode="reflect")',
            ),
            Condition(
                lambda f: _roughly(_inside(f(_GRADIENT, 1.0)), _inside(smooth(_GRADIENT, 1.0))),
                "it blurs, but not by a Gaussian of this sigma: the weight at offset d is exp(-d² "
                "/ (2 sigma²))",
            ),
            Condition(
                lambda f: _roughly(f(_GRADIENT, 1.0), smooth(_GRADIENT, 1.0)),
                'right inside, but not at the borders: mirror the gradient there (mode="reflect")',
            ),
            Mistake(
                "no padding: the result is smaller",
                lambda g, s: _blur(g, s, pad=lambda x, rows, columns: x),
            ),
            Mistake("weights that do not sum to 1", lambda g, s: _blur(g, s, kernel=_weights)),
            Mistake("blurred along one axis only", lambda g, s: _blur(g, s, columns=False)),
            Mistake("zeros at the border", lambda g, s: _blur(g, s, pad=_zero_pad)),
            Mistake("a box instead of a Gaussian", lambda g, s: _blur(g, s, kernel=_box)),
        ),
        cases=((normal(2, 1, 23, 17, seed=6), 0.6), (normal(1, 4, 16, 31, seed=7), 1.7)),
        compare=_roughly,
        write=("smooth",),
        praise="weights that sum to 1, both axes, mirrored borders: it equals dk.smooth",
    ),
    Exercise(
        "two_bands",
        "05",
        "A pyramid of two bands",
        5,
        2,
        _two_bands,
        same=on(_GRADIENT, 1.0),
        checks=(
            Condition(
                lambda f: f(_GRADIENT, 1.0).shape == _GRADIENT.shape,
                "the result should have the gradient's shape",
            ),
            Mistake(
                "bands not evened out",
                lambda gradient, sigma: gradient,
                "split and put together again without a change: divide each band by its own RMS in "
                "between",
            ),
            Mistake(
                "the sum normalised",
                lambda gradient, sigma: normalize(gradient, by="rms"),
                "the sum was normalised, so both bands shrink by the same factor: normalise each "
                "band before you add them",
            ),
            Mistake(
                "fine band forgotten",
                lambda gradient, sigma: normalize(smooth(gradient, sigma), by="rms"),
                "only the coarse band is left: the fine one is what the blur took away, gradient - "
                "low",
            ),
            Mistake(
                "whole gradient as the fine band",
                lambda gradient, sigma: (
                    normalize(smooth(gradient, sigma), by="rms") + normalize(gradient, by="rms")
                ),
                "the second band is the whole gradient, so the coarse part counts twice: take "
                "gradient - low",
            ),
        ),
        otherwise=(
            "not yet: low = the blurred gradient, high = the rest; each divided by its own RMS, "
            "then added"
        ),
        cases=((normal(2, 1, 23, 17, seed=8), 0.6), (normal(1, 4, 16, 31, seed=9) + 1, 2.0)),
        compare=lambda a, b: close(a, b, 1e-3),
        write=("smooth_laplacian",),
        praise="both bands now have the same strength, whatever they had before",
    ),
    Exercise(
        "less_colour",
        "05",
        "Less colour",
        6,
        2,
        _less_colour,
        same=on(_GRADIENT, 0.25),
        checks=(
            Condition(
                lambda f: f(_GRADIENT, 0.25).shape == _GRADIENT.shape,
                "the result should have the gradient's shape, [N, 3, H, W]",
            ),
            Mistake(
                "share of luma instead",
                lambda gradient, share: _less_colour(gradient, 1 - share),
                "at share 0 no colour should be left, and at 1 all of it",
            ),
            Condition(
                lambda f: close(f(_GRADIENT, 1.0), _GRADIENT),
                "a share of 1 should change nothing: luma plus all of the chroma",
            ),
            Mistake(
                "luma lost",
                lambda gradient, share: (
                    _less_colour(gradient, 0.0) * share + gradient - _less_colour(gradient, 0.0)
                ),
                "the luma was scaled and the colour kept: the other way round",
            ),
            Mistake(
                "plain mean as luma",
                lambda gradient, share: torch.lerp(
                    gradient.mean(1, keepdim=True).expand_as(gradient), gradient, share
                ),
                "that is the plain mean of the colours; luma weighs green most: 0.299, 0.587, "
                "0.114",
            ),
            Mistake("scaled as a whole", lambda gradient, share: share * gradient),
        ),
        otherwise="not yet: the luma of each pixel should stay, and only its colour be scaled",
        cases=((normal(2, 3, 5, 9, seed=10), 0.0), (normal(1, 3, 12, 7, seed=11) * 4, 0.6)),
        write=("scale_chroma", "luma"),
        praise="light and dark stay, colour is turned down: it equals dk.scale_chroma",
    ),
    Exercise(
        "blur_twice",
        "05",
        "Blurring twice",
        3,
        1,
        5.0,
        same=near,
        checks=(
            Mistake(
                "standard deviations added",
                7.0,
                "standard deviations do not add up when blurs are chained; their squares do",
            ),
            Mistake(
                "variance given",
                25,
                "that is the variance; its root is the standard deviation",
            ),
            Condition(
                lambda a: float(a) >= 4,
                "a second blur never sharpens: the result is blurrier than either blur alone",
            ),
            Mistake("the mean of both", 3.5),
            Mistake("the product", 12),
        ),
        otherwise="not this: the variances of chained Gaussians add",
        praise="variances add: 3² + 4² = 5²",
    ),
)
