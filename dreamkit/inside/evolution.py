"""How a network grows: what its first filters were, and what its channels dreamt of, at snapshots of one training run.

After figure 4 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..pictures.image import Image
from ..training.growth import Growth, load_growth


def growth() -> Growth:
    """The shipped snapshots of a run that began from nothing: `epochs`, `accuracy`, conv1's `filters`, `dreams` by block.

    >>> growth().epochs
    (0.0, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
    """
    return load_growth()


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
