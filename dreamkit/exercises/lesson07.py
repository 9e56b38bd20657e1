"""Exercises of lesson 07, octaves."""

from __future__ import annotations

import torch

from ..pictures.scales import octave_sizes, resize
from . import Condition, Exercise, Mistake

_SKY = (575, 1024, 4, 1.4)  # google/deepdream's own picture and settings


def _picture(height: int = 24, width: int = 32, seed: int = 7) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def _sizes(height, width, count, ratio):
    return [(round(height / ratio**k), round(width / ratio**k)) for k in range(count - 1, -1, -1)]


def _sizes_large_first(height, width, count, ratio):
    return _sizes(height, width, count, ratio)[::-1]


def _sizes_upwards(height, width, count, ratio):
    return [(round(height * ratio**k), round(width * ratio**k)) for k in range(count)]


def _sizes_one_off(height, width, count, ratio):
    return [(round(height / ratio**k), round(width / ratio**k)) for k in range(count, 0, -1)]


def _sizes_even_steps(height, width, count, ratio):
    return [
        (round(height / (1 + (ratio - 1) * k)), round(width / (1 + (ratio - 1) * k)))
        for k in range(count - 1, -1, -1)
    ]


def _sizes_cut_off(height, width, count, ratio):
    return [(int(height / ratio**k), int(width / ratio**k)) for k in range(count - 1, -1, -1)]


def _pairs(found):
    return [tuple(int(side) for side in size) for size in found]


def _relay(dreamt, base, next_base):
    detail = dreamt - base
    return (next_base + resize(detail, next_base.shape[-2:])).clamp(0, 1)


def _relay_whole(dreamt, base, next_base):
    return resize(dreamt, next_base.shape[-2:])


def _relay_forgets(dreamt, base, next_base):
    return next_base


def _relay_adds_picture(dreamt, base, next_base):
    return (next_base + resize(dreamt, next_base.shape[-2:])).clamp(0, 1)


def _relay_wrong_sign(dreamt, base, next_base):
    return (next_base + resize(base - dreamt, next_base.shape[-2:])).clamp(0, 1)


def _relay_unclamped(dreamt, base, next_base):
    return next_base + resize(dreamt - base, next_base.shape[-2:])


def _octave() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    photo = _picture()
    base = resize(photo, (17, 23))
    return (base + 0.4 * (_picture(17, 23, seed=8) - 0.5)).clamp(0, 1), base, photo


def _relayed(answer, wrong):
    return _close(answer(*_octave()), wrong(*_octave()))


def _lost(image, size):
    return image - resize(resize(image, size), image.shape[-2:])


def _close(a, b):
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-6)


def _loses(answer, wrong):
    return _close(answer(_picture(), (17, 23)), wrong(_picture(), (17, 23)))


EXERCISES = (
    Exercise(
        "sizes",
        "07",
        "The sizes of the octaves",
        5,
        1,
        _sizes,
        (
            Condition(lambda f: len(f(*_SKY)) == 4, "there should be one size for each octave"),
            Condition(
                lambda f: _pairs(f(*_SKY)) != _sizes_large_first(*_SKY),
                "these are the sizes, but the smallest comes first",
            ),
            Condition(
                lambda f: _pairs(f(*_SKY))[0] != (575, 1024),
                "the picture is enlarged above its own size: divide by the ratio, so that the last octave is the picture itself",
            ),
            Condition(
                lambda f: _pairs(f(*_SKY))[-1] == (575, 1024),
                "the last octave should be the picture itself: divided by ratio ** 0",
            ),
            Condition(
                lambda f: _pairs(f(*_SKY))[0] != _sizes_even_steps(*_SKY)[0],
                "the steps are even, but each size is ratio *times* the one before: divide by ratio ** k",
            ),
            Condition(
                lambda f: _pairs(f(*_SKY)) != _sizes_cut_off(*_SKY),
                "a pixel short here and there: round to the nearest number",
            ),
            Condition(
                lambda f: (
                    _pairs(f(*_SKY)) == octave_sizes(*_SKY)
                    and _pairs(f(70, 140, 1, 2.0)) == [(70, 140)]
                ),
                "not yet: octave k from the top measures height / ratio ** k by width / ratio ** k, rounded",
            ),
        ),
        (
            Mistake("large to small", _sizes_large_first),
            Mistake("upwards from the picture", _sizes_upwards),
            Mistake("exponent one too high", _sizes_one_off),
            Mistake("even steps instead of a ratio", _sizes_even_steps),
            Mistake("cut off instead of rounded", _sizes_cut_off),
        ),
        "210 rows are 411 / 1.4 / 1.4: each octave is ratio times the one before, and the last is the picture",
    ),
    Exercise(
        "relay",
        "07",
        "From one octave to the next",
        6,
        2,
        _relay,
        (
            Condition(
                lambda f: f(*_octave()).shape == _octave()[2].shape,
                "the result should have the size of the next octave",
            ),
            Condition(
                lambda f: not _relayed(f, _relay_whole),
                "the whole dream is enlarged, so the photo's own fine detail is gone: enlarge only dreamt - base",
            ),
            Condition(
                lambda f: not _relayed(f, _relay_forgets),
                "nothing of the dream is handed on: add the enlarged detail",
            ),
            Condition(
                lambda f: not _relayed(f, _relay_adds_picture),
                "the photo counts twice: take its own octave away, dreamt - base",
            ),
            Condition(
                lambda f: not _relayed(f, _relay_wrong_sign),
                "the sign is turned round: detail = dreamt - base",
            ),
            Condition(
                lambda f: not _relayed(f, _relay_unclamped),
                "right, but some values leave [0, 1]: clamp them",
            ),
            Condition(
                lambda f: _relayed(f, _relay),
                "not yet: next_base + the enlarged (dreamt - base), clamped to [0, 1]",
            ),
        ),
        (
            Mistake("whole picture enlarged", _relay_whole),
            Mistake("dream forgotten", _relay_forgets),
            Mistake("dream added to the photo", _relay_adds_picture),
            Mistake("sign turned round", _relay_wrong_sign),
            Mistake("not clamped", _relay_unclamped),
        ),
        "only what was dreamt is enlarged; the photo's own detail comes fresh from the original",
    ),
    Exercise(
        "lost",
        "07",
        "What a small octave cannot hold",
        4,
        2,
        _lost,
        (
            Condition(
                lambda f: f(_picture(), (17, 23)).shape == _picture().shape,
                "the result should have the picture's size: go down to the small size and up again",
            ),
            Condition(
                lambda f: not _loses(f, lambda x, s: resize(resize(x, s), x.shape[-2:])),
                "that is what is kept; what is lost is the picture minus that",
            ),
            Condition(
                lambda f: not _loses(f, lambda x, s: -_lost(x, s)),
                "the sign is turned round: lost = picture - what is kept",
            ),
            Condition(
                lambda f: not _loses(f, lambda x, s: _lost(x, s).abs()),
                "without its sign it cannot be added back: leave out the absolute value",
            ),
            Condition(
                lambda f: _loses(f, _lost),
                "not yet: the picture minus (the picture, resized to `size` and back)",
            ),
        ),
        (
            Mistake("what is kept", lambda x, s: resize(resize(x, s), x.shape[-2:])),
            Mistake("sign turned round", lambda x, s: -_lost(x, s)),
            Mistake("absolute value", lambda x, s: _lost(x, s).abs()),
            Mistake("not enlarged again", lambda x, s: resize(x, s)),
        ),
        "added to what the small octave kept, it gives the picture back: the Keras example does just that",
    ),
)
