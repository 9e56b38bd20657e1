"""Exercises of lesson 09, the photo matters: measuring how alike two pictures look to a layer."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake
from .checking import near, on, uniform


def _features(seed: int, height: int = 3, width: int = 4) -> torch.Tensor:
    """Features of a made-up layer [1, 6, height, width], not negative, as after a ReLU."""
    return uniform(1, 6, height, width, seed=seed) * torch.arange(1, 7).view(1, 6, 1, 1)


_A, _B = _features(1), _features(2)


def _means(a, b):
    return a.mean((0, 2, 3)), b.mean((0, 2, 3))


def _centred(a, b):
    a, b = _means(a, b)
    return a - a.mean(), b - b.mean()


def _cosine_of(a, b):
    return (a @ b / (a.norm() * b.norm())).item()


def _likeness(a, b):
    return _cosine_of(*_centred(a, b))


def _covariance(a, b):
    a, b = _centred(a, b)
    return (a @ b).item()


def _cell_by_cell(a, b):
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1].item()


def _other_cells(features):
    """The same values with every map's cells in another order, the same one for each channel."""
    return features.flatten(2).flip(-1).roll(1, -1).reshape(features.shape)


def _one(value) -> bool:
    return not isinstance(value, torch.Tensor) or value.numel() == 1


def _nearly(value, wanted) -> bool:
    return near(value, wanted, 1e-4)


# Rows are dreams, columns photos. The diagonal is the largest of two rows and of three columns.
_TABLE = torch.tensor(
    [
        [0.90, 0.20, 0.10, 0.30],
        [0.60, 0.55, 0.20, 0.50],
        [0.10, 0.30, 0.70, 0.40],
        [0.65, 0.10, 0.75, 0.60],
    ]
)


def _own(table, axis=1):
    return table.argmax(axis) == torch.arange(len(table))


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


EXERCISES = (
    Exercise(
        "likeness",
        "09",
        "How alike?",
        7,
        2,
        _likeness,
        same=on(_A, _B, compare=_nearly),
        checks=(
            Condition(
                lambda f: _one(f(_A, _B)),
                "more than one number comes back: of the 2 × 2 matrix only the entry beside the "
                "diagonal is wanted",
            ),
            Condition(
                lambda f: _nearly(f(_A, _other_cells(_B)), f(_A, _B)),
                "moving the cells of a map changes your number: take each channel's mean over its "
                "map before comparing",
            ),
            Condition(
                lambda f: _nearly(f(_A, 3 * _A), 1.0),
                "a picture should be 1 like itself, also when every feature is three times as "
                "strong: divide by the lengths",
            ),
            Condition(
                lambda f: _nearly(f(_A + 5, _B), f(_A, _B)),
                "adding 5 to every channel makes the pictures more alike: subtract the mean of "
                "each list of channel means first (else this is the cosine)",
            ),
            Condition(
                lambda f: _nearly(f(_A, _B), _likeness(_A, _B)),
                "close, but not the correlation of the two lists of channel means",
            ),
            Condition(
                lambda f: _nearly(f(_A, _features(3, 5, 2)), _likeness(_A, _features(3, 5, 2))),
                "it fails for maps of two sizes",
            ),
            Mistake("the cosine: means not taken away", lambda a, b: _cosine_of(*_means(a, b))),
            Mistake("compares cell by cell", _cell_by_cell),
            Mistake("the covariance: not divided by the lengths", _covariance),
            Mistake(
                "gives the whole correlation matrix",
                lambda a, b: torch.corrcoef(torch.stack(_means(a, b))),
            ),
        ),
        praise=(
            "it is the correlation of the channel means: 1 for the same picture, whatever its size "
            "or contrast"
        ),
    ),
    Exercise(
        "own_share",
        "09",
        "Does a dream remember its photo?",
        6,
        2,
        lambda table: _own(table).float().mean().item(),
        same=on(_TABLE, compare=_nearly),
        checks=(
            Condition(lambda f: _one(f(_TABLE)), "one number is wanted: the share of all rows"),
            Condition(
                lambda f: _nearly(f(torch.eye(3)), 1.0),
                "where each dream is like its own photo and no other, the share is 1, not the "
                "count",
            ),
            Mistake(
                "the mean of the diagonal",
                lambda table: table.diag().mean().item(),
                "this is how like its photo a dream is on average; asked is how often its own "
                "photo is the *most* like it",
            ),
            Mistake(
                "columns instead of rows",
                lambda table: _own(table, 0).float().mean().item(),
                "this looks down the columns: for each photo the dream most like it. Rows are "
                "dreams",
            ),
            Mistake("the count instead of the share", lambda table: _own(table).sum().item()),
            Mistake(
                "better than the row's mean instead of the best",
                lambda table: (table.diag() > table.mean(1)).float().mean().item(),
            ),
        ),
        otherwise=(
            "close, but count a dream only where the largest entry of its row is the one on the "
            "diagonal"
        ),
        praise="for every dream it asks whether the photo most like it is its own",
    ),
    Exercise(
        "grown",
        "09",
        "What grew?",
        6,
        1,
        _grown,
        same=on(_BEFORE, _AFTER, 1, compare=lambda a, b: list(map(int, a)) == b),
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
                lambda f: list(map(int, f(_BEFORE, _AFTER, 2))) == [3, 0],
                "close, but the channel that grew most comes first, then the next",
            ),
            Mistake("in the order of their numbers", lambda *given: sorted(_grown(*given))),
            Mistake(
                "every channel, not `count` of them",
                lambda b, a, n: (a - b).mean((0, 2, 3)).argsort(descending=True).tolist(),
            ),
        ),
        praise="the channels whose mean grew most come first, however strong they were before",
    ),
)
