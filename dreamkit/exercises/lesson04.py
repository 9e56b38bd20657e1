"""Exercises of lesson 04: many steps, normalised, and how much of a pattern is fine detail."""

from __future__ import annotations

import torch

from ..ascent.gradients import gradient as gradient_of
from . import Condition, Exercise, Mistake


def _picture() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(1, 3, 4, 5, generator=generator) * 0.6 + 0.2


def _score(image: torch.Tensor) -> torch.Tensor:
    """Its gradient changes with the picture, so that a gradient taken once and for all shows."""
    weights = torch.linspace(-1, 1, image.numel()).reshape(image.shape)
    return (weights * image**3).sum()


def _normalised(gradient):
    size = gradient.std()
    return gradient / size if size > 0 else gradient


def _by_the_greatest(gradient):
    return gradient / gradient.abs().max().clamp(min=1e-12)


def _zero_becomes_nan(gradient):
    return gradient / gradient.std()


def _each_colour(gradient):
    size = gradient.std((2, 3), keepdim=True)
    return torch.where(size > 0, gradient / size.clamp(min=1e-12), gradient)


def _by_the_sum(gradient):
    return gradient / gradient.abs().sum().clamp(min=1e-12)


def _ascend(score, image, steps, step_size):
    for _ in range(steps):
        slopes = gradient_of(score, image)
        image = (image + step_size * slopes / slopes.std()).clamp(0, 1)
    return image


def _population(score, image, steps, step_size):
    """The same with the deviation's other divisor: on a real picture nobody can tell, so both are right."""
    for _ in range(steps):
        slopes = gradient_of(score, image)
        image = (image + step_size * slopes / slopes.std(correction=0)).clamp(0, 1)
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
    result = image
    for _ in range(steps):
        slopes = gradient_of(score, image)
        result = (image + step_size * slopes / slopes.std()).clamp(0, 1)
    return result


_GRADIENT = torch.tensor([4.0, -1.0, 0.5, 0.5, -2.0, 1.0, 0.0, 3.0, 1.0, -1.0, 0.1, -0.1]).reshape(
    1, 3, 2, 2
)


def _close(value, wanted, tolerance=1e-5) -> bool:
    return (
        isinstance(value, torch.Tensor)
        and value.shape == wanted.shape
        and torch.allclose(value, wanted, atol=tolerance)
    )


def _walk(f, steps=4, size=0.05):
    return f(_score, _picture(), steps, size)


def _pattern(cycles: float, side: int = 32) -> torch.Tensor:
    return torch.cos(2 * torch.pi * cycles * torch.arange(side) / side).expand(side, side).clone()


_MIXED = 2 * _pattern(2) + _pattern(12) + 5.0


def _fine(plane, limit):
    energy = torch.fft.fft2(plane - plane.mean()).abs().square()
    rows, columns = (torch.fft.fftfreq(n) for n in plane.shape)
    radius = torch.hypot(rows[:, None], columns[None, :])
    return energy[radius > limit].sum() / energy.sum()


def _with_the_mean(plane, limit):
    energy = torch.fft.fft2(plane).abs().square()
    rows, columns = (torch.fft.fftfreq(n) for n in plane.shape)
    return energy[torch.hypot(rows[:, None], columns[None, :]) > limit].sum() / energy.sum()


def _amplitudes(plane, limit):
    size = torch.fft.fft2(plane - plane.mean()).abs()
    rows, columns = (torch.fft.fftfreq(n) for n in plane.shape)
    return size[torch.hypot(rows[:, None], columns[None, :]) > limit].sum() / size.sum()


def _coarse(plane, limit):
    return 1 - _fine(plane, limit)


def _rows_only(plane, limit):
    energy = torch.fft.fft2(plane - plane.mean()).abs().square()
    return energy[torch.fft.fftfreq(plane.shape[0]).abs() > limit].sum() / energy.sum()


def _share(f, plane=_MIXED, limit=0.2) -> float:
    return float(f(plane, limit))


EXERCISES = (
    Exercise(
        "normalised",
        "04",
        "A gradient of known size",
        5,
        1,
        _normalised,
        (
            Condition(
                lambda f: bool(torch.isfinite(f(torch.zeros(1, 3, 2, 2))).all()),
                "a gradient that is zero everywhere gives 0 / 0, not a number: where the deviation is 0, leave it as it is",
            ),
            Condition(
                lambda f: not _close(f(_GRADIENT), _by_the_greatest(_GRADIENT)),
                "divided by the greatest value: then one outlier decides how far all the others go",
            ),
            Condition(
                lambda f: not _close(f(_GRADIENT), _each_colour(_GRADIENT)),
                "each colour is scaled by itself, which changes the direction: one number for all values",
            ),
            Condition(
                lambda f: _close(f(5 * _GRADIENT), f(_GRADIENT)),
                "five times the gradient should give the same result",
            ),
            Condition(
                lambda f: any(
                    _close(f(_GRADIENT), _GRADIENT / _GRADIENT.std(correction=c)) for c in (0, 1)
                ),
                "the result should have the standard deviation 1",
            ),
        ),
        (
            Mistake("zero gradient becomes NaN", _zero_becomes_nan),
            Mistake("divided by the greatest value", _by_the_greatest),
            Mistake("each colour by itself", _each_colour),
            Mistake("divided by the sum", _by_the_sum),
        ),
        "the direction is kept, the size is 1, and a silent gradient stays silent",
    ),
    Exercise(
        "ascent",
        "04",
        "Gradient ascent",
        8,
        2,
        _ascend,
        (
            Condition(
                lambda f: torch.equal(_walk(f, 0), _picture()),
                "no steps should give the picture back as it is",
            ),
            Condition(
                lambda f: not _close(_walk(f), _one_step_only(_score, _picture(), 4, 0.05)),
                "every step starts from the first picture again: let the next step start where the last one ended",
            ),
            Condition(
                lambda f: not _close(_walk(f), _stale(_score, _picture(), 4, 0.05)),
                "the gradient is taken once, before the loop; it belongs to the picture as it is *now*",
            ),
            Condition(
                lambda f: not _close(_walk(f), _raw(_score, _picture(), 4, 0.05)),
                "the gradient is not normalised: divide by its deviation",
            ),
            Condition(
                lambda f: not _close(_walk(f, 8, 0.2), _clamped_late(_score, _picture(), 8, 0.2)),
                "clamped only at the end: in between the network sees values that no picture has. Clamp after every step",
            ),
            Condition(
                lambda f: any(
                    _close(_walk(f, 3), wanted)
                    for wanted in (_walk(_ascend, 3), _walk(_population, 3))
                ),
                "close, but each step is: gradient, divided by its deviation, times step_size, added, clamped to [0, 1]",
            ),
        ),
        (
            Mistake("every step from the start", _one_step_only),
            Mistake("gradient taken once", _stale),
            Mistake("not normalised", _raw),
            Mistake("clamped at the end", _clamped_late),
        ),
        "fresh gradient, known step, still a picture: the heart of DeepDream",
    ),
    Exercise(
        "fine",
        "04",
        "How much of a pattern is fine detail?",
        8,
        3,
        _fine,
        (
            Condition(
                lambda f: _share(f, _pattern(2).T) < _share(f, _pattern(12).T),
                "turned round: coarse waves should give nearly 0 and fine ones nearly 1",
            ),
            Condition(
                lambda f: _share(f, _pattern(12)) > 0.99,
                "fine standing stripes count for nothing here: a frequency has two parts, down and across; take its length",
            ),
            Condition(
                lambda f: abs(_share(f) - _share(_with_the_mean)) > 1e-3,
                "the mean brightness is in your sum: take plane.mean() away first",
            ),
            Condition(
                lambda f: abs(_share(f) - _share(_amplitudes)) > 1e-3,
                "amplitudes are added; energy is amplitude squared",
            ),
            Condition(
                lambda f: abs(_share(f) - 0.2) < 1e-3,
                "waves of amplitude 2 (coarse) and 1 (fine) should give 1 / (4 + 1)",
            ),
        ),
        (
            Mistake("coarse share instead", _coarse),
            Mistake("only the rows' frequency", _rows_only),
            Mistake("mean not taken away", _with_the_mean),
            Mistake("amplitude instead of energy", _amplitudes),
        ),
        "the share of the energy above a frequency, whatever the direction",
    ),
)
