"""Lesson 14b's checks turn down what only looks right: fixed shapes and ignored arguments."""

import torch

from dreamkit.exercises import all_exercises

SILENT, BALL = (all_exercises()[name].solution for name in ("silent_channels", "into_the_ball"))

FOOLS = {
    "six channels": ("silent_channels", lambda maps: SILENT(maps[:, :6])),
    "three pictures": (
        "silent_channels",
        lambda maps: (maps.reshape(3, -1, 2, 2) <= 0).all((0, 2, 3)),
    ),
    "the answer of the example": (
        "silent_channels",
        lambda maps: torch.tensor([False, False, False, True, True, False]),
    ),
    "the mean is 0": ("silent_channels", lambda maps: maps.mean((0, 2, 3)) <= 0),
    "a radius of its own": ("into_the_ball", lambda change, radius: BALL(change, 3.0)),
    "half the change": ("into_the_ball", lambda change, radius: BALL(change, radius) / 2),
    "the first picture's length": (
        "into_the_ball",
        lambda change, radius: change * min(1, radius / float(change[:1, :1].norm())),
    ),
}
