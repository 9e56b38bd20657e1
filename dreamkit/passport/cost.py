"""What a replay costs, found from a passport's numbers before anything is loaded.

A passport of a few hundred bytes may come from a stranger, and it can ask for any size, any number
of steps and any network. What is beyond these bounds is made again only if the user says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..networks.efficientnet_lite import VARIANTS
from ..networks.zoo import (
    cached_networks,
    embedded_names,
    torchvision_names,
    torchvision_weights,
)
from ..pictures.scales import octave_sizes
from .entries import guide_pictures
from .reading import Plan

# 60 megapixels take about 8 GiB. A photo of 24 megapixels at 40 steps and 4 octaves takes 1.9e9
# pixel steps. VGG19, the largest of the networks that dream well, has 144 million weights.
MAX_PIXELS_OF_A_REPLAY = 32_000_000  # of the largest octave, or of all guide pictures together
MAX_PIXEL_STEPS = 5e9  # pixels, added up over all steps
MAX_WEIGHTS = 200e6
_LEAST_PIXELS = 256 * 256  # a smaller picture, and a smaller tile, takes no less time


def octave_steps(
    numbers: Mapping[str, object], size: tuple[int, int], recipe: str | None = None
) -> Iterator[tuple[float, float, int]]:
    """(largest pixels, pixels in the units of time, steps) of each octave, small to large.

    numbers: those of `Settings`, or of the recipe of that name; size: (height, width) of the photo.

    >>> list(octave_steps({"steps": 3, "octaves": 2, "octave_ratio": 2.0}, (1024, 2048)))
    [(524288.0, 524288.0, 3), (2097152.0, 2097152.0, 3)]
    """
    count, ratio = numbers["octaves"], float(numbers["octave_ratio"])
    # TensorFlow's octaves lie around the photo's size, those of all others end with it.
    larger = ratio ** ((count + 1) // 2 - 1) if recipe == "tensorflow" else 1.0
    tile = numbers.get("tile", 0)
    for height, width in octave_sizes(*size, count, ratio):
        pixels = height * larger * width * larger
        tiles = (-(-height * larger // tile)) * (-(-width * larger // tile)) if tile else 1
        yield float(pixels), float(max(pixels, tiles * _LEAST_PIXELS)), numbers["steps"]


def check_cost(plan: Plan) -> None:
    """Raise ValueError, in one line, for a plan beyond the bounds of this module."""
    recipe = plan.recipe["name"] if plan.recipe else None
    size, left = (plan.source.height, plan.source.width), plan.stopped
    largest, pixel_steps = float(size[0] * size[1]), 0.0
    for pixels, work, steps in octave_steps(plan.numbers, size, recipe):
        taken = steps if left is None else min(steps, left)
        left = None if left is None else left - taken
        pixel_steps += work * taken
        largest = max(largest, pixels if taken else 0)
    guides = [wanted["picture"] for wanted in guide_pictures(plan.objective)]
    of_guides = sum(guide["height"] * guide["width"] for guide in guides)
    weights = weight_count(plan.network)
    for asked, allowed, what in (
        (largest, MAX_PIXELS_OF_A_REPLAY, "megapixels"),
        (of_guides, MAX_PIXELS_OF_A_REPLAY, "megapixels of guide pictures"),
        (pixel_steps if plan.made == "dream" else 0, MAX_PIXEL_STEPS, "megapixels × steps"),
        (weights, MAX_WEIGHTS, f"million weights of {plan.network}"),
    ):
        if asked > allowed:
            raise ValueError(
                f"it asks for {asked / 1e6:,.0f} {what}, and at most {allowed / 1e6:,.0f} are made "
                "again unasked: --large allows it"
            )


def weight_count(network: str) -> int:
    """How many weights torchvision's network of that name has, without building it; else 0.

    >>> weight_count("vgg16"), weight_count("dreamnet")
    (138357544, 0)
    """
    weights = _torchvision_weights(network)
    return weights.meta["num_params"] if weights is not None else 0


def check_no_download(network: str) -> None:
    """Raise ValueError if the weights of the network of that name would have to be fetched."""
    weights = _torchvision_weights(network)
    if weights is not None and network not in cached_networks():
        raise ValueError(
            f"the weights of {network} are not in torch's cache: --fetch downloads them "
            f"({weights.meta['_file_size']:.0f} MB), and --weights FILE takes a file of yours"
        )


def _torchvision_weights(network: str) -> object | None:
    # torchvision takes a second to import: not for networks that dreamkit brings
    if network in (*embedded_names(), *VARIANTS) or network not in torchvision_names():
        return None
    return torchvision_weights(network)
