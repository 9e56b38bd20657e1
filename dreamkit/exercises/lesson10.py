"""Exercises of lesson 10, guided dreams: the objective, its effect, and a guide spoilt."""

from __future__ import annotations

import torch
from torch.nn.functional import normalize

from . import Condition, Exercise, Mistake
from .checking import near, on


def _maps(seed: int, height: int, width: int, channels: int = 5, count: int = 1) -> torch.Tensor:
    """Features [count, channels, height, width]; some positions are much louder than others."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, channels, height, width, generator=generator) * (
        0.3 + 3 * torch.rand(count, 1, height, width, generator=generator)
    )


_PHOTO, _GUIDE = _maps(1, 4, 5), _maps(2, 3, 2)


def _nearly(given, wanted) -> bool:
    return near(given, wanted, 1e-3)


def _columns(features):
    return features[0].flatten(1)


def _products(photo, guide):
    return _columns(photo).T @ _columns(guide)


def _guided(features, guide):
    return _products(features, guide).max(1).values.sum()


def _has_slope(function, features, guide) -> bool:
    """Whether the gradient in the features is each position's match."""
    features = features.clone().requires_grad_()
    (slope,) = torch.autograd.grad(function(features, guide), features)
    match = _columns(guide)[:, _products(features, guide).argmax(1)]
    return torch.allclose(_columns(slope), match, atol=1e-4)


_A, _B = _maps(3, 3, 4), _maps(4, 3, 4)


def _means(a, b):
    return a.mean((0, 2, 3)), b.mean((0, 2, 3))


def _likeness(a, b):
    return torch.corrcoef(torch.stack(_means(a, b)))[0, 1].item()


def _moved(features):
    return features.flatten(2).flip(-1).roll(1, -1).reshape(features.shape)


def _order(count, seed):
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


def _shuffled_cells(features, seed):
    flat = features.flatten(2)
    return flat[:, :, _order(flat.shape[2], seed)].reshape(features.shape)


def _each_cell_its_own(features, seed):
    cells = [cell[_order(len(cell), seed + k)] for k, cell in enumerate(_columns(features).T)]
    return torch.stack(cells, 1).reshape(features.shape)


_unseeded = torch.Generator().manual_seed(0)  # like the global generator: no seed resets it


def _no_seed(features, seed):
    return features[:, torch.randperm(features.shape[1], generator=_unseeded)]


def _is_set_of_cells(f) -> bool:
    """Whether the positions are the old ones in another order, which changes nothing."""
    old, new = _columns(_GUIDE).T, _columns(f(_GUIDE, 3)).T
    return all(any(torch.equal(cell, other) for other in old) for cell in new)


def _one_order(f, features) -> bool:
    """Whether the result has the old channels as they were, in another order."""
    old, new = _columns(features), _columns(f(features, 4))
    return torch.equal(old.sort(0).values, new.sort(0).values) and all(
        any(torch.equal(channel, other) for other in old) for channel in new
    )


def _is_random(f, features) -> bool:
    """Whether, over six seeds, every channel moves at times, and not all by the same number."""
    orders = [f(features, seed) for seed in range(6)]
    moved = torch.stack([(order != features).any(-1).any(-1) for order in orders])
    return bool(moved.any(0).all()) and not all(
        any(torch.equal(order, features.roll(k, 1)) for k in range(12)) for order in orders
    )


_MANY = _maps(5, 2, 4, channels=12)


EXERCISES = (
    Exercise(
        "guided",
        "10",
        "The guided objective",
        8,
        2,
        _guided,
        same=on(_PHOTO, _GUIDE, compare=_nearly),
        checks=(
            Condition(
                lambda f: torch.as_tensor(f(_PHOTO, _GUIDE)).numel() == 1,
                "an objective is one number: add up what the positions found",
            ),
            Mistake(
                "every product",
                lambda x, y: _products(x, y).sum(),
                "you add up the products with *all* positions of the guide: each position of the "
                "photo has one match, the one with the greatest product",
            ),
            Mistake(
                "the guide looks for the photo",
                lambda x, y: _products(x, y).max(0).values.sum(),
                "each position of the *guide* finds a match here: it is the photo's positions "
                "that look",
            ),
            Mistake(
                "the cosine",
                lambda x, y: _guided(normalize(x), normalize(y)),
                "you compare directions only (the cosine): the objective of 2015 takes the plain "
                "dot product",
            ),
            Condition(
                lambda f: _has_slope(f, _PHOTO, _GUIDE),
                "the number is right, but its gradient is not: do not detach the photo's features",
            ),
            Mistake("detached", lambda x, y: _guided(x.detach(), y) + 0 * x.sum()),
        ),
        otherwise="close: for each position of the photo its greatest dot product, and their sum",
        cases=(
            (_maps(6, 3, 7, channels=8), _maps(7, 5, 5, channels=8)),
            (_maps(8, 6, 2, channels=3) - 1, _maps(9, 1, 4, channels=3) - 1),
        ),
        compare=_nearly,
        write=("guide",),
        praise="each position of the photo finds its match, and its gradient is that match",
    ),
    Exercise(
        "likeness",
        "10",
        "How alike?",
        7,
        2,
        _likeness,
        same=on(_A, _B, compare=_nearly),
        checks=(
            Condition(
                lambda f: torch.as_tensor(f(_A, _B)).numel() == 1,
                "one number is wanted: of the 2 × 2 matrix the entry beside the diagonal",
            ),
            Condition(
                lambda f: _nearly(f(_A, _moved(_B)), f(_A, _B)),
                "moving the positions changes your number: take each channel's mean first",
            ),
            Condition(
                lambda f: _nearly(f(_A, 3 * _A), 1.0),
                "a picture should be 1 like itself, also when every feature is three times as "
                "strong: divide by the lengths",
            ),
            Condition(
                lambda f: _nearly(f(_A + 5, _B), f(_A, _B)),
                "adding 5 to every channel changes your number: subtract each list's mean first",
            ),
            Mistake(
                "the cosine", lambda a, b: torch.cosine_similarity(*_means(a, b), dim=0).item()
            ),
            Mistake(
                "position by position",
                lambda a, b: torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1],
            ),
            Mistake("the covariance", lambda a, b: torch.cov(torch.stack(_means(a, b)))[0, 1]),
            Mistake("the whole matrix", lambda a, b: torch.corrcoef(torch.stack(_means(a, b)))),
        ),
        otherwise="close, but not the correlation of the two lists of channel means",
        cases=((_maps(3, 5, 2, channels=7), _maps(4, 2, 6, channels=7)), (_GUIDE, _A)),
        compare=_nearly,
        praise="the correlation of the channel means: 1 for the same picture",
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
                "the shape changed: a spoilt guide has the channels and positions of the real one",
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
                "these are other numbers: a fair control keeps the guide's own values, so that "
                "only their *meaning* is lost",
            ),
            Condition(
                lambda f: not _is_set_of_cells(f) or torch.equal(f(_GUIDE, 3), _GUIDE),
                "you moved the positions: each position of the photo searches all of them, so "
                "nothing changes for the dream. Shuffle channels",
            ),
            Condition(
                lambda f: _one_order(f, _MANY),
                "each position is shuffled in its own way: use one order of the channels for the "
                "whole map, so that its positions still belong together",
            ),
            Condition(
                lambda f: len({str(f(_MANY, seed).tolist()) for seed in range(6)}) > 3,
                "other seeds give no other order: draw it with a generator that has this seed",
            ),
            Condition(
                lambda f: _is_random(f, _MANY),
                "the channels are only shifted, or some never move: use a random order of all",
            ),
            Mistake("shuffles the positions instead of the channels", _shuffled_cells),
            Mistake("shuffles every position by itself", _each_cell_its_own),
            Mistake("another order at every call", _no_seed),
            Mistake("the seed ignored", lambda features, seed: features.flip(1)),
            Mistake("shifted by the seed", lambda features, seed: features.roll(seed + 1, 1)),
        ),
        praise=(
            "same values, one new order of channels for the whole map: only the meaning of the "
            "guide is lost"
        ),
    ),
)
