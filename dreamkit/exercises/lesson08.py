"""Exercises of lesson 08, the whole of DeepDream."""

from __future__ import annotations

import torch

from ..ascent.gradients import gradient
from ..ascent.steps import ascend, normalize, roll, smooth
from ..pictures.scales import octaves, resize
from . import Condition, Exercise, Mistake


def _picture() -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    return torch.rand(1, 3, 20, 28, generator=generator) * 0.6 + 0.2


def _brighter(image: torch.Tensor) -> torch.Tensor:
    """Stands in for the steps of one octave: what they add depends on the place, so that a lost octave shows."""
    return (image + 0.05 * image.roll(3, -1)).clamp(0, 1)


def _dream_octaves(image, steps_of_one_octave, count, ratio):
    detail = torch.zeros(())
    for base in octaves(image, count, ratio):
        detail = resize(detail, base.shape[-2:]) if detail.dim() else detail
        dreamt = steps_of_one_octave((base + detail).clamp(0, 1))
        detail = dreamt - base
    return dreamt


def _no_original(image, steps_of_one_octave, count, ratio):
    for base in octaves(image, count, ratio):
        image = steps_of_one_octave(resize(image, base.shape[-2:]))
    return image


def _large_to_small(image, steps_of_one_octave, count, ratio):
    detail = torch.zeros(())
    for base in reversed(octaves(image, count, ratio)):
        detail = resize(detail, base.shape[-2:]) if detail.dim() else detail
        dreamt = steps_of_one_octave((base + detail).clamp(0, 1))
        detail = dreamt - base
    return dreamt


def _forgets(image, steps_of_one_octave, count, ratio):
    for base in octaves(image, count, ratio):
        dreamt = steps_of_one_octave(base)
    return dreamt


def _close(a, b):
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-5)


def _run(answer, count=3):
    return answer(_picture(), _brighter, count, 1.4)


_SHIFT, _SIGMA, _SIZE = (3, -2), 0.8, 0.02


def _score(image: torch.Tensor) -> torch.Tensor:
    """Prefers some places to others, so that a picture that was not rolled gets another gradient."""
    weights = torch.linspace(0.2, 1.0, image.numel()).reshape(image.shape)
    return (weights * image.sin()).sum()


def _one_step(image, score, shift, sigma, step_size):
    dy, dx = shift
    rolled = roll(image, (dy, dx))
    uphill = normalize(smooth(gradient(score, rolled), sigma))
    return roll(ascend(rolled, uphill, step_size), (-dy, -dx))


def _never_rolled(image, score, shift, sigma, step_size):
    return ascend(image, normalize(smooth(gradient(score, image), sigma)), step_size)


def _not_rolled_back(image, score, shift, sigma, step_size):
    return roll(_one_step(image, score, shift, sigma, step_size), shift)


def _not_normalised(image, score, shift, sigma, step_size):
    rolled = roll(image, shift)
    return roll(
        ascend(rolled, smooth(gradient(score, rolled), sigma), step_size), (-shift[0], -shift[1])
    )


def _not_smoothed(image, score, shift, sigma, step_size):
    return _one_step(image, score, shift, 0.0, step_size)


def _downhill(image, score, shift, sigma, step_size):
    return _one_step(image, score, shift, sigma, -step_size)


def _steps_of(answer):
    return answer(_picture(), _score, _SHIFT, _SIGMA, _SIZE)


def _is_not(wrong):
    """Whether an answer does something else than `wrong`."""
    return lambda answer: not _close(_steps_of(answer), _steps_of(wrong))


def _work(count, ratio):
    return sum(1 / ratio ** (2 * k) for k in range(count))


def _works(answer, wanted):
    return all(
        abs(float(answer(*case)) - wanted(*case)) < 1e-3 for case in ((1, 1.4), (2, 2.0), (4, 1.4))
    )


EXERCISES = (
    Exercise(
        "dream_step",
        "08",
        "One step of the dream",
        6,
        2,
        _one_step,
        (
            Condition(
                _is_not(_not_rolled_back),
                "the picture comes back shifted: after the step, roll it back by the opposite shift",
            ),
            Condition(
                _is_not(_never_rolled),
                "the shift has no effect: roll the picture *before* you take its gradient",
            ),
            Condition(
                _is_not(_downhill),
                "the score goes down: a dream walks up its gradient, with a plus sign",
            ),
            Condition(
                _is_not(_not_normalised),
                "the length of the step depends on the gradient's own size: normalize it first",
            ),
            Condition(
                _is_not(_not_smoothed), "the gradient is as rough as it came: smooth it by sigma"
            ),
            Condition(
                lambda f: _close(_steps_of(f), _steps_of(_one_step)),
                "close: roll, gradient, smooth, normalize, ascend, roll back, in this order",
            ),
        ),
        (
            Mistake("not rolled back", _not_rolled_back),
            Mistake("never rolled", _never_rolled),
            Mistake("downhill", _downhill),
            Mistake("not normalised", _not_normalised),
            Mistake("not smoothed", _not_smoothed),
            Mistake("two steps", lambda *a: _one_step(_one_step(*a), *a[1:])),
        ),
        "roll, gradient, smooth, normalize, ascend, roll back: six verbs, one step",
    ),
    Exercise(
        "octaves",
        "08",
        "The loop over octaves",
        8,
        3,
        _dream_octaves,
        (
            Condition(
                lambda f: tuple(_run(f).shape) == (1, 3, 20, 28),
                "the result has another size than the picture: octaves run from small to large, and the last is the picture itself",
            ),
            Condition(
                lambda f: _close(_run(f, 1), _brighter(_picture())),
                "with one octave it should be just the steps on the picture",
            ),
            Condition(
                lambda f: not _close(_run(f), _forgets(_picture(), _brighter, 3, 1.4)),
                "each octave starts from the plain photo again: the detail found so far is lost",
            ),
            Condition(
                lambda f: not _close(_run(f), _no_original(_picture(), _brighter, 3, 1.4)),
                "the whole picture is enlarged from octave to octave: lay only the *detail* over the original of each size",
            ),
            Condition(
                lambda f: _close(_run(f), _dream_octaves(_picture(), _brighter, 3, 1.4)),
                "close, but the detail should be what was dreamt minus that octave's original, enlarged to the next size",
            ),
        ),
        (
            Mistake("large to small", _large_to_small),
            Mistake("detail forgotten", _forgets),
            Mistake("picture enlarged instead of detail", _no_original),
        ),
        "every octave starts from the original of its size with the detail found so far laid over it",
    ),
    Exercise(
        "octave_work",
        "08",
        "What do the octaves cost?",
        5,
        2,
        _work,
        (
            Condition(
                lambda f: abs(float(f(1, 1.4)) - 1) < 1e-3,
                "one octave alone costs 1, whatever the ratio: begin with the full size",
            ),
            Condition(
                lambda f: abs(float(f(4, 1.4)) - 4) > 1e-3,
                "so each octave would cost the same: the smaller ones have fewer pixels",
            ),
            Condition(
                lambda f: (
                    not _works(f, lambda count, ratio: sum(ratio ** (2 * k) for k in range(count)))
                ),
                "this grows without end: the octaves *below* the full size are smaller, so divide by the ratio",
            ),
            Condition(
                lambda f: (
                    not _works(f, lambda count, ratio: sum(1 / ratio**k for k in range(count)))
                ),
                "a side shrinks by the ratio, but work goes with the *area*: what happens to height times width?",
            ),
            Condition(
                lambda f: _works(f, _work),
                "add up, over the octaves, their numbers of pixels as shares of the full size's",
            ),
        ),
        (
            Mistake("all octaves cost the same", lambda count, ratio: count),
            Mistake(
                "octaves that grow",
                lambda count, ratio: sum(ratio ** (2 * k) for k in range(count)),
            ),
            Mistake(
                "side instead of area", lambda count, ratio: sum(1 / ratio**k for k in range(count))
            ),
            Mistake("full size left out", lambda count, ratio: _work(count, ratio) - 1),
        ),
        "four octaves of ratio 1.4 cost less than twice one: the small sizes are nearly free",
    ),
)
