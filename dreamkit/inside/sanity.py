"""Sanity checks: do two maps agree, does a map find the object, and does it change when the network forgets what it learnt?

Adebayo et al., "Sanity checks for saliency maps" (2018): a map that stays the same when the weights become random
explains the picture, not the network.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..networks.network import Network, randomized


def forgetting(network: Network, seed: int = 0) -> Iterator[tuple[str, Network]]:
    """(name, network) again and again: each time one more layer has random weights, from the answer down to the pixels.

    The names are of the blocks that the network itself is made of (`fc`, `inception5b`, …), the last first; those without
    weights are left out. The random weights are those of `dk.randomized` with that seed.

    >>> from dreamkit.networks.zoo import load_network
    >>> [name for name, _ in forgetting(load_network("dreamnet"))][:3]
    ['fc', 'inception5b', 'inception5a']
    """
    module, random = copy.deepcopy(network.module), randomized(network, seed).module
    for name in reversed(_blocks(module)):
        with torch.no_grad():
            for old, new in zip(
                _tensors(module.get_submodule(name)),
                _tensors(random.get_submodule(name)),
                strict=True,
            ):
                old.copy_(new)
        yield (
            name,
            replace(
                network,
                module=copy.deepcopy(module),
                name=f"{network.name}-forgot-{name}",
                digest="",
            ),
        )


def rank_correlation(one: Tensor, other: Tensor) -> float:
    """How alike two maps of one shape are in the *order* of their sizes |v|, from -1 over 0 to 1: Spearman's rank correlation.

    Signs are left out: the map shows where, not whether for or against. ValueError for maps of different shapes, and for a
    map that is the same everywhere, which has no order.

    >>> round(
    ...     rank_correlation(torch.tensor([1.0, 2.0, -3.0]), torch.tensor([10.0, 11.0, 1000.0])), 9
    ... )
    1.0
    """
    if one.shape != other.shape:
        raise ValueError(
            f"maps of one shape are compared; given: {list(one.shape)} and {list(other.shape)}"
        )
    ranks = [_ranks(values.detach().abs().double().flatten().cpu()) for values in (one, other)]
    ranks = [rank - rank.mean() for rank in ranks]
    if not all(rank.any() for rank in ranks):
        raise ValueError("a map that is the same everywhere has no order to compare")
    return float(ranks[0] @ ranks[1] / (ranks[0].norm() * ranks[1].norm()))


def overlap(values: Tensor, mask: Tensor, share: float = 0.1) -> float:
    """Intersection over union of a map's strongest `share` of pixels with a mask (True on the object), [..., H, W] each.

    The map's channels are joined: a pixel is as strong as its largest |value|. Chance gives about share / (1 + share / s - share)
    for an object that fills a share s. ValueError for a share not between 0 and 1 or sizes that differ.

    >>> overlap(
    ...     torch.tensor([[9.0, 0.0], [8.0, 1.0]]),
    ...     torch.tensor([[True, False], [False, False]]),
    ...     0.5,
    ... )
    0.5
    """
    if not 0 < share < 1:
        raise ValueError(f"share lies between 0 and 1; given: {share!r}")
    if values.shape[-2:] != mask.shape[-2:]:
        raise ValueError(
            f"map and mask have one size; given: {list(values.shape[-2:])} and {list(mask.shape[-2:])}"
        )
    size = values.detach().abs().reshape(-1, *values.shape[-2:]).amax(0).flatten()
    strongest = torch.zeros_like(size, dtype=torch.bool)
    strongest[size.topk(max(1, round(share * len(size)))).indices] = True
    inside = mask.reshape(-1, *mask.shape[-2:]).any(0).flatten().to(strongest.device)
    return float((strongest & inside).sum() / (strongest | inside).sum())


def _blocks(module: nn.Module) -> list[str]:
    """The names of the children that hold weights, and of theirs where a child is a plain container, in order."""
    found = []
    for name, child in module.named_children():
        if type(child) in (nn.Sequential, nn.ModuleList):
            found += [f"{name}.{deeper}" for deeper in _blocks(child)]
        elif next(child.parameters(), None) is not None:
            found.append(name)
    return found


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]


def _ranks(values: Tensor) -> Tensor:
    """The rank of each value; equal values share the mean of theirs."""
    _, place, count = values.unique(return_inverse=True, return_counts=True)
    last = count.cumsum(0)
    return (last - (count.double() - 1) / 2)[place]
