"""Exercises of lesson 09, the photo matters: measuring how alike two pictures look to a layer."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake


def _features(seed: int, height: int = 3, width: int = 4) -> torch.Tensor:
    """Features of a made-up layer [1, 6, height, width], not negative, as after a ReLU."""
    return torch.rand(
        1, 6, height, width, generator=torch.Generator().manual_seed(seed)
    ) * torch.arange(1, 7).view(1, 6, 1, 1)


def _likeness(a, b):
    a, b = a.mean((0, 2, 3)), b.mean((0, 2, 3))
    a, b = a - a.mean(), b - b.mean()
    return (a @ b / (a.norm() * b.norm())).item()


def _cosine(a, b):
    a, b = a.mean((0, 2, 3)), b.mean((0, 2, 3))
    return (a @ b / (a.norm() * b.norm())).item()


def _cell_by_cell(a, b):
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1].item()


def _covariance(a, b):
    a, b = a.mean((0, 2, 3)), b.mean((0, 2, 3))
    return ((a - a.mean()) @ (b - b.mean())).item()


def _matrix(a, b):
    return torch.corrcoef(torch.stack([a.mean((0, 2, 3)), b.mean((0, 2, 3))]))


def _turned(features):
    """The same values with every map's cells in another order (the same one for each channel)."""
    return features.flatten(2).flip(-1).roll(1, -1).reshape(features.shape)


def _one(value) -> bool:
    return not isinstance(value, torch.Tensor) or value.numel() == 1


def _near(value, expected, tolerance=1e-4) -> bool:
    return abs(float(value) - expected) < tolerance


_A, _B = _features(1), _features(2)

# Rows are dreams, columns photos. Two of the four rows are greatest on the diagonal, three of the four columns are.
_TABLE = torch.tensor(
    [
        [0.90, 0.20, 0.10, 0.30],
        [0.60, 0.55, 0.20, 0.50],
        [0.10, 0.30, 0.70, 0.40],
        [0.65, 0.10, 0.75, 0.60],
    ]
)


def _own_share(table):
    return (table.argmax(1) == torch.arange(len(table))).float().mean().item()


def _grown(before, after, count):
    return (after - before).mean((0, 2, 3)).topk(count).indices.tolist()


# Five channels of four cells each: by their means, 3 grows most (+2), then 0 (+1); 4 shrinks most, 2 is the strongest afterwards,
# and 1 has the cell that grows most, though its mean does not.
_BEFORE = torch.tensor(
    [[1.0, 1, 1, 1], [4, 4, 4, 0], [9, 9, 9, 9], [0, 0, 0, 0], [6, 6, 6, 6]]
).view(1, 5, 2, 2)
_AFTER = torch.tensor(
    [[2.0, 2, 2, 2], [1, 1, 1, 9], [9, 9, 9, 9], [2, 2, 2, 2], [3, 3, 3, 3]]
).view(1, 5, 2, 2)


EXERCISES = (
    Exercise(
        "likeness",
        "09",
        "How alike?",
        7,
        2,
        _likeness,
        (
            Condition(
                lambda f: _one(f(_A, _B)),
                "more than one number comes back: of the 2 × 2 matrix only the entry beside the diagonal is wanted",
            ),
            Condition(
                lambda f: _near(f(_A, _turned(_B)), float(f(_A, _B))),
                "moving the cells of a map about changes your number: take each channel's mean over its map before comparing",
            ),
            Condition(
                lambda f: _near(f(_A, 3 * _A), 1.0),
                "a picture should be 1 like itself, also when every feature is three times as strong: divide by the lengths",
            ),
            Condition(
                lambda f: _near(f(_A + 5, _B), float(f(_A, _B))),
                "adding 5 to every channel makes the pictures more alike: take each code's mean away first (else this is the "
                "cosine)",
            ),
            Condition(
                lambda f: _near(f(_A, _B), _likeness(_A, _B)),
                "close, but not the correlation of the two lists of channel means",
            ),
            Condition(
                lambda f: _near(f(_A, _features(3, 5, 2)), _likeness(_A, _features(3, 5, 2))),
                "it fails for maps of two sizes",
            ),
        ),
        (
            Mistake("the cosine: means not taken away", _cosine),
            Mistake("compares cell by cell", _cell_by_cell),
            Mistake("the covariance: not divided by the lengths", _covariance),
            Mistake("gives the whole correlation matrix", _matrix),
        ),
        "it is the correlation of the channel means: 1 for the same picture, whatever its size or contrast",
    ),
    Exercise(
        "own_share",
        "09",
        "Does a dream remember its photo?",
        6,
        2,
        _own_share,
        (
            Condition(lambda f: _one(f(_TABLE)), "one number is wanted: the share of all rows"),
            Condition(
                lambda f: _near(f(torch.eye(3)), 1.0),
                "where each dream is like its own photo and no other, the share is 1, not the count",
            ),
            Condition(
                lambda f: not _near(f(_TABLE), _TABLE.diag().mean().item()),
                "this is how like its photo a dream is on average; asked is how often its own photo is the *most* like it",
            ),
            Condition(
                lambda f: not _near(f(_TABLE), 0.75),
                "this looks down the columns: for each photo the most like dream. Rows are dreams",
            ),
            Condition(
                lambda f: _near(f(_TABLE), 0.5),
                "close, but count a dream only where the greatest entry of its row is the one on the diagonal",
            ),
        ),
        (
            Mistake(
                "columns instead of rows",
                lambda t: (t.argmax(0) == torch.arange(len(t))).float().mean().item(),
            ),
            Mistake(
                "the count instead of the share",
                lambda t: (t.argmax(1) == torch.arange(len(t))).sum().item(),
            ),
            Mistake("the mean of the diagonal", lambda t: t.diag().mean().item()),
            Mistake(
                "better than the row's mean instead of the best",
                lambda t: (t.diag() > t.mean(1)).float().mean().item(),
            ),
        ),
        "for every dream it asks whether the most like photo is its own",
    ),
    Exercise(
        "grown",
        "09",
        "What grew?",
        6,
        1,
        _grown,
        (
            Condition(
                lambda f: len(list(f(_BEFORE, _AFTER, 2))) == 2,
                "as many channels as asked for, please: `count` of them",
            ),
            Condition(
                lambda f: list(map(int, f(_BEFORE, _AFTER, 1))) != [4],
                "this channel changed most, but it *shrank*: take after minus before, with its sign",
            ),
            Condition(
                lambda f: list(map(int, f(_BEFORE, _AFTER, 1))) != [2],
                "this channel is the strongest afterwards, but it was just as strong before: subtract what was there",
            ),
            Condition(
                lambda f: list(map(int, f(_BEFORE, _AFTER, 1))) != [1],
                "one single cell decides here: take the mean over the map, not its maximum",
            ),
            Condition(
                lambda f: list(map(int, f(_BEFORE, _AFTER, 2))) == [3, 0],
                "close, but the channel that grew most comes first, then the next",
            ),
        ),
        (
            Mistake(
                "before minus after, or the absolute change",
                lambda b, a, n: (a - b).mean((0, 2, 3)).abs().topk(n).indices.tolist(),
            ),
            Mistake(
                "the strongest afterwards",
                lambda b, a, n: a.mean((0, 2, 3)).topk(n).indices.tolist(),
            ),
            Mistake(
                "the greatest cell decides",
                lambda b, a, n: (a - b).amax((0, 2, 3)).topk(n).indices.tolist(),
            ),
            Mistake(
                "in the order of their numbers",
                lambda b, a, n: sorted((a - b).mean((0, 2, 3)).topk(n).indices.tolist()),
            ),
            Mistake(
                "every channel, not `count` of them",
                lambda b, a, n: (a - b).mean((0, 2, 3)).argsort(descending=True).tolist(),
            ),
        ),
        "the channels whose mean grew most come first, however strong they were before",
    ),
)
