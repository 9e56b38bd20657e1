"""The layer that gives the values before another layer's activation.

A channel that is silent after its ReLU has no gradient; before the ReLU it has one. The layer is
found by walking PyTorch's autograd graph back from the activation, so that it does not matter
whether the activation is a module, in place, or a branch of a concatenation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..checks.numbers import check_index
from .hooks import hooked
from .layers import layer_info
from .network import Network
from .trial import LayerInfo, first_run

# The graph's nodes of the activations that torchvision's and timm's networks have.
_ACTIVATION = re.compile(
    "(LeakyRelu|Relu|Hardtanh|Clamp|ClampMin|Elu|Gelu|Silu|Mish|Hardswish|Softplus|PreluKernel|"
    "Threshold|Sigmoid|Tanh)Backward[0-9]|ClipBackward"
)


def before_activation(network: Network, layer: str, index: int) -> tuple[str, int]:
    """(layer, channel) whose values become channel `index` of `layer` by its activation.

    Raises KeyError for an unknown layer, ValueError for a channel that does not exist, for a layer
    that does not end in an activation, and where no layer gives the values before it (in a ResNet
    they are the sum of two).

    >>> from dreamkit.networks.zoo import load_network
    >>> before_activation(load_network("dreamnet"), "inception4c", 100)
    ('inception4c.branch2.1.conv', 4)
    """
    check_index("channel", index, layer_info(network, layer).channels, f"layer {layer!r}")
    found = _source(network, layer, index)
    if found is None:
        raise ValueError(
            f"layer {layer!r} does not end in an activation, so there is no value before it: leave "
            "out before_activation=True"
        )
    if not found[0]:
        raise ValueError(
            f"no layer gives the values before the activation of {layer!r}: they are a sum or "
            "another result that is not the output of a module"
        )
    return found


def channels_before(network: Network, layer: str, channels: Sequence[int]) -> list[tuple[str, int]]:
    """(layer, channel) before the activation for each channel, or itself where nothing gives it."""
    found = [_source(network, layer, index) for index in channels]
    return [
        place if place and place[0] else (layer, index)
        for place, index in zip(found, channels, strict=True)
    ]


def _source(network: Network, layer: str, index: int) -> tuple[str, int] | None:
    """What gives a channel before its activation: None without one, layer "" if it is no module."""
    graph = _Graph(layer_info(network, layer))
    names = [name for name, _ in network.module.named_modules() if name]

    def run(picture: Tensor) -> Tensor:
        with torch.enable_grad(), hooked(network.module, names, graph.note):
            return network.module(picture.requires_grad_(True))

    kept = first_run(network.module, run)  # the graph lives as long as what it leads to
    found = graph.source(index)
    del kept
    return found


class _Graph:
    """Which layer gave which node of the graph, in one forward pass."""

    def __init__(self, info: LayerInfo) -> None:
        self.info, self.end = info, None
        self.layers: dict[object, tuple[str, int]] = {}  # node: (layer, channels)

    def note(self, name: str, layer: nn.Module, inputs: tuple, output: object) -> None:
        if not isinstance(output, Tensor) or output.grad_fn is None or output.dim() < 2:
            return
        channels = output.shape[-1 if self.info.layout.kind in ("last", "tokens") else 1]
        self.layers[output.grad_fn] = (name, channels)
        if name == self.info.name:
            self.end = output.grad_fn

    def source(self, index: int) -> tuple[str, int] | None:
        """(layer, channel) before the activation; the layer is "" where there is none."""
        node = self.end
        while type(node).__name__.startswith("CatBackward"):
            for part, _ in node.next_functions:
                _, channels = self.layers.get(part, ("", 0))
                if index < channels:
                    node = part
                    break
                index -= channels
            else:
                return "", index
        if not _ACTIVATION.fullmatch(type(node).__name__):
            return None
        name, _ = self.layers.get(node.next_functions[0][0], ("", 0))
        return name, index
