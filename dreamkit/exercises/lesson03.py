"""Exercises of lesson 03: a gradient by hand, and one step along it."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake
from .checking import close, near, normal, on, uniform

_PICTURE = uniform(1, 3, 4, 5, seed=7, dtype=torch.float64) * 0.5 + 0.25
_POSITION, _NUDGE = (2, 1, 3), 0.05


def _score(image: torch.Tensor) -> torch.Tensor:
    """A curved score, which shows a one-sided difference; its weights show a wrong position."""
    weights = torch.arange(image.numel(), dtype=image.dtype).reshape(image.shape) / 10 + 1
    return (weights * image**3).sum()


def _slope(score, image, position, nudge):
    up, down = image.clone(), image.clone()
    up[(0, *position)] += nudge
    down[(0, *position)] -= nudge
    return (score(up) - score(down)) / (2 * nudge)


def _one_sided(score, image, position, nudge):
    up = image.clone()
    up[(0, *position)] += nudge
    return (score(up) - score(image)) / nudge


_OTHER = uniform(1, 3, 7, 3, seed=8, dtype=torch.float64) * 0.5 + 0.25


def _sine(image: torch.Tensor) -> torch.Tensor:
    """Another curved score, whose slopes differ from value to value."""
    weights = torch.linspace(1, 2, image.numel(), dtype=image.dtype).reshape(image.shape)
    return (weights * image).sin().sum()


def _in_place(score, image, position, nudge):
    up = image
    up[(0, *position)] += nudge
    down = image
    down[(0, *position)] -= nudge
    return (score(up) - score(down)) / (2 * nudge)


def _untouched(f) -> bool:
    image = _PICTURE.clone()
    f(_score, image, _POSITION, _NUDGE)
    return torch.equal(image, _PICTURE)


_IMAGE = torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0, 0.6]).reshape(1, 3, 1, 2)
_GRADIENT = torch.tensor([-3.0, 1.0, 2.0, 6.0, 1.0, -1.0]).reshape(1, 3, 1, 2)


def _unclamped(image, gradient, step_size, correction=0):
    return image + step_size * gradient / gradient.std(correction=correction)


def _step(image, gradient, step_size, correction=0):
    return _unclamped(image, gradient, step_size, correction).clamp(0, 1)


def _weights(activations, power):
    return power * activations ** (power - 1) / activations.numel()


_ACTIVATIONS = uniform(1, 4, 2, 3, seed=11) + 0.2
_AFTER = _step(_IMAGE, _GRADIENT, 0.1)


def _stepped(f) -> torch.Tensor:
    return f(_IMAGE, _GRADIENT, 0.1)


EXERCISES = (
    Exercise(
        "slope",
        "03",
        "The slope at one value of one pixel",
        7,
        2,
        _slope,
        same=on(_score, _PICTURE, _POSITION, _NUDGE, compare=lambda a, b: near(a, b, 1e-9)),
        checks=(
            Condition(
                _untouched, "the picture you were given has changed: nudge a copy, image.clone()"
            ),
            Mistake(
                "rise not divided",
                lambda score, image, position, nudge: (
                    _slope(score, image, position, nudge) * 2 * nudge
                ),
                "that is how far the score rose; a slope is the rise divided by the distance "
                "between both ends",
            ),
            Mistake(
                "divided by one nudge instead of two",
                lambda score, image, position, nudge: 2 * _slope(score, image, position, nudge),
                "twice too large: from one nudge down to one nudge up the distance is 2 * nudge",
            ),
            Mistake(
                "one side only",
                _one_sided,
                "nudged to one side only: right for tiny nudges, but two sides are far more exact "
                "where the score bends",
            ),
            Mistake("nudges the caller's picture", _in_place),
        ),
        cases=((_sine, _OTHER, (0, 6, 2), 0.2), (_score, _PICTURE, (1, 3, 0), 0.01)),
        compare=lambda a, b: near(a, b, 1e-9),
        otherwise="not the slope at that position: index the copy with (0, *position)",
        praise="a central difference: as exact as numbers by hand can be",
    ),
    Exercise(
        "weights",
        "03",
        "What each activation is worth",
        7,
        2,
        _weights,
        same=on(_ACTIVATIONS, 3),
        checks=(
            Condition(
                lambda f: getattr(f(_ACTIVATIONS, 2), "shape", None) == _ACTIVATIONS.shape,
                "one slope for each activation is wanted: a tensor of the same shape",
            ),
            Mistake(
                "the power is not lowered",
                lambda activations, power: power * activations**power / activations.numel(),
                "the exponent falls by one: the derivative of a squared is 2 a",
            ),
            Mistake(
                "the factor forgotten",
                lambda activations, power: activations ** (power - 1) / activations.numel(),
                "the exponent comes down as a factor: the derivative of a squared is 2 a",
            ),
            Mistake(
                "slope of the sum",
                lambda activations, power: power * activations ** (power - 1),
                "that is the slope of the sum; a mean divides by the number of values",
            ),
            Mistake(
                "always squares",
                lambda activations, power: 2 * activations / activations.numel(),
                "right for squares only: use `power`",
            ),
        ),
        otherwise="not the slope of the mean of activations ** power",
        cases=((uniform(2, 5, 3, 1, seed=9) + 0.1, 1), (uniform(1, 7, 2, 6, seed=10), 4)),
        praise="with power 1 all are worth the same; with power 2 each is weighted by itself",
    ),
    Exercise(
        "gain",
        "03",
        "How much should the score rise?",
        5,
        2,
        lambda gradient, before, after: (gradient * (after - before)).sum(),
        same=on(_GRADIENT, _IMAGE, _AFTER, compare=lambda a, b: near(a, b, 1e-5)),
        checks=(
            Condition(
                lambda f: torch.as_tensor(f(_GRADIENT, _IMAGE, _AFTER)).numel() == 1,
                "one number is wanted: the rise over all values together",
            ),
            Mistake(
                "from after to before",
                lambda gradient, before, after: (gradient * (before - after)).sum(),
                "the sign is wrong: the step goes from before to after",
            ),
            Mistake(
                "mean instead of sum",
                lambda gradient, before, after: (gradient * (after - before)).mean(),
                "that is the mean over the values: their rises *add up*",
            ),
            Mistake(
                "product of lengths",
                lambda gradient, before, after: gradient.norm() * (after - before).norm(),
                "the product of the lengths is the most that such a step can gain; where values "
                "were clamped it gains less",
            ),
        ),
        otherwise="each value's slope times its own change, added up",
        cases=(
            (normal(1, 3, 5, 2, seed=1), uniform(1, 3, 5, 2), uniform(1, 3, 5, 2, seed=2)),
            (normal(2, 3, 3, 7, seed=3), uniform(2, 3, 3, 7), uniform(2, 3, 3, 7, seed=4)),
        ),
        compare=lambda a, b: near(a, b, 1e-4),
        praise="slope times change, added up over all values: the linear prediction of the rise",
    ),
    Exercise(
        "one_step",
        "03",
        "One step uphill",
        5,
        1,
        _step,
        same=on(_IMAGE, _GRADIENT, 0.1),
        checks=(
            Condition(
                lambda f: torch.equal(f(_IMAGE, _GRADIENT, 0.0), _IMAGE),
                "a step of size 0 should leave the picture as it is",
            ),
            Mistake(
                "downhill",
                lambda image, gradient, step_size: _step(image, gradient, -step_size),
                "that is downhill, as in training, where a loss should fall; here the score should "
                "rise",
            ),
            Mistake(
                "gradient not normalised",
                lambda image, gradient, step_size: (image + step_size * gradient).clamp(0, 1),
                "the length of the step depends on the gradient's own size: divide by its standard "
                "deviation first",
            ),
            Mistake(
                "signs only",
                lambda image, gradient, step_size: (image + step_size * gradient.sign()).clamp(
                    0, 1
                ),
                "only the signs are used: all values move alike, however little they matter",
            ),
            Condition(
                lambda f: float(_stepped(f).min()) >= 0 and float(_stepped(f).max()) <= 1,
                "some values have left [0, 1]: clamp them",
            ),
            Condition(  # either divisor is right: on a real picture the difference is tiny
                lambda f: any(
                    close(_stepped(f), _step(_IMAGE, _GRADIENT, 0.1, correction))
                    for correction in (0, 1)
                ),
                "close, but divide by the standard deviation over all values: gradient.std()",
            ),
            Mistake("not clamped", _unclamped),
        ),
        cases=(
            (uniform(1, 3, 23, 17, seed=5), normal(1, 3, 23, 17, seed=6) * 7, 0.4),
            (uniform(1, 3, 16, 31, seed=7), normal(1, 3, 16, 31, seed=8) * 0.01 + 0.002, 0.03),
        ),
        compare=lambda a, b: close(a, b, 1e-3),
        write=("ascend", "normalize"),
        praise="uphill, by a step of known length, and still a picture",
    ),
)
