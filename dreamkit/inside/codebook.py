"""Codes: what a layer says of a picture as one list of numbers; which channels never speak; and codes laid out as a map.

From CS231n's notes on visualising what convolutional networks learn: dead filters, and t-SNE of codes shown as a grid of pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.network import Network
from ..pictures.image import Image, check_image


def codes(network: Network, images: Image, layer: str, batch: int = 50) -> Tensor:
    """The code [N, C] of each picture [N, 3, H, W]: the layer's features, averaged over the cells of a map.

    KeyError for an unknown layer.
    """
    check_image(images)
    found = []
    for at in range(0, len(images), batch):
        with torch.no_grad():
            values = capture(network, images[at : at + batch], [layer])[layer].float().cpu()
        found.append(
            values.flatten(2).mean(2)
            if values.dim() == 4
            else values.mean(1)
            if values.dim() == 3
            else values
        )
    return torch.cat(found)


def activity(
    network: Network, images: Image, layers: Sequence[str], batch: int = 50
) -> dict[str, Tensor]:
    """For each channel the share of the pictures [N, 3, H, W] that wake it at some place {layer: [C]}: 0 for a silent one.

    Ask it of layers after a ReLU; a channel counts as awake where any cell of its map is above 0.
    """
    check_image(images)
    awake: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    for at in range(0, len(images), batch):
        with torch.no_grad():
            for layer, values in capture(network, images[at : at + batch], layers).items():
                awake[layer].append((values > 0).flatten(2).any(2).cpu())
    return {layer: torch.cat(parts).float().mean(0) for layer, parts in awake.items()}


def silent(
    network: Network, images: Image, layers: Sequence[str], batch: int = 50
) -> dict[str, tuple[int, ...]]:
    """The channels that no picture wakes {layer: channels}. Silent for these pictures is not yet dead: show it others."""
    return {
        layer: tuple((shares == 0).nonzero().flatten().tolist())
        for layer, shares in activity(network, images, layers, batch).items()
    }


def embedded(codes: Tensor, perplexity: float = 20.0, seed: int = 0) -> Tensor:
    """Points [N, 2] in [0, 1], near to each other where the codes [N, C] are: scikit-learn's t-SNE, after a PCA to 50 dimensions.

    `perplexity` is about how many neighbours count for each; it must lie below N. The axes mean nothing, and neither does the distance
    between far groups.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if codes.dim() != 2 or not 1 <= perplexity < len(codes):
        raise ValueError(
            f"codes are [N, C], with perplexity from 1 to below N; given: {list(codes.shape)}, {perplexity!r}"
        )
    values = codes.detach().double().cpu().numpy()
    values = PCA(min(50, *values.shape), svd_solver="full").fit_transform(values)
    values = values / max(values.std(), 1e-12)
    points = torch.from_numpy(
        TSNE(
            2, perplexity=perplexity, init="pca", random_state=seed, method="barnes_hut"
        ).fit_transform(values)
    )
    low, high = points.amin(0), points.amax(0)
    return ((points - low) / (high - low).clamp(min=1e-12)).float()


def grid_places(points: Tensor, columns: int | None = None) -> Tensor:
    """A place of its own (row, column) [N, 2] for each of the points [N, 2] in [0, 1], so that all together move least.

    The grid is as square as may be, or `columns` wide. The sum of squared ways is the least there is (an assignment problem).

    >>> grid_places(torch.tensor([[0.9, 0.1], [0.0, 0.0], [0.1, 1.0], [0.8, 0.9]])).tolist()
    [[0, 1], [0, 0], [1, 0], [1, 1]]
    """
    from scipy.optimize import linear_sum_assignment

    columns = columns or math.ceil(math.sqrt(len(points)))
    rows = math.ceil(len(points) / columns)
    places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))  # [rows × columns, 2]
    centres = (places.flip(1).double() + 0.5) / torch.tensor([columns, rows])  # as (x, y)
    _, chosen = linear_sum_assignment(torch.cdist(points.double(), centres).square().numpy())
    return places[torch.from_numpy(chosen)]


def mosaic(images: Image, places: Tensor, gap: int = 1) -> Image:
    """One picture [1, 3, H, W] with each of the pictures [N, 3, h, w] at its place (row, column) of `places` [N, 2], on white."""
    (height, width), (rows, columns) = images.shape[-2:], (places.amax(0) + 1).tolist()
    page = images.new_ones(1, 3, rows * (height + gap) - gap, columns * (width + gap) - gap)
    for picture, (row, column) in zip(images, places.tolist(), strict=True):
        top, left = row * (height + gap), column * (width + gap)
        page[0, :, top : top + height, left : left + width] = picture
    return page


def neighbours_alike(codes: Tensor, groups: Sequence[object], count: int = 5) -> float:
    """The share of each code's `count` nearest others that belong to its own group, on average: how well the codes keep groups together.

    Chance is the share of the group among the others. ValueError where there are not `count` others.

    >>> neighbours_alike(torch.tensor([[0.0], [0.1], [5.0], [5.1]]), "aabb", 1)
    1.0
    """
    if len(groups) != len(codes) or not 1 <= count < len(codes):
        raise ValueError(
            f"one group for each of {len(codes)} codes, and fewer neighbours than codes; given: {len(groups)}, {count!r}"
        )
    names = {group: index for index, group in enumerate(dict.fromkeys(groups))}
    own = torch.tensor([names[group] for group in groups])
    apart = torch.cdist(codes.double(), codes.double())
    apart.fill_diagonal_(math.inf)
    return float((own[apart.topk(count, largest=False).indices] == own[:, None]).double().mean())
