"""Exercises of lesson 14a, what Zeiler & Fergus saw."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake
from .checking import near, normal, on, uniform

_VALUES = torch.tensor([[3.0, 1.0], [2.0, 5.0]])
_APART = torch.tensor([[4, 2], [13, 15]])  # flat places in a map [4, 4]
_SHARED = torch.tensor([[6, 2], [6, 15]])  # two windows chose the same cell


def _unpool(values, switches, height, width):
    result = torch.zeros(height * width)
    result.index_add_(0, switches.flatten(), values.flatten())
    return result.reshape(height, width)


def _unpool_over(values, switches, height, width):
    result = torch.zeros(height * width)
    result[switches.flatten()] = values.flatten()
    return result.reshape(height, width)


def _unpool_spread(values, switches, height, width):
    rows = values.repeat_interleave(height // values.shape[0], 0)
    return rows.repeat_interleave(width // values.shape[1], 1)


def _unpool_corner(values, switches, height, width):
    result = torch.zeros(height, width)
    result[:: height // values.shape[0], :: width // values.shape[1]] = values
    return result


_same_apart, _same_shared = (on(_VALUES, switches, 4, 4) for switches in (_APART, _SHARED))

# what came up through a ReLU, and the signal that comes down to it
_UP = torch.tensor([-2.0, 1.0, -3.0, 4.0, 0.5, -1.0])
_SIGNAL = torch.tensor([3.0, -1.0, -2.0, 2.0, 0.7, 0.2])

_PICTURE = 0.1 + 0.8 * uniform(1, 3, 12, 18)
_WEIGHTS = uniform(1, 3, 12, 18, seed=1)


def _score(image):
    return float((image * _WEIGHTS).sum())


def _cover(score, image, size, copy=torch.clone, grey=0.5):
    result = torch.zeros(image.shape[2] // size, image.shape[3] // size)
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            covered = copy(image)
            covered[..., row * size : (row + 1) * size, column * size : (column + 1) * size] = grey
            result[row, column] = score(covered)
    return result


def _keeps_the_picture(answer) -> bool:
    picture = _PICTURE.clone()
    answer(_score, picture, 6)
    return torch.equal(picture, _PICTURE)


_A, _B = torch.tensor([1.0, -1, 0, 0, 1, -1, 0, 1]), torch.tensor([1.0, 1, 0, 1, -1, -1, -1, 1])


def _signs(a, b):
    return float((a != b).double().mean())


EXERCISES = (
    Exercise(
        "unpool",
        "14a",
        "Back to where the maximum was",
        6,
        2,
        _unpool,
        same=_same_apart,
        checks=(
            Condition(
                lambda f: f(_VALUES, _APART, 4, 4).shape == (4, 4),
                "the map should have `height` rows and `width` columns",
            ),
            Mistake(
                "spread over the window",
                _unpool_spread,
                "each value fills its whole window: that is enlarging, and forgets where the "
                "maximum was",
            ),
            Mistake(
                "put into the corner",
                _unpool_corner,
                "each value lies in the corner of its window: the switches are not used",
            ),
            Mistake(
                "rows and columns exchanged",
                lambda *given: _unpool(*given).T,
                "rows and columns are exchanged: a switch counts along the rows, row by row",
            ),
            Condition(
                lambda f: not _same_shared(f, _unpool_over),
                "two windows that overlap may have chosen one cell: then their values add up "
                "there, and none is lost",
            ),
            Condition(
                lambda f: _same_apart(f, _unpool) and _same_shared(f, _unpool),
                "not yet: zeros everywhere, and values.flatten()[i] added at place "
                "switches.flatten()[i]",
            ),
            Mistake("the last one overwrites", _unpool_over),
        ),
        cases=(
            (normal(3, 2, seed=2), torch.tensor([[1, 3], [7, 3], [29, 18]]), 6, 5),
            (normal(1, 4, seed=3), torch.tensor([[0, 5, 5, 13]]), 2, 7),
        ),
        praise=(
            "every value is back where its maximum came from: the same as the gradient of a "
            "max-pool"
        ),
    ),
    Exercise(
        "relu_down",
        "14a",
        "What a ReLU hands down",
        4,
        1,
        lambda came_up, signal: signal.clamp(min=0),
        same=on(_UP, _SIGNAL),
        checks=(
            Mistake(
                "the gradient",
                lambda came_up, signal: signal * (came_up > 0),
                "that is the gradient: it asks what came up. The deconvnet asks only what comes "
                "down",
            ),
            Mistake(
                "guided backpropagation",
                lambda came_up, signal: signal.clamp(min=0) * (came_up > 0),
                "that is guided backpropagation: it asks both. The deconvnet asks only what comes "
                "down",
            ),
            Mistake(
                "let through",
                lambda came_up, signal: signal,
                "nothing is rectified: the signal goes through as it came",
            ),
            Mistake(
                "absolute value",
                lambda came_up, signal: signal.abs(),
                "the signs are dropped; negative values should become 0",
            ),
        ),
        otherwise="not yet: the signal, with all negative values set to 0",
        cases=(
            (normal(2, 3, 4, 4, seed=4), normal(2, 3, 4, 4, seed=5)),
            (normal(1, 2, 5, seed=6) - 2, 10 * normal(1, 2, 5, seed=7)),
        ),
        praise=(
            "the signal is rectified, whatever came up: this one line makes a backward pass a "
            "deconvnet"
        ),
    ),
    Exercise(
        "cover",
        "14a",
        "Cover every place once",
        7,
        2,
        _cover,
        same=on(_score, _PICTURE, 6),
        checks=(
            Condition(
                _keeps_the_picture,
                "the photo itself was painted over: cover a copy, image.clone(), each time",
            ),
            Mistake(
                "squares that stay",
                lambda score, image, size: _cover(score, image.clone(), size, copy=lambda x: x),
                "the squares stay: each time only *one* place is covered, so begin with a fresh "
                "copy",
            ),
            Mistake(
                "rows and columns exchanged",
                lambda *given: _cover(*given).T,
                "rows and columns are exchanged: result[row, column]",
            ),
            Mistake(
                "black",
                lambda *given: _cover(*given, grey=0),
                "the square is black; grey, 0.5, says least about what is there",
            ),
            Mistake(
                "the fall instead of the score",
                lambda score, image, size: score(image) - _cover(score, image, size),
                "that is how far it falls; return the score itself",
            ),
        ),
        otherwise="not yet: for each row and column the score of a copy whose square there is 0.5",
        cases=(
            (lambda x: x.square().mean(), uniform(1, 3, 10, 15, seed=8), 5),
            (lambda x: x[..., 1:, :].sum() - x.amax(), uniform(1, 3, 11, 9, seed=9), 4),
        ),
        praise="one number for each position of the square, and the photo is whole again",
    ),
    Exercise(
        "sign_distance",
        "14a",
        "Do two changes agree?",
        4,
        1,
        _signs,
        same=on(_A, _B, compare=near),
        checks=(
            Mistake(
                "count instead of share",
                lambda a, b: float((a != b).sum()),
                "a count; layers differ in size, so give the share of all features",
            ),
            Condition(
                lambda f: float(f(_A, _A)) < 0.5,
                "two equal changes come out as far apart: this is the share that *agrees*",
            ),
            Mistake(
                "absolute difference",
                lambda a, b: float((a - b).abs().mean()),
                "too large by half: -1 against 1 is one difference, not two",
            ),
            Mistake(
                "opposites only",
                lambda a, b: float((a * b < 0).double().mean()),
                "a product below 0 finds opposites only: 0 against 1 differs as well",
            ),
            Mistake("share that agrees", lambda a, b: 1 - _signs(a, b)),
        ),
        otherwise="not yet: the mean of (a != b)",
        cases=(
            (normal(3, 5, seed=10).sign(), normal(3, 5, seed=11).sign()),
            (normal(7, seed=12).round().sign(), normal(7, seed=13).round().sign()),
        ),
        compare=near,
        praise="the Hamming distance of the signs, as in Zeiler & Fergus's table",
    ),
)
