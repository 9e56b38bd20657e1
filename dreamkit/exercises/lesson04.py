"""Exercises of lesson 04: many steps, fine detail, and the way back through a stride."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ..ascent.gradients import gradient as gradient_of
from . import Condition, Exercise, Mistake
from .checking import close, near, normal, on, uniform

_PICTURE = uniform(1, 3, 4, 5, seed=3) * 0.6 + 0.2


def _score(image: torch.Tensor) -> torch.Tensor:
    """A score whose gradient changes with the picture, which shows a gradient taken only once."""
    weights = torch.linspace(-1, 1, image.numel()).reshape(image.shape)
    return (weights * image**3).sum()


def _sine(image: torch.Tensor) -> torch.Tensor:
    """Another score, whose gradient changes with the picture, too."""
    return (torch.linspace(1, 4, image.numel()).reshape(image.shape) * image).sin().sum()


def _ascend(score, image, steps, step_size, correction=1):
    for _ in range(steps):
        slopes = gradient_of(score, image)
        image = (image + step_size * slopes / slopes.std(correction=correction)).clamp(0, 1)
    return image


def _stale(score, image, steps, step_size):
    slopes = gradient_of(score, image)
    for _ in range(steps):
        image = (image + step_size * slopes / slopes.std()).clamp(0, 1)
    return image


def _raw(score, image, steps, step_size):
    for _ in range(steps):
        image = (image + step_size * gradient_of(score, image)).clamp(0, 1)
    return image


def _clamped_late(score, image, steps, step_size):
    for _ in range(steps):
        slopes = gradient_of(score, image)
        image = image + step_size * slopes / slopes.std()
    return image.clamp(0, 1)


def _one_step_only(score, image, steps, step_size):
    return _ascend(score, image, min(steps, 1), step_size)


def _walk(f, steps, size=0.05, **more):
    return f(_score, _PICTURE.clone(), steps, size, **more)


def _pattern(cycles: float, side: int = 32) -> torch.Tensor:
    return torch.cos(2 * torch.pi * cycles * torch.arange(side) / side).expand(side, side).clone()


_MIXED = 2 * _pattern(2) + _pattern(12) + 5.0


def _share_above(size, limit):
    rows, columns = (torch.fft.fftfreq(n) for n in size.shape)
    return size[torch.hypot(rows[:, None], columns[None, :]) > limit].sum() / size.sum()


def _fine(plane, limit):
    return _share_above(torch.fft.fft2(plane - plane.mean()).abs().square(), limit)


def _rows_only(plane, limit):
    energy = torch.fft.fft2(plane - plane.mean()).abs().square()
    return energy[torch.fft.fftfreq(plane.shape[0]).abs() > limit].sum() / energy.sum()


def _share(f, cycles, turned=False) -> float:
    return float(f(_pattern(cycles).T if turned else _pattern(cycles), 0.2))


_SLOPES = normal(1, 2, 2, 3, seed=3)


def _way_back(slopes, step):
    n, c, h, w = slopes.shape
    back = torch.zeros(n, c, h * step, w * step)
    back[..., ::step, ::step] = slopes
    return back


def _spread(slopes, step):
    return slopes.repeat_interleave(step, 2).repeat_interleave(step, 3)


EXERCISES = (
    Exercise(
        "ascent",
        "04",
        "Gradient ascent",
        8,
        2,
        _ascend,
        same=on(_score, _PICTURE, 4, 0.05),
        checks=(
            Condition(
                lambda f: torch.equal(_walk(f, 0), _PICTURE),
                "no steps should return the picture as it is",
            ),
            Mistake(
                "every step from the start",
                _one_step_only,
                "every step starts from the first picture again: let the next step start where the "
                "last one ended",
            ),
            Mistake(
                "gradient taken once",
                _stale,
                "the gradient is taken once, before the loop; it belongs to the picture as it is "
                "*now*",
            ),
            Mistake(
                "not normalised",
                _raw,
                "the gradient is not normalised: divide by its standard deviation",
            ),
            Condition(
                lambda f: not close(_walk(f, 8, 0.2), _walk(_clamped_late, 8, 0.2)),
                "clamped only at the end: before that the network sees values that no picture has. "
                "Clamp after every step",
            ),
            Condition(  # either divisor is right: on a real picture the difference is tiny
                lambda f: any(close(_walk(f, 3), _walk(_ascend, 3, correction=c)) for c in (0, 1)),
                "close, but each step is: gradient, divided by its standard deviation, times "
                "step_size, added, clamped to [0, 1]",
            ),
            Mistake("clamped at the end", _clamped_late),
        ),
        cases=(
            (_sine, uniform(1, 3, 11, 13, seed=4), 2, 0.03),
            (_score, uniform(1, 3, 16, 9, seed=5), 5, 0.3),
        ),
        compare=lambda a, b: close(a, b, 2e-3),
        write=("dream", "dreaming"),
        praise="fresh gradient, known step, still a picture: the heart of DeepDream",
    ),
    Exercise(
        "fine",
        "04",
        "How much of a pattern is fine detail?",
        8,
        3,
        _fine,
        same=on(_MIXED, 0.2, compare=lambda a, b: near(a, b, 1e-3)),
        checks=(
            Condition(
                lambda f: _share(f, 2, turned=True) < _share(f, 12, turned=True),
                "the wrong way round: coarse waves should give nearly 0 and fine ones nearly 1",
            ),
            Condition(
                lambda f: _share(f, 12) > 0.99,
                "fine upright stripes count for nothing here: a frequency has two parts, down and "
                "across; take its length",
            ),
            Mistake(
                "mean not taken away",
                lambda plane, limit: _share_above(torch.fft.fft2(plane).abs().square(), limit),
                "the mean brightness is in your sum: subtract plane.mean() first",
            ),
            Mistake(
                "amplitude instead of energy",
                lambda plane, limit: _share_above(
                    torch.fft.fft2(plane - plane.mean()).abs(), limit
                ),
                "amplitudes are added; energy is amplitude squared",
            ),
            Mistake("coarse share instead", lambda plane, limit: 1 - _fine(plane, limit)),
            Mistake("only the rows' frequency", _rows_only),
        ),
        cases=((normal(33, 18, seed=6), 0.12), (uniform(20, 47, seed=7) + 2, 0.45)),
        compare=lambda a, b: near(a, b, 1e-3),
        write=("fine_share", "spectrum"),
        otherwise="waves of amplitude 2 (coarse) and 1 (fine) should give 1 / (4 + 1)",
        praise="the share of the energy above a frequency, in any direction",
    ),
    Exercise(
        "way_back",
        "04",
        "The way back through a stride",
        6,
        2,
        _way_back,
        same=on(_SLOPES, 2),
        checks=(
            Condition(
                lambda f: f(_SLOPES, 2).shape == (1, 2, 4, 6),
                "the input is `step` times as high and as wide: [N, C, h * step, w * step]",
            ),
            Mistake(
                "spread over the block",
                lambda slopes, step: _spread(slopes, step),
                "each slope was copied to its whole block, but the other pixels were dropped: "
                "they had no influence",
            ),
            Mistake(
                "the mean's way back",
                lambda slopes, step: _spread(slopes, step) / step**2,
                "that is the way back through a mean; here all of the slope goes to one pixel",
            ),
            Mistake(
                "all in the corner",
                lambda slopes, step: F.pad(
                    slopes, (0, slopes.shape[3] * (step - 1), 0, slopes.shape[2] * (step - 1))
                ),
                "the slopes stand side by side in a corner: they belong `step` pixels apart",
            ),
            Mistake(
                "the last of each block",
                lambda slopes, step: _way_back(slopes, step).roll((step - 1, step - 1), (2, 3)),
                "kept are the rows and columns 0, step, 2 * step, …: the first of each block",
            ),
            Mistake("not enlarged", lambda slopes, step: slopes),
        ),
        otherwise="not yet: zeros, and the slopes at the kept rows and columns",
        cases=((normal(2, 3, 4, 2, seed=8), 3), (normal(1, 1, 3, 7, seed=9), 1)),
        praise="what was dropped gets nothing: holes in every block, whatever the slopes were",
    ),
)
