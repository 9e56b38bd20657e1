"""What a layer remembers: a picture reconstructed from its features alone.

Mahendran & Vedaldi, "Understanding deep image representations by inverting them" (2015): of all
pictures with these features, find one that looks natural. What it lacks, the features do not say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

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
    evaluations: int = 0  # of the features, where a search counts them


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

    Args:
        layer: the layer's name; KeyError if unknown.
        features: the features [1, C, h, w] to match; ValueError unless pictures of `size` (height,
            width) have features of this shape.
        steps: the number of pictures, at least 1.
        rate: Adam's step size, above 0; it falls linearly to a tenth.
        variation: the weight of the `total_variation`, 0 or more.
        seed: the seed of the noise.
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


def closest(
    network: Network,
    layer: str,
    features: Tensor,
    size: tuple[int, int],
    *,
    goal: float = 0.1,
    evaluations: int = 300,
    seed: int = 0,
) -> Inverted:
    """A picture [1, 3, height, width] whose features miss the given ones by less than `goal`.

    The search starts as that of `inverting`, without a price for roughness, but takes the steps of
    L-BFGS (Liu & Nocedal, 1989), which learns the curvature of the error on its way: it reaches
    errors at which Adam stalls. It ends at the first picture below the goal, or after about that
    many evaluations of the features with the best picture so far. The result says which.

    Args:
        layer: the layer's name; KeyError if unknown.
        features: the features [1, C, h, w] to match, those of pictures of `size` (height, width).
        goal: the relative error that is small enough, above 0.
        evaluations: at least 1.
        seed: the seed of the noise.
    """
    if evaluations < 1 or not goal > 0:
        raise ValueError(
            f"evaluations must be at least 1 and goal above 0; given: {evaluations!r}, {goal!r}"
        )
    wanted, (height, width) = features.detach(), size
    coefficients = spectrum(height, width, seed).to(wanted).requires_grad_(True)
    length, best, count = wanted.square().sum().clamp(min=1e-12), None, 0
    search = torch.optim.LBFGS(
        [coefficients], max_iter=5, max_eval=8, history_size=30, line_search_fn="strong_wolfe"
    )

    def error() -> Tensor:
        nonlocal best, count
        count += 1
        image = to_image(coefficients, width)
        missed = (capture(network, image, [layer])[layer] - wanted).square().sum() / length
        found = float(missed.detach().sqrt())
        if best is None or found < best.error:
            best = Inverted(image.detach(), found)
        search.zero_grad()
        missed.backward()
        return missed

    with torch.enable_grad():
        while count < evaluations and (best is None or best.error >= goal):
            before = count
            search.step(error)
            if count - before < 2:  # the search can go no further
                break
    return replace(best, evaluations=count)


def total_variation(image: Image) -> Tensor:
    """The mean `|difference|` between vertical neighbours plus that between horizontal neighbours.

    >>> total_variation(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])).item()
    1.0
    """
    return image.diff(dim=-2).abs().mean() + image.diff(dim=-1).abs().mean()
