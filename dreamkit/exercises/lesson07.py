"""Exercises of lesson 07, octaves."""

from __future__ import annotations

from ..pictures.scales import octave_sizes, resize
from . import Condition, Exercise, Mistake
from .checking import on, uniform

_SKY = (575, 1024, 4, 1.4)  # google/deepdream's own picture and settings
_PICTURE = uniform(1, 3, 24, 32, seed=7)
_BASE = resize(_PICTURE, (17, 23))
_DREAMT = (_BASE + 0.4 * (uniform(1, 3, 17, 23, seed=8) - 0.5)).clamp(0, 1)


def _sizes(height, width, count, ratio):
    return [(round(height / ratio**k), round(width / ratio**k)) for k in range(count - 1, -1, -1)]


def _sizes_upwards(height, width, count, ratio):
    return [(round(height * ratio**k), round(width * ratio**k)) for k in range(count)]


def _sizes_one_off(height, width, count, ratio):
    return [(round(height / ratio**k), round(width / ratio**k)) for k in range(count, 0, -1)]


def _sizes_even_steps(height, width, count, ratio):
    divisors = [1 + (ratio - 1) * k for k in range(count - 1, -1, -1)]
    return [(round(height / divisor), round(width / divisor)) for divisor in divisors]


def _sizes_cut_off(height, width, count, ratio):
    return [(int(height / ratio**k), int(width / ratio**k)) for k in range(count - 1, -1, -1)]


def _pairs(found):
    return [tuple(int(side) for side in size) for size in found]


def _unclamped(dreamt, base, next_base):
    return next_base + resize(dreamt - base, next_base.shape[-2:])


def _relay(dreamt, base, next_base):
    return _unclamped(dreamt, base, next_base).clamp(0, 1)


def _kept(image, size):
    return resize(resize(image, size), image.shape[-2:])


EXERCISES = (
    Exercise(
        "sizes",
        "07",
        "The sizes of the octaves",
        5,
        1,
        _sizes,
        same=on(*_SKY, compare=lambda a, b: _pairs(a) == b),
        checks=(
            Condition(lambda f: len(f(*_SKY)) == 4, "there should be one size for each octave"),
            Mistake(
                "large to small",
                lambda *given: _sizes(*given)[::-1],
                "these are the sizes, but the smallest comes first",
            ),
            Condition(
                lambda f: _pairs(f(*_SKY))[0] != (575, 1024),
                "the picture is enlarged above its own size: divide by the ratio, so that the last "
                "octave is the picture itself",
            ),
            Condition(
                lambda f: _pairs(f(*_SKY))[-1] == (575, 1024),
                "the last octave should be the picture itself: divided by ratio ** 0",
            ),
            Condition(
                lambda f: _pairs(f(*_SKY))[0] != _sizes_even_steps(*_SKY)[0],
                "the steps are even, but each size is ratio *times* the one before: divide by "
                "ratio ** k",
            ),
            Mistake(
                "cut off instead of rounded",
                _sizes_cut_off,
                "some sides are one pixel short: round to the nearest number",
            ),
            Condition(
                lambda f: (
                    _pairs(f(*_SKY)) == octave_sizes(*_SKY)
                    and _pairs(f(70, 140, 1, 2.0)) == [(70, 140)]
                ),
                "not yet: octave k from the top measures height / ratio ** k by width / ratio ** "
                "k, rounded",
            ),
            Mistake("upwards from the picture", _sizes_upwards),
            Mistake("exponent one too high", _sizes_one_off),
            Mistake("even steps instead of a ratio", _sizes_even_steps),
        ),
        praise=(
            "210 rows are 411 / 1.4 / 1.4: each octave is ratio times the one before, and the last "
            "is the picture"
        ),
    ),
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
        praise=(
            "only what was dreamt is enlarged; the photo's own detail comes fresh from the original"
        ),
    ),
    Exercise(
        "lost",
        "07",
        "What a small octave cannot hold",
        4,
        2,
        lambda image, size: image - _kept(image, size),
        same=on(_PICTURE, (17, 23)),
        checks=(
            Condition(
                lambda f: f(_PICTURE, (17, 23)).shape == _PICTURE.shape,
                "the result should have the picture's size: go down to the small size and up again",
            ),
            Mistake(
                "what is kept",
                _kept,
                "that is what is kept; what is lost is the picture minus that",
            ),
            Mistake(
                "sign turned round",
                lambda image, size: _kept(image, size) - image,
                "the sign is wrong: lost = picture - what is kept",
            ),
            Mistake(
                "absolute value",
                lambda image, size: (image - _kept(image, size)).abs(),
                "without its sign it cannot be added back: leave out the absolute value",
            ),
            Mistake("not enlarged again", resize),
        ),
        otherwise="not yet: the picture minus (the picture, resized to `size` and back)",
        praise=(
            "added to what the small octave kept, it gives the picture back: the Keras example "
            "does just that"
        ),
    ),
)
