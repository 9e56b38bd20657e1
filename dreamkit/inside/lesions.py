"""What a network loses without a part: its accuracy with a block, branch or channel replaced.

After table 3 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013).
They trained a new network without the layer; here the trained network must do without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..checks.numbers import check_index
from ..networks.features import capture
from ..networks.hooks import copy_module
from ..networks.layers import layer_info
from ..networks.network import Network
from ..networks.outputs import scores_of
from ..pictures.image import Image, check_image
from .arguments import classes_of


def without(
    network: Network, layer: str, channels: Iterable[int] | None = None, fill: float | Tensor = 0.0
) -> Network:
    """A copy of the network in which channels of a layer's output are replaced by `fill`.

    The copy has the same layer names; the network itself does not change.

    Args:
        layer: the layer's name; KeyError if unknown.
        channels: the channels' indices, by default all; ValueError for one out of range.
        fill: a number, or one for each channel of the layer [C]: see `channel_means`.

    >>> from dreamkit.networks.network import as_network
    >>> module = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.ReLU())
    >>> lesser = without(as_network(module, (0, 0, 0), (1, 1, 1)), "1", [1])
    >>> capture(lesser, torch.ones(1, 3, 1, 1), "1")["1"][0, 1].item()
    0.0
    """
    count = layer_info(network, layer).channels
    chosen = list(range(count)) if channels is None else list(channels)
    for channel in chosen:
        check_index("channel", channel, count, f"layer {layer!r}")
    values = torch.as_tensor(fill, dtype=torch.float64)
    if values.dim() > 1 or values.numel() not in (1, count):
        raise ValueError(
            f"fill must be one number, or one for each of the {count} channels; "
            f"given: {list(values.shape)}"
        )
    values = values.expand(count)[chosen]

    def replaced(module: torch.nn.Module, inputs: tuple, output: Tensor) -> Tensor:
        output = output.clone()
        output.movedim(_channel_axis(output), -1)[..., chosen] = values.to(output)
        return output

    module = copy_module(network.module)
    module.get_submodule(layer).register_forward_hook(replaced)
    return replace(network, module=module, name=f"{network.name}-without-{layer}", digest="")


def channel_means(network: Network, images: Image, layer: str) -> Tensor:
    """The mean [C] of each channel over all cells and pictures [N, 3, H, W].

    As a `fill` it keeps a channel at its usual value, while 0 is a value it may never have.
    """
    with torch.no_grad():
        values = capture(network, images, [layer])[layer]
    return values.mean([d for d in range(values.dim()) if d != _channel_axis(values)])


def _channel_axis(values: Tensor) -> int:
    return 2 if values.dim() == 3 else 1  # [N, tokens, C], else [N, C, …]


def accuracy(
    network: Network, images: Image, labels: Sequence[int | str] | Tensor, batch: int = 100
) -> float:
    """The share of the pictures [N, 3, H, W] whose class, by index or label, has the largest logit.

    A picture with logits that are not finite counts as wrong. The pictures go through the network
    in groups of `batch`. Raises KeyError for an unknown label.
    """
    check_image(images)
    wanted = classes_of(network, labels, len(images))
    right = 0
    for part, classes in zip(images.split(batch), wanted.split(batch), strict=True):
        with torch.no_grad():
            logits = scores_of(capture(network, part, [""])[""]).cpu()
        right += int(((logits.argmax(1) == classes) & logits.isfinite().all(1)).sum())
    return right / len(images)


def ablation(
    network: Network,
    images: Image,
    labels: Sequence[int | str] | Tensor,
    layers: Iterable[str],
    fill: str = "zero",
) -> dict[str, float]:
    """The accuracy without each of the layers, {layer: share}, and under "" that of the network.

    `fill` is "zero", or "mean" for the mean of each channel over these pictures; for the others see
    `accuracy`. Raises KeyError for an unknown layer.
    """
    if fill not in ("zero", "mean"):
        raise ValueError(f"fill must be 'zero' or 'mean'; given: {fill!r}")
    found = {"": accuracy(network, images, labels)}
    for layer in layers:
        value = channel_means(network, images, layer) if fill == "mean" else 0.0
        found[layer] = accuracy(without(network, layer, fill=value), images, labels)
    return found
