"""An ONNX file becomes a network that can dream: each of its tensors is a layer, under the name that it has in the file."""

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
from .model_files import onnx_package, picture_input, read_model, upstream
from .operators import MAKERS, Pointwise, Spec, make

CAFFE = {
    "mean": (104.0, 117.0, 123.0),
    "std": (1.0, 1.0, 1.0),
    "scale": 255.0,
    "bgr": True,
    "short_names": True,
}


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
    """The Network in an ONNX file, ready to dream: its layers are the file's tensors, by their own names.

    The file is given (picture * scale - mean) / std, in BGR order if `bgr`; the Network's pictures stay RGB in [0, 1].
    `**dk.onnx.CAFFE` holds what Caffe's networks want. Without these, the file takes pictures as they are, as those
    written by `dk.onnx.export` do. `until` reads only as far as that tensor; `short_names` leaves off the `_1` that
    Caffe2's converter put behind a name. ValueError, in one line, for a broken file, and for operators that dreamkit
    does not have, all of them named.
    """
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(
            f"scale is what the file's pictures go up to, a number above 0 (1 or 255); given: {scale!r}"
        )
    model = read_model(path)
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if opset < 7:
        raise ValueError(
            f"{str(path)!r} is of opset {opset}; dreamkit reads 7 and later (onnx.version_converter brings it up)"
        )
    picture_input(model.graph, path)
    _check_operators(model.graph, until, path)
    try:
        module = Graph(model.graph, opset, bgr, until, short_names)
    except (RuntimeError, IndexError, TypeError, OverflowError) as error:
        raise ValueError(
            f"{str(path)!r} does not hold together: {' '.join(str(error).split())[:200]}"
        ) from None
    order = slice(None, None, -1) if bgr else slice(None)
    mean, std = ([float(v) / scale for v in values][order] for values in (mean, std))
    return as_network(
        module,
        mean,
        std,
        name or Path(path).stem,
        labels or _labels(model),
        device=device,
        precision=precision,
    )


class Graph(nn.Module):
    """The nodes of an ONNX graph as modules, run in the file's order; each is named as the tensor that it makes."""

    def __init__(self, graph, opset: int, bgr: bool, until: str = "", short_names: bool = False):
        super().__init__()
        onnx = onnx_package()
        self.bgr, self.picture = bgr, picture_input(graph)
        wanted = results(graph, until)
        constants = {
            tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer
        }
        self.steps: list[
            tuple[str, tuple[str, ...], str]
        ] = []  # module, tensors taken, tensor given
        taken_names = {name for node in graph.node for name in node.output}
        entering = {self.picture}  # the picture, and what it is standardised to
        for node in upstream(graph, wanted):
            attributes = {
                a.name: _value(onnx.helper.get_attribute_value(a)) for a in node.attribute
            }
            if node.op_type == "Constant":
                constants[node.output[0]] = _constant(onnx, attributes, node)
                continue
            inputs = [name for name in node.input]
            while inputs and not inputs[-1]:
                inputs.pop()
            spec = Spec(
                node.op_type,
                node.output[0],
                attributes,
                tuple(constants.get(name) for name in inputs),
                opset,
            )
            layer = make(spec)
            flowing = tuple(name for name in inputs if name and name not in constants)
            if any(name in taken_names and node.op_type != "Dropout" for name in node.output[1:]):
                raise spec.fail("a second result is not read")
            if (
                node.op_type in ("Add", "Sub", "Mul", "Div")
                and len(flowing) == 1
                and flowing[0] in entering
            ):
                layer.__class__ = Standardize
                entering.add(node.output[0])
            module = _module_name(node.output[0], taken_names, short_names)
            self._put(
                module, layer if isinstance(layer, Pointwise) or len(flowing) == 1 else _only(spec)
            )
            self.steps.append((module, flowing, node.output[0]))
        self.result = next((given for _, _, given in reversed(self.steps) if given in wanted), "")
        if not self.result:
            raise ValueError("none of the file's results is computed from anything")
        self.last_use = {
            name: i for i, (_, flowing, _) in enumerate(self.steps) for name in flowing
        }

    def forward(self, x: Tensor) -> Tensor:
        tensors = {self.picture: x.flip(1) if self.bgr else x}
        for i, (name, flowing, given) in enumerate(self.steps):
            tensors[given] = self.get_submodule(name)(*(tensors[n] for n in flowing))
            for n in flowing:
                if self.last_use[n] == i and n != self.result:
                    tensors.pop(n, None)
        return tensors[self.result]

    def _put(self, name: str, layer: nn.Module) -> None:
        parent: nn.Module = self
        *folders, leaf = name.split(".")
        for folder in folders:
            if folder not in parent._modules:
                parent.add_module(folder, nn.Module())
            parent = parent._modules[folder]
        for child_name, child in (
            parent._modules[leaf]._modules.items() if leaf in parent._modules else ()
        ):
            layer.add_module(child_name, child)
        parent.add_module(leaf, layer)


class Standardize(Pointwise):
    """A sum or product of the picture itself with constants: it ends no block."""


def results(graph, until: str = "") -> list[str]:
    """The tensors that are read up to: `until`, or the file's own results."""
    return [until] if until else [value.name for value in graph.output]


def short_name(tensor: str, all_names: set[str]) -> str:
    """The name without the `_1` that Caffe2's converter put behind it, unless that is the name of another tensor."""
    return tensor[:-2] if tensor.endswith("_1") and tensor[:-2] not in all_names else tensor


def _module_name(tensor: str, all_names: set[str], short: bool) -> str:
    tensor = short_name(tensor, all_names) if short else tensor
    name = re.sub(r"\.+", ".", tensor).strip(".") or "unnamed"
    first = name.split(".")[0]
    return (
        f"{first}_{name[len(first) :]}" if hasattr(nn.Module, first) or first in _RESERVED else name
    )


_RESERVED = {"bgr", "picture", "result", "steps", "last_use", "training"}


def _only(spec: Spec) -> nn.Module:
    raise spec.fail("it takes a tensor where only constants are read, or no tensor at all")


def _constant(onnx, attributes: dict[str, object], node) -> np.ndarray:
    for key in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if key in attributes:
            value = attributes[key]
            if key == "value":
                return onnx.numpy_helper.to_array(value)
            return np.array(value, np.float32 if "float" in key else np.int64)
    raise ValueError(f"Constant {node.output[0]!r} holds no numbers")


def _value(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _check_operators(graph, until: str, path: object) -> None:
    names = [name for node in graph.node for name in node.output]
    if until and until not in names:
        raise unknown("layer", until, names, f"{str(path)!r} has {len(names)}")
    lacking: dict[str, str] = {}
    for node in upstream(graph, results(graph, until)):
        if node.op_type != "Constant" and (
            node.op_type not in MAKERS or node.domain not in ("", "ai.onnx")
        ):
            lacking.setdefault(f"{node.domain}.{node.op_type}".lstrip("."), node.output[0])
    if lacking:
        listed = ", ".join(f"{op} (first at {at!r})" for op, at in lacking.items())
        raise ValueError(
            f"{str(path)!r} uses operators that dreamkit lacks: {listed}; until= reads as far as a tensor before them"
        )


def _labels(model) -> tuple[str, ...]:
    """The class labels that `export` wrote into the file, where there are any that can be read."""
    text = next(
        (entry.value for entry in model.metadata_props if entry.key == "dreamkit.labels"), "[]"
    )
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return (
        tuple(labels)
        if isinstance(labels, list) and all(isinstance(label, str) for label in labels)
        else ()
    )
