"""Exercises of lesson 01, feature maps."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from . import Condition, Exercise, Mistake
from .checking import near, normal, on, uniform

_GREY = torch.tensor(
    [
        [0.0, 1.0, 0.0, 2.0],
        [3.0, 0.0, 1.0, 0.0],
        [0.0, 2.0, 0.0, 4.0],
        [1.0, 0.0, 5.0, 0.0],
        [0.0, 1.0, 1.0, 2.0],
    ]
)
_EDGE = torch.tensor(  # not symmetric, and its sum is not 0
    [[1.0, 2.0, 0.0], [0.0, -1.0, 3.0], [-2.0, 0.0, 1.0]]
)
_MAPS = torch.tensor(
    [
        [
            [[0.0, 1.0, 2.0], [0.0, 0.0, 3.0]],
            [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
            [[1.0, 1.0, 0.0], [5.0, 1.0, 2.0]],
        ]
    ]
)
_PEAK = torch.tensor([[1.0, 0.0, 2.0, 1.0], [0.0, 3.0, 1.0, 9.0], [-4.0, 1.0, 0.0, 2.0]])


def _slide(grey: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    rows, columns = grey.shape[0] - kernel.shape[0] + 1, grey.shape[1] - kernel.shape[1] + 1
    result = torch.zeros(rows, columns)
    for y in range(rows):
        for x in range(columns):
            result[y, x] = (grey[y : y + kernel.shape[0], x : x + kernel.shape[1]] * kernel).sum()
    return result


def _peak(feature_map: torch.Tensor) -> tuple[int, int]:
    return divmod(int(feature_map.argmax()), feature_map.shape[1])


def _same_cell(given: object, wanted: tuple[int, int]) -> bool:
    return tuple(map(int, given)) == wanted


def _is_pair(answer) -> bool:
    found = answer(_PEAK)
    return not isinstance(found, int) and not (isinstance(found, torch.Tensor) and found.ndim == 0)


# Codes in which each mistake below finds another share: a common part, rows of many strengths.
def _pair(n: int, channels: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    strength = 0.3 + 3 * uniform(n, 1, seed=seed + 1)
    base, common = normal(n, channels, seed=seed), 4 * uniform(channels, seed=seed + 2)
    noise = 0.8 * normal(n, channels, seed=seed + 3)
    return base * strength + common, (base + noise) * strength.flip(0) + common


_CODES = _pair(9, 3, 22)


def _found(likeness: torch.Tensor) -> float:
    return float((likeness.argmax(1) == torch.arange(len(likeness))).float().mean())


def _centred(left: torch.Tensor, right: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean = torch.cat([left, right]).mean(0)
    return left - mean, right - mean


def _cosines(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    return F.normalize(left, dim=1) @ F.normalize(right, dim=1).T


def _retrieval(left: torch.Tensor, right: torch.Tensor) -> float:
    return _found(_cosines(*_centred(left, right)))


def _products(left: torch.Tensor, right: torch.Tensor) -> float:
    return _found(_centred(left, right)[0] @ _centred(left, right)[1].T)


EXERCISES = (
    Exercise(
        "slide_filter",
        "01",
        "A feature map with your own hands",
        8,
        2,
        _slide,
        same=on(_GREY, _EDGE),
        checks=(
            Mistake(
                "border of zeros",
                lambda g, k: F.conv2d(g[None, None], k[None, None], padding=1)[0, 0],
                "this map is as large as the picture: stay inside it, without a border of zeros (H "
                "- k + 1 rows)",
            ),
            Condition(
                lambda f: tuple(f(_GREY, _EDGE).shape) == (3, 2),
                "your map has another size: a 3×3 filter fits at (H - 2) × (W - 2) places of a "
                "picture [H, W]",
            ),
            Mistake(
                "filter turned round",
                lambda g, k: _slide(g, k.flip(0, 1)),
                "you flip the filter first: networks say convolution, but slide the filter as it "
                "is",
            ),
            Mistake(
                "mean instead of sum",
                lambda g, k: _slide(g, k) / k.numel(),
                "these are means of the products: a unit adds them up",
            ),
            Mistake("filter ignored", lambda g, k: _slide(g, torch.ones_like(k))),
        ),
        otherwise=(
            "the size is right, the numbers are not: multiply the patch under the filter with the "
            "filter, and add up"
        ),
        cases=(
            (normal(7, 9, seed=1), normal(2, 2, seed=2)),
            (normal(6, 11, seed=3), normal(5, 5, seed=4)),
        ),
        praise=(
            "each cell of your map is one patch times the filter, summed: a first layer does no "
            "more before its ReLU"
        ),
    ),
    Exercise(
        "quiet",
        "01",
        "How quiet is each channel?",
        5,
        1,
        lambda maps: (maps[0] == 0).float().mean((1, 2)),
        same=on(_MAPS),
        checks=(
            Condition(
                lambda f: getattr(f(_MAPS), "ndim", 0) > 0,
                "that is one number for the whole layer: keep the channels apart, [C]",
            ),
            Condition(
                lambda f: tuple(f(_MAPS).shape) == (3,),
                "give one number for each channel, [C]: average over rows and columns",
            ),
            Mistake(
                "counts",
                lambda m: (m[0] == 0).sum((1, 2)),
                "these are counts of cells: divide by the number of cells of a map",
            ),
            Mistake(
                "share that fires",
                lambda m: (m[0] > 0).float().mean((1, 2)),
                "that is the share of cells that do fire: the share of silent cells is wanted",
            ),
            Mistake("mean over channels", lambda m: (m[0] == 0).float().mean(0)),
        ),
        otherwise="compare each cell with 0, then average over the rows and columns of each map",
        cases=(
            (normal(1, 4, 5, 2, seed=1).clamp(min=0),),
            (normal(1, 2, 4, 9, seed=2).clamp(min=0),),
        ),
        praise="one share for each channel, from 0 (fires everywhere) to 1 (silent)",
    ),
    Exercise(
        "peak",
        "01",
        "Where is the peak?",
        4,
        1,
        _peak,
        same=on(_PEAK, compare=_same_cell),
        checks=(
            Condition(
                _is_pair,
                "argmax counts the cells one after another: turn its number into (row, column)",
            ),
            Mistake(
                "x before y",
                lambda m: _peak(m)[::-1],
                "row and column are swapped: y first, then x, as in map[y, x]",
            ),
            Mistake(
                "lowest cell",
                lambda m: divmod(int(m.argmin()), m.shape[1]),
                "that is the lowest cell of the map, not the highest",
            ),
            Mistake("flat index", lambda m: int(m.argmax())),
            Mistake("divided by the height", lambda m: divmod(int(m.argmax()), m.shape[0])),
        ),
        otherwise=(
            "not the highest cell: divide argmax by the width; the quotient is the row, the "
            "remainder the column"
        ),
        cases=((normal(5, 3, seed=1),), (normal(2, 8, seed=2) - 9,)),
        compare=_same_cell,
        praise=(
            "(row, column) of the cell that fires most: multiplied by the layer's stride, it is a "
            "place in the photo"
        ),
    ),
    Exercise(
        "retrieval",
        "01",
        "Which halves belong together?",
        8,
        2,
        _retrieval,
        same=on(*_CODES, compare=near),
        checks=(
            Condition(
                lambda f: 0 <= float(f(*_CODES)) <= 1,
                "a share lies from 0 to 1: divide the number of hits by N",
            ),
            Mistake(
                "mean not subtracted",
                lambda left, right: _found(_cosines(left, right)),
                "the common part is still in the codes: subtract the mean of all 2N rows first",
            ),
            Mistake(
                "rows not brought to length 1",
                _products,
                "strong codes win whatever they contain: divide each row by its length",
            ),
            Mistake(
                "right halves search",
                lambda left, right: _found(_cosines(*_centred(left, right)).T),
                "that is how many right halves find their left one: search along the other axis",
            ),
            Mistake(
                "mean of the cosines of the pairs",
                lambda left, right: float(_cosines(*_centred(left, right)).diag().mean()),
                "that is how alike the pairs are: count how many are the most alike of their row",
            ),
            Mistake("hits, not their share", lambda left, right: 9 * _retrieval(left, right)),
        ),
        otherwise="not yet: subtract the mean, bring each row to length 1, compare, count the hits",
        cases=(_pair(14, 4, 15), _pair(23, 6, 8)),
        compare=near,
        write=("retrieval",),
        praise="the share of left halves whose nearest right half is their own; chance gives 1 / N",
    ),
)
