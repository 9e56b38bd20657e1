"""Exercises of lesson 10, guided dreams: matching cells, a guide spoilt on purpose, used cells."""

from __future__ import annotations

import torch
from torch.nn.functional import normalize

from . import Condition, Exercise, Mistake
from .checking import near, on


def _maps(seed: int, height: int, width: int) -> torch.Tensor:
    """Features [1, 5, height, width] of which some cells are much louder than others."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 5, height, width, generator=generator) * (
        0.3 + 3 * torch.rand(1, 1, height, width, generator=generator)
    )


_PHOTO, _GUIDE = _maps(1, 4, 5), _maps(2, 3, 2)


def _columns(features):
    return features[0].flatten(1)


def _products(photo, guide):
    return _columns(photo).T @ _columns(guide)


def _matches(photo, guide):
    return _products(photo, guide).argmax(1)


def _same_indices(given, expected) -> bool:
    given = torch.as_tensor(given).flatten()
    return given.shape == expected.flatten().shape and torch.equal(given.long(), expected.flatten())


def _order(count, seed):
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


def _shuffled_cells(features, seed):
    flat = features.flatten(2)
    return flat[:, :, _order(flat.shape[2], seed)].reshape(features.shape)


def _each_cell_its_own(features, seed):
    generator = torch.Generator().manual_seed(seed)
    cells = features.flatten(2)[0].T
    return torch.stack(
        [cell[torch.randperm(len(cell), generator=generator)] for cell in cells]
    ).T.reshape(features.shape)


_unseeded = torch.Generator().manual_seed(0)  # like the global generator: no seed resets it


def _no_seed(features, seed):
    return features[:, torch.randperm(features.shape[1], generator=_unseeded)]


def _is_set_of_cells(f) -> bool:
    """Whether the cells are the old ones in another order, which changes nothing for a guide."""
    old, new = _columns(_GUIDE).T, _columns(f(_GUIDE, 3)).T
    return all(any(torch.equal(cell, other) for other in old) for cell in new)


def _cell_sums(features):
    return features.flatten(2).sum(2).sort(1).values


_CHOICE = torch.tensor([4, 4, 1, 4, 7, 1, 4, 4, 4, 1, 7, 4])


EXERCISES = (
    Exercise(
        "match",
        "10",
        "Which cell of the guide?",
        8,
        2,
        _matches,
        same=on(_PHOTO, _GUIDE, compare=_same_indices),
        checks=(
            Condition(
                lambda f: torch.as_tensor(f(_PHOTO, _GUIDE)).numel() != 5 * 20,
                "the matching features themselves come back: wanted is *which* cell of the guide "
                "it is, one number for each cell of the photo",
            ),
            Condition(
                lambda f: torch.as_tensor(f(_PHOTO, _GUIDE)).numel() == 20,
                "one answer for each of the photo's 20 cells is wanted: each cell looks through "
                "all cells of the guide, not the other way round",
            ),
            Mistake(
                "the cosine instead of the inner product",
                lambda p, g: _matches(normalize(p), normalize(g)),
                "you compare directions only (the cosine): the guide of 2015 takes the plain inner "
                "product, in which loud cells count more",
            ),
            Mistake(
                "the nearest cell",
                lambda p, g: torch.cdist(_columns(p).T, _columns(g).T).argmin(1),
                "you take the nearest cell: wanted is the one with the largest inner product, "
                "however far away",
            ),
            Mistake("the argmax over the photo's cells", lambda p, g: _products(p, g).argmax(0)),
            Mistake(
                "the features instead of the index", lambda p, g: _columns(g)[:, _matches(p, g)]
            ),
            Mistake("the least product", lambda p, g: _products(p, g).argmin(1)),
        ),
        otherwise=(
            "one number for each cell, but not the place of the largest inner product (argmax "
            "along the guide's cells)"
        ),
        praise="each cell of the photo finds the cell of the guide with the largest inner product",
    ),
    Exercise(
        "spoil",
        "10",
        "A guide spoilt on purpose",
        6,
        2,
        lambda features, seed: features[:, _order(features.shape[1], seed)],
        checks=(
            Condition(
                lambda f: f(_GUIDE, 3).shape == _GUIDE.shape,
                "the shape changed: a spoilt guide has the channels and cells of the real one",
            ),
            Condition(
                lambda f: torch.equal(f(_GUIDE, 3), f(_GUIDE, 3)),
                "the same seed gives two answers: draw from a torch.Generator with that seed",
            ),
            Condition(
                lambda f: (
                    torch.allclose(f(_GUIDE, 3).sort(1).values, _GUIDE.sort(1).values)
                    or _is_set_of_cells(f)
                ),
                "these are other numbers: a fair baseline keeps the guide's own values, so that "
                "only their *meaning* is lost",
            ),
            Condition(
                lambda f: not _is_set_of_cells(f) or torch.equal(f(_GUIDE, 3), _GUIDE),
                "you moved the cells: each cell of the photo searches all of them, so nothing "
                "changes for the dream. Shuffle channels",
            ),
            Condition(
                lambda f: not all(torch.equal(f(_GUIDE, seed), _GUIDE) for seed in range(6)),
                "this is still the guide itself, whatever the seed",
            ),
            Condition(
                lambda f: torch.allclose(_cell_sums(f(_GUIDE, 3)), _cell_sums(_GUIDE)),
                "each cell is shuffled in its own way: use one order of the channels for the whole "
                "map, so that its cells still belong together",
            ),
            Mistake("shuffles the cells instead of the channels", _shuffled_cells),
            Mistake("shuffles every cell by itself", _each_cell_its_own),
            Mistake(
                "new random numbers",
                lambda features, seed: torch.rand(
                    features.shape, generator=torch.Generator().manual_seed(seed)
                ),
            ),
            Mistake("another order at every call", _no_seed),
            Mistake("gives the guide back", lambda features, seed: features.clone()),
        ),
        praise=(
            "same values, one new order of channels for the whole map: only the meaning of the "
            "guide is lost"
        ),
    ),
    Exercise(
        "used",
        "10",
        "How much of the guide is used?",
        5,
        1,
        lambda choice, count: len(set(choice.tolist())) / count,
        same=on(_CHOICE, 8, compare=near),
        checks=(
            Condition(
                lambda f: float(f(_CHOICE, 8)) <= 1,
                "a share lies between 0 and 1: divide by the number of the guide's cells",
            ),
            Mistake(
                "of the photo's cells",
                lambda choice, count: len(set(choice.tolist())) / len(choice),
                "you divide by the cells of the photo; asked is the share of the *guide's* cells",
            ),
            Mistake(
                "every choice counts",
                lambda choice, count: min(1.0, len(choice) / count),
                "count each cell of the guide once, however often it is chosen",
            ),
            Mistake(
                "the count instead of the share", lambda choice, count: len(set(choice.tolist()))
            ),
            Mistake("the highest number chosen", lambda choice, count: choice.max().item() / count),
        ),
        otherwise="close: how many *different* cells are chosen, over how many there are",
        praise="each cell that is chosen at least once counts once",
    ),
)
