"""An ONNX graph under construction: its nodes, its weights, and the shapes of its tensors."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from .model_files import IR_VERSION, OPSET, nodes_for, one_line, onnx_package

PICTURE = "picture"  # the graph's input, [N, 3, H, W], RGB in [0, 1]
Value: TypeAlias = "str | float | Sequence[int] | np.ndarray"
Shape: TypeAlias = "Sequence[int | str | None]"  # a name or None: a free size


@dataclass
class Node:
    """One node, with the fields of `onnx.NodeProto`; `x` is its first input, `y` its result."""

    op_type: str
    input: list[str]
    output: list[str]
    attributes: dict[str, object]

    x = property(lambda self: self.input[0])
    y = property(lambda self: self.output[0])


@dataclass
class Builder:
    """Nodes in the order in which they run; weights, and shapes in the trial run, by name."""

    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    count: int = 0

    def fresh(self, stem: str) -> str:
        """A new tensor name. It begins with an underscore, as no layer's name does."""
        self.count += 1
        return f"_{stem.lower()}_{self.count}"

    def add(self, op_type: str, *inputs: Value, **attributes: object) -> str:
        """Appends a node and returns the name of its result. Attributes that are None are left out.

        An input is the name of a tensor, or a constant: see `constant`.
        """
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        attributes = {key: value for key, value in attributes.items() if value is not None}
        result = self.fresh(op_type)
        self.nodes.append(Node(op_type, names, [result], attributes))
        return result

    def constant(self, value: float | Sequence[int] | np.ndarray, name: str = "") -> str:
        """Stores a constant and returns its name: a number as float32, a list as int64."""
        name = name or self.fresh("constant")
        if isinstance(value, numbers.Real):
            value = np.array(value, np.float32)
        elif not isinstance(value, np.ndarray):
            value = np.array(value, np.int64)
        self.weights[name] = np.array(value, order="C")
        return name

    def rename(self, names: Mapping[str, str]) -> None:
        """Gives tensors new names, {old: new}."""
        for node in self.nodes:
            node.input = [names.get(n, n) for n in node.input]
            node.output = [names.get(n, n) for n in node.output]
        self.shapes = {names.get(n, n): shape for n, shape in self.shapes.items()}

    def infer_shapes(self, result: str) -> None:
        """Completes `shapes` for all that `result` is computed from, by ONNX's own rules."""
        model = self._proto(self.shapes[PICTURE], {result: None}, "shapes")
        graph = onnx_package().shape_inference.infer_shapes(model).graph
        for value in (*graph.value_info, *graph.output):
            sizes = tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
            self.shapes.setdefault(value.name, sizes)

    def model(
        self,
        results: Mapping[str, Shape],
        title: str,
        metadata: Mapping[str, str],
        fixed: Iterable[int] | None = None,
    ):
        """The checked ModelProto that computes `results` {tensor: shape} from the picture.

        Height and width of the picture are free unless `fixed` gives them.
        """
        onnx = onnx_package()
        size = ("height", "width") if fixed is None else fixed
        model = self._proto(("batch", 3, *size), results, title)
        onnx.helper.set_model_props(model, dict(metadata))
        try:
            onnx.checker.check_model(model, full_check=True)
        except Exception as error:
            raise ValueError(f"the ONNX graph made is not valid: {one_line(error)}") from None
        return model

    def _proto(self, shape: Shape, results: Mapping[str, Shape | None], title: str):
        """The ModelProto, not yet checked, for a picture of that shape."""
        onnx = onnx_package()
        helper = onnx.helper
        tensor = lambda name, shape: helper.make_tensor_value_info(name, 1, shape)  # 1: float32
        nodes = nodes_for(self.nodes, results)
        used = {name for node in nodes for name in node.input}
        weights = ((name, value) for name, value in self.weights.items() if name in used)
        graph = helper.make_graph(
            [helper.make_node(n.op_type, n.input, n.output, n.y, **n.attributes) for n in nodes],
            title,
            [tensor(PICTURE, shape)],
            [tensor(name, shape) for name, shape in results.items()],
            [onnx.numpy_helper.from_array(value, name) for name, value in weights],
        )
        about = {"producer_name": "dreamkit", "ir_version": IR_VERSION}
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], **about)
