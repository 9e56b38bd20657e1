"""What a network sees in each part of a photo, and in many photos: grids and atlases of pictures.

Each cell of a grid holds the mean of a layer's features there, drawn as a picture: "The Building
Blocks of Interpretability" (Olah et al., Distill, 2018) for one photo, "Activation Atlas" (Carter
et al., Distill, 2019) for many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checks.numbers import is_whole
from ..networks.network import Network
from ..pictures.image import Image
from .codebook import embedded, mosaic
from .directions import vector_pictures
from .neuron_group import one_map

_ENOUGH = 2000  # cells of all photos together, for an atlas
_PERPLEXITY = 30.0


@dataclass(frozen=True)
class Cells:
    """Cells of a grid, each with the mean features there and their picture.

    `places` [K, 2] are (row, column); `vectors` [K, C] the mean features; `counts` [K] how many
    cells of feature maps each mean holds; `pictures` [K, 3, S, S].
    """

    layer: str
    places: Tensor
    vectors: Tensor
    counts: Tensor
    pictures: Image

    def page(self, gap: int = 0) -> Image:
        """All pictures at their places, [1, 3, H, W], with `gap` pixels of white between them."""
        return mosaic(self.pictures, self.places, gap)


def activation_grid(
    network: Network,
    image: Image,
    layer: str,
    cells: int | tuple[int, int] = 6,
    seed: int = 0,
    folder: Path | None = None,
) -> Cells:
    """What a layer sees in each of `cells` × `cells` parts of a photo [1, 3, H, W], as pictures.

    Each picture raises the direction of the part's mean features (`dk.direction`).

    Args:
        network: the network.
        image: one photo.
        layer: a layer with a feature map; where it has no activation the pictures are clearer.
        cells: rows and columns: a number, or a pair of numbers.
        seed: of the noise and of the random views.
        folder: where each picture is kept as it comes, and taken from if it is there.

    Raises KeyError for an unknown layer, ValueError for cells that are not from 1 to the size of
    the map, several photos, a layer without a map, or a part without any feature.
    """
    places, vectors, counts = grid_vectors(network, image, layer, cells)
    pictures = vector_pictures(network, layer, vectors, True, seed, folder)
    return Cells(layer, places, vectors, counts, torch.cat(list(pictures)))


def grid_vectors(
    network: Network, image: Image, layer: str, cells: int | tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """The places, vectors and counts of `activation_grid`."""
    features = one_map(network, image, layer)  # [C, h, w]
    rows, columns = cells if isinstance(cells, tuple) else (cells, cells)
    height, width = features.shape[1:]
    if not (is_whole(rows, 1, height) and is_whole(columns, 1, width)):
        raise ValueError(
            f"cells is one whole number, or rows and columns, and the map of layer {layer!r} has "
            f"{height}×{width} here; given: {cells!r}"
        )
    vectors = F.adaptive_avg_pool2d(features, (rows, columns)).flatten(1).T  # [cells, C]
    places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))
    ones = torch.full((len(places),), height * width // (rows * columns))
    return places, vectors, ones


def activation_atlas(
    network: Network,
    images: Iterable[Image],
    layer: str,
    side: int = 8,
    seed: int = 0,
    folder: Path | None = None,
    least: int = 2,
) -> Cells:
    """What a layer sees in many photos, laid out so that what is alike lies near each other.

    About 2,000 cells of the photos' feature maps, drawn at random and as many of each photo, are
    laid out in the plane by t-SNE. The plane is cut into `side` × `side` squares, and the mean of
    each square's features is drawn as a picture, so long as `least` cells fell into it.

    Args:
        network: the network.
        images: photos, each [1, 3, H, W] of any size: a list, or `dk.collection(...)`.
        layer: a layer with a feature map.
        side: rows and columns of the page.
        seed: of the choice of cells, of the layout, of the noise and of the random views.
        folder: where each picture is kept as it comes, and taken from if it is there.
        least: how many cells make a picture.

    Raises KeyError for an unknown layer; ValueError for no photos, a side that is not from 1 to 64,
    a layer without a map, and fewer than 100 cells in all.
    """
    places, vectors, counts = atlas_vectors(network, images, layer, side, seed, least)
    pictures = vector_pictures(network, layer, vectors, True, seed, folder)
    return Cells(layer, places, vectors, counts, torch.cat(list(pictures)))


def atlas_vectors(
    network: Network, images: Iterable[Image], layer: str, side: int, seed: int = 0, least: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """The places, vectors and counts of `activation_atlas`."""
    if not is_whole(side, 1, 64) or not is_whole(least, 1):
        raise ValueError(
            "side is a whole number from 1 to 64, and least one of 1 or more; given: "
            f"{side!r}, {least!r}"
        )
    codes = _drawn_cells(network, list(images), layer, seed)
    points = embedded(codes, _PERPLEXITY, seed)  # [cells, 2] in [0, 1]
    squares = (points.flip(1) * side).long().clamp(max=side - 1)  # (row, column)
    numbers = squares[:, 0] * side + squares[:, 1]
    sums = codes.new_zeros(side * side, codes.shape[1]).index_add_(0, numbers, codes)
    counts = torch.bincount(numbers, minlength=side * side)
    (filled,) = torch.where(counts >= least)
    places = torch.stack([filled // side, filled % side], 1)
    return places, sums[filled] / counts[filled, None], counts[filled]


def _drawn_cells(network: Network, images: list[Image], layer: str, seed: int) -> Tensor:
    """[cells, C]: as many random cells of each photo's feature map."""
    if not images:
        raise ValueError("an atlas needs at least one photo; given: none")
    generator, most = torch.Generator().manual_seed(seed), math.ceil(_ENOUGH / len(images))
    found = []
    for image in images:
        cells = one_map(network, image, layer).flatten(1).T.cpu()  # [h * w, C]
        found.append(cells[torch.randperm(len(cells), generator=generator)[:most]])
    codes = torch.cat(found)
    if len(codes) < 100:
        raise ValueError(f"the photos have only {len(codes)} cells at {layer!r}; 100 are needed")
    return codes
