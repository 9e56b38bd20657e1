"""Watches a torch network while it runs, and writes its operations down as ONNX nodes.

PyTorch's own exporter needs onnxscript and gives the inner tensors new names. Here the tensor that
layer `inception4c` computes is called `inception4c`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from ..networks.hooks import copy_module
from ..networks.layers import layer_info
from ..networks.network import Network
from ..networks.trial import trial_pictures
from .graph import PICTURE, Builder, Node
from .torch_operations import RULES, UnsupportedOperationError

OUTPUT = "logits"  # the name of the tensor that the whole network computes, layer ""


class Tracing(TorchDispatchMode):
    """Adds each operation on tensors that depend on the picture to a Builder."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.builder = Builder()
        self.names: dict[int, str] = {}  # by id of the tensor
        self.alive: list[Tensor] = []  # so that no id is used twice
        weights = (*module.named_parameters(), *module.named_buffers())
        self.weight_names = {id(tensor): name for name, tensor in weights}
        self.outputs: dict[str, str] = {}  # {layer: tensor}, in the order in which they run

    def record(self, func, types, args=(), kwargs=None):
        """Runs an operation and, if it depends on the picture, adds its nodes."""
        result = func(*args, **(kwargs or {}))
        inputs = [a for arg in args for a in (arg if isinstance(arg, (list, tuple)) else [arg])]
        if any(id(a) in self.names for a in inputs):
            name = func.overloadpacket.__name__.rstrip("_")
            if name not in RULES:
                raise UnsupportedOperationError(name)
            out = result[0] if isinstance(result, tuple) else result
            self.note(out, RULES[name](self, out, *args, **(kwargs or {})))
        return result

    def note(self, tensor: Tensor, name: str) -> None:
        """Remembers the name and the shape of a tensor."""
        self.names[id(tensor)] = name
        self.alive.append(tensor)
        self.builder.shapes[name] = tuple(tensor.shape)

    def name(self, tensor: Tensor) -> str:
        """The name of a tensor in the graph. One that the graph does not compute is a weight."""
        if id(tensor) not in self.names:
            values = tensor.detach().float().numpy()
            weight = self.builder.constant(values, self.weight_names.get(id(tensor), ""))
            self.note(tensor, weight)
        return self.names[id(tensor)]

    def add(self, op_type: str, *inputs: object, **attributes: object) -> str:
        """`Builder.add`, which here takes tensors too."""
        names = (self.name(i) if isinstance(i, Tensor) else i for i in inputs)
        return self.builder.add(op_type, *names, **attributes)


# Set outside the class: defined inside, it would make torch load its compiler.
Tracing.__torch_dispatch__ = Tracing.record


class _ReachedLastLayer(Exception):  # noqa: N818 - not an error
    """Ends the run once the last layer asked for has run."""


def trace(network: Network, layers: Sequence[str]) -> tuple[Builder, tuple[int, int]]:
    """(the network as a Builder, the height and width of the picture it was traced with).

    The graph goes as far as the last of `layers`; each layer is a tensor of that name. The picture,
    in [0, 1], is called "picture"; standardising it is part of the graph. Raises ValueError for
    an operation that cannot be written as ONNX, and if the network takes none of the sizes tried.
    """
    title = network.name or "the network"
    module = copy_module(network.module).float().cpu().to(memory_format=torch.contiguous_format)
    calls = {name: layer_info(network, name).calls for name in layers if name}
    for picture in trial_pictures(module):
        tracing = Tracing(module)
        try:
            with torch.no_grad(), _named_layers(tracing, module, calls, stop="" not in layers):
                # A batch of two: a size of 1 could be taken for one that is always 1.
                batch = torch.cat([picture, picture])
                tracing.builder.shapes[PICTURE] = tuple(batch.shape)
                tracing.note(batch, _standardized(tracing.builder, network))
                with tracing, contextlib.suppress(_ReachedLastLayer):
                    tracing.outputs[""] = tracing.name(module(batch))
        except UnsupportedOperationError as error:
            raise ValueError(
                f"{title} uses {error}, which dreamkit does not write as ONNX; "
                "layers before it can be exported"
            ) from None
        except (RuntimeError, ValueError, AssertionError):
            continue  # the network does not take this size: try the next
        _rename_layers(tracing)
        return tracing.builder, tuple(picture.shape[-2:])
    raise ValueError(f"{title} takes none of the sizes that were tried")


def _standardized(builder: Builder, network: Network) -> str:
    mean, std = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (network.mean, network.std))
    centred = builder.add("Sub", PICTURE, builder.constant(mean, "mean"))
    return builder.add("Div", centred, builder.constant(std, "std"))


@contextlib.contextmanager
def _named_layers(tracing: Tracing, module: nn.Module, calls: dict[str, int], stop: bool):
    """Hooks that note which tensor each layer computes, in `tracing.outputs`.

    `calls` gives how often each layer asked for runs; with `stop` the last of them ends the run.
    """
    left = dict(calls)

    def hook_for(name: str):
        def hook(layer: nn.Module, inputs: tuple, output: object) -> None:
            if not isinstance(output, Tensor) or id(output) not in tracing.names:
                return
            tracing.outputs.pop(name, None)  # a module called twice: its last call counts
            # A convolution with a folded BatchNorm: its layer is what it gives before the norm.
            raw = getattr(layer, "raw_weight", None)
            if raw is not None:
                if name not in calls:
                    return
                output = layer._conv_forward(inputs[0], raw, layer.raw_bias)
            tracing.outputs[name] = tracing.names[id(output)]
            if name in left:
                left[name] -= 1
                if stop and not any(left.values()):
                    raise _ReachedLastLayer

        return hook

    layers = [(name, layer) for name, layer in module.named_modules() if name]
    handles = [layer.register_forward_hook(hook_for(name)) for name, layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _rename_layers(tracing: Tracing) -> None:
    """Gives the tensors the names of their layers.

    If several layers share a tensor, the outermost names it and the others get a copy of it.
    """
    builder, names = tracing.builder, {}
    for layer, tensor in reversed(tracing.outputs.items()):
        layer = layer or OUTPUT
        if tensor not in names and tensor.startswith("_"):
            names[tensor] = layer
        else:
            builder.shapes[layer] = builder.shapes[tensor]
            made = (i for i, node in enumerate(builder.nodes) if tensor in node.output)
            copied = Node("Identity", [tensor], [layer], {})
            builder.nodes.insert(1 + max(made, default=-1), copied)
    builder.rename(names)
