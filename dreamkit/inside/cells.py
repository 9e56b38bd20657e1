"""What a network sees in each part of a photo, and in many photos: grids and atlases of pictures.

Each cell of a grid holds the mean of a layer's features there, drawn as a picture: "The Building
Blocks of Interpretability" (Olah et al., Distill, 2018) for one photo, "Activation Atlas" (Carter
et al., Distill, 2019) for many.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ..atlas.cluster import Ticket, cluster, ticket
from ..atlas.folder import PAGE
from ..checks.numbers import is_whole
from ..networks.network import Network
from ..pictures.files import make_folder, write_whole
from ..pictures.image import Image, save_image
from .arguments import map_layer
from .atlas_page import PICTURES, Spot, atlas_page
from .codebook import embedded, mosaic
from .directions import spread_pictures, vector_files, vector_pictures
from .neuron_group import one_map
from .photo_cells import SEEDS, drawn_cells

_ENOUGH = 2000  # cells of all photos together, for an atlas
_PERPLEXITY = 30.0
_NEAREST = 3  # cells of each square that are named
_GAP = 2  # pixels of white between the pictures of a page


@dataclass(frozen=True)
class Cells:
    """Cells of a grid, each with the mean features there and their picture.

    `places` [K, 2] are (row, column); `vectors` [K, C] the mean features; `counts` [K] how many
    cells of feature maps each mean holds; `pictures` [K, 3, S, S]. An atlas also has `nearest`: for
    each square up to three of its cells in the photos, those nearest to its mean first; and
    `files`, the names of the pictures in the folder where they are kept, if there is one.
    """

    layer: str
    places: Tensor
    vectors: Tensor
    counts: Tensor
    pictures: Image
    nearest: tuple[tuple[Spot, ...], ...] = ()
    files: tuple[str, ...] = ()

    def page(self, gap: int = 0) -> Image:
        """All pictures at their places, [1, 3, H, W], with `gap` pixels of white between them."""
        return mosaic(self.pictures, self.places, gap)

    def write(self, folder: str | os.PathLike[str], title: str = "") -> Path:
        """Writes an HTML page to browse the pictures by into a folder, and returns its path.

        The pictures go to the folder "pictures" in it, unless `files` says that they are there, and
        all of them at their places to "atlas.png".
        """
        folder, names = Path(folder), self.files or [f"{r}-{c}.png" for r, c in self.places]
        make_folder(folder / PICTURES)
        for picture, name in zip(self.pictures, names, strict=True):
            if not (self.files and (folder / PICTURES / name).is_file()):
                save_image(picture[None], folder / PICTURES / name)
        save_image(self.page(_GAP), folder / "atlas.png")
        spots = self.nearest or [()] * len(names)
        squares = zip(self.places.tolist(), names, self.counts.tolist(), spots, strict=True)
        text = atlas_page(title or f"What {self.layer} sees", self.layer, [*squares])
        write_whole(folder / PAGE, lambda file: file.write(text.encode("utf-8", "replace")))
        return folder / PAGE


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
    *,
    client: object = None,
    workers: int | str | None = None,
    scheduler: str | None = None,
) -> Cells:
    """What a layer sees in many photos, laid out so that what is alike lies near each other.

    About 2,000 cells of the photos' feature maps, drawn at random and as many of each photo, are
    laid out in the plane by t-SNE. The plane is cut into `side` × `side` squares, and the mean of
    each square's features is drawn as a picture, so long as `least` cells fell into it. `write` of
    the result makes a page to browse.

    Args:
        network: the network.
        images: photos, each [1, 3, H, W] of any size: a list, or `dk.collection(...)`, or any
            iterable. Each is taken once, and only a few are held in memory at a time. Their
            `names`, if it has any, stand in the result.
        layer: a layer with a feature map.
        side: rows and columns of the page.
        seed: of the choice of cells, of the layout, of the noise and of the random views.
        folder: where each picture is kept as it comes, and taken from if it is there.
        least: how many cells make a picture.
        client, workers, scheduler: at most one. A Dask client, a number of processes of this
            machine ("auto": one for each core), or the address of a Dask scheduler: photos and
            pictures are spread over its workers. By default this process does the work. The bytes
            do not depend on it, as each job runs on one thread everywhere.

    Raises KeyError for an unknown layer; ValueError for no photos, a side that is not from 1 to 64,
    a layer without a map, and fewer than 100 cells in all.
    """
    check_atlas(network, layer, side, seed, least)
    with cluster(workers, scheduler, client) as shared:
        given = ticket(network, shared)
        squares = atlas_squares(given, images, layer, side, seed, least, shared)
        files = []
        if folder is not None:
            files = vector_files(network, layer, squares.vectors, True, seed, folder)
        batches = spread_pictures(network, given, layer, squares.vectors, seed, files, shared)
        return drawn_squares(squares, list(batches), files)


def atlas_vectors(
    network: Network, images: Iterable[Image], layer: str, side: int, seed: int = 0, least: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """The places, vectors and counts of `activation_atlas`."""
    check_atlas(network, layer, side, seed, least)
    squares = atlas_squares(network, images, layer, side, seed, least)
    return squares.places, squares.vectors, squares.counts


def check_atlas(network: Network, layer: str, side: int, seed: int, least: int = 2) -> None:
    """Raises what `activation_atlas` raises for its numbers and its layer."""
    if not is_whole(side, 1, 64) or not is_whole(least, 1):
        raise ValueError(
            "side is a whole number from 1 to 64, and least one of 1 or more; given: "
            f"{side!r}, {least!r}"
        )
    if not is_whole(seed, 0, SEEDS - 1):
        raise ValueError(f"seed is a whole number from 0 to {SEEDS - 1}; given: {seed!r}")
    map_layer(network, layer)


def drawn_squares(squares: Cells, batches: list[Image], files: list[Path]) -> Cells:
    """The squares with their pictures, and their files if they are kept in a folder."""
    names = tuple(file.name for file in files)
    return replace(squares, pictures=torch.cat(batches), files=names)


def atlas_squares(
    given: Network | Ticket,
    images: Iterable[Image],
    layer: str,
    side: int,
    seed: int = 0,
    least: int = 2,
    client: object = None,
) -> Cells:
    """The squares of `activation_atlas`, without their pictures."""
    codes, spots = drawn_cells(given, images, layer, seed, _ENOUGH, client)
    points = embedded(codes, _PERPLEXITY, seed)  # [cells, 2] in [0, 1]
    squares = (points.flip(1) * side).long().clamp(max=side - 1)  # (row, column)
    numbers = squares[:, 0] * side + squares[:, 1]
    sums = codes.new_zeros(side * side, codes.shape[1]).index_add_(0, numbers, codes)
    counts = torch.bincount(numbers, minlength=side * side)
    (filled,) = torch.where(counts >= least)
    places = torch.stack([filled // side, filled % side], 1)
    vectors = sums[filled] / counts[filled, None]
    nearest = []
    for number, vector in zip(filled, vectors, strict=True):
        (own,) = torch.where(numbers == number)
        order = (codes[own] - vector).norm(dim=1).argsort(stable=True)[:_NEAREST]
        nearest.append(tuple(spots[i] for i in own[order].tolist()))
    none = vectors.new_empty(0, 3, 0, 0)
    return Cells(layer, places, vectors, counts[filled], none, tuple(nearest))
