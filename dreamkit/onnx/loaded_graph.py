"""The graph of an ONNX file as a torch module, which has a submodule for each computed tensor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from .file_node import FileNode, constant_of, to_array
from .model_files import AnyNode, channels_last, nodes_for, one_line, picture_input
from .onnx_modules import Function, tensor_of
from .operators import MAKERS
from .rehearsal import MAX_NUMBERS, Rehearsal, most_numbers, too_large, twin_of

_DEEPEST = 32  # folders in a layer's name; deeper ones become one name, as modules call each other
_RESERVED = {  # attributes of a Graph
    "bgr", "last_use", "nhwc", "picture", "rehearsal", "result", "steps", "training",
    "weight_count",
}  # fmt: skip


class Graph(nn.Module):
    """The nodes of an ONNX graph as modules, run in order; each has the name of its tensor.

    What depends on constants only is computed once, here. Raises ValueError for nodes that cannot
    be read.
    """

    def __init__(self, graph, opset: int, bgr: bool, until: str = "", short_names: bool = False):
        super().__init__()
        self.bgr, self.picture, self.nhwc = bgr, picture_input(graph), channels_last(graph)
        wanted = results_of(graph, until)
        all_names = {name for node in graph.node for name in node.output}
        constants = {tensor.name: to_array(tensor) for tensor in graph.initializer}
        self.weight_count = sum(constant.size for constant in constants.values())
        used = {name for node in graph.node for name in node.input} | set(wanted)
        standardized = {self.picture}  # the picture, and what it is standardised to
        self.steps: list[tuple[str, tuple[str, ...], str]] = []  # (module, inputs, output)
        self.rehearsal, room = Rehearsal(), MAX_NUMBERS // 2
        for node, index in _parts(graph, wanted, used):
            result = node.output[index]
            if node.op_type == "Constant":
                constants[result] = constant_of(node)
                continue
            inputs = tuple(name for name in node.input if name and name not in constants)
            layer = _layer_of(FileNode.read(node, constants, opset, index))
            if not inputs:
                constants[result] = _folded(layer, node, constants, room)
                room -= constants[result].size
                continue
            arithmetic = node.op_type in ("Add", "Sub", "Mul", "Div")
            if arithmetic and len(inputs) == 1 and inputs[0] in standardized:
                layer.__class__ = Standardize
                standardized.add(result)
            module = _module_name(result, all_names, short_names)
            self.rehearsal.add(layer, inputs, result)
            self._put(module, layer)
            self.steps.append((module, inputs, result))
        self.result = next((output for *_, output in reversed(self.steps) if output in wanted), "")
        if not self.result:
            raise ValueError("none of the file's results is computed")
        self.last_use = {name: i for i, (_, inputs, _) in enumerate(self.steps) for name in inputs}

    def forward(self, x: Tensor) -> Tensor:
        if tuple(x.shape) not in self.rehearsal.known:
            self.rehearse(x.shape)
        tensors, left = {self.picture: self.given(x)}, most_numbers(x.numel(), self.weight_count)
        for i, (module, inputs, output) in enumerate(self.steps):
            layer = self.get_submodule(module)
            try:
                tensors[output] = layer(*(tensors[name] for name in inputs))
            except (IndexError, TypeError, KeyError, OverflowError, ZeroDivisionError) as error:
                raise ValueError(f"{output!r} cannot be computed: {one_line(error)}") from error
            left -= tensors[output].numel()
            if left < 0:
                raise too_large(output, tensors[output].shape)
            for name in inputs:
                if self.last_use[name] == i and name != self.result:
                    tensors.pop(name, None)
        return tensors[self.result]

    def rehearse(self, shape: Sequence[int]) -> None:
        """Raises ValueError if the graph takes too much memory for pictures of that shape."""
        picture = self.given(torch.empty(*shape, device="meta"))
        self.rehearsal.check(self.picture, picture, self.weight_count)
        self.rehearsal.known.add(tuple(shape))

    def given(self, x: Tensor) -> Tensor:
        """A picture [N, 3, H, W] in the order of colours and axes that the file takes."""
        x = x.flip(1) if self.bgr else x
        return x.permute(0, 2, 3, 1) if self.nhwc else x

    def _put(self, name: str, layer: nn.Module) -> None:
        """Adds the layer as a submodule; the dots in its name are folders."""
        parent: nn.Module = self
        *folders, leaf = name.split(".")
        for folder in folders:
            if folder not in parent._modules:
                parent.add_module(folder, nn.Module())
            parent = parent._modules[folder]
        if leaf in parent._modules:  # it was a folder so far
            for child_name, child in parent._modules[leaf]._modules.items():
                layer.add_module(child_name, child)
        parent.add_module(leaf, layer)


class Standardize(Function):
    """A sum or product of the picture itself with constants, which ends no block."""


def _parts(graph, wanted: list[str], used: set[str]) -> Iterator[tuple[AnyNode, int]]:
    """(node, index of a result) for each result that is needed, in the order of the file."""
    for node in nodes_for(graph.node, wanted):
        for index, name in enumerate(node.output):
            split = node.op_type == "Split"
            if not name or (index and not split and name not in used):
                continue  # a second result that nothing uses
            if index and not split:
                what = f"{node.op_type} {node.output[0]!r}"
                raise ValueError(f"{what}: its result {name!r} is not read, only its first is")
            yield node, index


def _layer_of(node: FileNode) -> nn.Module:
    """The module of a node. Raises ValueError unless it takes the node's computed inputs."""
    layer = MAKERS[node.op_type](node)
    takes = sum(layer.computed) if isinstance(layer, Function) else 1
    if len(node.computed or (0,)) != (takes or 1):
        raise node.error("its inputs must be one computed tensor and constants")
    return layer


def _folded(layer: nn.Module, node, constants: dict[str, np.ndarray], room: int) -> np.ndarray:
    """The value of a node all of whose inputs are constants, of at most `room` numbers."""
    takes = sum(layer.computed) if isinstance(layer, Function) else 1
    inputs = [tensor_of(constants[name]) for name in node.input[:takes]]
    with torch.no_grad():
        size = twin_of(layer, without_values=True)(*(value.to("meta") for value in inputs))
        if size.numel() > room:
            raise ValueError(
                f"{node.op_type} {node.output[0]!r}: its constants are too many: {size.numel()}"
            )
        return layer(*inputs).numpy()


def short_name(tensor: str, all_names: set[str]) -> str:
    """The name without the `_1` that Caffe2's converter added, unless another tensor has it."""
    return tensor[:-2] if tensor.endswith("_1") and tensor[:-2] not in all_names else tensor


def _module_name(tensor: str, all_names: set[str], short: bool) -> str:
    tensor = short_name(tensor, all_names) if short else tensor
    name = re.sub(r"\.+", ".", tensor).strip(".") or "unnamed"
    if name.count(".") > _DEEPEST:
        name = name.replace(".", "_")
    first = name.split(".")[0]
    taken = hasattr(nn.Module, first) or first in _RESERVED
    return f"{first}_{name[len(first) :]}" if taken else name


def results_of(graph, until: str) -> list[str]:
    """The names of the tensors to compute: the file's results, or `until`."""
    return [until] if until else [value.name for value in graph.output]
