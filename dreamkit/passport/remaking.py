"""A dream made again from its plan."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ..ascent.loop import Settings, dreaming
from ..ascent.steps import Score
from ..pictures.image import Image
from ..pictures.scales import octaves, resize
from .reading import Plan
from .recipe_settings import following


def replaying(plan: Plan, score: Score, image: Image) -> Iterator[Image]:
    """The pictures of the dream that the plan describes, up to the step at which it was stopped."""
    if plan.recipe is None:
        pictures = dreaming(score, image, plan.settings)
    else:
        pictures = following(plan.recipe, score.network, score.objective, image)
    return islice(pictures, plan.stopped)


def full_size(picture: Image, image: Image, settings: Settings | None) -> Image:
    """A dream of `image` that was stopped at `picture`, at full size.

    The detail found so far is laid over the photo, as the next octave would do. Without settings
    (those of a recipe are its own) the picture is resized.

    >>> import torch
    >>> half = next(
    ...     dreaming(lambda x: x.mean(), torch.full((1, 3, 8, 8), 0.5), Settings(octaves=2))
    ... )
    >>> tuple(full_size(half, torch.full((1, 3, 8, 8), 0.5), Settings(octaves=2)).shape[-2:])
    (8, 8)
    """
    size, full = picture.shape[-2:], image.shape[-2:]
    if size == full:
        return picture
    if settings is None:
        return resize(picture, full, "bilinear").clamp(0, 1)
    sizes = octaves(image, settings.octaves, settings.octave_ratio)
    base = next(octave for octave in sizes if octave.shape[-2:] == size)
    return (image + resize(picture - base, full)).clamp(0, 1)
