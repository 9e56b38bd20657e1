"""Exercises of lesson 06, jitter and tiles."""

from __future__ import annotations

import torch

from ..ascent.gradients import gradient
from ..ascent.steps import roll
from . import Condition, Exercise, Mistake
from .checking import close, on, uniform

_PICTURE = uniform(1, 3, 12, 17, seed=6)
_OTHER = uniform(2, 3, 19, 11, seed=7)


def _roll(image, shift):
    dy, dx = shift
    rows = (torch.arange(image.shape[-2]) - dy) % image.shape[-2]
    columns = (torch.arange(image.shape[-1]) - dx) % image.shape[-1]
    return image[..., rows, :][..., columns]


def _stays(image, shift):
    """1 where the rolled picture shows what did not cross a border, 0 elsewhere."""
    rows, columns = (torch.arange(n) - s for n, s in zip(image.shape[-2:], shift, strict=True))
    inside = lambda index: ((index >= 0) & (index < len(index))).float()
    return inside(rows)[:, None] * inside(columns)


def _step(image: torch.Tensor) -> torch.Tensor:
    """A stand-in for one step: what it adds depends on the place, as a network's gradient does."""
    ramp = torch.linspace(0, 1, image.shape[-1]) + torch.linspace(0, 2, image.shape[-2])[:, None]
    return image + 0.1 * ramp


def _jittered(image, step, shift):
    dy, dx = shift
    return roll(step(roll(image, (dy, dx))), (-dy, -dx))


def _curved(x: torch.Tensor) -> torch.Tensor:
    return (x + x**3).mean()


def _tiles(score, image, tile, weigh=True):
    result = torch.zeros_like(image)
    height, width = image.shape[-2:]
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            part = image[..., top : top + tile, left : left + tile]
            share = part.shape[-2] * part.shape[-1] / (height * width) if weigh else 1
            result[..., top : top + tile, left : left + tile] = share * gradient(score, part)
    return result


def _unweighed(score, image, tile):
    return _tiles(score, image, tile, weigh=False)


def _drop_the_rest(score, image, tile):
    result = _tiles(score, image, tile)
    height, width = (side // tile * tile for side in image.shape[-2:])
    result[..., height:, :] = 0
    result[..., width:] = 0
    return result


def _one_share(score, image, tile):
    """Every tile has the same weight, also the narrow ones at the end."""
    count = -(-image.shape[-2] // tile) * -(-image.shape[-1] // tile)
    return _unweighed(score, image, tile) / count


def _largest(answer, image, tile):
    seen = [0]

    def score(x):
        seen[0] = max(seen[0], *x.shape[-2:])
        return _curved(x)

    answer(score, image, tile)
    return seen[0]


EXERCISES = (
    Exercise(
        "roll",
        "06",
        "A roll of your own",
        5,
        2,
        _roll,
        same=on(_PICTURE, (2, -5)),
        checks=(
            Condition(
                lambda f: f(_PICTURE, (2, -5)).shape == _PICTURE.shape,
                "the result should have the picture's shape: nothing is cut off",
            ),
            Condition(
                lambda f: close(f(_PICTURE, (0, 0)), _PICTURE),
                "a shift of (0, 0) should change nothing",
            ),
            Mistake(
                "moved the other direction",
                lambda image, shift: _roll(image, (-shift[0], -shift[1])),
                "it moves the other direction: a positive dy moves the picture down, a positive dx "
                "to the right",
            ),
            Mistake(
                "dy and dx exchanged",
                lambda image, shift: _roll(image, shift[::-1]),
                "dy and dx have changed places: dy moves down the rows, dx along them",
            ),
            Mistake(
                "one axis only",
                lambda image, shift: _roll(image, (shift[0], 0)),
                "it moves along one axis only: dy moves the rows, dx the columns",
            ),
            Mistake(
                "zeros come in",
                lambda image, shift: _roll(image, shift) * _stays(image, shift),
                "what leaves at one border should come in at the other, not zeros",
            ),
        ),
        otherwise="not yet: row y of the result is row y - dy of the picture, and so on around",
        cases=((_OTHER, (-7, 30)), (_OTHER.mT.contiguous(), (40, -1))),
        write=("roll",),
        praise="what leaves at one border comes in at the other: it equals dk.roll",
    ),
    Exercise(
        "jitter",
        "06",
        "A step with jitter",
        5,
        1,
        _jittered,
        same=on(_PICTURE, _step, (2, -5)),
        checks=(
            Condition(
                lambda f: close(f(_PICTURE, _step, (0, 0)), _step(_PICTURE)),
                "a shift of (0, 0) should give just the step",
            ),
            Mistake(
                "not rolled at all",
                lambda image, step, shift: step(image),
                "the shift changes nothing: roll the picture before the step",
            ),
            Mistake(
                "not rolled back",
                lambda image, step, shift: step(roll(image, shift)),
                "the picture comes out shifted: roll it back after the step",
            ),
            Mistake(
                "rolled on instead of back",
                lambda image, step, shift: roll(step(roll(image, shift)), shift),
                "the picture comes out shifted twice: the way back is (-dy, -dx)",
            ),
            Mistake(
                "dy and dx exchanged",
                lambda image, step, shift: _jittered(image, step, shift[::-1]),
                "dy and dx have changed places: dy moves down the rows, dx along them",
            ),
        ),
        cases=(
            (_OTHER, _step, (-4, 3)),
            (_OTHER.mT.contiguous(), lambda x: x * x.flip(-2), (0, 7)),
        ),
        otherwise="not yet: roll by (dy, dx), take the step, roll by (-dy, -dx)",
        praise=(
            "there, a step, and back: the picture stays where it was, and only the network's grid "
            "has moved"
        ),
    ),
    Exercise(
        "tiles",
        "06",
        "The gradient in tiles",
        10,
        3,
        _tiles,
        same=on(_curved, _PICTURE, 5),
        checks=(
            Condition(
                lambda f: f(_curved, _PICTURE, 5).shape == _PICTURE.shape,
                "the result should have the picture's shape",
            ),
            Condition(
                lambda f: close(f(_curved, _PICTURE, 20), gradient(_curved, _PICTURE), 1e-6),
                "with a tile larger than the picture it should be the plain gradient: is the last, "
                "smaller tile left out?",
            ),
            Condition(
                lambda f: all(_largest(f, _PICTURE, tile) <= tile for tile in (3, 5)),
                "the score sees more than one tile at a time, so no memory is saved: cut first, "
                "then take the gradient",
            ),
            Mistake(
                "tiles not weighed",
                _unweighed,
                "each tile is too strong: in a mean over few points each point counts for more; "
                "weigh the tile by its share",
            ),
            Condition(
                lambda f: close(f(_curved, _PICTURE, 5), gradient(_curved, _PICTURE), 1e-6),
                "tiles at the end are smaller, so they must weigh less: share = the tile's points "
                "over the picture's points",
            ),
            Mistake("the last tiles dropped", _drop_the_rest),
            Mistake("every tile the same share", _one_share),
            Mistake("the whole picture at once", lambda score, image, tile: gradient(score, image)),
        ),
        cases=((_curved, _OTHER[:1], 7), (lambda x: x.sin().mean(), _PICTURE, 4)),
        write=("tiled_gradient",),
        praise=(
            "for a mean over points the tiles give the plain gradient, with the memory of one tile"
        ),
    ),
)
