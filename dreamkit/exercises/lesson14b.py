"""Exercises of lesson 14b, the CS231n tour."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake
from .checking import close, normal, on


def _scaled(change, radius, length):
    return change * (radius / length) if length > radius else change


def _ball(change, radius):
    return _scaled(change, radius, change.norm())


def _same_in_balls(answer, other) -> bool:
    change = normal(1, 3, 4, 4)
    return all(close(answer(change, r), other(change, r)) for r in (0.7, 3.0, 50.0))


# Six channels: always awake, two awake in one picture, awake in one cell, never, only below zero.
_MAPS = torch.zeros(3, 6, 2, 2)
_MAPS[:, 0], _MAPS[0, 1], _MAPS[2, 2, 0, 1], _MAPS[:, 4], _MAPS[1, 5] = 1.0, 2.0, 0.5, -1.0, 2.0


EXERCISES = (
    Exercise(
        "into_the_ball",
        "14b",
        "Back into the ball",
        6,
        2,
        _ball,
        same=_same_in_balls,
        checks=(
            Mistake(
                "onto the sphere",
                lambda change, radius: change * (radius / change.norm()),
                "small changes are enlarged to the radius: leave those inside as they are",
            ),
            Mistake(
                "into the box",
                lambda change, radius: change.clamp(-radius, radius),
                "number by number is the box of the largest value, not the ball: scale all of it",
            ),
            Mistake(
                "radius forgotten",
                lambda change, radius: change / change.norm() if change.norm() > radius else change,
                "it has length 1 now, whatever the radius",
            ),
            Mistake(
                "thrown away",
                lambda change, radius: change * (change.norm() <= radius),
                "a change that is too long is thrown away: keep its direction and shorten it",
            ),
            Mistake(
                "root forgotten",
                lambda change, radius: _scaled(change, radius, change.square().sum()),
                "the length is the *root* of the sum of squares: .norm()",
            ),
        ),
        otherwise=(
            "not yet: change * radius / length where the length is above the radius, else change"
        ),
        cases=((normal(2, 5, seed=5), 2.0), (normal(1, 3, 2, 7, seed=6) / 50, 0.3)),
        praise=(
            "shortened where it must be, and never turned: the second half of every step of the "
            "search"
        ),
    ),
    Exercise(
        "silent_channels",
        "14b",
        "Who never speaks?",
        5,
        1,
        lambda maps: (maps <= 0).all(3).all(2).all(0),
        same=on(_MAPS),
        checks=(
            Condition(
                lambda f: f(_MAPS).shape == (6,),
                "one answer for each channel is wanted, [C]; the channels are dimension 1",
            ),
            Mistake(
                "first picture only",
                lambda maps: (maps[0] <= 0).flatten(1).all(1),
                "that asks the first picture only: another may wake the channel",
            ),
            Mistake(
                "some picture",
                lambda maps: (maps <= 0).flatten(2).all(2).any(0),
                "silent for *some* picture; it should be for all of them",
            ),
            Mistake(
                "some cell",
                lambda maps: (maps <= 0).flatten(2).any(2).all(0),
                "zero in *some* cell; any cell of any picture above 0 wakes a channel",
            ),
            Mistake(
                "exactly zero",
                lambda maps: (maps == 0).all(3).all(2).all(0),
                "exactly 0 misses a channel that is only ever below it: ask for <= 0",
            ),
            Mistake("pictures instead of channels", lambda maps: (maps <= 0).flatten(1).all(1)),
        ),
        otherwise="not yet: True where no cell of any picture is above 0",
        cases=((normal(2, 9, 1, 2, seed=7),), (normal(1, 4, 3, 1, seed=8) - 1,)),
        praise="silent for this collection; only other pictures can tell whether it is dead",
    ),
)
