"""What a layer does not mind: how far its features go when the picture is shifted, scaled or turned.

After figure 5 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013): a small movement changes
the first layer much and the last one little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..networks.features import capture
from ..networks.network import Network
from ..objectives.kinds import class_index
from ..pictures.image import Image, check_image

KINDS = ("shift", "scale", "turn")


@dataclass(frozen=True)
class Invariance:
    """What N pictures did under A amounts of one movement: `distances` {layer: [N, A]} and `probability` [N, A] of their labels."""

    kind: str
    amounts: tuple[float, ...]
    distances: Mapping[str, Tensor]
    probability: Tensor | None


def moved(image: Image, shift: float = 0.0, scale: float = 1.0, turn: float = 0.0) -> Image:
    """The picture [N, 3, H, W] enlarged `scale` times and turned by `turn` degrees against the clock about its middle, then shifted
    down by `shift` pixels. Bilinear; what comes in from outside is the picture's mirror image. ValueError for a scale not above 0.

    >>> moved(torch.tensor([0.1, 0.5, 0.9]).view(1, 1, 3, 1).expand(1, 3, 3, 1), shift=1)[
    ...     0, 0, :, 0
    ... ].tolist()
    [0.10000000149011612, 0.10000000149011612, 0.5]
    """
    check_image(image)
    if not 0 < scale < math.inf or not math.isfinite(shift + turn):
        raise ValueError(
            f"shift and turn are finite, and scale is above 0; given: {shift!r}, {turn!r}, {scale!r}"
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
    """How far the features of `other` lie from those of `image` {layer: [N]}, in lengths of the latter; the layer "" is the logits.

    0 is the same features; two pictures with nothing in common come to about √2 where both are equally strong.
    """
    layers = (layers,) if isinstance(layers, str) else tuple(layers)
    with torch.no_grad():
        ours, theirs = (capture(network, picture, layers) for picture in (image, other))
    return {layer: _apart(ours[layer], theirs[layer]) for layer in layers}


def invariance(
    network: Network,
    image: Image,
    kind: str,
    amounts: Sequence[float],
    layers: Iterable[str] | str,
    labels: Sequence[int | str] | int | str | None = None,
) -> Invariance:
    """How far the features of each picture [N, 3, H, W] go as it is moved by each of `amounts`, and how sure of its label it stays.

    `kind`: "shift" (pixels down), "scale" (times) or "turn" (degrees against the clock). `labels`: one for all pictures, or one
    each; without them there is no `probability`. KeyError for an unknown layer or label, ValueError for another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; given: {kind!r}")
    if not amounts:
        raise ValueError("amounts needs at least one value")
    layers = (layers,) if isinstance(layers, str) else tuple(layers)
    wanted = None if labels is None else class_indices(network, labels, len(image))
    with torch.no_grad():
        still = capture(network, image, layers)
        passes = [
            capture(
                network,
                moved(image, **{kind: amount}),
                [*layers, *([] if wanted is None else [""])],
            )
            for amount in amounts
        ]
    distances = {
        layer: torch.stack([_apart(still[layer], seen[layer]) for seen in passes], 1)
        for layer in layers
    }
    sure = (
        None
        if wanted is None
        else torch.stack([_probability(seen[""], wanted) for seen in passes], 1)
    )
    return Invariance(kind, tuple(float(amount) for amount in amounts), distances, sure)


def class_indices(network: Network, labels: Sequence[int | str] | int | str, count: int) -> Tensor:
    """The class of each of `count` pictures [count], from one label for all or one each. ValueError for another number of labels."""
    given = (
        [labels] * count
        if isinstance(labels, (int, str))
        else labels.tolist()
        if isinstance(labels, Tensor)
        else list(labels)
    )
    if len(given) != count:
        raise ValueError(
            f"one label for all pictures, or one each: there are {count} pictures; given: {len(given)} labels"
        )
    return torch.tensor(
        [class_index(network.labels, label) if isinstance(label, str) else label for label in given]
    )


def _apart(still: Tensor, seen: Tensor) -> Tensor:
    still, seen = still.flatten(1), seen.flatten(1)
    return (seen - still).norm(dim=1) / still.norm(dim=1).clamp(min=1e-12)


def _probability(logits: Tensor, wanted: Tensor) -> Tensor:
    return logits.softmax(1).gather(1, wanted.to(logits.device)[:, None])[:, 0]
