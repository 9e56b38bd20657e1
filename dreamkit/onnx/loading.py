"""Loads an ONNX file as a Network: each tensor of the file is a layer of the same name."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..checks.names import unknown
from ..networks.network import Network, as_network
from .file_node import FileNode, constant_of, to_array
from .model_files import nodes_for, one_line, picture_input, read_model
from .onnx_modules import Function
from .operators import MAKERS

CAFFE = dict(  # what Caffe's networks take, for `load` and FeatureSession
    mean=(104.0, 117.0, 123.0), std=(1.0, 1.0, 1.0), scale=255.0, bgr=True, short_names=True
)
_RESERVED = {"bgr", "picture", "result", "steps", "last_use", "training"}  # attributes of a Graph


def load(
    path: str | os.PathLike[str],
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    std: Sequence[float] = (1.0, 1.0, 1.0),
    *,
    scale: float = 1.0,
    bgr: bool = False,
    labels: Sequence[str] = (),
    name: str = "",
    until: str = "",
    short_names: bool = False,
    device: str | torch.device | None = None,
    precision: str = "float32",
) -> Network:
    """The Network in an ONNX file; its layers are the file's tensors, by their own names.

    path: an ONNX file of opset 7 or later with one input, a picture [N, 3, H, W].
    mean, std, scale, bgr: the file gets (picture * scale - mean) / std, in BGR order if `bgr`; the
        Network's pictures stay RGB in [0, 1]. By default the file gets pictures as they are, as
        files written by `dk.onnx.export` need; `**dk.onnx.CAFFE` holds the values for Caffe's.
    labels, name: by default the labels that `dk.onnx.export` wrote, and the file's name.
    until: the name of a tensor; nothing after it is read.
    short_names: leaves off the `_1` that Caffe2's converter put at the end of names.
    device, precision: as for `dk.load_network`.

    Raises ValueError, in one line, for a broken file, and for operators that dreamkit does not
    have, all of them named; KeyError for an unknown `until`.
    """
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale is a number above 0, such as 1 or 255; given: {scale!r}")
    model, file = read_model(path), repr(str(path))
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if opset < 7:
        raise ValueError(
            f"{file} is of opset {opset}; dreamkit reads 7 and later "
            "(onnx.version_converter converts it)"
        )
    picture_input(model.graph, path)
    _check_operators(model.graph, until, file)
    try:
        module = Graph(model.graph, opset, bgr, until, short_names)
    except (ValueError, RuntimeError, IndexError, TypeError, OverflowError) as error:
        raise ValueError(f"{file} cannot be made into a network: {one_line(error)}") from None
    order = slice(None, None, -1) if bgr else slice(None)
    mean, std = ([float(v) / scale for v in values][order] for values in (mean, std))
    name, labels = name or Path(path).stem, labels or _labels(model)
    return as_network(module, mean, std, name, labels, device=device, precision=precision)


class Graph(nn.Module):
    """The nodes of an ONNX graph as modules, run in order; each has the name of its tensor."""

    def __init__(self, graph, opset: int, bgr: bool, until: str = "", short_names: bool = False):
        super().__init__()
        self.bgr, self.picture = bgr, picture_input(graph)
        wanted = _results(graph, until)
        all_names = {name for node in graph.node for name in node.output}
        constants = {tensor.name: to_array(tensor) for tensor in graph.initializer}
        standardized = {self.picture}  # the picture, and what it is standardised to
        self.steps: list[tuple[str, tuple[str, ...], str]] = []  # (module, inputs, output)
        for node in nodes_for(graph.node, wanted):
            result = node.output[0]
            if node.op_type == "Constant":
                constants[result] = constant_of(node)
                continue
            inputs = tuple(name for name in node.input if name and name not in constants)
            layer = _layer_of(FileNode.read(node, constants, opset), len(inputs))
            arithmetic = node.op_type in ("Add", "Sub", "Mul", "Div")
            if arithmetic and len(inputs) == 1 and inputs[0] in standardized:
                layer.__class__ = Standardize
                standardized.add(result)
            module = _module_name(result, all_names, short_names)
            self._put(module, layer)
            self.steps.append((module, inputs, result))
        self.result = next((output for *_, output in reversed(self.steps) if output in wanted), "")
        if not self.result:
            raise ValueError("none of the file's results is computed")
        self.last_use = {name: i for i, (_, inputs, _) in enumerate(self.steps) for name in inputs}

    def forward(self, x: Tensor) -> Tensor:
        tensors = {self.picture: x.flip(1) if self.bgr else x}
        for i, (module, inputs, output) in enumerate(self.steps):
            tensors[output] = self.get_submodule(module)(*(tensors[name] for name in inputs))
            for name in inputs:
                if self.last_use[name] == i and name != self.result:
                    tensors.pop(name, None)
        return tensors[self.result]

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


def _layer_of(node: FileNode, inputs: int) -> nn.Module:
    """The module of a node with that number of computed inputs."""
    layer = MAKERS[node.op_type](node)
    if node.results > 1 and node.op_type != "Dropout":
        raise node.error("a second result is not read")
    if inputs != (sum(layer.computed) if isinstance(layer, Function) else 1):
        raise node.error("its inputs must be one computed tensor and constants")
    return layer


def short_name(tensor: str, all_names: set[str]) -> str:
    """The name without the `_1` that Caffe2's converter added, unless another tensor has it."""
    return tensor[:-2] if tensor.endswith("_1") and tensor[:-2] not in all_names else tensor


def _module_name(tensor: str, all_names: set[str], short: bool) -> str:
    tensor = short_name(tensor, all_names) if short else tensor
    name = re.sub(r"\.+", ".", tensor).strip(".") or "unnamed"
    first = name.split(".")[0]
    taken = hasattr(nn.Module, first) or first in _RESERVED
    return f"{first}_{name[len(first) :]}" if taken else name


def _results(graph, until: str) -> list[str]:
    return [until] if until else [value.name for value in graph.output]


def _check_operators(graph, until: str, file: str) -> None:
    names = [name for node in graph.node for name in node.output]
    if until and until not in names:
        raise unknown("layer", until, names, f"{file} has {len(names)}")
    missing: dict[str, str] = {}  # {operator: its first tensor}
    for node in nodes_for(graph.node, _results(graph, until)):
        known = node.op_type in MAKERS or node.op_type == "Constant"
        if not known or node.domain not in ("", "ai.onnx"):
            missing.setdefault(f"{node.domain}.{node.op_type}".lstrip("."), node.output[0])
    if missing:
        listed = ", ".join(f"{op} (first at {at!r})" for op, at in missing.items())
        raise ValueError(
            f"{file} uses operators that dreamkit does not have: {listed}; "
            "until= reads as far as a tensor before them"
        )


def _labels(model) -> tuple[str, ...]:
    """The class labels that `export` wrote into the file; () if there are none to be read."""
    texts = (entry.value for entry in model.metadata_props if entry.key == "dreamkit.labels")
    try:
        labels = json.loads(next(texts, "[]"))
    except (ValueError, RecursionError):
        return ()
    valid = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    return tuple(labels) if valid else ()
