"""Layers that are worth looking at, for code that fits any network."""

from __future__ import annotations

import re

from .layers import layer_table
from .network import Network
from .trial import LayerInfo

# The first part of the name of a classifier's layers.
_HEADS = {"classifier", "fc", "head", "heads", "AuxLogits"}
# Types that end no block: the layer before or after shows the same more clearly.
_NO_ENDS = re.compile(
    "Conv2d|Identity|Flatten|BatchNorm2d|LayerNorm|LayerNorm2d|Dropout|StochasticDepth|MaxPool2d|"
    "AvgPool2d|AdaptiveAvgPool2d|Pad|Permute|Standardize"
)


def suggested_layers(network: Network, count: int = 8) -> tuple[str, ...]:
    """Up to `count` layers from shallow to deep: the ends of blocks, after their ReLU.

    The names are compared up to the first depth of dots that has at least four such feature maps:
    GoogLeNet's blocks, VGG's ReLUs, ResNet's stages; an inverted residual block, which ends without
    a ReLU, stands for its wide layer. If these are too many, the resolution with the most layers
    gives up one at a time, but never the first layer. If all have one resolution, as in a vision
    transformer, layers at even distances are taken. Layers inside branches and classifiers are left
    out.

    >>> from dreamkit.networks.zoo import load_network
    >>> suggested_layers(load_network("dreamnet"))[-3:]
    ('inception4e', 'inception5a', 'inception5b')
    """
    chosen = _ends_of_blocks(network)
    if len(chosen) > count and len({info.shape[2:] for info in chosen}) == 1:
        return tuple(chosen[round(i * (len(chosen) - 1) / (count - 1))].name for i in range(count))
    while len(chosen) > count:
        groups: dict[tuple[int, ...], list[LayerInfo]] = {}
        for info in chosen:
            groups.setdefault(info.shape[2:], []).append(info)
        crowd = max(groups.values(), key=len)
        given_up = crowd[0 if len(crowd) <= 3 else 1 + (len(crowd) % 2 == 0)]
        if given_up is chosen[0] and len(crowd) > 1:  # edges are never left out
            given_up = crowd[1]
        chosen = [info for info in chosen if info is not given_up]
    return tuple(info.name for info in chosen)


def layer_at(network: Network, depth: float) -> str:
    """The suggested layer at a relative depth: 0 for edges, 0.5 for textures, 1 for objects.

    Raises ValueError for a depth outside [0, 1].

    >>> from dreamkit.networks.zoo import load_network
    >>> layer_at(load_network("dreamnet"), 0.0)
    'conv1'
    """
    if not 0 <= depth <= 1:
        raise ValueError(f"depth lies from 0 (first layer) to 1 (last); given: {depth!r}")
    layers = suggested_layers(network)
    return layers[round(depth * (len(layers) - 1))]


def _ends_of_blocks(network: Network) -> list[LayerInfo]:
    table = [
        info
        for info in layer_table(network)
        if info.is_map and info.name.partition(".")[0] not in _HEADS
    ]
    chosen = table
    for depth in range(1, 8):
        level = [info for info in table if info.name.count(".") < depth]
        level = [i for i in level if not any(j.name.startswith(i.name + ".") for j in level)]
        ends = [info for info in level if not _NO_ENDS.fullmatch(info.kind)]
        chosen = ends or level or table
        if len(ends) >= 4:
            break
    # An inverted residual block ends without a ReLU: its wide layer shows more.
    wide = {i.name.removesuffix(".expand"): i for i in table if i.name.endswith(".expand")}
    return [wide.get(info.name, info) for info in chosen]
