"""Exercises of lesson 17, large and many."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ..ascent.gradients import gradient
from . import Condition, Exercise, Mistake
from .checking import near, normal, on, uniform


def _price(side, core, reach, before=True, axes=2, whole=False):
    """The solution; the options forget the part before, an axis, or the last and smaller part."""
    starts = range(0, side - core + 1 if whole else side, core)
    sizes = (min(side, start + core + reach) - max(0, start - reach * before) for start in starts)
    return (sum(sizes) / side) ** axes


def _price_unclipped(side, core, reach):
    sizes = (min(side, start + core) - start + 2 * reach for start in range(0, side, core))
    return (sum(sizes) / side) ** 2


def _same_price(answer, other) -> bool:
    cuts = ((100, 30, 8), (64, 64, 20), (90, 20, 25), (512, 128, 0), (300, 64, 76))
    return all(near(answer(*cut), other(*cut)) for cut in cuts)


def _tiles(score, picture, core, reach, lead=None, last=True, before=True, whole=False):
    """The solution; the options make the mistakes that students make."""
    found = torch.zeros_like(picture)
    for top in range(0, picture.shape[-2], core):
        for left in range(0, picture.shape[-1], core):
            up, back = (min(at, reach) if before else 0 for at in (top, left))
            cut = picture[..., top - up : top + core + reach, left - back : left + core + reach]
            y, x = (up, back) if lead is None else (lead, lead)
            kept = gradient(score, cut)[..., y : y + core, x : x + core]
            if whole:
                kept = gradient(score, cut)
                found[..., top - up :, left - back :][..., : kept.shape[-2], : kept.shape[-1]] += (
                    kept
                )
            elif last or kept.shape[-2:] == (core, core):
                room = found[..., top : top + core, left : left + core]
                room[..., : kept.shape[-2], : kept.shape[-1]] = kept[
                    ..., : room.shape[-2], : room.shape[-1]
                ]
    return found


def _near(given, wanted) -> bool:
    return given.shape == wanted.shape and torch.allclose(given, wanted, rtol=1e-4, atol=1e-4)


def _sum_of_squares(kernel: int, seed: int):
    """A score that adds up over positions: the squares of a convolution."""
    weights = normal(2, 3, kernel, kernel, seed=seed)
    return lambda picture: F.conv2d(picture, weights, padding=kernel // 2).square().sum()


_SCORE, _PICTURE = _sum_of_squares(3, 1), uniform(1, 3, 13, 17, seed=2)


EXERCISES = (
    Exercise(
        "tiles_with_overlap",
        "17",
        "Tiles without seams",
        10,
        3,
        _tiles,
        same=on(_SCORE, _PICTURE, 5, 1, compare=_near),
        checks=(
            Condition(
                lambda f: f(_SCORE, _PICTURE, 5, 2).shape == _PICTURE.shape,
                "the result has another size than the picture: each square gives its own part, and "
                "the last in a row or column may be smaller",
            ),
            Mistake(
                "the whole picture's gradient",
                lambda score, picture, core, reach: gradient(score, picture),
                "that is the gradient of the picture in one; a poster would not fit. With this "
                "`reach` the tiles should differ from it",
            ),
            Mistake(
                "`reach` thrown away at the border too",
                lambda *given: _tiles(*given, lead=given[3]),
                "at the border of the picture there is nothing to throw away: the cut starts at "
                "max(0, top - reach), so min(top, reach) rows go",
            ),
            Mistake(
                "nothing thrown away",
                lambda *given: _tiles(*given, lead=0),
                "the gradient of the part around the square is kept in its place: leave out the "
                "first min(top, reach) rows, and as many columns",
            ),
            Mistake(
                "only after the square",
                lambda *given: _tiles(*given, before=False),
                "the tiles reach further to the right and down only: `reach` pixels are needed on "
                "all four sides",
            ),
            Mistake(
                "overlaps added",
                lambda *given: _tiles(*given, whole=True),
                "the gradients of overlapping tiles are added, so that the overlap counts twice: "
                "keep each tile's own square only",
            ),
            Mistake(
                "smaller squares left out",
                lambda *given: _tiles(*given, last=False),
                "the last squares of a row or column are missing where they are smaller than "
                "`core`",
            ),
        ),
        otherwise=(
            "not yet: cut out the square with `reach` pixels around, as far as the picture goes; "
            "take the gradient; keep the square"
        ),
        cases=(
            (_sum_of_squares(4, 3), uniform(2, 3, 20, 11, seed=4), 7, 3),
            (_sum_of_squares(3, 5), uniform(1, 3, 9, 26, seed=6), 6, 1),
        ),
        compare=_near,
        write=("tiled_gradient", "scorer"),
        praise="with a reach of a receptive field less a pixel, this is the gradient of the whole",
    ),
    Exercise(
        "price_of_overlap",
        "17",
        "The price of overlap",
        8,
        3,
        _price,
        same=_same_price,
        checks=(
            Mistake(
                "every tile as in the middle",
                lambda side, core, reach: ((core + 2 * reach) / core) ** 2,
                "that holds for a tile in the middle; those at the border stop where the picture "
                "ends, and the last may be smaller",
            ),
            Mistake(
                "beyond the border",
                _price_unclipped,
                "outside the picture nothing is computed: stop at 0 and at `side`",
            ),
            Mistake(
                "one axis only",
                lambda *cut: _price(*cut, axes=1),
                "that is one axis; tiles overlap down and across, so square it",
            ),
            Mistake(
                "one side only",
                lambda *cut: _price(*cut, before=False),
                "`reach` pixels are needed on both sides of a part, also before it",
            ),
            Mistake(
                "the last part forgotten",
                lambda *cut: _price(*cut, whole=True),
                "the last part, smaller than `core`, is forgotten: range(0, side, core) has it",
            ),
        ),
        otherwise=(
            "not yet: add up, along one axis, from max(0, start - reach) to min(side, start + core "
            "+ reach); divide by side; square"
        ),
        cases=((150, 40, 9), (77, 26, 30)),
        compare=near,
        praise=(
            "with parts of 128 pixels and 76 around each, every pixel is computed about four "
            "times: large parts are cheap, memory their limit"
        ),
    ),
)
