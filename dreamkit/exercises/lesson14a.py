"""Exercises of lesson 14a, what Zeiler & Fergus saw."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake

# --- unpool

_VALUES = torch.tensor([[3.0, 1.0], [2.0, 5.0]])
_SWITCHES = torch.tensor(
    [[6, 2], [6, 15]]
)  # flat places in a map [4, 4]; two windows chose one cell
_APART = torch.tensor([[4, 2], [13, 15]])


def _unpool(values, switches, height, width):
    result = torch.zeros(height * width)
    result.index_add_(0, switches.flatten(), values.flatten())
    return result.reshape(height, width)


def _unpool_over(values, switches, height, width):
    result = torch.zeros(height * width)
    result[switches.flatten()] = values.flatten()
    return result.reshape(height, width)


def _unpool_spread(values, switches, height, width):
    return values.repeat_interleave(height // values.shape[0], 0).repeat_interleave(
        width // values.shape[1], 1
    )


def _unpool_corner(values, switches, height, width):
    result = torch.zeros(height, width)
    result[:: height // values.shape[0], :: width // values.shape[1]] = values
    return result


def _unpool_turned(values, switches, height, width):
    return _unpool(values, switches, height, width).T


def _unpools(answer, wrong, switches=_APART):
    given = answer(_VALUES, switches, 4, 4)
    return given.shape == (4, 4) and torch.equal(given, wrong(_VALUES, switches, 4, 4))


# --- what a ReLU hands down

_UP = torch.tensor([-2.0, 1.0, -3.0, 4.0, 0.5, -1.0])
_SIGNAL = torch.tensor([3.0, -1.0, -2.0, 2.0, 0.7, 0.2])


def _down(came_up, signal):
    return signal.clamp(min=0)


def _downs(answer, wrong):
    given = answer(_UP, _SIGNAL)
    return given.shape == _UP.shape and torch.allclose(given, wrong(_UP, _SIGNAL))


def _down_gradient(came_up, signal):
    return signal * (came_up > 0)


def _down_guided(came_up, signal):
    return signal.clamp(min=0) * (came_up > 0)


# --- covering

_PICTURE = 0.1 + 0.8 * torch.rand(1, 3, 12, 18, generator=torch.Generator().manual_seed(0))
_WEIGHTS = torch.rand(1, 3, 12, 18, generator=torch.Generator().manual_seed(1))


def _score(image):
    return float((image * _WEIGHTS).sum())


def _cover(score, image, size):
    result = torch.zeros(image.shape[2] // size, image.shape[3] // size)
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            covered = image.clone()
            covered[..., row * size : (row + 1) * size, column * size : (column + 1) * size] = 0.5
            result[row, column] = score(covered)
    return result


def _cover_same(score, image, size):
    result, image = torch.zeros(image.shape[2] // size, image.shape[3] // size), image.clone()
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            image[..., row * size : (row + 1) * size, column * size : (column + 1) * size] = 0.5
            result[row, column] = score(image)
    return result


def _cover_black(score, image, size):
    def black(covered):
        return score(covered.masked_fill((covered == 0.5).all(1, keepdim=True), 0))

    return _cover(black, image, size)


def _cover_turned(score, image, size):
    return _cover(score, image, size).T


def _cover_fall(score, image, size):
    return score(image) - _cover(score, image, size)


def _covers(answer, wrong):
    given = answer(_score, _PICTURE.clone(), 6)
    expected = wrong(_score, _PICTURE, 6)
    return given.shape == expected.shape and torch.allclose(given.float(), expected, atol=1e-4)


def _keeps_the_picture(answer):
    picture = _PICTURE.clone()
    answer(_score, picture, 6)
    return torch.equal(picture, _PICTURE)


EXERCISES = (
    Exercise(
        "unpool",
        "14a",
        "Back to where the maximum was",
        6,
        2,
        _unpool,
        (
            Condition(
                lambda f: f(_VALUES, _APART, 4, 4).shape == (4, 4),
                "the map should have `height` rows and `width` columns",
            ),
            Condition(
                lambda f: not _unpools(f, _unpool_spread),
                "each value fills its whole window: that is enlarging, and forgets where the maximum was",
            ),
            Condition(
                lambda f: not _unpools(f, _unpool_corner),
                "each value lies in the corner of its window: the switches are not used",
            ),
            Condition(
                lambda f: not _unpools(f, _unpool_turned),
                "rows and columns are exchanged: a switch counts along the rows, row by row",
            ),
            Condition(
                lambda f: not _unpools(f, _unpool_over, _SWITCHES),
                "two windows that overlap may have chosen one cell: then their values add up there, and none is lost",
            ),
            Condition(
                lambda f: _unpools(f, _unpool) and _unpools(f, _unpool, _SWITCHES),
                "not yet: zeros everywhere, and values.flatten()[i] added at place switches.flatten()[i]",
            ),
        ),
        (
            Mistake("spread over the window", _unpool_spread),
            Mistake("put into the corner", _unpool_corner),
            Mistake("rows and columns exchanged", _unpool_turned),
            Mistake("the last one overwrites", _unpool_over),
        ),
        "every value is back where its maximum came from: the same as the gradient of a max-pool",
    ),
    Exercise(
        "relu_down",
        "14a",
        "What a ReLU hands down",
        4,
        1,
        _down,
        (
            Condition(
                lambda f: not _downs(f, _down_gradient),
                "that is the gradient: it asks what came up. The deconvnet asks only what comes down",
            ),
            Condition(
                lambda f: not _downs(f, _down_guided),
                "that is guided backpropagation: it asks both. The deconvnet asks only what comes down",
            ),
            Condition(
                lambda f: not _downs(f, lambda up, signal: signal),
                "nothing is rectified: the signal goes through as it came",
            ),
            Condition(
                lambda f: not _downs(f, lambda up, signal: signal.abs()),
                "the signs are dropped; what is negative should become 0",
            ),
            Condition(
                lambda f: _downs(f, _down),
                "not yet: the signal, with all that is negative set to 0",
            ),
        ),
        (
            Mistake("the gradient", _down_gradient),
            Mistake("guided backpropagation", _down_guided),
            Mistake("let through", lambda up, signal: signal),
            Mistake("absolute value", lambda up, signal: signal.abs()),
        ),
        "the signal is rectified, whatever came up: this one line makes a backward pass a deconvnet",
    ),
    Exercise(
        "cover",
        "14a",
        "Cover every place once",
        7,
        2,
        _cover,
        (
            Condition(
                _keeps_the_picture,
                "the photo itself was painted over: cover a copy, image.clone(), each time",
            ),
            Condition(
                lambda f: not _covers(f, _cover_same),
                "the squares stay: each time only *one* place is covered, so begin with a fresh copy",
            ),
            Condition(
                lambda f: not _covers(f, _cover_turned),
                "rows and columns are exchanged: result[row, column]",
            ),
            Condition(
                lambda f: not _covers(f, _cover_black),
                "the square is black; grey, 0.5, says least about what is there",
            ),
            Condition(
                lambda f: not _covers(f, _cover_fall),
                "that is how far it falls; give back the score itself",
            ),
            Condition(
                lambda f: _covers(f, _cover),
                "not yet: for each row and column the score of a copy whose square there is 0.5",
            ),
        ),
        (
            Mistake("squares that stay", _cover_same),
            Mistake("rows and columns exchanged", _cover_turned),
            Mistake("black", _cover_black),
            Mistake("the fall instead of the score", _cover_fall),
        ),
        "one number for each place of the square, and the photo is whole again",
    ),
)
