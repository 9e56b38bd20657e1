"""Exercises of lesson 11, the published recipes: PyTorch's cascade of blurs, Keras's lost detail, TensorFlow's dropped tile."""

from __future__ import annotations

import torch

from ..ascent.steps import smooth
from ..pictures.scales import resize
from . import Condition, Exercise, Mistake


def _random(seed: int, height: int, width: int) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


_GRADIENT, _SIGMA = _random(1, 20, 24) - 0.5, 1.2
_PHOTO, _SMALL, _LARGE = _random(2, 24, 30), (10, 12), (16, 20)
_FACTORS = (0.5, 1.0, 2.0)


def _cascade(gradient, sigma):
    return sum(smooth(gradient, factor * sigma) for factor in _FACTORS) / 3


def _summed(gradient, sigma):
    return 3 * _cascade(gradient, sigma)


def _chained(gradient, sigma):
    for factor in _FACTORS:
        gradient = smooth(gradient, factor * sigma)
    return gradient


def _one_blur(gradient, sigma):
    return smooth(gradient, sigma)


def _mean_sigma(gradient, sigma):
    return smooth(gradient, sum(_FACTORS) / 3 * sigma)


def _no_sigma(gradient, sigma):
    return _cascade(gradient, 1.0)


def _lost(photo, small, large):
    return resize(photo, large, "bilinear") - resize(
        resize(photo, small, "bilinear"), large, "bilinear"
    )


def _gained(photo, small, large):
    return -_lost(photo, small, large)


def _never_shrunk(photo, small, large):
    return resize(photo, large, "bilinear") - resize(photo, large, "bilinear")


def _enlarged(photo, small, large):
    return resize(resize(photo, small, "bilinear"), large, "bilinear")


def _lost_at_full_size(photo, small, large):
    return photo - resize(resize(photo, small, "bilinear"), photo.shape[-2:], "bilinear")


def _lost_by_area(photo, small, large):
    return resize(photo, large) - resize(resize(photo, small), large)


def _starts(length, tile):
    return list(range(0, length, tile))[:-1] or [0]


def _all_starts(length, tile):
    return list(range(0, length, tile))


def _may_be_empty(length, tile):
    return list(range(0, length, tile))[:-1]


def _whole_tiles(length, tile):
    return list(range(0, length - tile + 1, tile)) or [0]


def _pairs(length, tile):
    return [(start, min(start + tile, length)) for start in _starts(length, tile)]


def _close(a, b) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-5)


def _gives(answer, wrong) -> bool:
    return _close(answer(_GRADIENT, _SIGMA), wrong(_GRADIENT, _SIGMA))


def _loses(answer, wrong) -> bool:
    return _close(answer(_PHOTO, _SMALL, _LARGE), wrong(_PHOTO, _SMALL, _LARGE))


EXERCISES = (
    Exercise(
        "cascade",
        "11",
        "The cascade",
        7,
        2,
        _cascade,
        (
            Condition(
                lambda f: f(_GRADIENT, _SIGMA).shape == _GRADIENT.shape,
                "the result has the shape of the gradient, [N, 3, H, W]",
            ),
            Condition(
                lambda f: not _gives(f, _summed),
                "you add the three blurs up: divide by three, so that a flat gradient stays as it is",
            ),
            Condition(
                lambda f: not _gives(f, _chained),
                "you blur the blurred: each of the three starts from the gradient itself",
            ),
            Condition(
                lambda f: not _gives(f, _one_blur),
                "that is one blur with sigma: two more are wanted, with half and with twice as much",
            ),
            Condition(
                lambda f: not _gives(f, _mean_sigma),
                "you average the sigmas: average the three blurred gradients instead, which is not one Gaussian",
            ),
            Condition(
                lambda f: not _gives(f, _no_sigma),
                "your blurs do not listen to sigma: they are 0.5, 1 and 2 times *sigma*",
            ),
            Condition(
                lambda f: _gives(f, _cascade),
                "three blurs, but not with 0.5, 1 and 2 times sigma, averaged",
            ),
        ),
        (
            Mistake("adds them up", _summed),
            Mistake("one after the other", _chained),
            Mistake("a single blur", _one_blur),
            Mistake("averages the sigmas", _mean_sigma),
            Mistake("ignores sigma", _no_sigma),
            Mistake(
                "1, 2 and 3 times sigma", lambda g, s: sum(smooth(g, k * s) for k in (1, 2, 3)) / 3
            ),
        ),
        "three blurs side by side, averaged: sharp near the middle, with long soft tails",
    ),
    Exercise(
        "lost_detail",
        "11",
        "What shrinking lost",
        6,
        2,
        _lost,
        (
            Condition(
                lambda f: f(_PHOTO, _SMALL, _LARGE).shape[-2:] != _PHOTO.shape[-2:],
                "the result has the photo's own size: both terms are wanted at size `large`, which may be smaller",
            ),
            Condition(
                lambda f: f(_PHOTO, _SMALL, _LARGE).shape[-2:] == _LARGE,
                "the result must have size `large`",
            ),
            Condition(
                lambda f: not _loses(f, _gained),
                "the sign is turned round: it is the photo minus what is left of it",
            ),
            Condition(
                lambda f: f(_PHOTO, _SMALL, _LARGE).abs().max() > 1e-6,
                "nothing was lost, since nothing was shrunk: go through size `small` first",
            ),
            Condition(
                lambda f: not _loses(f, _enlarged),
                "that is what is *left* after shrinking: take it away from the photo at size `large`",
            ),
            Condition(
                lambda f: not _loses(f, _lost_by_area),
                'you average areas when shrinking: the example resizes with "bilinear", without anti-aliasing',
            ),
            Condition(
                lambda f: _loses(f, _lost),
                "close: the photo at size `large`, minus the photo at size `small` brought to size `large`",
            ),
        ),
        (
            Mistake("at the photo's own size", _lost_at_full_size),
            Mistake("the sign turned round", _gained),
            Mistake("never shrinks", _never_shrunk),
            Mistake("what is left instead of what is lost", _enlarged),
            Mistake("by area", _lost_by_area),
        ),
        "added to an enlarged dream, this gives back the edges of the photo",
    ),
    Exercise(
        "starts",
        "11",
        "The tile that was dropped",
        6,
        2,
        _starts,
        (
            Condition(
                lambda f: len(list(f(300, 512))) > 0,
                "for a side shorter than a tile you give no start at all: the only tile is never dropped",
            ),
            Condition(
                lambda f: all(int(start) == start for start in f(1000, 512)),
                "a list of starts is wanted, one whole number a tile",
            ),
            Condition(
                lambda f: list(f(1000, 512)) != [0, 512],
                "you keep the last start: with several tiles the tutorial's loop drops it",
            ),
            Condition(
                lambda f: list(f(1024, 512)) != [0, 512],
                "you drop a tile that does not fit: the last start goes even where its tile would fit",
            ),
            Condition(
                lambda f: all(
                    list(f(n, t)) == _starts(n, t)
                    for n, t in ((1000, 512), (1024, 512), (300, 512), (10, 3), (512, 512))
                ),
                "close: all starts 0, tile, 2 tile … below the length, but for the last, unless it is the only one",
            ),
        ),
        (
            Mistake("drops the only one as well", _may_be_empty),
            Mistake("starts and ends", _pairs),
            Mistake("keeps the last", _all_starts),
            Mistake("keeps whole tiles only", _whole_tiles),
            Mistake("drops the first", lambda n, t: list(range(0, n, t))[1:] or [0]),
        ),
        "of 1000 pixels with tiles of 512, the last 488 get nothing in that step",
    ),
)
