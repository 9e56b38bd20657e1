"""Checks of the arguments that several functions of this room share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..checks.numbers import check_index
from ..networks.layers import layer_info
from ..networks.network import Network
from ..networks.trial import LayerInfo
from ..objectives.formulas import class_index
from ..pictures.image import Image, check_image


def check_one(image: Image) -> None:
    """Raise ValueError unless `image` is one picture [1, 3, H, W]."""
    check_image(image)
    if len(image) != 1:
        raise ValueError(f"one picture [1, 3, H, W] is needed; given: {list(image.shape)}")


def check_count(what: str, given: Sequence[object], count: int) -> None:
    """Raise ValueError unless there are `count` values, one for each picture."""
    if len(given) != count:
        raise ValueError(
            f"{what} must be one for all pictures or one for each: "
            f"there are {count} pictures; given: {len(given)} {what}"
        )


def map_layer(network: Network, layer: str, channel: int | None = None) -> LayerInfo:
    """The LayerInfo of a layer; ValueError if it has no feature maps or not this channel."""
    info = layer_info(network, layer) if layer else None
    if info is None or not info.is_map:
        what = f"layer {layer!r}" if layer else "the network itself"
        raise ValueError(f"{what} has no feature maps")
    if channel is not None:
        check_index("channel", channel, info.channels, f"layer {layer!r}")
    return info


def class_of(network: Network, label: int | str, count: int) -> int:
    """The index of one of `count` classes, given its label (KeyError) or index (ValueError)."""
    if isinstance(label, str):
        return class_index(network.labels, label)
    check_index("class", label, count, "the network")
    return int(label)


def classes_of(
    network: Network, labels: Sequence[int | str] | Tensor | int | str, count: int
) -> Tensor:
    """The class indices [count] of `count` pictures, given one label for all or one for each."""
    if isinstance(labels, (int, str)):
        labels = [labels] * count
    given = labels.tolist() if isinstance(labels, Tensor) else list(labels)
    check_count("labels", given, count)
    return torch.tensor(
        [class_index(network.labels, label) if isinstance(label, str) else label for label in given]
    )
