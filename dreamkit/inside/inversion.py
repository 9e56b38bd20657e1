"""What a layer remembers: a picture found again from its features alone.

Mahendran & Vedaldi, "Understanding deep image representations by inverting them" (2015): of all pictures with these features, look
for one that is natural. What it lacks, the layer does not say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..ascent.fourier import spectrum, to_image
from ..networks.features import capture
from ..networks.network import Network
from ..pictures.image import Image, check_image


@dataclass(frozen=True)
class Inverted:
    """A picture made from features: how far its own lie from those wanted, as a share of their length."""

    image: Image
    error: float


def inverting(
    network: Network,
    layer: str,
    features: Tensor,
    size: tuple[int, int],
    *,
    steps: int = 100,
    rate: float = 0.1,
    variation: float = 0.05,
    seed: int = 0,
) -> Iterator[Inverted]:
    """Pictures [1, 3, height, width] whose features at the layer come closer and closer to `features` [1, C, h, w], one a step.

    From noise held as a spectrum (see `dk.fourier`), by Adam, down the squared distance in lengths of the features, plus
    `variation` times how much neighbouring pixels differ. KeyError for an unknown layer; ValueError for features that do not fit.
    """
    if steps < 1 or not rate > 0 or variation < 0:
        raise ValueError(
            f"steps are at least 1, rate above 0, variation 0 or more; given: {steps!r}, {rate!r}, {variation!r}"
        )
    return _inverting(network, layer, features.detach(), size, steps, rate, variation, seed)


def invert(network: Network, image: Image, layer: str, **options: float) -> Inverted:
    """The picture found again from what the layer sees of `image` [1, 3, H, W]; `options` are those of `inverting`."""
    check_image(image)
    if len(image) != 1:
        raise ValueError(
            f"one picture is inverted at a time, [1, 3, H, W]; given: {list(image.shape)}"
        )
    with torch.no_grad():
        features = capture(network, image, [layer])[layer]
    for found in inverting(network, layer, features, tuple(image.shape[-2:]), **options):
        pass
    return found


def total_variation(image: Image) -> Tensor:
    """How much neighbouring pixels differ: the mean of |down| plus that of |right|.

    >>> total_variation(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])).item()
    1.0
    """
    return (image[..., 1:, :] - image[..., :-1, :]).abs().mean() + (
        image[..., 1:] - image[..., :-1]
    ).abs().mean()


def _inverting(
    network: Network,
    layer: str,
    features: Tensor,
    size: tuple[int, int],
    steps: int,
    rate: float,
    variation: float,
    seed: int,
) -> Iterator[Inverted]:
    held = spectrum(*size, seed).to(features).requires_grad_(True)
    first, second = (
        torch.zeros_like(held),
        torch.zeros_like(held),
    )  # Adam's two averages: torch.optim takes seconds to load
    length = features.square().sum().clamp(min=1e-12)
    for step in range(steps):
        with torch.enable_grad():
            image = to_image(held, size[1])
            seen = capture(network, image, [layer])[layer]
            if seen.shape != features.shape:
                raise ValueError(
                    f"pictures of {size[0]}×{size[1]} have features {list(seen.shape)} at {layer!r}; "
                    f"given: {list(features.shape)}"
                )
            apart = (seen - features).square().sum() / length
            downhill = torch.autograd.grad(apart + variation * total_variation(image), held)[0]
        yield Inverted(image.detach(), float(apart.detach().sqrt()))
        first, second = 0.9 * first + 0.1 * downhill, 0.999 * second + 0.001 * downhill.square()
        pace = rate * (1 - 0.9 * step / steps)  # fine steps at the end
        scale = (second / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8
        held = (held.detach() - pace * first / (1 - 0.9 ** (step + 1)) / scale).requires_grad_(True)
