"""The pictures of a dream or of a published recipe, made again from a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from ..ascent.gradients import Score
from ..ascent.loop import dreaming
from ..ascent.settings import Settings
from ..networks.network import Network
from ..objectives.objective import Objective
from ..pictures.image import MAX_PIXELS, Image
from ..pictures.scales import octaves, resize
from ..published import recipes
from .reading import Plan


def replaying(plan: Plan, score: Score, image: Image) -> Iterator[Image]:
    """The pictures of the dream that the plan describes, up to the step at which it was stopped."""
    if plan.recipe is None:
        pictures = dreaming(score, image, plan.settings)
    else:
        pictures = following(plan.recipe, score.network, score.objective, image)
    return islice(pictures, plan.stopped)


def following(
    recipe: Mapping[str, object], network: Network, wanted: Objective, image: Image
) -> Iterator[Image]:
    """The pictures of a published recipe {name, numbers}, one after each of its steps.

    Raises ValueError where an octave would be larger than any picture may be.
    """
    name, numbers = recipe["name"], recipe["numbers"]
    if name == "tensorflow":  # the only one whose octaves outgrow the photo
        larger = (numbers["octaves"] + 1) // 2 - 1
        growth = float(numbers["octave_ratio"]) ** (2 * larger)
        pixels = image.shape[-2] * image.shape[-1] * growth
        if pixels > MAX_PIXELS:
            raise ValueError(
                f"the largest octave would have {pixels / 1e6:.0f} megapixels, and at most "
                f"{MAX_PIXELS // 10**6} are allowed: take fewer octaves, a smaller octave_ratio or "
                "a smaller picture"
            )
    return getattr(recipes, name)(network, wanted, image, **numbers)


def full_size(picture: Image, image: Image, settings: Settings | None) -> Image:
    """A dream of `image` that was stopped at `picture`, at full size.

    The detail found so far is laid over the photo, as the next octave would do. Without settings
    (a recipe has its own) the picture is resized.

    >>> import torch
    >>> photo, settings = torch.full((1, 3, 8, 8), 0.5), Settings(octaves=2)
    >>> half = next(dreaming(lambda x: x.mean(), photo, settings))
    >>> tuple(half.shape[-2:]), tuple(full_size(half, photo, settings).shape[-2:])
    ((6, 6), (8, 8))
    """
    size, full = picture.shape[-2:], image.shape[-2:]
    if size == full:
        return picture
    if settings is None:
        return resize(picture, full, "bilinear").clamp(0, 1)
    sizes = octaves(image, settings.octaves, settings.octave_ratio)
    base = next(octave for octave in sizes if octave.shape[-2:] == size)
    return (image + resize(picture - base, full)).clamp(0, 1)
