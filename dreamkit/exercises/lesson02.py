"""Exercises of lesson 02: receptive fields, patches, and how picky a channel is."""

from __future__ import annotations

import torch

from ..networks.receptive import Field
from . import Condition, Exercise, Mistake
from .checking import close, near, normal, on, uniform

_PHOTO = torch.arange(3 * 12 * 17, dtype=torch.float32).reshape(1, 3, 12, 17) / 612
_FIELD = Field((5, 5), (2, 2), (-2, -2))
_PEAKS = torch.tensor([[4.0, 1.0, 0.5], [0.0, 1.0, 2.0], [1.0, 1.0, 0.5], [1.0, 1.0, 6.0]])


def _field(layers):
    size, step = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * step
        step *= stride
    return size


def _stride_too_early(layers):
    size, step = 1, 1
    for kernel, stride in layers:
        step *= stride
        size += (kernel - 1) * step
    return size


def _whole_kernels(layers):
    size, step = 0, 1
    for kernel, stride in layers:
        size += kernel * step
        step *= stride
    return size


def _patch(photo, row, column, field):
    top, bottom, left, right = field.box(row, column)
    return photo[..., max(0, top) : bottom, max(0, left) : right]


def _unclipped(photo, row, column, field):
    top, bottom, left, right = field.box(row, column)
    return photo[..., top:bottom, left:right]


def _one_more(photo, row, column, field):
    top, bottom, left, right = field.box(row, column)
    return photo[..., max(0, top) : bottom + 1, max(0, left) : right + 1]


def _around_the_cell(photo, row, column, field):
    half = field.size[0] // 2
    rows = slice(max(0, row - half), row + half + 1)
    return photo[..., rows, max(0, column - half) : column + half + 1]


_same_patch = on(_PHOTO, 2, 5, _FIELD)


def _picky(peaks):
    best = peaks.max(0).values
    rest = (peaks.sum(0) - best) / (len(peaks) - 1)
    return (best - rest) / (best + rest)


def _with_the_best(peaks):
    best, mean = peaks.max(0).values, peaks.mean(0)
    return (best - mean) / (best + mean)


def _difference(peaks):
    best = peaks.max(0).values
    return best - (peaks.sum(0) - best) / (len(peaks) - 1)


EXERCISES = (
    Exercise(
        "field",
        "02",
        "How far does a cell see?",
        6,
        2,
        _field,
        checks=(
            Condition(
                lambda f: f([(7, 1)]) == 7,
                "one layer sees just its kernel, 7 pixels: a kernel adds (kernel - 1)",
            ),
            Condition(
                lambda f: f([(3, 2)]) == 3,
                "a layer's own stride does not widen what it sees: it counts from the next layer "
                "on",
            ),
            Condition(
                lambda f: f([(3, 1), (3, 1)]) == 5,
                "two 3×3 layers see 5 pixels: each kernel adds its size minus one",
            ),
            Condition(
                lambda f: f([(3, 2), (3, 1)]) == 7,
                "the strides are missing: after a stride of 2, neighbours lie 2 pixels apart",
            ),
            Condition(
                lambda f: f([(7, 2), (3, 2), (1, 1), (5, 2)]) == 27,
                "close, but strides multiply from layer to layer",
            ),
            Mistake("strides ignored", lambda layers: 1 + sum(kernel - 1 for kernel, _ in layers)),
            Mistake("stride counted one layer early", _stride_too_early),
            Mistake("whole kernels added", _whole_kernels),
        ),
        cases=(([(11, 4), (3, 2), (5, 1), (3, 2), (3, 1)],), ([(1, 1), (2, 3), (4, 1), (3, 2)],)),
        compare=near,
        praise="each kernel adds (kernel - 1) steps of the map below, and strides multiply",
    ),
    Exercise(
        "patch",
        "02",
        "Cut out what a cell sees",
        5,
        1,
        _patch,
        same=_same_patch,
        checks=(
            Mistake(
                "cells taken for pixels",
                _around_the_cell,
                "row and column are cells of the map, not pixels: field.box(row, column) says "
                "where their pixels lie",
            ),
            Mistake(
                "rows and columns swapped",
                lambda photo, row, column, field: _patch(photo, column, row, field),
                "rows and columns are swapped: the box is (top, bottom, left, right), and rows are "
                "the last dimension but one",
            ),
            Condition(
                lambda f: tuple(f(_PHOTO, 2, 5, _FIELD).shape) == (1, 3, 5, 5),
                "the patch of an inner cell should be 5×5 here, as large as the field; bottom and "
                "right are not included",
            ),
            Condition(
                lambda f: _same_patch(f, _patch),
                "the size is right, but it is another part of the photo",
            ),
            Condition(
                lambda f: close(f(_PHOTO, 0, 0, _FIELD), _PHOTO[..., :3, :3]),
                "at the border the box begins outside the photo, and negative rows count from the "
                "other end: begin at 0 or later",
            ),
            Mistake("end included", _one_more),
            Mistake("negative start at the border", _unclipped),
        ),
        cases=(
            (normal(1, 3, 21, 19, seed=1), 1, 2, Field((7, 5), (4, 3), (-3, -1))),
            (normal(1, 3, 10, 30, seed=2), 0, 4, Field((9, 9), (3, 5), (-4, -2))),
        ),
        praise="the patch is the part of the photo inside the cell's field, also at the border",
    ),
    Exercise(
        "picky",
        "02",
        "How picky is a channel?",
        6,
        2,
        _picky,
        same=on(_PEAKS),
        checks=(
            Condition(
                lambda f: tuple(f(_PEAKS).shape) == (3,),
                "one number for each channel: compare over the photos, dimension 0",
            ),
            Condition(
                lambda f: f(_PEAKS)[1] == 0,
                "a channel that responds to all photos alike has pickiness 0",
            ),
            Condition(
                lambda f: bool((f(_PEAKS) <= 1).all()),
                "it should lie from 0 to 1: divide by the sum of the two",
            ),
            Mistake(
                "best photo counted in the mean",
                _with_the_best,
                "the best photo is also in your mean: compare it with the *other* photos",
            ),
            Mistake("over channels instead of photos", lambda peaks: _picky(peaks.T)),
            Mistake("difference not divided", _difference),
        ),
        otherwise=(
            "close, but it should be (best - rest) / (best + rest), where rest is the mean of the "
            "others"
        ),
        cases=(
            (uniform(7, 4, seed=1) + 0.01,),
            (3 * uniform(2, 5, seed=2) + 0.01,),
        ),
        praise=(
            "0 for a channel that responds to all photos alike, "
            "1 for one that responds to a single photo"
        ),
    ),
)
