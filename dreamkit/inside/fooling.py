"""Fooling pictures: the smallest change that makes a network see another class.

Szegedy et al., "Intriguing properties of neural networks" (2013). The search for the smallest
change alternates gradient steps with changes of the allowed distance: Rony et al., "Decoupling
direction and norm" (2019). Each function takes one picture [1, 3, H, W] and a class by its index
(ValueError) or label (KeyError).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..ascent.gradients import gradient
from ..networks.ends import probabilities
from ..networks.features import capture
from ..networks.logits import capture_logits
from ..networks.network import Network
from ..networks.outputs import scores_of
from ..pictures.image import Image
from .arguments import check_one, class_of

NORMS = ("l2", "linf")


@dataclass(frozen=True)
class Fooled:
    """A picture that the network takes for the class `label`, with that class's `probability`.

    `radius` is its distance from the picture it was made from.
    """

    image: Image
    label: int
    radius: float
    probability: float


def change_size(change: Tensor, norm: str = "l2") -> float:
    """The size of a change of a picture.

    "l2" is the square root of the sum of squares, "linf" the largest `|value|`. Raises ValueError
    for another norm.

    >>> change = torch.tensor([[[[3.0]], [[-4.0]], [[0.0]]]])
    >>> change_size(change), change_size(change, "linf")
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
    """A picture near `image` that the network finds most like a class, by `steps` gradient steps.

    Its change has at most the size `radius` (0 or more; see `change_size`). Each step follows the
    gradient of the `margin`, then returns to the allowed changes and to [0, 1].
    """
    target = _target(network, image, label, norm)
    if not 0 <= radius < math.inf:
        raise ValueError(f"radius must be finite and 0 or more; given: {radius!r}")
    change = torch.zeros_like(image)
    for _ in range(steps):
        uphill = gradient(lambda x: margin(network, x, target), (image + change).clamp(0, 1))
        change = change + 2.5 * radius / steps * _direction(uphill, norm)
        change = (image + _limited(change, radius, norm)).clamp(0, 1) - image
    return (image + change).clamp(0, 1)


def smallest_fooling(
    network: Network, image: Image, label: int | str, norm: str = "l2", steps: int = 60
) -> Fooled | None:
    """The nearest picture found that the network takes for the class, or None if none was found.

    After a step that fools the network the allowed distance shrinks by 5 %, after any other step
    it grows by 5 %. At the end the line back to the picture is searched by bisection. The result
    does fool the network, and `radius` is measured on it; nearer ones may exist.
    """
    target = _target(network, image, label, norm)
    missing = -float(margin(network, image, target))
    if missing < 0:
        return _fooled(network, image, image, target, norm)
    change, best = torch.zeros_like(image), None
    for step in range(steps):
        uphill = gradient(lambda x: margin(network, x, target), (image + change).clamp(0, 1))
        if step == 0:  # the distance that a linear network would need
            slope = float(uphill.double().norm(1 if norm == "linf" else 2))
            radius = first_radius = missing / max(slope, 1e-12)
        # the step size falls from the first radius to a hundredth of it along a cosine
        share = 0.01 + 0.99 * (1 + math.cos(math.pi * step / steps)) / 2
        change = change + first_radius * share * _direction(uphill, norm)
        change = (image + _limited(change, radius, norm, lengthen=True)).clamp(0, 1) - image
        if margin(network, image + change, target) > 0:
            size = change_size(change, norm)
            best = change if best is None or size < change_size(best, norm) else best
            radius = 0.95 * min(radius, size)
        else:
            radius = 1.05 * radius
    if best is None:
        return None
    return _fooled(network, image, _nearest(network, image, best, target), target, norm)


def margin(network: Network, image: Image, label: int) -> Tensor:
    """The logit of the class minus the largest other logit, summed over the pictures [N, 3, H, W].

    Of a network that ends in its own softmax, the logits are the values before it. The margin is
    above 0 for a single picture that the network takes for the class.
    """
    logits = scores_of(capture_logits(network, image)[1])
    others = logits.clone()
    others[:, label] = -math.inf
    return (logits[:, label] - others.amax(1)).sum()


def _scores(network: Network, image: Image) -> Tensor:
    return scores_of(capture(network, image, [""])[""])


def _nearest(network: Network, image: Image, change: Tensor, label: int) -> Image:
    """The fooling picture nearest to `image` on the line to `image + change`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        if margin(network, image + middle * change, label) > 0:
            high = middle
        else:
            low = middle
    return (image + high * change).clamp(0, 1)


def _fooled(network: Network, image: Image, other: Image, label: int, norm: str) -> Fooled:
    with torch.no_grad():
        probability = float(probabilities(network, _scores(network, other))[0, label])
    return Fooled(other, label, change_size(other - image, norm), probability)


def _direction(uphill: Tensor, norm: str) -> Tensor:
    return uphill.sign() if norm == "linf" else uphill / uphill.norm().clamp(min=1e-12)


def _limited(change: Tensor, radius: float, norm: str, lengthen: bool = False) -> Tensor:
    """The change cut to the size `radius`; `lengthen` also enlarges an "l2" change to it."""
    if norm == "linf":
        return change.clamp(-radius, radius)
    factor = radius / change.norm().clamp(min=1e-12)
    return change * (factor if lengthen else factor.clamp(max=1))


def _target(network: Network, image: Image, label: int | str, norm: str) -> int:
    """The index of the class; ValueError or KeyError if an argument is wrong."""
    check_one(image)
    _check_norm(norm)
    with torch.no_grad():
        return class_of(network, label, _scores(network, image).shape[1])


def _check_norm(norm: str) -> None:
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}; given: {norm!r}")
