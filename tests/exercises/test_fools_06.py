"""Lesson 06's checks turn down fixed numbers, ignored parameters, and the package's functions."""

import dreamkit as dk
from dreamkit.exercises import all_exercises

ROLL, JITTER, TILES = (all_exercises()[name].solution for name in ("roll", "jitter", "tiles"))

FOOLS = {
    "roll: dk.roll": ("roll", dk.roll),
    "roll: dk.roll wrapped": ("roll", lambda image, shift: dk.roll(image, shift)),
    "roll: the example's shift": ("roll", lambda image, shift: ROLL(image, (2, -5))),
    "roll: the picture itself": ("roll", lambda image, shift: image),
    "jitter: the example's shift": ("jitter", lambda x, step, shift: JITTER(x, step, (2, -5))),
    "jitter: only the step": ("jitter", lambda x, step, shift: step(x)),
    "jitter: step ignored": ("jitter", lambda x, step, shift: x),
    "tiles: dk.tiled_gradient": ("tiles", dk.tiled_gradient),
    "tiles: dk.tiled_gradient wrapped": (
        "tiles",
        lambda score, x, tile: dk.tiled_gradient(score, x, tile),
    ),
    "tiles: a tile of 5": ("tiles", lambda score, x, tile: TILES(score, x, 5)),
    "tiles: no tiles": ("tiles", lambda score, x, tile: dk.gradient(score, x)),
    "tiles: score ignored": (
        "tiles",
        lambda score, x, tile: TILES(lambda part: (part + part**3).mean(), x, tile),
    ),
}
