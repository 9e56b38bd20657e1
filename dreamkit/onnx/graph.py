"""A small graph under construction: nodes, weights, and for each tensor its name and the shape it had in the trial run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .model_files import IR_VERSION, OPSET, one_line, onnx_package


@dataclass
class Node:
    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, object]


@dataclass
class Builder:
    """Nodes in the order in which they run; `add` returns the name of what a node makes."""

    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    count: int = 0

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"_{stem.lower()}_{self.count}"  # no layer's name begins so

    def add(
        self,
        op: str,
        *inputs: str | np.ndarray,
        shape: Sequence[int] | None = None,
        **attributes: object,
    ) -> str:
        names = [i if isinstance(i, str) else self.weight(i) for i in inputs]
        name = self.fresh(op)
        self.nodes.append(
            Node(op, names, [name], {k: v for k, v in attributes.items() if v is not None})
        )
        if shape is not None:
            self.shapes[name] = tuple(shape)
        return name

    def weight(self, value: np.ndarray, name: str = "") -> str:
        name = name or self.fresh("constant")
        self.weights[name] = np.array(value, order="C")  # a number stays a number, without axes
        return name

    def rename(self, names: Mapping[str, str]) -> None:
        for node in self.nodes:
            node.inputs = [names.get(n, n) for n in node.inputs]
            node.outputs = [names.get(n, n) for n in node.outputs]
        self.shapes = {names.get(n, n): shape for n, shape in self.shapes.items()}

    def pruned(self, results: Sequence[str]) -> list[Node]:
        wanted, kept = set(results), []
        for node in reversed(self.nodes):
            if wanted.intersection(node.outputs):
                kept.append(node)
                wanted.update(node.inputs)
        return kept[::-1]

    def model(
        self,
        picture: str,
        results: Mapping[str, Sequence[int | str] | None],
        about: str,
        notes: Mapping[str, str],
        fixed: Sequence[int] | None = None,
    ):
        """The checked ModelProto that takes `picture` [N, 3, H, W] and gives the `results` {tensor: shape, or None where unknown}."""
        onnx = onnx_package()
        nodes, used = self.pruned(list(results)), {picture}
        for node in nodes:
            used.update(node.inputs)
        size = ["height", "width"] if fixed is None else list(fixed)
        float32 = onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            [
                onnx.helper.make_node(n.op, n.inputs, n.outputs, name=n.outputs[0], **n.attributes)
                for n in nodes
            ],
            about,
            [onnx.helper.make_tensor_value_info(picture, float32, ["batch", 3, *size])],
            [
                onnx.helper.make_tensor_value_info(name, float32, shape)
                for name, shape in results.items()
            ],
            [
                onnx.numpy_helper.from_array(value, name)
                for name, value in self.weights.items()
                if name in used
            ],
        )
        model = onnx.helper.make_model(
            graph,
            producer_name="dreamkit",
            ir_version=IR_VERSION,
            opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        )
        onnx.helper.set_model_props(model, dict(notes))
        try:
            onnx.checker.check_model(model, full_check=True)
        except Exception as error:
            raise ValueError(f"no valid ONNX graph came of it: {one_line(error)}") from None
        return model
