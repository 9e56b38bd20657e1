"""Exercises of lesson 08, the whole of DeepDream."""

from __future__ import annotations

import torch

from ..ascent.gradients import gradient
from ..ascent.steps import ascend, normalize, roll, smooth
from ..pictures.scales import octaves, resize
from . import Condition, Exercise, Mistake
from .checking import close, near, on, uniform

_PICTURE = uniform(1, 3, 20, 28, seed=4) * 0.6 + 0.2


def _brighter(image: torch.Tensor) -> torch.Tensor:
    """A stand-in for the steps of one octave: what they add depends on the place."""
    return (image + 0.05 * image.roll(3, -1)).clamp(0, 1)


def _dream_octaves(image, steps_of_one_octave, count, ratio, order=list):
    detail = torch.zeros(())
    for base in order(octaves(image, count, ratio)):
        detail = resize(detail, base.shape[-2:]) if detail.dim() else detail
        dreamt = steps_of_one_octave((base + detail).clamp(0, 1))
        detail = dreamt - base
    return dreamt


def _no_original(image, steps_of_one_octave, count, ratio):
    for base in octaves(image, count, ratio):
        image = steps_of_one_octave(resize(image, base.shape[-2:]))
    return image


def _score(image: torch.Tensor) -> torch.Tensor:
    """A score that weighs places differently, which shows a picture that was not rolled."""
    weights = torch.linspace(0.2, 1.0, image.numel()).reshape(image.shape)
    return (weights * image.sin()).sum()


def _one_step(image, score, shift, sigma, step_size):
    dy, dx = shift
    rolled = roll(image, (dy, dx))
    uphill = normalize(smooth(gradient(score, rolled), sigma))
    return roll(ascend(rolled, uphill, step_size), (-dy, -dx))


def _not_normalised(image, score, shift, sigma, step_size):
    rolled = roll(image, shift)
    stepped = ascend(rolled, smooth(gradient(score, rolled), sigma), step_size)
    return roll(stepped, (-shift[0], -shift[1]))


def _work(count, ratio):
    return sum(1 / ratio ** (2 * k) for k in range(count))


def _same_work(answer, other) -> bool:
    return all(near(answer(*case), other(*case), 1e-3) for case in ((1, 1.4), (2, 2.0), (4, 1.4)))


EXERCISES = (
    Exercise(
        "dream_step",
        "08",
        "One step of the dream",
        6,
        2,
        _one_step,
        same=on(_PICTURE, _score, (3, -2), 0.8, 0.02),
        checks=(
            Mistake(
                "not rolled back",
                lambda image, score, shift, *rest: roll(
                    _one_step(image, score, shift, *rest), shift
                ),
                "the picture comes back shifted: after the step, roll it back by the opposite "
                "shift",
            ),
            Mistake(
                "never rolled",
                lambda image, score, shift, *rest: _one_step(image, score, (0, 0), *rest),
                "the shift has no effect: roll the picture *before* you take its gradient",
            ),
            Mistake(
                "downhill",
                lambda *given: _one_step(*given[:-1], -given[-1]),
                "the score goes down: a dream walks up its gradient, with a plus sign",
            ),
            Mistake(
                "not normalised",
                _not_normalised,
                "the length of the step depends on the gradient's own size: normalize it first",
            ),
            Mistake(
                "not smoothed",
                lambda image, score, shift, sigma, size: _one_step(image, score, shift, 0.0, size),
                "the gradient is as rough as it came: smooth it by sigma",
            ),
            Mistake("two steps", lambda *given: _one_step(_one_step(*given), *given[1:])),
        ),
        otherwise="close: roll, gradient, smooth, normalize, ascend, roll back, in this order",
        praise="roll, gradient, smooth, normalize, ascend, roll back: six verbs, one step",
    ),
    Exercise(
        "octaves",
        "08",
        "The loop over octaves",
        8,
        3,
        _dream_octaves,
        same=on(_PICTURE, _brighter, 3, 1.4),
        checks=(
            Condition(
                lambda f: tuple(f(_PICTURE, _brighter, 3, 1.4).shape) == (1, 3, 20, 28),
                "the result has another size than the picture: octaves run from small to large, "
                "and the last is the picture itself",
            ),
            Condition(
                lambda f: close(f(_PICTURE, _brighter, 1, 1.4), _brighter(_PICTURE)),
                "with one octave it should be just the steps on the picture",
            ),
            Mistake(
                "detail forgotten",
                lambda image, steps_of_one_octave, count, ratio: steps_of_one_octave(image),
                "each octave starts from the plain photo again: the detail found so far is lost",
            ),
            Mistake(
                "picture enlarged instead of detail",
                _no_original,
                "the whole picture is enlarged from octave to octave: add only the *detail* to the "
                "original of each size",
            ),
            Mistake("large to small", lambda *given: _dream_octaves(*given, order=reversed)),
        ),
        otherwise=(
            "close, but the detail should be what was dreamt minus that octave's original, "
            "enlarged to the next size"
        ),
        praise="every octave starts from the original of its size plus the detail found so far",
    ),
    Exercise(
        "octave_work",
        "08",
        "What do the octaves cost?",
        5,
        2,
        _work,
        same=_same_work,
        checks=(
            Condition(
                lambda f: near(f(1, 1.4), 1, 1e-3),
                "one octave alone costs 1, whatever the ratio: begin with the full size",
            ),
            Mistake(
                "all octaves cost the same",
                lambda count, ratio: count,
                "then each octave would cost the same: the smaller ones have fewer pixels",
            ),
            Mistake(
                "octaves that grow",
                lambda count, ratio: sum(ratio ** (2 * k) for k in range(count)),
                "this grows without end: the octaves *below* the full size are smaller, so divide "
                "by the ratio",
            ),
            Mistake(
                "side instead of area",
                lambda count, ratio: sum(1 / ratio**k for k in range(count)),
                "a side shrinks by the ratio, but work goes with the *area*: what happens to "
                "height times width?",
            ),
            Mistake("full size left out", lambda count, ratio: _work(count, ratio) - 1),
        ),
        otherwise="add up, over the octaves, their numbers of pixels as shares of the full size's",
        praise=(
            "four octaves of ratio 1.4 cost less than twice one: the small sizes are nearly free"
        ),
    ),
)
