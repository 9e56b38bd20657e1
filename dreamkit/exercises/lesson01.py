"""Exercises of lesson 01, feature maps."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from . import Condition, Exercise, Mistake

_GREY = torch.tensor(
    [
        [0.0, 1.0, 0.0, 2.0],
        [3.0, 0.0, 1.0, 0.0],
        [0.0, 2.0, 0.0, 4.0],
        [1.0, 0.0, 5.0, 0.0],
        [0.0, 1.0, 1.0, 2.0],
    ]
)
_EDGE = torch.tensor(
    [[1.0, 2.0, 0.0], [0.0, -1.0, 3.0], [-2.0, 0.0, 1.0]]
)  # neither symmetric nor of sum 0
_MAPS = torch.tensor(
    [
        [
            [[0.0, 1.0, 2.0], [0.0, 0.0, 3.0]],
            [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
            [[1.0, 1.0, 0.0], [5.0, 1.0, 2.0]],
        ]
    ]
)
_SHARES = torch.tensor([3 / 6, 1.0, 1 / 6])
_PEAK = torch.tensor([[1.0, 0.0, 2.0, 1.0], [0.0, 3.0, 1.0, 9.0], [-4.0, 1.0, 0.0, 2.0]])


def _slide(grey: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    rows, columns = grey.shape[0] - kernel.shape[0] + 1, grey.shape[1] - kernel.shape[1] + 1
    result = torch.zeros(rows, columns)
    for y in range(rows):
        for x in range(columns):
            result[y, x] = (grey[y : y + kernel.shape[0], x : x + kernel.shape[1]] * kernel).sum()
    return result


def _is(value: object, wanted: torch.Tensor) -> bool:
    return (
        isinstance(value, torch.Tensor)
        and value.shape == wanted.shape
        and torch.allclose(value.float(), wanted, atol=1e-5)
    )


def _padded(grey: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    return F.conv2d(grey[None, None], kernel[None, None], padding=1)[0, 0]


def _quiet(maps: torch.Tensor) -> torch.Tensor:
    return (maps[0] == 0).float().mean((1, 2))


def _peak(feature_map: torch.Tensor) -> tuple[int, int]:
    return divmod(int(feature_map.argmax()), feature_map.shape[1])


EXERCISES = (
    Exercise(
        "slide_filter",
        "01",
        "A feature map with your own hands",
        8,
        2,
        _slide,
        (
            Condition(
                lambda f: not _is(f(_GREY, _EDGE), _padded(_GREY, _EDGE)),
                "this map is as large as the picture: stay inside it, without a border of zeros (H - k + 1 rows)",
            ),
            Condition(
                lambda f: tuple(f(_GREY, _EDGE).shape) == (3, 2),
                "a 3×3 filter fits at (H - 2) × (W - 2) places of a picture [H, W]: your map has another size",
            ),
            Condition(
                lambda f: not _is(f(_GREY, _EDGE), _slide(_GREY, _EDGE.flip(0, 1))),
                "the filter is turned round first: networks call it convolution, but slide the filter as it is",
            ),
            Condition(
                lambda f: not _is(f(_GREY, _EDGE), _slide(_GREY, _EDGE) / 9),
                "these are means of the products: a unit adds them up",
            ),
            Condition(
                lambda f: _is(f(_GREY, _EDGE), _slide(_GREY, _EDGE)),
                "the size is right, the numbers are not: multiply the patch under the filter with it, and add up",
            ),
        ),
        (
            Mistake("border of zeros", _padded),
            Mistake("last place forgotten", lambda g, k: _slide(g, k)[:-1, :-1]),
            Mistake("filter turned round", lambda g, k: _slide(g, k.flip(0, 1))),
            Mistake("mean instead of sum", lambda g, k: _slide(g, k) / k.numel()),
            Mistake("filter ignored", lambda g, k: _slide(g, torch.ones_like(k))),
        ),
        "each cell of your map is one patch times the filter, summed: that is all a first layer does before its ReLU",
    ),
    Exercise(
        "quiet",
        "01",
        "How quiet is each channel?",
        5,
        1,
        _quiet,
        (
            Condition(
                lambda f: getattr(f(_MAPS), "ndim", 0) > 0,
                "that is one number for the whole layer: keep the channels apart, [C]",
            ),
            Condition(
                lambda f: tuple(f(_MAPS).shape) == (3,),
                "one number a channel, [C], is asked for: average over rows and columns",
            ),
            Condition(
                lambda f: not _is(f(_MAPS), _SHARES * 6),
                "these are counts of cells: divide by how many cells a map has",
            ),
            Condition(
                lambda f: not _is(f(_MAPS), 1 - _SHARES),
                "that is the share of cells that do fire: the silent ones are asked for",
            ),
            Condition(
                lambda f: _is(f(_MAPS), _SHARES),
                "compare each cell with 0, then average over the rows and columns of each map",
            ),
        ),
        (
            Mistake("whole layer", lambda m: (m == 0).float().mean()),
            Mistake("mean over channels", lambda m: (m[0] == 0).float().mean(0)),
            Mistake("counts", lambda m: (m[0] == 0).sum((1, 2))),
            Mistake("share that fires", lambda m: (m[0] > 0).float().mean((1, 2))),
            Mistake("mean activation", lambda m: m[0].mean((1, 2))),
        ),
        "one share for each channel, from 0 (fires everywhere) to 1 (silent)",
    ),
    Exercise(
        "peak",
        "01",
        "Where is the peak?",
        4,
        1,
        _peak,
        (
            Condition(
                lambda f: (
                    not isinstance(f(_PEAK), int)
                    and not (isinstance(f(_PEAK), torch.Tensor) and f(_PEAK).ndim == 0)
                ),
                "argmax counts the cells one after another: turn its number into (row, column)",
            ),
            Condition(
                lambda f: tuple(map(int, f(_PEAK))) != (3, 1),
                "row and column are swapped: y first, then x, as in map[y, x]",
            ),
            Condition(
                lambda f: tuple(map(int, f(_PEAK))) != (2, 0),
                "that is the lowest cell of the map, not the highest",
            ),
            Condition(
                lambda f: tuple(map(int, f(_PEAK))) == (1, 3),
                "not the highest cell: divide argmax by the width; the quotient is the row, the remainder the column",
            ),
        ),
        (
            Mistake("flat index", lambda m: int(m.argmax())),
            Mistake("x before y", lambda m: _peak(m)[::-1]),
            Mistake("lowest cell", lambda m: divmod(int(m.argmin()), m.shape[1])),
            Mistake("divided by the height", lambda m: divmod(int(m.argmax()), m.shape[0])),
        ),
        "(row, column) of the cell that fires most: times the layer's stride, it points at the photo",
    ),
)
