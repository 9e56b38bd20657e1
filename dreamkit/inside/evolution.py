"""How a network grows: its first filters and its channels' dreams during one training run.

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

from ..networks.zoo import FOLDER
from ..pictures.image import Image


@dataclass(frozen=True)
class Growth:
    """Snapshots of a training run at E moments."""

    epochs: tuple[float, ...]  # how many times all 100,000 pictures had been seen, with fractions
    accuracy: tuple[float, ...]  # top-1 on validation pictures of `side` pixels
    side: int  # of the pictures of the run
    filters: Tensor  # of conv1, [E, 48, 3, 7, 7]
    dreams: Mapping[str, Tensor]  # {block: [E, 4, 3, h, w] in [0, 1]}
    channels: Mapping[str, tuple[int, ...]]  # {block: the 4 channels of the dreams}


def growth(path: Path = FOLDER / "growth.safetensors") -> Growth:
    """The snapshots that come with dreamkit.

    >>> found = growth()
    >>> found.epochs, found.filters.shape[1:]
    ((0.0, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0), torch.Size([48, 3, 7, 7]))
    """
    with safe_open(path, "pt") as file:
        data = json.loads(file.metadata()["growth"])
        return Growth(
            tuple(data["epochs"]),
            tuple(data["accuracy"]),
            data["side"],
            file.get_tensor("conv1").float(),
            {block: file.get_tensor(block).float() / 255 for block in data["channels"]},
            {block: tuple(indices) for block, indices in data["channels"].items()},
        )


def filter_pictures(filters: Tensor) -> Image:
    """First-layer filters [..., 3, k, k] as pictures of the same shape.

    0 is mid-grey, and the largest `|weight|` of each filter has the value 0 or 1.

    >>> filter_pictures(torch.tensor([-2.0, 0.0, 1.0]).view(1, 3, 1, 1)).flatten().tolist()
    [0.0, 0.5, 0.75]
    """
    largest = filters.detach().abs().amax((-3, -2, -1), keepdim=True).clamp(min=1e-12)
    return 0.5 + 0.5 * filters.detach() / largest


def likeness(snapshots: Tensor) -> Tensor:
    """The correlation of each filter or picture of [E, C, …] with its last snapshot: [E, C].

    1 means the same up to brightness and contrast, 0 unrelated. A constant filter or picture has
    the correlation 0. Raises ValueError for fewer than three dimensions.

    >>> likeness(torch.tensor([[[1.0, -1.0]], [[0.0, 3.0]], [[1.0, 5.0]]])).flatten().tolist()
    [-1.0, 1.0, 1.0]
    """
    if snapshots.dim() < 3:
        raise ValueError(f"snapshots must be [epochs, channels, …]; given: {list(snapshots.shape)}")
    values = snapshots.detach().double().flatten(2)
    values = values - values.mean(2, keepdim=True)
    return torch.nn.functional.cosine_similarity(values, values[-1:], dim=2).float()
