"""How a network grows: what its first filters were, and what its channels dreamt of, at snapshots of one training run.

After figure 4 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from ..networks.zoo import FOLDER as WEIGHTS
from ..pictures.image import Image


@dataclass(frozen=True)
class Growth:
    """A run's snapshots: `filters` [E, 48, 3, 7, 7]; `dreams` by block, [E, 4, 3, side, side] in [0, 1], of `channels`.

    `epochs` are passes over all 100,000 pictures, with fractions; `accuracy` is top-1 on validation pictures at `side` pixels,
    the size the run was trained at.
    """

    epochs: tuple[float, ...]
    accuracy: tuple[float, ...]
    side: int
    filters: Tensor
    dreams: Mapping[str, Tensor]
    channels: Mapping[str, tuple[int, ...]]


def growth(path: Path = WEIGHTS / "growth.safetensors") -> Growth:
    """The shipped snapshots.

    >>> found = growth()
    >>> found.epochs, found.filters.shape[1:]
    ((0.0, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0), torch.Size([48, 3, 7, 7]))
    """
    with safe_open(path, "pt") as file:
        said = json.loads(file.metadata()["growth"])
        dreams = {block: file.get_tensor(block).float() / 255 for block in said["channels"]}
        channels = {block: tuple(indices) for block, indices in said["channels"].items()}
        return Growth(
            tuple(said["epochs"]),
            tuple(said["accuracy"]),
            said["side"],
            file.get_tensor("conv1").float(),
            dreams,
            channels,
        )


def filter_pictures(filters: Tensor) -> Image:
    """First-layer filters [..., 3, k, k] as pictures of the same shape: 0 is mid-grey, each filter has its own scale.

    >>> filter_pictures(torch.tensor([-2.0, 0.0, 1.0]).view(1, 3, 1, 1)).flatten().tolist()
    [0.0, 0.5, 0.75]
    """
    size = filters.detach().abs().amax((-3, -2, -1), keepdim=True).clamp(min=1e-12)
    return 0.5 + 0.5 * filters.detach() / size


def likeness(snapshots: Tensor) -> Tensor:
    """How like the last snapshot each one is [E, C]: the correlation of every filter, or picture, of [E, C, …] with its last state.

    1 is the same up to brightness and contrast, 0 unrelated. What is flat, and so has no pattern, is like nothing: 0.

    >>> likeness(torch.tensor([[[1.0, -1.0]], [[0.0, 3.0]], [[1.0, 5.0]]])).flatten().tolist()
    [-1.0, 1.0, 1.0]
    """
    if snapshots.dim() < 3:
        raise ValueError(f"snapshots are [epochs, channels, …]; given: {list(snapshots.shape)}")
    values = snapshots.detach().double().flatten(2)
    values = values - values.mean(2, keepdim=True)
    lengths = values.norm(dim=2)
    products = (values * values[-1:]).sum(2)
    return torch.where(
        lengths * lengths[-1:] > 0, products / (lengths * lengths[-1:]).clamp(min=1e-300), 0.0
    ).float()
