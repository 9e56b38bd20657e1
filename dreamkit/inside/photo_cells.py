"""Cells of many photos' feature maps, drawn at random: what an activation atlas is made of.

Each photo is a job, for this process or for the workers of a Dask client.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import closing

import torch
from torch import Tensor

from ..atlas.cluster import Ticket, network_of, spread
from ..networks.network import Network
from ..pictures.image import Image
from .atlas_page import Spot
from .neuron_group import one_map

SEEDS = 2**32  # scikit-learn takes no larger ones


def drawn_cells(
    given: Network | Ticket,
    images: Iterable[Image],
    layer: str,
    seed: int,
    enough: int,
    client: object = None,
) -> tuple[Tensor, list[Spot]]:
    """As many random cells of each photo's map, about `enough` in all [cells, C]; where they lie.

    Each photo is taken from `images` once, when a worker is free for it. Raises ValueError for no
    photos, and fewer than 100 cells.
    """
    # Of N photos at most enough / N cells each are wanted, and N may be known at the end only: so
    # photo number n gives enough / (n + 1), and the first of them are taken.
    jobs = (
        (given, image, layer, math.ceil(enough / (n + 1)), _mixed(seed, n))
        for n, image in enumerate(images)
    )
    with closing(spread(_cells_of_photo, jobs, client)) as results:
        found = dict(results)
    if not found:
        raise ValueError("an atlas needs at least one photo; given: none")
    most, names = math.ceil(enough / len(found)), getattr(images, "names", None)
    codes = torch.cat([found[n][0][:most] for n in range(len(found))])
    if len(codes) < 100:
        raise ValueError(f"the photos have only {len(codes)} cells at {layer!r}; 100 are needed")
    return codes, [
        Spot(names[n] if names else f"photo {n}", *place, *found[n][2])
        for n in range(len(found))
        for place in found[n][1][:most].tolist()
    ]


def _cells_of_photo(
    given: Network | Ticket, image: Image, layer: str, most: int, seed: int
) -> tuple[Tensor, Tensor, tuple[int, int]]:
    """Up to `most` random cells [cells, C] of a photo's map, their places, and the map's size."""
    features = one_map(network_of(given), image, layer).cpu()  # [C, h, w]
    generator = torch.Generator().manual_seed(seed)
    height, width = features.shape[1:]
    chosen = torch.randperm(height * width, generator=generator)[:most]
    places = torch.stack([chosen // width, chosen % width], 1)  # (row, column)
    return features.flatten(1).T[chosen], places, (height, width)


def _mixed(seed: int, number: int) -> int:
    """The seed of one photo, whoever draws its cells. PyTorch uses 32 bits of a seed."""
    return (seed * 1_000_003 + number) % SEEDS
