"""Fooling pictures: the smallest change that makes a network name a picture as something else.

Szegedy et al., "Intriguing properties of neural networks" (2013). The search for the smallest change alternates a step of the
gradient with a change of the allowed distance: Rony et al., "Decoupling direction and norm" (2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..ascent.gradients import gradient
from ..networks.features import capture
from ..networks.network import Network
from ..objectives.kinds import class_index
from ..pictures.image import Image, check_image

NORMS = ("l2", "linf")


@dataclass(frozen=True)
class Fooled:
    """A picture that the network takes for `label`, `radius` away from the one it was made of, and how sure it is."""

    image: Image
    label: int
    radius: float
    probability: float


def change_size(change: Tensor, norm: str = "l2") -> float:
    """How large a change of a picture is: "l2" is the root of the sum of its squares, "linf" its largest value.

    >>> (
    ...     change_size(torch.tensor([[[[3.0]], [[-4.0]], [[0.0]]]])),
    ...     change_size(torch.tensor([[[[3.0]], [[-4.0]], [[0.0]]]]), "linf"),
    ... )
    (5.0, 4.0)
    """
    _check_norm(norm)
    return float(change.abs().max() if norm == "linf" else change.double().square().sum().sqrt())


def fool(
    network: Network,
    image: Image,
    label: int | str,
    radius: float,
    norm: str = "l2",
    steps: int = 20,
) -> Image:
    """The picture [1, 3, H, W] within `radius` of `image` that looks most like the class `label` to the network, as far as `steps` go.

    Each step follows the gradient of the margin (the label's logit minus the greatest other one) and comes back into the ball and
    into [0, 1]. KeyError for an unknown label, ValueError for a radius below 0.
    """
    target = _checked(network, image, label, norm)
    if not 0 <= radius < math.inf:
        raise ValueError(f"radius is 0 or more; given: {radius!r}")
    change = torch.zeros_like(image)
    for _ in range(steps):
        uphill = gradient(lambda x: margin(network, x, target), (image + change).clamp(0, 1))
        change = _within(change + 2.5 * radius / steps * _direction(uphill, norm), radius, norm)
        change = (image + change).clamp(0, 1) - image
    return (image + change).clamp(0, 1)


def smallest_fooling(
    network: Network, image: Image, label: int | str, norm: str = "l2", steps: int = 60
) -> Fooled | None:
    """The nearest picture found that the network takes for `label`; None where none was found.

    Where the last step was fooling, the allowed distance shrinks by a twentieth, else it grows by one; at the end the straight way
    back to the picture is halved down. What comes back does fool, and `radius` is measured on it; nearer ones may exist.
    """
    target = _checked(network, image, label, norm)
    if margin(network, image, target) > 0:
        return _fooled(network, image, image, target, norm)
    first = gradient(lambda x: margin(network, x, target), image)
    radius = _first_radius(float(-margin(network, image, target)), first, norm)
    change, best, stride = torch.zeros_like(image), None, radius
    for step in range(steps):
        uphill = gradient(lambda x: margin(network, x, target), (image + change).clamp(0, 1))
        pace = stride * (
            0.01 + 0.99 * (1 + math.cos(math.pi * step / steps)) / 2
        )  # a cosine from the stride to a hundredth
        change = _onto(change + pace * _direction(uphill, norm), radius, norm)
        change = (image + change).clamp(0, 1) - image
        if margin(network, image + change, target) > 0:
            far = change_size(change, norm)
            best = change if best is None or far < change_size(best, norm) else best
            radius = 0.95 * min(radius, far)
        else:
            radius = 1.05 * radius
    return (
        None
        if best is None
        else _fooled(network, image, _nearest(network, image, best, target), target, norm)
    )


def margin(network: Network, image: Image, label: int) -> Tensor:
    """By how much the label's logit is above the greatest other one, summed over the pictures: above 0 for one that is named so."""
    logits = capture(network, image, [""])[""]
    others = logits.clone()
    others[:, label] = -math.inf
    return (logits[:, label] - others.amax(1)).sum()


def _nearest(network: Network, image: Image, change: Tensor, label: int) -> Image:
    """The fooling picture nearest to `image` on the straight way to image + change, which fools, by halving."""
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (
            (low, middle) if margin(network, image + middle * change, label) > 0 else (middle, high)
        )
    return (image + high * change).clamp(0, 1)


def _fooled(network: Network, image: Image, other: Image, label: int, norm: str) -> Fooled:
    with torch.no_grad():
        probability = float(capture(network, other, [""])[""].softmax(1)[0, label])
    return Fooled(other, label, change_size(other - image, norm), probability)


def _first_radius(lacking: float, uphill: Tensor, norm: str) -> float:
    """How far it would be if the margin were a straight slope: exact for a linear network."""
    steepness = float(uphill.double().abs().sum() if norm == "linf" else uphill.double().norm())
    return lacking / max(steepness, 1e-12)


def _direction(uphill: Tensor, norm: str) -> Tensor:
    return uphill.sign() if norm == "linf" else uphill / uphill.norm().clamp(min=1e-12)


def _within(change: Tensor, radius: float, norm: str) -> Tensor:
    if norm == "linf":
        return change.clamp(-radius, radius)
    return change * (radius / change.norm().clamp(min=1e-12)).clamp(max=1)


def _onto(change: Tensor, radius: float, norm: str) -> Tensor:
    """The change brought to the size `radius`: on the sphere, or into the cube."""
    return (
        change.clamp(-radius, radius)
        if norm == "linf"
        else change * (radius / change.norm().clamp(min=1e-12))
    )


def _checked(network: Network, image: Image, label: int | str, norm: str) -> int:
    check_image(image)
    _check_norm(norm)
    if len(image) != 1:
        raise ValueError(
            f"one picture is fooled at a time, [1, 3, H, W]; given: {list(image.shape)}"
        )
    if isinstance(label, str):
        return class_index(network.labels, label)
    with torch.no_grad():
        count = capture(network, image, [""])[""].shape[1]
    if isinstance(label, bool) or not 0 <= label < count:
        raise ValueError(
            f"class {label} is out of range: the network has {count}, from 0 to {count - 1}"
        )
    return label


def _check_norm(norm: str) -> None:
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}; given: {norm!r}")
