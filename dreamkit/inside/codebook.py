"""Codes: what a layer says about a picture as one list of numbers; silent channels; maps of codes.

From CS231n's notes on visualising what convolutional networks learn: dead filters, and t-SNE of
codes shown as a grid of pictures. Pictures [N, 3, H, W] go through the network in groups of
`batch`; an unknown layer raises KeyError.
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
    """The code [N, C] of each picture: the layer's features, averaged over the cells of a map."""
    check_image(images)
    found = []
    for part in images.split(batch):
        with torch.no_grad():
            values = capture(network, part, [layer])[layer].float().cpu()
        if values.dim() == 4:  # [N, C, h, w]
            values = values.flatten(2).mean(2)
        elif values.dim() == 3:  # [N, tokens, C]
            values = values.mean(1)
        found.append(values)
    return torch.cat(found)


def activity(
    network: Network, images: Image, layers: Sequence[str] | str, batch: int = 50
) -> dict[str, Tensor]:
    """The share of the pictures that activate each channel, {layer: [C]}: 0 for a silent channel.

    A picture activates a channel if any cell of its map is above 0: choose layers after a ReLU.
    """
    check_image(images)
    layers = [layers] if isinstance(layers, str) else layers
    active: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    for part in images.split(batch):
        with torch.no_grad():
            for layer, values in capture(network, part, layers).items():
                active[layer].append((values > 0).flatten(2).any(2).cpu())
    return {layer: torch.cat(parts).float().mean(0) for layer, parts in active.items()}


def silent(
    network: Network, images: Image, layers: Sequence[str] | str, batch: int = 50
) -> dict[str, tuple[int, ...]]:
    """The channels that none of these pictures activates, {layer: channels}; others may."""
    return {
        layer: tuple((shares == 0).nonzero().flatten().tolist())
        for layer, shares in activity(network, images, layers, batch).items()
    }


def embedded(codes: Tensor, perplexity: float = 20.0, seed: int = 0) -> Tensor:
    """Points [N, 2] in [0, 1] that lie near each other where the codes [N, C] do.

    They are scikit-learn's t-SNE after a PCA to at most 50 dimensions. `perplexity`, from 1 to
    below N, is about the number of neighbours that count for each code. The axes have no meaning,
    nor have distances between far groups.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if codes.dim() != 2 or not 1 <= perplexity < len(codes):
        raise ValueError(
            "codes must be [N, C], and perplexity from 1 to below N; "
            f"given: {list(codes.shape)}, {perplexity!r}"
        )
    values = codes.detach().double().cpu().numpy()
    values = PCA(min(50, *values.shape), svd_solver="full").fit_transform(values)
    values = values / max(values.std(), 1e-12)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, method="barnes_hut")
    points = torch.from_numpy(tsne.fit_transform(values))
    low, high = points.amin(0), points.amax(0)
    return ((points - low) / (high - low).clamp(min=1e-12)).float()


def grid_places(points: Tensor, columns: int | None = None) -> Tensor:
    """A different place (row, column) of a grid for each of the points [N, 2] in [0, 1]: [N, 2].

    The grid has `columns` columns; by default it is as square as possible. The sum of squared
    distances from points to places is the least possible (an assignment problem).

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
    """One picture [1, 3, H, W] that shows each of the pictures [N, 3, h, w] at its place, on white.

    `places` [N, 2] are (row, column) of a grid; `gap` is the distance between cells in pixels.
    """
    (height, width), (rows, columns) = images.shape[-2:], (places.amax(0) + 1).tolist()
    page = images.new_ones(1, 3, rows * (height + gap) - gap, columns * (width + gap) - gap)
    for picture, (row, column) in zip(images, places.tolist(), strict=True):
        top, left = row * (height + gap), column * (width + gap)
        page[0, :, top : top + height, left : left + width] = picture
    return page


def neighbours_alike(codes: Tensor, groups: Sequence[object], count: int = 5) -> float:
    """The share of each code's `count` nearest other codes that are of its own group, on average.

    `codes` is [N, C] and `groups` names the group of each code. By chance the share is that of the
    group among the other codes. Raises ValueError if there are not `count` other codes.

    >>> neighbours_alike(torch.tensor([[0.0], [0.1], [5.0], [5.1]]), "aabb", 1)
    1.0
    """
    if len(groups) != len(codes) or not 1 <= count < len(codes):
        raise ValueError(
            f"groups must be one for each of {len(codes)} codes, and count from 1 to "
            f"{len(codes) - 1}; given: {len(groups)} groups, count {count!r}"
        )
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    own = torch.tensor([numbers[group] for group in groups])
    distances = torch.cdist(codes.double(), codes.double())
    distances.fill_diagonal_(math.inf)
    nearest = distances.topk(count, largest=False).indices
    return float((own[nearest] == own[:, None]).double().mean())
