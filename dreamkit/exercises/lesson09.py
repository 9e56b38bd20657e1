"""Exercises of lesson 09, the photo matters: what grew, where it grew, and what decides it."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from . import Condition, Exercise, Mistake
from .checking import near, normal, on, uniform

# Five channels of four cells each. By their means, 3 grows most (+2), then 0 (+1); 4 shrinks most;
# 2 is the strongest afterwards; 1 has the cell that grows most, but its mean does not grow.
_BEFORE = torch.tensor(
    [[1.0, 1, 1, 1], [4, 4, 4, 0], [9, 9, 9, 9], [0, 0, 0, 0], [6, 6, 6, 6]]
).view(1, 5, 2, 2)
_AFTER = torch.tensor(
    [[2.0, 2, 2, 2], [1, 1, 1, 9], [9, 9, 9, 9], [2, 2, 2, 2], [3, 3, 3, 3]]
).view(1, 5, 2, 2)


def _grown(before, after, count):
    return (after - before).mean((0, 2, 3)).topk(count).indices.tolist()


def _same_list(given, wanted) -> bool:
    return [int(value) for value in given] == wanted


# Two pixels of the first square change by +0.4 and -0.4, the colours of the last by +0.3 and -0.3.
_PHOTO = torch.full((1, 3, 4, 6), 0.5)
_DREAM = _PHOTO.clone()
_DREAM[..., 0, 0], _DREAM[..., 1, 1] = 0.9, 0.1
_DREAM[:, 0, 2:, 4:], _DREAM[:, 2, 2:, 4:] = 0.8, 0.2
_DREAM[..., :2, 2:4] = 0.6


def _blocks(values, side):
    return F.avg_pool2d(values, side)[0, 0]


def _change_map(photo, dream, side):
    return _blocks((dream - photo).square().mean(1, keepdim=True), side).sqrt()


_CHANGES = normal(3, 4, 5, seed=1) + normal(3, 1, 5, seed=2) + 0.5 * normal(1, 4, 5, seed=3) + 2


def _shares(changes, centre=True, times=True):
    """The shares of the first and the second axis; the options make students' mistakes."""
    rest = changes - changes.mean((0, 1)) if centre else changes
    first, second = rest.mean(1).square().sum(), rest.mean(0).square().sum()
    if times:
        first, second = first * changes.shape[1], second * changes.shape[0]
    return float(first / rest.square().sum()), float(second / rest.square().sum())


def _own_ratios(changes):
    """The mean of the values' own shares, in which a value that hardly varies counts as much."""
    ratios = [_shares(changes[..., k, None]) for k in range(changes.shape[2])]
    return tuple(sum(part) / len(ratios) for part in zip(*ratios, strict=True))


def _pair(given, wanted) -> bool:
    return len(given) == 2 and all(near(a, b, 1e-4) for a, b in zip(given, wanted, strict=True))


EXERCISES = (
    Exercise(
        "grown",
        "09",
        "What grew?",
        6,
        1,
        _grown,
        same=on(_BEFORE, _AFTER, 1, compare=_same_list),
        checks=(
            Condition(
                lambda f: len(list(f(_BEFORE, _AFTER, 2))) == 2,
                "give as many channels as asked for: `count` of them",
            ),
            Mistake(
                "before minus after, or the absolute change",
                lambda b, a, n: (a - b).mean((0, 2, 3)).abs().topk(n).indices.tolist(),
                "this channel changed most, but it *shrank*: take after minus before, with its "
                "sign",
            ),
            Mistake(
                "the strongest afterwards",
                lambda b, a, n: a.mean((0, 2, 3)).topk(n).indices.tolist(),
                "this channel is the strongest afterwards, but it was just as strong before: "
                "subtract the features before",
            ),
            Mistake(
                "the greatest cell decides",
                lambda b, a, n: (a - b).amax((0, 2, 3)).topk(n).indices.tolist(),
                "one single cell decides here: take the mean over the map, not its maximum",
            ),
            Condition(
                lambda f: _same_list(f(_BEFORE, _AFTER, 2), [3, 0]),
                "close, but the channel that grew most comes first, then the next",
            ),
            Mistake("in the order of their numbers", lambda *given: sorted(_grown(*given))),
            Mistake(
                "every channel, not `count` of them",
                lambda b, a, n: (a - b).mean((0, 2, 3)).argsort(descending=True).tolist(),
            ),
        ),
        cases=(
            (uniform(1, 9, 4, 3, seed=1), uniform(1, 9, 4, 3, seed=2), 4),
            (uniform(1, 20, 2, 5, seed=3), uniform(1, 20, 2, 5, seed=4) + 1, 7),
        ),
        compare=_same_list,
        praise="the channels whose mean grew most come first, however strong they were before",
    ),
    Exercise(
        "change_map",
        "09",
        "Where did it grow?",
        7,
        2,
        _change_map,
        same=on(_PHOTO, _DREAM, 2),
        checks=(
            Condition(
                lambda f: tuple(f(_PHOTO, _DREAM, 2).shape) == (2, 3),
                "a photo of 4×6 pixels has 2×3 squares of 2 pixels: the result is [2, 3]",
            ),
            Mistake(
                "signs cancel",
                lambda p, d, s: _blocks((d - p).mean(1, keepdim=True), s).abs(),
                "some of your changes cancel each other: a pixel that became brighter and one that "
                "became darker have both changed. Square before you take any mean",
            ),
            Mistake(
                "colours cancel",
                lambda p, d, s: _blocks((d - p).mean(1, keepdim=True).square(), s).sqrt(),
                "more red and less blue cancel each other: square before you take the mean over "
                "the colours",
            ),
            Mistake(
                "no root",
                lambda p, d, s: _change_map(p, d, s).square(),
                "that is the mean *square*: its root is in the units of the picture",
            ),
            Mistake(
                "the greatest pixel of each square",
                lambda p, d, s: F.max_pool2d((d - p).abs().amax(1, keepdim=True), s)[0, 0],
                "one pixel decides for its whole square: take the mean over the square",
            ),
            Mistake("the mean size", lambda p, d, s: _blocks((d - p).abs().mean(1)[None], s)),
        ),
        otherwise="close: in each square the root of the mean of the squared changes",
        cases=(
            (uniform(1, 3, 15, 10, seed=5), uniform(1, 3, 15, 10, seed=6), 5),
            (uniform(1, 3, 8, 12, seed=7), uniform(1, 3, 8, 12, seed=8), 4),
        ),
        praise="the root mean square of the change in each square, in the units of the picture",
    ),
    Exercise(
        "shares",
        "09",
        "Who decides?",
        12,
        3,
        _shares,
        same=on(_CHANGES, compare=_pair),
        checks=(
            Condition(
                lambda f: len(f(_CHANGES)) == 2,
                "two numbers are wanted: the share of the dreamers and the share of the photos",
            ),
            Mistake(
                "not centred",
                lambda changes: _shares(changes, centre=False),
                "what all dreams have in common is decided by nobody: subtract the mean of all "
                "dreams first, value by value",
            ),
            Mistake(
                "not counted as often",
                lambda changes: _shares(changes, times=False),
                "a dreamer's mean stands for each of its dreams: count it as often as there are "
                "photos, and a photo's mean as often as there are dreamers",
            ),
            Mistake(
                "exchanged",
                lambda changes: _shares(changes)[::-1],
                "the two shares are exchanged: the dreamers are the first axis, so their means "
                "are taken over the second",
            ),
            Mistake(
                "a share for each value",
                _own_ratios,
                "you take the mean of the values' own shares, in which a value that hardly varies "
                "counts as much as one that varies a lot: add up the squares of all values first",
            ),
            Mistake("percent", lambda changes: tuple(100 * share for share in _shares(changes))),
        ),
        otherwise=(
            "close: squares of the dreamers' means, and of the photos' means, over squares of all, "
            "each after subtracting the mean of all"
        ),
        cases=((normal(2, 5, 7, seed=8),), (normal(4, 3, 11, seed=9) * 3 + 1,)),
        compare=_pair,
        praise="two shares; what is left belongs to the pair of dreamer and photo, and to chance",
    ),
)
