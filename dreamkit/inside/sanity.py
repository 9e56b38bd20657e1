"""Sanity checks of maps: agreement of two maps, overlap with an object, dependence on the weights.

Adebayo et al., "Sanity checks for saliency maps" (2018): a map that does not change when the
weights become random explains the picture, not the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..networks.hooks import copy_module
from ..networks.network import Network, randomized


def forgetting(network: Network, seed: int = 0) -> Iterator[tuple[str, Network]]:
    """Pairs (block, network): in each network one block more has random weights, the last first.

    The blocks are the parts of the module that have weights (`fc`, `inception5b`, …). The random
    weights are those of `dk.randomized` with the same seed.

    >>> from dreamkit.networks.zoo import load_network
    >>> [name for name, _ in forgetting(load_network("dreamnet"))][:3]
    ['fc', 'inception5b', 'inception5a']
    """
    module, random = copy_module(network.module), randomized(network, seed).module
    for name in reversed(_blocks(module)):
        old_part, new_part = module.get_submodule(name), random.get_submodule(name)
        olds = [*old_part.parameters(), *old_part.buffers()]
        news = [*new_part.parameters(), *new_part.buffers()]
        with torch.no_grad():
            for old, new in zip(olds, news, strict=True):
                old.copy_(new)
        forgetful = f"{network.name}-forgot-{name}"
        yield name, replace(network, module=copy_module(module), name=forgetful, digest="")


def rank_correlation(one: Tensor, other: Tensor) -> float:
    """Spearman's rank correlation of the `|values|` of two maps of the same shape, from -1 to 1.

    Signs are ignored: a map shows where, not whether for or against. Raises ValueError for maps of
    different shapes, and for a constant map, which has no order.

    >>> one, other = torch.tensor([1.0, 2.0, -3.0]), torch.tensor([10.0, 11.0, 1000.0])
    >>> round(rank_correlation(one, other), 9)
    1.0
    """
    from scipy.stats import spearmanr

    if one.shape != other.shape:
        raise ValueError(
            f"two maps must have the same shape; given: {list(one.shape)} and {list(other.shape)}"
        )
    sizes = [values.detach().abs().double().flatten().cpu() for values in (one, other)]
    if any((values == values[0]).all() for values in sizes):
        raise ValueError("a map must have different |values|; given: a constant map")
    return float(spearmanr(*(values.numpy() for values in sizes)).statistic)


def overlap(values: Tensor, mask: Tensor, share: float = 0.1) -> float:
    """Intersection over union of a map's strongest pixels and a mask, [..., H, W] each.

    The mask is True on the object, and `share`, between 0 and 1, is the share of pixels that count
    as strongest; a pixel is as strong as the largest `|value|` of its channels. By chance the
    result is about share / (1 + share / s - share) for an object that fills the share s of the
    picture. Raises ValueError for another share or different sizes.

    >>> mask = torch.tensor([[True, False], [False, False]])
    >>> overlap(torch.tensor([[9.0, 0.0], [8.0, 1.0]]), mask, 0.5)
    0.5
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1; given: {share!r}")
    size = values.shape[-2:]
    if size != mask.shape[-2:]:
        raise ValueError(
            f"map and mask must have the same size; given: {list(size)}, {list(mask.shape[-2:])}"
        )
    strength = values.detach().abs().reshape(-1, *size).amax(0).flatten()
    strongest = torch.zeros_like(strength, dtype=torch.bool)
    strongest[strength.topk(max(1, round(share * len(strength)))).indices] = True
    inside = mask.reshape(-1, *size).any(0).flatten().to(strongest.device)
    return float((strongest & inside).sum() / (strongest | inside).sum())


def _blocks(module: nn.Module) -> list[str]:
    """The names, in order, of the children that have weights.

    A plain container is replaced by its own children.
    """
    found = []
    for name, child in module.named_children():
        if type(child) in (nn.Sequential, nn.ModuleList):
            found += [f"{name}.{deeper}" for deeper in _blocks(child)]
        elif next(child.parameters(), None) is not None:
            found.append(name)
    return found
