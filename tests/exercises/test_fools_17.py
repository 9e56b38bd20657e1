"""Lesson 17's checks turn down fixed numbers, ignored parameters, and the package's functions."""

import dreamkit as dk
from dreamkit.exercises import all_exercises

TILES, PRICE = (
    all_exercises()[name].solution for name in ("tiles_with_overlap", "price_of_overlap")
)

FOOLS = {
    "tiles: dk.tiled_gradient": (
        "tiles_with_overlap",
        lambda score, x, core, reach: dk.tiled_gradient(score, x, core),
    ),
    "tiles: in one": ("tiles_with_overlap", lambda score, x, core, reach: dk.gradient(score, x)),
    "tiles: core of 5": ("tiles_with_overlap", lambda f, x, core, reach: TILES(f, x, 5, reach)),
    "tiles: reach of 1": ("tiles_with_overlap", lambda f, x, core, reach: TILES(f, x, core, 1)),
    "tiles: a full reach": ("tiles_with_overlap", lambda f, x, core, reach: TILES(f, x, core, 9)),
    "tiles: one picture": (
        "tiles_with_overlap",
        lambda f, x, core, reach: TILES(f, x[:1], core, reach),
    ),
    "tiles: score ignored": (
        "tiles_with_overlap",
        lambda f, x, core, reach: TILES(lambda p: p.square().sum(), x, core, reach),
    ),
    "price: reach of 8": ("price_of_overlap", lambda side, core, reach: PRICE(side, core, 8)),
    "price: the example": ("price_of_overlap", lambda side, core, reach: PRICE(100, 30, 8)),
    "price: a tile in the middle": (
        "price_of_overlap",
        lambda side, core, reach: ((core + 2 * reach) / core) ** 2,
    ),
}


def test_a_full_reach_gives_the_gradient_of_the_whole():
    import torch

    weights = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)).double()
    score = lambda x: torch.nn.functional.conv2d(x, weights, padding=2).square().sum()
    x = dk.noise(19, 23).double()
    assert torch.allclose(TILES(score, x, 6, 3), dk.gradient(score, x))
    assert not torch.allclose(TILES(score, x, 6, 2), dk.gradient(score, x))
