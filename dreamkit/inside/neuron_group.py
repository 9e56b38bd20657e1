"""Neuron groups: a photo's features at a layer as a few groups of channels that act together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..checks.numbers import is_whole
from ..networks.features import capture
from ..networks.network import Network
from ..pictures.image import Image, check_image
from .directions import vector_pictures


@dataclass(frozen=True)
class NeuronGroups:
    """Groups of channels: where each is active in the photo, what it is, and its picture.

    `maps` [G, h, w] are 0 or more; `directions` [G, C] have a length of 1; `pictures`
    [G, 3, S, S] show what the layer responds to in each direction. The features of the photo are
    about the sum over g of maps[g] times directions[g]; `error` is the norm of the difference as a
    share of their norm. The group with the largest sum of its map comes first.
    """

    layer: str
    maps: Tensor
    directions: Tensor
    error: float
    pictures: Image


def neuron_groups(
    network: Network,
    image: Image,
    layer: str,
    groups: int = 6,
    seed: int = 0,
    folder: Path | None = None,
) -> NeuronGroups:
    """The photo's features at a layer, factorised into a few groups, with a picture of each.

    The method is non-negative matrix factorisation of the features (scikit-learn's NMF), in "The
    Building Blocks of Interpretability" (Olah et al., Distill, 2018). Features below 0, as a layer
    without activation has them, count as channels of their own, with the opposite sign.

    Args:
        network: the network.
        image: one photo [1, 3, H, W].
        layer: a layer with a feature map.
        groups: number of groups, at most that of the cells of the map.
        seed: of the factorisation, of the noise and of the random views.
        folder: where each picture is kept as it comes, and taken from if it is there.

    Raises KeyError for an unknown layer, ValueError for another number of groups, several photos
    or a layer without a map.
    """
    maps, directions, error = factorised(network, image, layer, groups, seed)
    batches = vector_pictures(network, layer, directions, seed=seed, folder=folder)
    return NeuronGroups(layer, maps, directions, error, torch.cat(list(batches)))


def factorised(
    network: Network, image: Image, layer: str, groups: int, seed: int = 0
) -> tuple[Tensor, Tensor, float]:
    """The maps [G, h, w], the directions [G, C] and the error of `neuron_groups`."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    features = one_map(network, image, layer)  # [C, h, w]
    cells = features.shape[1] * features.shape[2]
    if not is_whole(groups, 1, cells):
        raise ValueError(
            f"groups is a whole number from 1 to {cells}, the cells of layer {layer!r} here; "
            f"given: {groups!r}"
        )
    rows = features.flatten(1).T.double().cpu()  # [cells, C]
    signed = torch.cat([rows.clamp(min=0), (-rows).clamp(min=0)], 1)  # [cells, 2 C]
    nmf = NMF(groups, init="nndsvda", max_iter=600, random_state=seed)
    with warnings.catch_warnings():  # 600 iterations are enough to draw it
        warnings.simplefilter("ignore", ConvergenceWarning)
        shares = torch.from_numpy(nmf.fit_transform(signed.numpy()))  # [cells, G]
    parts = torch.from_numpy(nmf.components_)  # [G, 2 C]
    directions = parts[:, : len(features)] - parts[:, len(features) :]
    error = float((shares @ directions - rows).norm() / rows.norm().clamp(min=1e-12))
    lengths = directions.norm(dim=1)
    shares, directions = shares * lengths, directions / lengths.clamp(min=1e-12)[:, None]
    order = shares.sum(0).argsort(descending=True)
    maps = shares.T[order].reshape(groups, *features.shape[1:])
    return maps.float(), directions[order].float(), error


def one_map(network: Network, image: Image, layer: str) -> Tensor:
    """The features [C, h, w] of one photo at a layer.

    Raises ValueError for several photos, or a layer without a map.
    """
    check_image(image)
    if len(image) != 1:
        raise ValueError(f"give one photo, [1, 3, H, W]; given: {list(image.shape)}")
    with torch.no_grad():
        features = capture(network, image, layer)[layer]
    if features.dim() != 4:
        raise ValueError(f"layer {layer!r} has no feature map ({list(features.shape)})")
    return features[0].float()
