"""What a network loses without one of its parts: a block, a branch or some channels silenced, and the accuracy taken again.

After table 3 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013); but they trained anew without the
layer, and here the trained network has to do without it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.layers import layer_info
from ..networks.network import Network
from ..pictures.image import Image, check_image
from .moving import class_indices


def without(
    network: Network, layer: str, channels: Iterable[int] | None = None, fill: float | Tensor = 0.0
) -> Network:
    """A copy of the network in which what the layer gives is replaced by `fill`, in all channels or those named.

    `fill` is a number, or one for each channel [C]: see `channel_means`. The copy has the same layer names, and the network
    itself stays as it is. KeyError for an unknown layer, ValueError for a channel it does not have.

    >>> from dreamkit.networks.network import as_network
    >>> network = as_network(
    ...     torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.ReLU()), (0, 0, 0), (1, 1, 1)
    ... )
    >>> capture(without(network, "1", [1]), torch.ones(1, 3, 1, 1), "1")["1"][0, 1].item()
    0.0
    """
    count = layer_info(network, layer).channels
    chosen = list(range(count)) if channels is None else list(channels)
    if wrong := [
        c for c in chosen if isinstance(c, bool) or not isinstance(c, int) or not 0 <= c < count
    ]:
        raise ValueError(
            f"channel {wrong[0]!r} is out of range: layer {layer!r} has {count}, from 0 to {count - 1}"
        )
    values = torch.as_tensor(fill, dtype=torch.float64)
    if values.dim() > 1 or values.numel() not in (1, count):
        raise ValueError(
            f"fill is one number, or one for each of the {count} channels; given: {list(values.shape)}"
        )
    values = values.expand(count)[chosen]
    module = copy.deepcopy(network.module)
    module.get_submodule(layer).register_forward_hook(
        lambda part, inputs, output: _replaced(output, chosen, values)
    )
    return replace(network, module=module, name=f"{network.name}-without-{layer}", digest="")


def _replaced(output: Tensor, channels: Sequence[int], values: Tensor) -> Tensor:
    output, along = (
        output.clone(),
        2 if output.dim() == 3 else 1,
    )  # [N, tokens, C] has its channels last
    shape = [1] * output.dim()
    shape[along] = len(channels)
    where = (slice(None),) * along + (channels,)
    output[where] = values.to(output).view(shape)
    return output


def channel_means(network: Network, images: Image, layer: str) -> Tensor:
    """The mean [C] of each channel over all places and pictures: a fill that says "as usual" where 0 says "never seen"."""
    with torch.no_grad():
        values = capture(network, images, [layer])[layer]
    return values.mean([d for d in range(values.dim()) if d != (2 if values.dim() == 3 else 1)])


def accuracy(
    network: Network, images: Image, labels: Sequence[int | str] | Tensor, batch: int = 100
) -> float:
    """The share of the pictures [N, 3, H, W] that the network names rightly. Logits that are not finite name nothing."""
    check_image(images)
    wanted, right = class_indices(network, labels, len(images)), 0
    for at in range(0, len(images), batch):
        with torch.no_grad():
            logits = capture(network, images[at : at + batch], [""])[""].cpu()
        named = (logits.argmax(1) == wanted[at : at + batch]) & logits.isfinite().all(1)
        right += int(named.sum())
    return right / len(images)


def ablation(
    network: Network,
    images: Image,
    labels: Sequence[int | str] | Tensor,
    layers: Iterable[str],
    fill: str = "zero",
) -> dict[str, float]:
    """The accuracy without each of the layers {layer: share}, and of the whole network under the name "".

    `fill`: "zero", or "mean" for the mean of each channel over these pictures. KeyError for an unknown layer.
    """
    if fill not in ("zero", "mean"):
        raise ValueError(f"fill must be 'zero' or 'mean'; given: {fill!r}")
    found = {"": accuracy(network, images, labels)}
    for layer in layers:
        value = channel_means(network, images, layer) if fill == "mean" else 0.0
        found[layer] = accuracy(without(network, layer, fill=value), images, labels)
    return found
