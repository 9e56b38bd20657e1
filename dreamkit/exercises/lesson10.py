"""Exercises of lesson 10, guided dreams: which cell of the guide matches, how a guide is spoilt on purpose, and which cells are used."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake


def _maps(seed: int, height: int, width: int) -> torch.Tensor:
    """Features [1, 5, height, width] of which some cells are much louder than others."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 5, height, width, generator=generator) * (
        0.3 + 3 * torch.rand(1, 1, height, width, generator=generator)
    )


_PHOTO, _GUIDE = _maps(1, 4, 5), _maps(2, 3, 2)


def _columns(features):
    return features[0].flatten(1)


def _matches(photo, guide):
    return (_columns(photo).T @ _columns(guide)).argmax(1)


def _by_cosine(photo, guide):
    unit = torch.nn.functional.normalize
    return (unit(_columns(photo), dim=0).T @ unit(_columns(guide), dim=0)).argmax(1)


def _by_distance(photo, guide):
    return torch.cdist(_columns(photo).T, _columns(guide).T).argmin(1)


def _same(given, expected) -> bool:
    given = torch.as_tensor(given).flatten()
    return given.shape == expected.flatten().shape and torch.equal(given.long(), expected.flatten())


def _shuffled(features, seed):
    order = torch.randperm(features.shape[1], generator=torch.Generator().manual_seed(seed))
    return features[:, order]


def _shuffled_cells(features, seed):
    flat = features.flatten(2)
    order = torch.randperm(flat.shape[2], generator=torch.Generator().manual_seed(seed))
    return flat[:, :, order].reshape(features.shape)


def _each_cell_its_own(features, seed):
    generator = torch.Generator().manual_seed(seed)
    cells = features.flatten(2)[0].T
    return torch.stack(
        [cell[torch.randperm(len(cell), generator=generator)] for cell in cells]
    ).T.reshape(features.shape)


def _fresh_noise(features, seed):
    return torch.rand(features.shape, generator=torch.Generator().manual_seed(seed))


_unseeded = torch.Generator().manual_seed(
    0
)  # stands for the global generator, which no seed sets back


def _no_seed(features, seed):
    return features[:, torch.randperm(features.shape[1], generator=_unseeded)]


def _rolled(features, seed):
    return features.roll(0, 1)


def _is_set_of_cells(f) -> bool:
    """Whether the result's cells are the old ones in another order: for a guide nothing has changed."""
    old, new = _columns(_GUIDE).T, _columns(f(_GUIDE, 3)).T
    return all(any(torch.equal(cell, other) for other in old) for cell in new)


def _used(choice, count):
    return len(set(choice.tolist())) / count


_CHOICE = torch.tensor([4, 4, 1, 4, 7, 1, 4, 4, 4, 1, 7, 4])


EXERCISES = (
    Exercise(
        "match",
        "10",
        "Which cell of the guide?",
        8,
        2,
        _matches,
        (
            Condition(
                lambda f: torch.as_tensor(f(_PHOTO, _GUIDE)).numel() != 5 * 20,
                "the matching features themselves come back: wanted is *which* cell of the guide it is, one number for each "
                "cell of the photo",
            ),
            Condition(
                lambda f: torch.as_tensor(f(_PHOTO, _GUIDE)).numel() == 20,
                "one answer for each of the photo's 20 cells is wanted: each cell looks through all cells of the guide, not "
                "the other way round",
            ),
            Condition(
                lambda f: not _same(f(_PHOTO, _GUIDE), _by_cosine(_PHOTO, _GUIDE)),
                "you compare directions only (the cosine): the guide of 2015 takes the plain inner product, in which loud "
                "cells count more",
            ),
            Condition(
                lambda f: not _same(f(_PHOTO, _GUIDE), _by_distance(_PHOTO, _GUIDE)),
                "you take the nearest cell: wanted is the one with the greatest inner product, however far away",
            ),
            Condition(
                lambda f: _same(f(_PHOTO, _GUIDE), _matches(_PHOTO, _GUIDE)),
                "one number a cell, but not the place of the greatest inner product (argmax along the guide's cells)",
            ),
        ),
        (
            Mistake("the cosine instead of the inner product", _by_cosine),
            Mistake("the nearest cell", _by_distance),
            Mistake(
                "the argmax over the photo's cells",
                lambda p, g: (_columns(p).T @ _columns(g)).argmax(0),
            ),
            Mistake(
                "the features instead of the index", lambda p, g: _columns(g)[:, _matches(p, g)]
            ),
            Mistake("the least product", lambda p, g: (_columns(p).T @ _columns(g)).argmin(1)),
        ),
        "each cell of the photo finds the cell of the guide with the greatest inner product",
    ),
    Exercise(
        "spoil",
        "10",
        "A guide spoilt on purpose",
        6,
        2,
        _shuffled,
        (
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
                "these are other numbers: a fair baseline keeps the guide's own values, so that only their *meaning* is lost",
            ),
            Condition(
                lambda f: not _is_set_of_cells(f) or torch.equal(f(_GUIDE, 3), _GUIDE),
                "you moved the cells about: each cell of the photo searches all of them, so for the dream nothing has "
                "changed. Shuffle channels",
            ),
            Condition(
                lambda f: not all(torch.equal(f(_GUIDE, seed), _GUIDE) for seed in range(6)),
                "this is still the guide itself, whatever the seed",
            ),
            Condition(
                lambda f: torch.allclose(
                    f(_GUIDE, 3).flatten(2).sum(2).sort(1).values,
                    _GUIDE.flatten(2).sum(2).sort(1).values,
                ),
                "each cell is shuffled in its own way: one order of the channels for the whole map, so that its cells still "
                "belong together",
            ),
        ),
        (
            Mistake("shuffles the cells instead of the channels", _shuffled_cells),
            Mistake("shuffles every cell by itself", _each_cell_its_own),
            Mistake("new random numbers", _fresh_noise),
            Mistake("another order at every call", _no_seed),
            Mistake("gives the guide back", _rolled),
        ),
        "same values, one new order of channels for the whole map: everything about the guide is kept but its meaning",
    ),
    Exercise(
        "used",
        "10",
        "How much of the guide is used?",
        5,
        1,
        _used,
        (
            Condition(
                lambda f: float(f(_CHOICE, 8)) <= 1,
                "a share lies between 0 and 1: divide by the number of the guide's cells",
            ),
            Condition(
                lambda f: abs(float(f(_CHOICE, 8)) - 3 / 12) > 1e-6,
                "you divide by the cells of the photo; asked is the share of the *guide's* cells",
            ),
            Condition(
                lambda f: abs(float(f(_CHOICE, 8)) - 1) > 1e-6,
                "count each cell of the guide once, however often it is chosen",
            ),
            Condition(
                lambda f: abs(float(f(_CHOICE, 8)) - 3 / 8) < 1e-6,
                "close: how many *different* cells are chosen, over how many there are",
            ),
        ),
        (
            Mistake("the count instead of the share", lambda c, n: len(set(c.tolist()))),
            Mistake("of the photo's cells", lambda c, n: len(set(c.tolist())) / len(c)),
            Mistake("every choice counts", lambda c, n: min(1.0, len(c) / n)),
            Mistake("the highest number chosen", lambda c, n: c.max().item() / n),
        ),
        "each cell that is chosen at least once counts once",
    ),
)
