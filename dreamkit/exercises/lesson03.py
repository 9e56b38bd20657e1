"""Exercises of lesson 03: a gradient by hand, and one step along it."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake


def _picture() -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.rand(1, 3, 4, 5, generator=generator, dtype=torch.float64) * 0.5 + 0.25


def _score(image: torch.Tensor) -> torch.Tensor:
    """Bends strongly, so that a one-sided difference shows; each place counts differently, so that a wrong place shows."""
    weights = torch.arange(image.numel(), dtype=image.dtype).reshape(image.shape) / 10 + 1
    return (weights * image**3).sum()


_PLACE, _NUDGE = (2, 1, 3), 0.05


def _slope(score, image, place, nudge):
    up, down = image.clone(), image.clone()
    up[(0, *place)] += nudge
    down[(0, *place)] -= nudge
    return (score(up) - score(down)) / (2 * nudge)


def _one_sided(score, image, place, nudge):
    up = image.clone()
    up[(0, *place)] += nudge
    return (score(up) - score(image)) / nudge


def _half_as_long(score, image, place, nudge):
    return 2 * _slope(score, image, place, nudge)


def _in_place(score, image, place, nudge):
    up = image
    up[(0, *place)] += nudge
    down = image
    down[(0, *place)] -= nudge
    return (score(up) - score(down)) / (2 * nudge)


def _undivided(score, image, place, nudge):
    return _slope(score, image, place, nudge) * 2 * nudge


def _slope_of(f, nudge=_NUDGE):
    return float(f(_score, _picture(), _PLACE, nudge))


def _untouched(f) -> bool:
    image = _picture()
    f(_score, image, _PLACE, _NUDGE)
    return torch.equal(image, _picture())


_IMAGE = torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0, 0.6]).reshape(1, 3, 1, 2)
_GRADIENT = torch.tensor([-3.0, 1.0, 2.0, 6.0, 1.0, -1.0]).reshape(1, 3, 1, 2)


def _step(image, gradient, step_size):
    return (image + step_size * gradient / gradient.std(correction=0)).clamp(0, 1)


def _downhill(image, gradient, step_size):
    return (image - step_size * gradient / gradient.std(correction=0)).clamp(0, 1)


def _raw(image, gradient, step_size):
    return (image + step_size * gradient).clamp(0, 1)


def _unclamped(image, gradient, step_size):
    return image + step_size * gradient / gradient.std(correction=0)


def _signs(image, gradient, step_size):
    return (image + step_size * gradient.sign()).clamp(0, 1)


def _near(value, wanted, tolerance=1e-6) -> bool:
    return (
        isinstance(value, torch.Tensor)
        and value.shape == wanted.shape
        and torch.allclose(value, wanted, atol=tolerance)
    )


def _gain(gradient, before, after):
    return (gradient * (after - before)).sum()


def _mean_gain(gradient, before, after):
    return (gradient * (after - before)).mean()


def _lengths(gradient, before, after):
    return gradient.norm() * (after - before).norm()


def _backwards(gradient, before, after):
    return (gradient * (before - after)).sum()


_AFTER = _step(_IMAGE, _GRADIENT, 0.1)


def _gain_of(f) -> float:
    return float(f(_GRADIENT, _IMAGE, _AFTER))


EXERCISES = (
    Exercise(
        "slope",
        "03",
        "The slope at one value of one pixel",
        7,
        2,
        _slope,
        (
            Condition(
                _untouched, "the picture you were given has changed: nudge a copy, image.clone()"
            ),
            Condition(
                lambda f: abs(_slope_of(f) - 2 * _NUDGE * _slope_of(_slope)) > 1e-9,
                "that is how far the score rose; a slope is the rise divided by the way from one end to the other",
            ),
            Condition(
                lambda f: abs(_slope_of(f) - _slope_of(_half_as_long)) > 1e-9,
                "twice too large: from one nudge down to one nudge up the way is 2 * nudge",
            ),
            Condition(
                lambda f: abs(_slope_of(f) - _slope_of(_one_sided)) > 1e-9,
                "nudged to one side only: right for tiny nudges, but two sides are far more exact where the score bends",
            ),
            Condition(
                lambda f: abs(_slope_of(f) - _slope_of(_slope)) < 1e-9,
                "not the slope at that place: index the copy with (0, *place)",
            ),
        ),
        (
            Mistake("nudges the caller's picture", _in_place),
            Mistake("rise not divided", _undivided),
            Mistake("divided by one nudge instead of two", _half_as_long),
            Mistake("one side only", _one_sided),
        ),
        "a central difference: as exact as numbers by hand can be",
    ),
    Exercise(
        "gain",
        "03",
        "How much should the score rise?",
        5,
        2,
        _gain,
        (
            Condition(
                lambda f: torch.as_tensor(f(_GRADIENT, _IMAGE, _AFTER)).numel() == 1,
                "one number is wanted: the rise over all values together",
            ),
            Condition(
                lambda f: abs(_gain_of(f) + _gain_of(_gain)) > 1e-6,
                "the sign is turned round: the way goes from before to after",
            ),
            Condition(
                lambda f: abs(_gain_of(f) - _gain_of(_mean_gain)) > 1e-6,
                "that is the mean over the values: their rises *add up*",
            ),
            Condition(
                lambda f: abs(_gain_of(f) - _gain_of(_lengths)) > 1e-6,
                "the product of the lengths is the most that such a step can gain; where values were clamped it gains less",
            ),
            Condition(
                lambda f: abs(_gain_of(f) - _gain_of(_gain)) < 1e-5,
                "each value's slope times its own change, added up",
            ),
        ),
        (
            Mistake("from after to before", _backwards),
            Mistake("mean instead of sum", _mean_gain),
            Mistake("product of lengths", _lengths),
        ),
        "slope times change, added up over all values: the linear prediction of the rise",
    ),
    Exercise(
        "one_step",
        "03",
        "One step uphill",
        5,
        1,
        _step,
        (
            Condition(
                lambda f: torch.equal(f(_IMAGE, _GRADIENT, 0.0), _IMAGE),
                "a step of size 0 should leave the picture as it is",
            ),
            Condition(
                lambda f: not _near(f(_IMAGE, _GRADIENT, 0.1), _downhill(_IMAGE, _GRADIENT, 0.1)),
                "that is downhill, as in training, where a loss is to fall; here the score is to rise",
            ),
            Condition(
                lambda f: not _near(f(_IMAGE, _GRADIENT, 0.1), _raw(_IMAGE, _GRADIENT, 0.1)),
                "the length of the step depends on the gradient's own size: divide by its deviation first",
            ),
            Condition(
                lambda f: not _near(f(_IMAGE, _GRADIENT, 0.1), _signs(_IMAGE, _GRADIENT, 0.1)),
                "only the signs are used: all values move alike, however little they matter",
            ),
            Condition(
                lambda f: (
                    float(f(_IMAGE, _GRADIENT, 0.1).min()) >= 0
                    and float(f(_IMAGE, _GRADIENT, 0.1).max()) <= 1
                ),
                "some values have left [0, 1]: clamp them",
            ),
            Condition(
                lambda f: any(
                    _near(
                        f(_IMAGE, _GRADIENT, 0.1),
                        (_IMAGE + 0.1 * _GRADIENT / _GRADIENT.std(correction=c)).clamp(0, 1),
                    )
                    for c in (0, 1)
                ),  # unbiased or not: on a real picture nobody can tell
                "close, but divide by the deviation over all values: gradient.std()",
            ),
        ),
        (
            Mistake("downhill", _downhill),
            Mistake("gradient not normalised", _raw),
            Mistake("signs only", _signs),
            Mistake("not clamped", _unclamped),
        ),
        "uphill, by a step of known length, and still a picture",
    ),
)
