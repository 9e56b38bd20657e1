"""Exercises of lesson 18, beyond one channel."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from . import Condition, Exercise, Mistake
from .checking import close, near, normal, on

_FEATURES = normal(2, 5, 3, 4, seed=1)
_VECTOR = normal(5, seed=2)
_BATCH = normal(3, 4, 5, 6, seed=3)
_MAP = normal(4, 6, 8, seed=4)


def _likeness(features, gram=lambda maps: maps @ maps.mT, unit=True, own=False):
    """The mean cosine of different Gram matrices; the options make students' mistakes."""
    grams = gram(features.flatten(2)).flatten(1)  # [N, C * C]
    if unit:
        grams = F.normalize(grams, dim=1)
    table, count = grams @ grams.T, len(grams)
    if own:
        return table.mean()
    return (table.sum() - table.diagonal().sum()) / (count * (count - 1))


def _score(features, vector, power, least=0.1, of_both=True):
    dots = torch.einsum("nchw,c->nhw", features, vector)
    lengths = features.norm(dim=1) * (vector.norm() if of_both else 1)
    return dots * (dots / lengths).clamp(min=least) ** power


def _means(features, rows, columns):
    channels, height, width = features.shape
    parts = features.reshape(channels, rows, height // rows, columns, width // columns)
    return parts.mean((2, 4)).flatten(1).T


EXERCISES = (
    Exercise(
        "gram_likeness",
        "18",
        "How alike are the pictures of a batch?",
        7,
        2,
        _likeness,
        same=on(_BATCH, compare=near),
        checks=(
            Condition(
                lambda f: abs(float(f(_BATCH[:1].expand(2, -1, -1, -1))) - 1) < 1e-4,
                "two equal pictures must have a likeness of 1: divide each Gram matrix by its norm",
            ),
            Mistake(
                "each with itself too",
                lambda x: _likeness(x, own=True),
                "each picture is compared with itself too, which always gives 1: leave the "
                "diagonal out",
            ),
            Mistake(
                "places compared",
                lambda x: _likeness(x, lambda maps: maps.mT @ maps),
                "you compare cells with cells: the Gram matrix compares channels with channels, "
                "C × C, so that it does not matter where something is",
            ),
            Mistake(
                "features compared",
                lambda x: _likeness(x, lambda maps: maps),
                "you compare the features cell by cell: two pictures of the same thing at other "
                "positions would count as different",
            ),
            Mistake("not normalised", lambda x: _likeness(x, unit=False)),
        ),
        otherwise="close: the mean, over all pairs of different pictures, of the cosine of their "
        "Gram matrices",
        cases=((normal(2, 7, 3, 3, seed=5),), (normal(5, 3, 2, 9, seed=6).relu(),)),
        compare=near,
        write=("diversity",),
        praise="1 for equal pictures, less the more they differ, wherever the things are",
    ),
    Exercise(
        "towards",
        "18",
        "How far does a cell go in a direction?",
        6,
        2,
        _score,
        same=on(_FEATURES, _VECTOR, 2),
        checks=(
            Condition(
                lambda f: tuple(f(_FEATURES, _VECTOR, 2).shape) == (2, 3, 4),
                "the result has a number for each cell of each picture, [N, h, w]: sum over the "
                "channels",
            ),
            Mistake(
                "inner product only",
                lambda x, vector, power: _score(x, vector, 0),
                "this is the inner product alone: a cell that is loud in every direction wins",
            ),
            Mistake(
                "cosine only",
                lambda x, vector, power: (
                    (_score(x, vector, 0) / (x.norm(dim=1) * vector.norm())).clamp(min=0.1) ** power
                ),
                "this is the cosine alone: multiply it by the inner product, or nothing grows",
            ),
            Mistake(
                "no least cosine",
                lambda x, vector, power: _score(x, vector, power, -1),
                "a negative cosine, squared, rewards the opposite direction: it is at least 0.1 "
                "here",
            ),
            Mistake(
                "clamped at 0",
                lambda x, vector, power: _score(x, vector, power, 0),
                "a cell at a right angle has no gradient: the least cosine is 0.1, not 0",
            ),
            Mistake(
                "length of the vector forgotten",
                lambda x, vector, power: _score(x, vector, power, of_both=False),
            ),
        ),
        otherwise="close: the inner product times the cosine (at least 0.1) to the given power",
        cases=(
            (normal(1, 8, 4, 2, seed=7), normal(8, seed=8), 1),
            (normal(3, 3, 2, 5, seed=9), 4 * normal(3, seed=10), 3),
        ),
        compare=lambda given, wanted: close(given, wanted, 1e-4),
        write=("direction", "scorer"),
        praise="the inner product says how far, the cosine how purely",
    ),
    Exercise(
        "cell_means",
        "18",
        "A vector for each part of a photo",
        5,
        2,
        _means,
        same=on(_MAP, 3, 2),
        checks=(
            Condition(
                lambda f: tuple(f(_MAP, 3, 2).shape) == (6, 4),
                "the result is [rows × columns, C]: a vector in each row",
            ),
            Mistake(
                "columns first",
                lambda x, rows, columns: _means(x.mT, columns, rows),
                "the parts come column by column: go along a row first",
            ),
            Mistake(
                "one cell of each part",
                lambda x, rows, columns: (
                    x[:, :: x.shape[1] // rows, :: x.shape[2] // columns].flatten(1).T
                ),
                "you take one cell of each part: take the mean of all of its cells",
            ),
            Mistake(
                "the strongest cell",
                lambda x, rows, columns: F.adaptive_max_pool2d(x, (rows, columns)).flatten(1).T,
                "you take the maximum of each channel, which comes from different cells: take the "
                "mean",
            ),
        ),
        otherwise="close: the mean of the features over each part, part by part along the rows",
        cases=((normal(3, 4, 4, seed=11), 2, 4), (normal(7, 9, 10, seed=12), 3, 5)),
        write=("grid_vectors", "activation_grid"),
        praise="each row is what the layer says of one part of the photo",
    ),
)
