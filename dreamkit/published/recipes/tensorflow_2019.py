"""TensorFlow's DeepDream tutorial (2019), in its plain and its tiled form."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ...ascent.gradients import Score, gradient, warn_if_silent
from ...ascent.steps import ascend, normalize, roll
from ...networks.network import Network
from ...objectives.objective import Objective
from ...objectives.scorer import scorer
from ...pictures.image import Image
from ...pictures.scales import resize
from .recipe_arguments import checked


@checked("jitter")
def tensorflow(
    network: Network,
    objective: Objective,
    image: Image,
    *,
    steps: int = 50,
    step_size: float = 0.01,
    octaves: int = 5,
    octave_ratio: float = 1.3,
    jitter: int | None = None,
    tile: int = 0,
    seed: int = 0,
) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of TensorFlow's tutorial (2019).

    The gradient is divided by its standard deviation plus 1e-8. The sizes lie around the photo's
    own size (octave_ratio^-2 … octave_ratio^2 for five octaves), and the whole picture is resized.
    The plain form (`tile=0`) has no jitter and cuts the picture down to 8 bits after each octave.
    The tiled form (in the tutorial tile=512, steps=100) keeps the fractions up to the last octave.

    Both forms end alike: the picture is cut down to 8 bits, which drops the fraction, and resized
    to the photo's size, which the last picture therefore has. Then `tf.image.convert_image_dtype`
    multiplies it by 255.5, where 1 is white, and drops the fraction again; it does not round.

    The published objective is the sum of mean a at mixed3 and mixed5; here it is
    `dk.layer(name, power=1) + dk.layer(other, power=1)`.

    Args:
        steps: gradient steps in each octave.
        step_size: step in units of [-1, 1] for each standard deviation of the gradient.
        octaves, octave_ratio: number of sizes, and their ratio (there: range(-2, 3), OCTAVE_SCALE).
        jitter: random shifts are drawn from [-jitter, jitter) pixels; None means `tile`.
        tile: side of the tiles in pixels, 0 for none (there: tile_size).

    >>> from dreamkit import layer, load_network
    >>> picture = torch.linspace(0.1, 0.9, 3 * 40 * 56).view(1, 3, 40, 56)
    >>> film = tensorflow(load_network("dreamnet"), layer("conv1", power=1), picture, steps=1)
    >>> [tuple(p.shape[-2:]) for p in film]
    [(23, 33), (30, 43), (40, 56), (52, 72), (40, 56)]
    """
    score = scorer(network, objective)
    generator = torch.Generator().manual_seed(seed)
    silent = False
    jitter = tile if jitter is None else jitter
    powers = range(-(octaves // 2), (octaves + 1) // 2)
    sizes = [_scaled(image.shape[-2:], octave_ratio**k) for k in powers]
    x = image.detach()
    for octave, size in enumerate(sizes, 1):
        x = resize(x, size, "bilinear")
        for step in range(1, steps + 1):
            dy, dx = _draw_shift(jitter, generator)
            x = roll(x, (dy, dx))
            g = most_tiles(score, x, tile) if tile else gradient(score, x)
            g = g / 2  # with respect to 2 x - 1
            silent = silent or warn_if_silent(g, score)
            x = ascend(x, normalize(g, by="std", epsilon=1e-8), step_size / 2)
            x = roll(x, (-dy, -dx))
            if step == steps and (octave == octaves or not tile):
                x = torch.floor(x * 255) / 255  # tf.cast to uint8
            if step == steps and octave == octaves:
                x = resize(x, image.shape[-2:], "bilinear")
                x = torch.floor(x * 255.5) / 255  # tf.image.convert_image_dtype to uint8
            yield x


def most_tiles(score: Score, image: Image, tile: int) -> Tensor:
    """The gradient [N, 3, H, W] in tiles, with zeros where the tutorial's loop has no tile.

    Along each side the loop drops the last tile, unless there is only one.
    """
    result = torch.zeros_like(image)
    tops, lefts = (list(range(0, side, tile))[:-1] or [0] for side in image.shape[-2:])
    for top in tops:
        for left in lefts:
            here = (..., slice(top, top + tile), slice(left, left + tile))
            result[here] = gradient(score, image[here])
    return result


def _scaled(sides: torch.Size, factor: float) -> list[int]:
    """The sides times the factor, in float32 as in TensorFlow: 130 / 1.3 is 100 there, not 99."""
    return [int(np.float32(side) * np.float32(factor)) for side in sides]


def _draw_shift(jitter: int, generator: torch.Generator) -> tuple[int, int]:
    if not jitter:
        return 0, 0
    dy, dx = torch.randint(-jitter, jitter, (2,), generator=generator).tolist()
    return dy, dx
