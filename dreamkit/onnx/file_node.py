"""One node of an ONNX file, with its attributes and constants checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .model_files import onnx_package
from .onnx_modules import Window

MAX_CELLS = 4096  # of a window or its padding: a larger number would only fill the memory


@dataclass(frozen=True)
class FileNode:
    """One node of a file, read for one of its results.

    inputs: the name of each input, "" for one that is left out.
    constants: the array of each input, None for one that is computed or left out.
    results, index: how many results the node has, and which of them is read here.
    """

    op_type: str
    name: str
    attributes: dict[str, object]
    inputs: tuple[str, ...]
    constants: tuple[np.ndarray | None, ...]
    opset: int
    results: int
    index: int = 0

    @classmethod
    def read(cls, node, constants: dict[str, np.ndarray], opset: int, index: int = 0) -> FileNode:
        """A NodeProto, given the constants of the graph by name."""
        names = list(node.input)
        while names and not names[-1]:
            names.pop()
        values = tuple(constants.get(name) for name in names)
        name, attributes = node.output[index], attributes_of(node)
        return cls(
            node.op_type, name, attributes, tuple(names), values, opset, len(node.output), index
        )

    @property
    def computed(self) -> list[int]:
        """The places of the inputs that are computed from the picture."""
        pairs = enumerate(zip(self.inputs, self.constants, strict=True))
        return [i for i, (name, constant) in pairs if name and constant is None]

    @property
    def given(self) -> list[np.ndarray | None]:
        """The constants without the inputs that are left out, as `Function` takes them."""
        pairs = zip(self.inputs, self.constants, strict=True)
        return [constant for name, constant in pairs if name]

    def get(self, attribute: str, default: object = None) -> object:
        return self.attributes.get(attribute, default)

    def constant(self, index: int, attribute: str, default: object = None) -> object:
        """A value that is a constant input in newer opsets and an attribute in older ones."""
        if index < len(self.constants) and self.constants[index] is not None:
            return self.constants[index].tolist()
        return self.get(attribute, default)

    def weights(self, index: int, rank: int) -> Tensor:
        """A constant input with `rank` axes as float32. Raises ValueError for any other input."""
        value = self.constants[index] if index < len(self.constants) else None
        if value is None or value.ndim != rank or value.dtype.kind != "f" or 0 in value.shape:
            raise self.error(f"its input {index} must be constant weights with {rank} axes")
        weights = torch.from_numpy(np.array(value, np.float32))
        if not torch.isfinite(weights).all():
            raise self.error("its weights are not all finite numbers")
        return weights

    def window(self, kernel: Sequence[int]) -> Window:
        """The window of a convolution or a pool. Raises ValueError for what is out of range."""
        sizes = [kernel, self.get("strides", [1, 1]), self.get("dilations", [1, 1])]
        pads, auto = self.get("pads", [0, 0, 0, 0]), self.get("auto_pad", "NOTSET")
        if any(len(size) != 2 for size in sizes) or len(pads) != 4:
            raise self.error("only two-dimensional maps are read, [N, C, H, W]")
        sizes, pads = [tuple(size) for size in sizes], tuple(pads)
        if min(map(min, sizes)) < 1 or min(pads) < 0 or max(map(max, (*sizes, pads))) > MAX_CELLS:
            shown = "out of range: kernel {}, strides {}, dilations {} or pads {}"
            raise self.error(shown.format(*map(list, (*sizes, pads))))
        if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
            raise self.error(f"unknown auto_pad {auto!r}")
        pads = (0, 0, 0, 0) if auto == "VALID" else pads
        return Window(*sizes, pads, auto, bool(self.get("ceil_mode", 0)))

    def error(self, why: str) -> ValueError:
        return ValueError(f"{self.op_type} {self.name!r}: {why}")


def to_array(tensor) -> np.ndarray:
    """The values of a TensorProto, in one of NumPy's own types."""
    values = onnx_package().numpy_helper.to_array(tensor)
    if values.dtype.kind in "biufO" and values.dtype.isbuiltin == 1:
        return values
    return values.astype(np.float32)  # bfloat16, float8 and four bits


def attributes_of(node) -> dict[str, object]:
    """The attributes of a NodeProto by name, with text as `str`."""
    value_of = onnx_package().helper.get_attribute_value
    values = {attribute.name: value_of(attribute) for attribute in node.attribute}
    text = lambda value: value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return {name: text(value) for name, value in values.items()}


def constant_of(node) -> np.ndarray:
    """The value of a node `Constant`. Raises ValueError if it holds no numbers."""
    attributes = attributes_of(node)
    if "value" in attributes:
        return to_array(attributes["value"])
    for key in ("value_float", "value_int", "value_floats", "value_ints"):
        if key in attributes:
            return np.array(attributes[key], np.float32 if "float" in key else np.int64)
    raise ValueError(f"Constant {node.output[0]!r} holds no numbers")
