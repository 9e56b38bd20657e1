"""What a layer remembers: a picture reconstructed from its features alone.

Mahendran & Vedaldi, "Understanding deep image representations by inverting them" (2015): of all
pictures with these features, find one that looks natural. What it lacks, the features do not say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..ascent.fourier import spectrum, to_image
from ..networks.features import capture
from ..networks.network import Network
from ..pictures.image import Image
from .arguments import check_one


@dataclass(frozen=True)
class Inverted:
    """A picture made from features, and its `error`.

    The error is the distance of its features from the given ones, divided by the length of these.
    """

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
    """Pictures [1, 3, height, width] whose features come closer to the given ones, one a step.

    The picture is a spectrum (see `dk.fourier`) that starts as noise. Adam minimises the squared
    error plus `variation` times the picture's total variation.

    - `layer`: the layer's name; KeyError if unknown
    - `features`: the features [1, C, h, w] to match; ValueError unless pictures of `size` (height,
      width) have features of this shape
    - `steps`: the number of pictures, at least 1
    - `rate`: Adam's step size, above 0; it falls linearly to a tenth
    - `variation`: the weight of the `total_variation`, 0 or more
    - `seed`: the seed of the noise
    """
    if steps < 1 or not rate > 0 or variation < 0:
        raise ValueError(
            "steps must be at least 1, rate above 0 and variation 0 or more; "
            f"given: {steps!r}, {rate!r}, {variation!r}"
        )
    features, (height, width) = features.detach(), size

    def pictures() -> Iterator[Inverted]:
        coefficients = spectrum(height, width, seed).to(features).requires_grad_(True)
        optimizer = torch.optim.Adam([coefficients], lr=rate)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=steps)
        length = features.square().sum().clamp(min=1e-12)
        for _ in range(steps):
            with torch.enable_grad():
                image = to_image(coefficients, width)
                found = capture(network, image, [layer])[layer]
                if found.shape != features.shape:
                    raise ValueError(
                        f"pictures of {height}×{width} have features {list(found.shape)} at "
                        f"{layer!r}; given: {list(features.shape)}"
                    )
                error = (found - features).square().sum() / length
                optimizer.zero_grad()
                (error + variation * total_variation(image)).backward()
            yield Inverted(image.detach(), float(error.detach().sqrt()))
            optimizer.step()
            schedule.step()

    return pictures()


def invert(network: Network, image: Image, layer: str, **options: float) -> Inverted:
    """The picture reconstructed from a layer's features of `image` [1, 3, H, W].

    `options` are those of `inverting`.
    """
    check_one(image)
    with torch.no_grad():
        features = capture(network, image, [layer])[layer]
    found = inverting(network, layer, features, tuple(image.shape[-2:]), **options)
    return deque(found, maxlen=1).pop()


def total_variation(image: Image) -> Tensor:
    """The mean |difference| between vertical neighbours plus that between horizontal neighbours.

    >>> total_variation(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])).item()
    1.0
    """
    return image.diff(dim=-2).abs().mean() + image.diff(dim=-1).abs().mean()
