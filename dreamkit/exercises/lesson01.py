"""Exercises of lesson 01, feature maps."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from . import Condition, Exercise, Mistake
from .checking import on

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


def _is_pair(answer) -> bool:
    found = answer(_PEAK)
    return not isinstance(found, int) and not (isinstance(found, torch.Tensor) and found.ndim == 0)


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
            Mistake("last place forgotten", lambda g, k: _slide(g, k)[:-1, :-1]),
            Mistake("filter ignored", lambda g, k: _slide(g, torch.ones_like(k))),
        ),
        otherwise=(
            "the size is right, the numbers are not: multiply the patch under the filter with the "
            "filter, and add up"
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
            Mistake("whole layer", lambda m: (m == 0).float().mean()),
            Mistake("mean over channels", lambda m: (m[0] == 0).float().mean(0)),
            Mistake("mean activation", lambda m: m[0].mean((1, 2))),
        ),
        otherwise="compare each cell with 0, then average over the rows and columns of each map",
        praise="one share for each channel, from 0 (fires everywhere) to 1 (silent)",
    ),
    Exercise(
        "peak",
        "01",
        "Where is the peak?",
        4,
        1,
        _peak,
        same=on(_PEAK, compare=lambda a, b: tuple(map(int, a)) == b),
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
        praise=(
            "(row, column) of the cell that fires most: multiplied by the layer's stride, it is a "
            "place in the photo"
        ),
    ),
)
