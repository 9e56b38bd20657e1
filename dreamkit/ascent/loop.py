"""DeepDream: gradient ascent on a picture, from small to large. It knows no network, only a score.

`_dream_steps` is the whole algorithm; lesson 08 writes the same lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from ..pictures.drawing import draw_seed
from ..pictures.image import Image, check_values
from ..pictures.scales import octaves, resize
from . import _lean
from .gradients import Score, gradient, tiled_gradient, warn_if_silent
from .settings import Settings
from .steps import ascend, draw_shift, normalize, roll, scale_chroma, smooth, smooth_laplacian

LARGE = 1024**2  # pixels; above this, `_lean` takes the same steps in less memory


def dreaming(score: Score, image: Image, settings: Settings | None = None) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of a dream, octave by octave from small to large.

    Each octave starts from the original picture of its size plus the detail found so far, so no
    octave has to repeat what resizing would have blurred (google/deepdream, 2015).

    Args:
        score: any function from a picture [N, 3, h, w] to one number; more is better.
        image: [N, 3, H, W], every value in [0, 1].
        settings: the numbers of the dream; `Settings()` by default.

    Raises ValueError for an image of another form or range. Warns once if the gradient is zero.

    >>> picture = torch.full((1, 3, 8, 8), 0.5)
    >>> pictures = list(dreaming(lambda x: x.mean(), picture, Settings(steps=2, octaves=2)))
    >>> [tuple(p.shape[-2:]) for p in pictures]
    [(6, 6), (6, 6), (8, 8), (8, 8)]
    """
    check_values(image)
    settings = settings or Settings()
    if math.prod(image.shape[-2:]) > LARGE:
        return _lean.dream_steps(score, image.detach(), settings)
    return _dream_steps(score, image.detach(), settings)


def dream(score: Score, image: Image, settings: Settings | None = None) -> Image:
    """The dream [N, 3, H, W]: the last picture of `dreaming`, or the image if steps is 0."""
    result = image
    for result in dreaming(score, image, settings):  # noqa: B007 (the last one is the dream)
        pass
    return result


def _dream_steps(score: Score, image: Image, settings: Settings) -> Iterator[Image]:
    generator = torch.Generator().manual_seed(settings.seed)
    detail, silent = None, False
    for base in octaves(image, settings.octaves, settings.octave_ratio):
        picture = base if detail is None else (base + resize(detail, base.shape[-2:])).clamp(0, 1)
        for _ in range(settings.steps):
            dy, dx = draw_shift(settings.jitter, generator)
            picture = roll(picture, (dy, dx))
            if settings.tile:
                uphill = tiled_gradient(score, picture, settings.tile, draw_seed(generator))
            else:
                uphill = gradient(score, picture)
            silent = silent or warn_if_silent(uphill, score)
            if settings.laplacian:
                uphill = smooth_laplacian(uphill, settings.laplacian)
            uphill = scale_chroma(uphill, settings.chroma)
            uphill = normalize(smooth(uphill, settings.smoothing))
            picture = roll(ascend(picture, uphill, settings.step_size), (-dy, -dx))
            yield picture
        detail = picture - base
