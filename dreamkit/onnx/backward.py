"""The chain rule on an ONNX graph: adds the nodes that compute d score / d picture."""

from __future__ import annotations

import functools

from .gradient_rules import RULES
from .graph import PICTURE, Builder
from .model_files import nodes_for

NO_GRADIENT = {"Shape", "Size", "ArgMax"}  # their results do not change with the picture's values


def backward(builder: Builder, score: str) -> str:
    """Adds the nodes that compute d score / d picture, and returns its name.

    Raises ValueError if the score does not depend on the picture, and for operators without a
    gradient rule, all of them named.
    """
    forward = nodes_for(builder.nodes, [score])
    varying = {PICTURE}  # the tensors that change with the picture
    for node in forward:
        if varying.intersection(node.input) and node.op_type not in NO_GRADIENT:
            varying.update(node.output)
    if score not in varying:
        raise ValueError("the score does not depend on the picture")
    forward = [node for node in forward if varying.intersection(node.output)]
    missing = sorted({node.op_type for node in forward} - set(RULES))
    if missing:
        raise ValueError(f"dreamkit has no gradient for {', '.join(missing)}")
    builder.infer_shapes(score)
    add = functools.partial(builder.add, "Add")
    parts = {score: [builder.constant(1.0)]}  # the gradient of each tensor, as a sum of parts
    for node in reversed(forward):
        if node.output[0] in parts:
            gradient = functools.reduce(add, parts.pop(node.output[0]))
            found = RULES[node.op_type](builder, node, gradient)
            found = [found] if isinstance(found, str) else found
            for name, part in zip(node.input, found, strict=False):
                if name in varying:
                    parts.setdefault(name, []).append(part)
    return functools.reduce(add, parts[PICTURE])
