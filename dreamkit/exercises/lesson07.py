"""Exercises of lesson 07, octaves."""

from __future__ import annotations

import torch

from ..pictures.scales import octaves, resize
from . import Condition, Exercise, Mistake
from .checking import close, near, on, uniform

_PICTURE = uniform(1, 3, 24, 32, seed=7)
_OTHER = uniform(1, 3, 31, 18, seed=9)
_SMALL = resize(_OTHER, (13, 8))
_BASE = resize(_PICTURE, (17, 23))
_DREAMT = (_BASE + 0.4 * (uniform(1, 3, 17, 23, seed=8) - 0.5)).clamp(0, 1)


def _unclamped(dreamt, base, next_base):
    return next_base + resize(dreamt - base, next_base.shape[-2:])


def _relay(dreamt, base, next_base):
    return _unclamped(dreamt, base, next_base).clamp(0, 1)


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


def _work(count, ratio):
    return sum(1 / ratio ** (2 * k) for k in range(count))


def _same_work(answer, other) -> bool:
    return all(near(answer(*case), other(*case), 1e-3) for case in ((1, 1.4), (2, 2.0), (4, 1.4)))


EXERCISES = (
    Exercise(
        "relay",
        "07",
        "From one octave to the next",
        6,
        2,
        _relay,
        same=on(_DREAMT, _BASE, _PICTURE),
        checks=(
            Condition(
                lambda f: f(_DREAMT, _BASE, _PICTURE).shape == _PICTURE.shape,
                "the result should have the size of the next octave",
            ),
            Mistake(
                "whole picture enlarged",
                lambda dreamt, base, next_base: resize(dreamt, next_base.shape[-2:]),
                "the whole dream is enlarged, so the photo's own fine detail is gone: enlarge only "
                "dreamt - base",
            ),
            Mistake(
                "dream forgotten",
                lambda dreamt, base, next_base: next_base,
                "nothing of the dream is left: add the enlarged detail",
            ),
            Mistake(
                "dream added to the photo",
                lambda dreamt, base, next_base: _relay(dreamt, 0, next_base),
                "the photo counts twice: subtract its own octave, dreamt - base",
            ),
            Mistake(
                "sign turned round",
                lambda dreamt, base, next_base: _relay(base, dreamt, next_base),
                "the sign is wrong: detail = dreamt - base",
            ),
            Mistake(
                "not clamped",
                _unclamped,
                "right, but some values leave [0, 1]: clamp them",
            ),
        ),
        otherwise="not yet: next_base + the enlarged (dreamt - base), clamped to [0, 1]",
        cases=(
            (_SMALL.sqrt(), _SMALL, _OTHER),
            (_OTHER.flip(-1), _OTHER, resize(_OTHER, (40, 25))),
        ),
        praise=(
            "only what was dreamt is enlarged; the photo's own detail comes fresh from the original"
        ),
    ),
    Exercise(
        "octaves",
        "07",
        "The loop over octaves",
        8,
        3,
        _dream_octaves,
        same=on(_PICTURE, _brighter, 3, 1.4),
        checks=(
            Condition(
                lambda f: f(_PICTURE, _brighter, 3, 1.4).shape == _PICTURE.shape,
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
        cases=(
            (_OTHER, _brighter, 4, 1.2),
            (_OTHER.mT.contiguous(), lambda x: (x + 0.03 * x.flip(-2)).clamp(0, 1), 2, 1.9),
        ),
        praise="every octave starts from the original of its size plus the detail found so far",
    ),
    Exercise(
        "octave_work",
        "07",
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
        cases=((3, 1.2), (6, 1.8)),
        compare=lambda a, b: near(a, b, 1e-3),
        praise=(
            "four octaves of ratio 1.4 cost less than twice one: the small sizes are nearly free"
        ),
    ),
)
