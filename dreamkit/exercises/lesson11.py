"""Exercises of lesson 11, the published recipes: blurs, lost detail and a dropped tile."""

from __future__ import annotations

from ..ascent.steps import smooth
from ..pictures.scales import resize
from . import Condition, Exercise, Mistake
from .checking import on, uniform

_GRADIENT, _SIGMA = uniform(1, 3, 20, 24, seed=1) - 0.5, 1.2
_PHOTO, _SMALL, _LARGE = uniform(1, 3, 24, 30, seed=2), (10, 12), (16, 20)
_FACTORS = (0.5, 1.0, 2.0)


def _cascade(gradient, sigma, factors=_FACTORS):
    return sum(smooth(gradient, factor * sigma) for factor in factors) / 3


def _chained(gradient, sigma):
    for factor in _FACTORS:
        gradient = smooth(gradient, factor * sigma)
    return gradient


def _kept(photo, small, large, how="bilinear"):
    return resize(resize(photo, small, how), large, how)


def _lost(photo, small, large, how="bilinear"):
    return resize(photo, large, how) - _kept(photo, small, large, how)


def _starts(length, tile):
    return list(range(0, length, tile))[:-1] or [0]


def _pairs(length, tile):
    return [(start, min(start + tile, length)) for start in _starts(length, tile)]


EXERCISES = (
    Exercise(
        "cascade",
        "11",
        "The cascade",
        7,
        2,
        _cascade,
        same=on(_GRADIENT, _SIGMA),
        checks=(
            Condition(
                lambda f: f(_GRADIENT, _SIGMA).shape == _GRADIENT.shape,
                "the result has the shape of the gradient, [N, 3, H, W]",
            ),
            Mistake(
                "adds them up",
                lambda gradient, sigma: 3 * _cascade(gradient, sigma),
                "you add the three blurs up: divide by three, so that a flat gradient stays as it "
                "is",
            ),
            Mistake(
                "one after the other",
                _chained,
                "you blur a blurred gradient: each of the three starts from the gradient itself",
            ),
            Mistake(
                "a single blur",
                smooth,
                "that is one blur with sigma: two more are wanted, with half and with twice as "
                "much",
            ),
            Mistake(
                "averages the sigmas",
                lambda gradient, sigma: smooth(gradient, sum(_FACTORS) / 3 * sigma),
                "you average the sigmas: average the three blurred gradients instead, which is not "
                "one Gaussian",
            ),
            Mistake(
                "ignores sigma",
                lambda gradient, sigma: _cascade(gradient, 1.0),
                "your blurs do not depend on sigma: they are 0.5, 1 and 2 times *sigma*",
            ),
            Mistake("1, 2 and 3 times sigma", lambda g, s: _cascade(g, s, (1, 2, 3))),
        ),
        otherwise="three blurs, but not with 0.5, 1 and 2 times sigma, averaged",
        praise="three blurs side by side, averaged: sharp near the middle, with long soft tails",
    ),
    Exercise(
        "lost_detail",
        "11",
        "What shrinking lost",
        6,
        2,
        _lost,
        same=on(_PHOTO, _SMALL, _LARGE),
        checks=(
            Condition(
                lambda f: f(_PHOTO, _SMALL, _LARGE).shape[-2:] != _PHOTO.shape[-2:],
                "the result has the photo's own size: both terms are wanted at size `large`, which "
                "may be smaller",
            ),
            Condition(
                lambda f: f(_PHOTO, _SMALL, _LARGE).shape[-2:] == _LARGE,
                "the result must have size `large`",
            ),
            Mistake(
                "the sign turned round",
                lambda photo, small, large: -_lost(photo, small, large),
                "the sign is wrong: it is the photo minus what is left of it",
            ),
            Mistake(
                "never shrinks",
                lambda photo, small, large: 0 * resize(photo, large, "bilinear"),
                "nothing was lost, since nothing was shrunk: go through size `small` first",
            ),
            Mistake(
                "what is left instead of what is lost",
                _kept,
                "that is what is *left* after shrinking: subtract it from the photo at size "
                "`large`",
            ),
            Mistake(
                "by area",
                lambda photo, small, large: _lost(photo, small, large, "area"),
                'you average areas when shrinking: the example resizes with "bilinear", without '
                "anti-aliasing",
            ),
            Mistake(
                "at the photo's own size",
                lambda photo, small, large: _lost(photo, small, photo.shape[-2:]),
            ),
        ),
        otherwise=(
            "close: the photo at size `large`, minus the photo at size `small` brought to size "
            "`large`"
        ),
        praise="added to an enlarged dream, this gives back the edges of the photo",
    ),
    Exercise(
        "starts",
        "11",
        "The tile that was dropped",
        6,
        2,
        _starts,
        checks=(
            Condition(
                lambda f: len(list(f(300, 512))) > 0,
                "for a side shorter than a tile you give no start at all: the only tile is never "
                "dropped",
            ),
            Condition(
                lambda f: all(int(start) == start for start in f(1000, 512)),
                "a list of starts is wanted, one whole number for each tile",
            ),
            Condition(
                lambda f: list(f(1000, 512)) != [0, 512],
                "you keep the last start: with several tiles the tutorial's loop drops it",
            ),
            Condition(
                lambda f: list(f(1024, 512)) != [0, 512],
                "you drop only a tile that does not fit: the last start goes even where its tile "
                "would fit",
            ),
            Condition(
                lambda f: all(
                    list(f(*case)) == _starts(*case)
                    for case in ((1000, 512), (1024, 512), (300, 512), (10, 3), (512, 512))
                ),
                "close: all starts 0, tile, 2 tile … below the length, without the last one, "
                "unless it is the only one",
            ),
            Mistake("drops the only one as well", lambda n, tile: list(range(0, n, tile))[:-1]),
            Mistake("starts and ends", _pairs),
            Mistake("keeps the last", lambda n, tile: list(range(0, n, tile))),
            Mistake(
                "keeps whole tiles only", lambda n, tile: list(range(0, n - tile + 1, tile)) or [0]
            ),
            Mistake("drops the first", lambda n, tile: list(range(0, n, tile))[1:] or [0]),
        ),
        praise="of 1000 pixels with tiles of 512, the last 488 get nothing in that step",
    ),
)
