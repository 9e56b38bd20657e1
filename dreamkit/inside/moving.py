"""Invariance: how far a layer's features move when the picture is shifted, scaled or rotated.

After figure 5 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013): a
small movement of the picture changes the first layer much and the last one little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..networks.ends import probabilities
from ..networks.features import capture
from ..networks.network import Network
from ..networks.outputs import scores_of
from ..pictures.image import Image, check_image
from .arguments import classes_of

KINDS = ("shift", "scale", "turn")


@dataclass(frozen=True)
class Invariance:
    """What one kind of movement, by each of A amounts, does to the features of N pictures."""

    kind: str
    amounts: tuple[float, ...]
    distances: Mapping[str, Tensor]  # {layer: [N, A]}, see `distance`
    probability: Tensor | None  # of each picture's label, [N, A]


def moved(image: Image, shift: float = 0.0, scale: float = 1.0, turn: float = 0.0) -> Image:
    """The picture [N, 3, H, W], scaled and rotated about its centre, then shifted.

    `shift` is in pixels down, `scale` (above 0) is the enlargement, and `turn` is in degrees
    counterclockwise. The interpolation is bilinear, and the picture is mirrored at its borders.

    >>> column = torch.tensor([0.2, 0.5, 0.75]).view(1, 1, 3, 1).expand(1, 3, 3, 1)
    >>> moved(column, shift=1)[0, 0, :, 0].mul(100).round().tolist()
    [20.0, 20.0, 50.0]
    """
    check_image(image)
    if not 0 < scale < math.inf or not math.isfinite(shift + turn):
        raise ValueError(
            "shift and turn must be finite and scale above 0; "
            f"given: {shift!r}, {turn!r}, {scale!r}"
        )
    if (shift, scale, turn) == (0, 1, 0):
        return image
    height, width = image.shape[-2:]
    cos, sin = math.cos(math.radians(turn)) / scale, math.sin(math.radians(turn)) / scale
    down = (
        torch.arange(height, dtype=torch.float64)[:, None] - (height - 1) / 2 - shift
    )  # of each new pixel, from the middle
    right = torch.arange(width, dtype=torch.float64)[None, :] - (width - 1) / 2
    rows, columns = (
        cos * down + sin * right,
        cos * right - sin * down,
    )  # where it was in the old picture
    grid = torch.stack([columns * 2 / width, rows * 2 / height], -1).to(
        image
    )  # grid_sample counts a side as 2
    grid = grid.expand(len(image), height, width, 2)
    return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False).clamp(0, 1)


def distance(
    network: Network, image: Image, other: Image, layers: Iterable[str] | str
) -> dict[str, Tensor]:
    """The relative distance of the features of two pictures, {layer: [N]}.

    It is `|other - image| / |image|` for a layer's features: 0 for equal features, about √2 for
    unrelated ones of equal length. The layer "" is the logits; KeyError for an unknown layer.
    """
    layers = (layers,) if isinstance(layers, str) else tuple(layers)
    with torch.no_grad():
        first, second = (capture(network, picture, layers) for picture in (image, other))
    return {layer: _relative_distance(first[layer], second[layer]) for layer in layers}


def invariance(
    network: Network,
    image: Image,
    kind: str,
    amounts: Sequence[float],
    layers: Iterable[str] | str,
    labels: Sequence[int | str] | int | str | None = None,
) -> Invariance:
    """How far the features of each picture move as it is moved by each amount.

    Args:
        image: the pictures [N, 3, H, W].
        kind: "shift", "scale" or "turn"; ValueError for another.
        amounts: pixels down, factors, or degrees counterclockwise; at least one.
        layers: the layers' names; KeyError for an unknown one.
        labels: the right class (needed for `probability`), one for all pictures or one for each;
            KeyError for an unknown one.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; given: {kind!r}")
    if not amounts:
        raise ValueError("amounts must have at least one value; given: none")
    layers = (layers,) if isinstance(layers, str) else tuple(layers)
    classes = None if labels is None else classes_of(network, labels, len(image))
    captured = layers if classes is None else (*layers, "")
    with torch.no_grad():
        still = capture(network, image, layers)
        passes = [capture(network, moved(image, **{kind: amount}), captured) for amount in amounts]
    distances = {
        layer: torch.stack([_relative_distance(still[layer], seen[layer]) for seen in passes], 1)
        for layer in layers
    }
    probability = None
    if classes is not None:
        chosen = classes.to(image.device)[:, None]
        probability = torch.cat([_shares(network, seen).gather(1, chosen) for seen in passes], 1)
    return Invariance(kind, tuple(float(amount) for amount in amounts), distances, probability)


def _shares(network: Network, seen: Mapping[str, Tensor]) -> Tensor:
    return probabilities(network, scores_of(seen[""]))


def _relative_distance(first: Tensor, second: Tensor) -> Tensor:
    first, second = first.flatten(1), second.flatten(1)
    return (second - first).norm(dim=1) / first.norm(dim=1).clamp(min=1e-12)
