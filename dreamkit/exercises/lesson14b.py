"""Exercises of lesson 14b: growth, invariance and the CS231n tour."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# --- how far, in strangers


def _features() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    before = 2 + _random(1, 4, 3, 3)
    return (
        before,
        before + 0.3 * _random(1, 4, 3, 3, seed=1),
        before + 2 * _random(1, 4, 3, 3, seed=2),
    )


def _strangers(before, moved, stranger):
    return float((moved - before).norm() / (stranger - before).norm())


def _strangers_bare(before, moved, stranger):
    return float((moved - before).norm())


def _strangers_length(before, moved, stranger):
    return float((moved - before).norm() / before.norm())


def _strangers_upside_down(before, moved, stranger):
    return float((stranger - before).norm() / (moved - before).norm())


def _strangers_squared(before, moved, stranger):
    return float((moved - before).square().sum() / (stranger - before).square().sum())


def _strangers_each(before, moved, stranger):
    return float(((moved - before) / (stranger - before)).abs().mean())


def _near(answer, wrong):
    return abs(float(answer(*_features())) - wrong(*_features())) < 1e-4


# --- signs

_A, _B = torch.tensor([1.0, -1, 0, 0, 1, -1, 0, 1]), torch.tensor([1.0, 1, 0, 1, -1, -1, -1, 1])


def _signs(a, b):
    return float((a != b).double().mean())


# --- into the ball


def _ball(change, radius):
    length = change.norm()
    return change * (radius / length) if length > radius else change


def _ball_sphere(change, radius):
    return change * (radius / change.norm())


def _ball_box(change, radius):
    return change.clamp(-radius, radius)


def _ball_bare(change, radius):
    return change / change.norm() if change.norm() > radius else change


def _ball_zero(change, radius):
    return change if change.norm() <= radius else torch.zeros_like(change)


def _ball_squared(change, radius):
    length = change.square().sum()
    return change * (radius / length) if length > radius else change


def _same(answer, wrong):
    return all(
        torch.allclose(answer(_random(1, 3, 4, 4), r), wrong(_random(1, 3, 4, 4), r), atol=1e-5)
        for r in (0.7, 3.0, 50.0)
    )


# --- silent channels


def _maps() -> torch.Tensor:
    """Of six channels: one always awake, two for one picture each, one in one cell, one never, one only below zero."""
    maps = torch.zeros(3, 6, 2, 2)
    maps[:, 0], maps[0, 1], maps[2, 2, 0, 1], maps[:, 4], maps[1, 5] = 1.0, 2.0, 0.5, -1.0, 2.0
    return maps


def _silent(maps):
    return (maps <= 0).all(3).all(2).all(0)


def _silent_first(maps):
    return (maps[0] <= 0).flatten(1).all(1)


def _silent_somewhere(maps):
    return (maps <= 0).flatten(2).all(2).any(0)


def _silent_cell(maps):
    return (maps <= 0).flatten(2).any(2).all(0)


def _silent_pictures(maps):
    return (maps <= 0).flatten(1).all(1)


def _silent_zero(maps):
    return (maps == 0).all(3).all(2).all(0)


def _mask(answer, wrong):
    a, b = answer(_maps()), wrong(_maps())
    return a.shape == b.shape and bool((a.bool() == b).all())


EXERCISES = (
    Exercise(
        "in_strangers",
        "14b",
        "How far is far?",
        5,
        2,
        _strangers,
        (
            Condition(
                lambda f: not _near(f, _strangers_bare),
                "a bare distance: in what unit? Divide by the distance to the stranger",
            ),
            Condition(
                lambda f: not _near(f, _strangers_length),
                "divided by the length of the features: a layer that says nearly the same of everything would still pass",
            ),
            Condition(
                lambda f: not _near(f, _strangers_upside_down),
                "upside down: 0 should mean not moved at all",
            ),
            Condition(
                lambda f: not _near(f, _strangers_squared),
                "those are squared distances: take the root, or use .norm()",
            ),
            Condition(
                lambda f: _near(f, _strangers),
                "not yet: the length of (moved - before) over the length of (stranger - before)",
            ),
        ),
        (
            Mistake("distance without a unit", _strangers_bare),
            Mistake("in lengths of the features", _strangers_length),
            Mistake("upside down", _strangers_upside_down),
            Mistake("squared", _strangers_squared),
            Mistake("divided number by number", _strangers_each),
        ),
        "now 1 means: no more alike than two different photos, in any layer of any network",
    ),
    Exercise(
        "sign_distance",
        "14b",
        "Do two changes agree?",
        4,
        1,
        _signs,
        (
            Condition(
                lambda f: float(f(_A, _B)) != 4,
                "a count; layers differ in size, so give the share of all components",
            ),
            Condition(
                lambda f: float(f(_A, _A)) < 0.5,
                "two that are the same come out as far apart: this is the share that *agrees*",
            ),
            Condition(
                lambda f: abs(float(f(_A, _B)) - 0.75) > 1e-6,
                "half of it too much: -1 against 1 is one difference, not two",
            ),
            Condition(
                lambda f: abs(float(f(_A, _B)) - 0.25) > 1e-6,
                "a product below 0 finds opposites only: 0 against 1 differs as well",
            ),
            Condition(
                lambda f: (
                    abs(float(f(_A, _B)) - 0.5) < 1e-6
                    and float(f(_A, _A)) == 0
                    and float(f(_A[:2], -_A[:2])) == 1
                ),
                "not yet: the mean of (a != b)",
            ),
        ),
        (
            Mistake("count instead of share", lambda a, b: float((a != b).sum())),
            Mistake("share that agrees", lambda a, b: float((a == b).double().mean())),
            Mistake("absolute difference", lambda a, b: float((a - b).abs().mean())),
            Mistake("opposites only", lambda a, b: float((a * b < 0).double().mean())),
        ),
        "the Hamming distance of the signs, as in Zeiler & Fergus's table",
    ),
    Exercise(
        "into_the_ball",
        "14b",
        "Back into the ball",
        6,
        2,
        _ball,
        (
            Condition(
                lambda f: not _same(f, _ball_sphere),
                "small changes are blown up to the radius: leave those inside alone",
            ),
            Condition(
                lambda f: not _same(f, _ball_box),
                "number by number is the box of the largest value, not the ball: scale all of it",
            ),
            Condition(
                lambda f: not _same(f, _ball_bare), "it has length 1 now, whatever the radius"
            ),
            Condition(
                lambda f: not _same(f, _ball_zero),
                "what is too long is thrown away: keep its direction and shorten it",
            ),
            Condition(
                lambda f: not _same(f, _ball_squared),
                "the length is the *root* of the sum of squares: .norm()",
            ),
            Condition(
                lambda f: _same(f, _ball),
                "not yet: change * radius / length where the length is above the radius, else change",
            ),
        ),
        (
            Mistake("onto the sphere", _ball_sphere),
            Mistake("into the box", _ball_box),
            Mistake("radius forgotten", _ball_bare),
            Mistake("thrown away", _ball_zero),
            Mistake("root forgotten", _ball_squared),
        ),
        "shortened where it must be, and never turned: the second half of every step of the search",
    ),
    Exercise(
        "silent_channels",
        "14b",
        "Who never speaks?",
        5,
        1,
        _silent,
        (
            Condition(
                lambda f: f(_maps()).shape == (6,),
                "one answer a channel is wanted, [C]; the channels are dimension 1",
            ),
            Condition(
                lambda f: not _mask(f, _silent_first),
                "that asks the first picture only: another may wake it",
            ),
            Condition(
                lambda f: not _mask(f, _silent_somewhere),
                "silent for *some* picture; it should be for all of them",
            ),
            Condition(
                lambda f: not _mask(f, _silent_cell),
                "zero in *some* cell; any cell of any picture above 0 wakes a channel",
            ),
            Condition(
                lambda f: not _mask(f, _silent_zero),
                "exactly 0 misses a channel that is only ever below it: ask for <= 0",
            ),
            Condition(
                lambda f: _mask(f, _silent), "not yet: True where no cell of no picture is above 0"
            ),
        ),
        (
            Mistake("pictures instead of channels", _silent_pictures),
            Mistake("first picture only", _silent_first),
            Mistake("some picture", _silent_somewhere),
            Mistake("some cell", _silent_cell),
            Mistake("exactly zero", _silent_zero),
        ),
        "silent for this collection; whether dead, only other pictures can tell",
    ),
)
