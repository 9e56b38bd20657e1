"""Exercises of lesson 06, jitter and tiles."""

from __future__ import annotations

import torch

from ..ascent.gradients import gradient
from ..ascent.steps import roll
from . import Condition, Exercise, Mistake


def _picture(height: int = 12, width: int = 17) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(6))


def _step(image: torch.Tensor) -> torch.Tensor:
    """Stands in for one step: what it adds depends on the place, as a network's gradient does."""
    ramp = torch.linspace(0, 1, image.shape[-1]) + torch.linspace(0, 2, image.shape[-2])[:, None]
    return image + 0.1 * ramp


def _jittered(image, step, shift):
    dy, dx = shift
    return roll(step(roll(image, (dy, dx))), (-dy, -dx))


def _not_back(image, step, shift):
    return step(roll(image, shift))


def _twice(image, step, shift):
    return roll(step(roll(image, shift)), shift)


def _crossed(image, step, shift):
    dy, dx = shift
    return roll(step(roll(image, (dx, dy))), (-dx, -dy))


def _no_roll(image, step, shift):
    return step(image)


def _curved(x: torch.Tensor) -> torch.Tensor:
    return (x + x**3).mean()


def _tiles(score, image, tile):
    result = torch.zeros_like(image)
    height, width = image.shape[-2:]
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            part = image[..., top : top + tile, left : left + tile]
            share = part.shape[-2] * part.shape[-1] / (height * width)
            result[..., top : top + tile, left : left + tile] = share * gradient(score, part)
    return result


def _tiles_unweighed(score, image, tile):
    result = torch.zeros_like(image)
    for top in range(0, image.shape[-2], tile):
        for left in range(0, image.shape[-1], tile):
            result[..., top : top + tile, left : left + tile] = gradient(
                score, image[..., top : top + tile, left : left + tile]
            )
    return result


def _tiles_drop_the_rest(score, image, tile):
    result = torch.zeros_like(image)
    height, width = image.shape[-2:]
    for top in range(0, height - tile + 1, tile):
        for left in range(0, width - tile + 1, tile):
            share = tile * tile / (height * width)
            result[..., top : top + tile, left : left + tile] = share * gradient(
                score, image[..., top : top + tile, left : left + tile]
            )
    return result


def _tiles_one_share(score, image, tile):
    """Every tile weighs the same, also the narrow ones at the end."""
    count = -(-image.shape[-2] // tile) * -(-image.shape[-1] // tile)
    return _tiles_unweighed(score, image, tile) / count


def _tiles_whole(score, image, tile):
    """Each tile is cut from the gradient of the whole picture: right, and no memory saved."""
    return gradient(score, image)


def _largest(answer, image, tile):
    seen = [0]

    def score(x):
        seen[0] = max(seen[0], *x.shape[-2:])
        return _curved(x)

    answer(score, image, tile)
    return seen[0]


def _close(a, b):
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-6)


def _jitter_is(answer, wrong, shift=(2, -5)):
    return _close(answer(_picture(), _step, shift), wrong(_picture(), _step, shift))


EXERCISES = (
    Exercise(
        "jitter",
        "06",
        "A step with jitter",
        5,
        1,
        _jittered,
        (
            Condition(
                lambda f: _close(f(_picture(), _step, (0, 0)), _step(_picture())),
                "a shift of (0, 0) should give just the step",
            ),
            Condition(
                lambda f: not _jitter_is(f, _no_roll),
                "the shift changes nothing: roll the picture before the step",
            ),
            Condition(
                lambda f: not _jitter_is(f, _not_back),
                "the picture comes out shifted: roll it back after the step",
            ),
            Condition(
                lambda f: not _jitter_is(f, _twice),
                "the picture comes out shifted twice: the way back is (-dy, -dx)",
            ),
            Condition(
                lambda f: not _jitter_is(f, _crossed),
                "dy and dx have changed places: dy moves down the rows, dx along them",
            ),
            Condition(
                lambda f: _jitter_is(f, _jittered),
                "not yet: roll by (dy, dx), take the step, roll by (-dy, -dx)",
            ),
        ),
        (
            Mistake("not rolled back", _not_back),
            Mistake("rolled on instead of back", _twice),
            Mistake("dy and dx exchanged", _crossed),
            Mistake("not rolled at all", _no_roll),
        ),
        "there, a step, and back: the picture stays where it was, and only the network's grid has moved",
    ),
    Exercise(
        "tiles",
        "06",
        "The gradient in tiles",
        10,
        3,
        _tiles,
        (
            Condition(
                lambda f: f(_curved, _picture(), 5).shape == _picture().shape,
                "the result should have the picture's shape",
            ),
            Condition(
                lambda f: _close(f(_curved, _picture(), 20), gradient(_curved, _picture())),
                "with a tile larger than the picture it should be the plain gradient: is the last, smaller tile left out?",
            ),
            Condition(
                lambda f: _largest(f, _picture(), 5) <= 5,
                "the score is asked about more than one tile at a time, so no memory is saved: cut first, then take the gradient",
            ),
            Condition(
                lambda f: (
                    not _close(f(_curved, _picture(), 5), _tiles_unweighed(_curved, _picture(), 5))
                ),
                "each tile is too strong: in a mean over few points each counts for more; weigh the tile by its share",
            ),
            Condition(
                lambda f: _close(f(_curved, _picture(), 5), gradient(_curved, _picture())),
                "tiles at the end are smaller, so they must weigh less: share = the tile's points over the picture's points",
            ),
        ),
        (
            Mistake("tiles not weighed", _tiles_unweighed),
            Mistake("the last tiles dropped", _tiles_drop_the_rest),
            Mistake("every tile the same share", _tiles_one_share),
            Mistake("the whole picture at once", _tiles_whole),
        ),
        "for a mean over points the tiles give the plain gradient, with the memory of one tile",
    ),
    Exercise(
        "shifts",
        "06",
        "How many shifts?",
        3,
        1,
        33 * 33,
        (
            Condition(
                lambda a: a not in (33, 32, 16),
                "that is one axis: height and width are drawn independently",
            ),
            Condition(lambda a: a not in (16 * 16, 17 * 17), "shifts go both ways, from -16 to 16"),
            Condition(
                lambda a: a != 32 * 32, "from -16 to 16 there are not 32 numbers: count the zero"
            ),
            Condition(
                lambda a: a == 33 * 33,
                "not this: count the whole numbers from -16 to 16, then the pairs (dy, dx)",
            ),
        ),
        (
            Mistake("one axis", 33),
            Mistake("one direction", 256),
            Mistake("zero not counted", 1024),
            Mistake("axes added", 66),
        ),
        "33 × 33 = 1089 pairs, each as likely as the next",
    ),
)
