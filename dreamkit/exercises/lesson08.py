"""Exercises of lesson 08, the whole of DeepDream."""

from __future__ import annotations

from dataclasses import replace

import torch

from ..ascent.gradients import gradient
from ..ascent.settings import Settings
from ..ascent.steps import ascend, normalize, roll, smooth
from ..pictures.scales import octaves, resize
from . import Condition, Exercise, Mistake
from .checking import on, uniform

_PICTURE = uniform(1, 3, 20, 28, seed=4) * 0.6 + 0.2
_OTHER = uniform(1, 3, 26, 17, seed=5) * 0.6 + 0.2
_SETTINGS = Settings(steps=2, step_size=0.02, octaves=3, jitter=3, smoothing=0.8)


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


def _dream(score, image, s, order=list, keep="detail", draw_once=False):
    """The whole algorithm; the options make the mistakes that students make."""
    dreamt, generator = image, torch.Generator().manual_seed(s.seed)
    draw = lambda: torch.randint(-s.jitter, s.jitter + 1, (2,), generator=generator).tolist()
    first, detail = (draw() if draw_once else None), None
    for base in order(octaves(image, s.octaves, s.octave_ratio)):
        picture = base
        if detail is not None and keep == "detail":
            picture = (base + resize(detail, base.shape[-2:])).clamp(0, 1)
        elif detail is not None and keep == "picture":
            picture = resize(dreamt, base.shape[-2:])
        for _ in range(s.steps):
            shift = first or draw()
            picture = _one_step(picture, score, shift, s.smoothing, s.step_size)
        dreamt, detail = picture, picture - base
    return dreamt


def _variant(**options):
    return lambda score, image, s: _dream(score, image, s, **options)


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
        cases=(
            (_OTHER, _score, (-1, 4), 1.3, 0.05),
            (_OTHER.mT.contiguous(), lambda x: (x**3).mean(), (2, 0), 0.5, 0.01),
        ),
        write=("dream", "dreaming"),
        otherwise="close: roll, gradient, smooth, normalize, ascend, roll back, in this order",
        praise="roll, gradient, smooth, normalize, ascend, roll back: six verbs, one step",
    ),
    Exercise(
        "deepdream",
        "08",
        "The whole algorithm",
        10,
        3,
        _dream,
        same=on(_score, _PICTURE, _SETTINGS),
        checks=(
            Condition(
                lambda f: tuple(f(_score, _PICTURE, _SETTINGS).shape) == (1, 3, 20, 28),
                "the result has another size than the picture: octaves run from small to large, "
                "and the last is the picture itself",
            ),
            Mistake(
                "detail forgotten",
                _variant(keep="nothing"),
                "each octave starts from the plain photo again: the detail found so far is lost",
            ),
            Mistake(
                "picture enlarged instead of detail",
                _variant(keep="picture"),
                "the whole picture is enlarged from octave to octave: add only the *detail* to the "
                "original of each size",
            ),
            Mistake(
                "one shift for all steps",
                _variant(draw_once=True),
                "all steps have the same shift: draw a new one before each step",
            ),
            Mistake(
                "one step an octave",
                lambda score, image, s: _dream(score, image, replace(s, steps=1)),
                "each octave takes one step only: repeat it s.steps times",
            ),
            Mistake(
                "large to small",
                _variant(order=reversed),
            ),
        ),
        otherwise=(
            "close: for each octave the photo of that size plus the enlarged detail, then s.steps "
            "steps, each with a shift drawn anew, then detail = picture - base"
        ),
        cases=(
            (_score, _OTHER, Settings(2, 0.03, 2, 1.7, 5, 0.5, seed=3)),
            (lambda x: (x**3).mean(), _PICTURE, Settings(3, 0.01, 4, 1.2, 0, 1.1, seed=1)),
        ),
        write=("dream", "dreaming"),
        praise="that is DeepDream: two loops around six verbs",
    ),
)
