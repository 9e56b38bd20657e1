"""The gradient of each ONNX operator as ONNX nodes: the rules that `backward` puts together.

A rule takes the Builder, a node and `g`, the name of d score / d result. It adds nodes and returns
the name of d score / d input, or a list of them if the node has several inputs that can vary.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .graph import Builder, Node

Rule = Callable[[Builder, Node, str], "str | list[str]"]


def size_of(b: Builder, name: str, start: int = 0) -> str:
    """The tensor's sizes (int64) from axis `start` on, found when the graph runs."""
    return b.add("Shape", name, start=start)


def _transposed(b, g, x, weight, window):
    """The transposed convolution from `g` back to the size of `x`."""
    if max(window["strides"]) == 1:
        return b.add("ConvTranspose", g, weight, **window)
    # With strides, several sizes of x give one size of g: pad, then cut to size at run time.
    begin, end = window["pads"][:2], window["pads"][2:]
    full = b.add("ConvTranspose", g, weight, **(window | {"pads": None}))
    more = [stride - 1 + pad for stride, pad in zip(window["strides"], end, strict=True)]
    padded = b.add("Pad", full, [0] * 6 + more)
    return b.add("Slice", padded, begin, b.add("Add", size_of(b, x, 2), begin), [2, 3])


def _max_pool(b, node, g):
    """Each value goes to where its maximum was; where windows overlap, the values are added."""
    if len(node.output) == 1:
        node.output.append(b.fresh("indices"))
    zeros = b.add("ConstantOfShape", b.add("ReduceProd", size_of(b, node.x)))
    indices, values = (b.add("Reshape", name, [-1]) for name in (node.output[1], g))
    placed = b.add("ScatterElements", zeros, indices, values, axis=0, reduction="add")
    return b.add("Reshape", placed, size_of(b, node.x))


def _average_pool(b, node, g):
    """Each value goes in equal parts to its window: a transposed convolution with a constant."""
    a = node.attributes
    if a["ceil_mode"]:
        raise ValueError("dreamkit has no gradient for AveragePool with ceil_mode")
    if any(a["pads"]) and not a["count_include_pad"]:
        ones = b.add("Expand", 1.0, size_of(b, node.x))
        inside = b.add("AveragePool", ones, **(a | {"count_include_pad": 1}))
        g = b.add("Div", g, inside)  # the share of each window that lies inside the picture
    channels, kernel = b.shapes[node.x][1], a["kernel_shape"]
    weight = b.constant(np.full((channels, 1, *kernel), 1 / math.prod(kernel), np.float32))
    window = {key: a[key] for key in ("kernel_shape", "strides", "pads")} | {"group": channels}
    return _transposed(b, g, node.x, weight, window)


def _mean(b, node, g):
    if not node.attributes.get("keepdims", 1):
        g = b.add("Unsqueeze", g, node.attributes["axes"])
    count = b.add("Cast", b.add("Div", b.add("Size", node.x), b.add("Size", node.y)), to=1)
    return b.add("Expand", b.add("Div", g, count), size_of(b, node.x))


def _concat(b, node, g):
    axis = node.attributes["axis"]
    ends = np.cumsum([b.shapes[name][axis] for name in node.input]).tolist()
    pairs = zip([0, *ends], ends, strict=False)
    return [b.add("Slice", g, [start], [end], [axis]) for start, end in pairs]


def _broadcasting(rule: Rule) -> Rule:
    """Sums each gradient over the axes along which its input was repeated."""

    def summed(b, node, g):
        full, parts = b.shapes[node.y], zip(node.input, rule(b, node, g), strict=True)
        return [_unrepeated(b, part, name, full) for name, part in parts]

    return summed


def _unrepeated(b, g, name, full):
    if name in b.weights:  # it has no gradient
        return g
    shape = b.shapes[name]
    new = len(full) - len(shape)
    axes = [i for i, n in enumerate(full) if i < new or shape[i - new] < n]
    g = b.add("ReduceSum", g, axes, keepdims=1) if axes else g
    return b.add("Reshape", g, size_of(b, name)) if new else g


def _quotient(b, node, g):
    over = b.add("Div", g, node.input[1])
    return [over, b.add("Neg", b.add("Mul", over, node.y))]


def _power(b, node, g):
    if node.input[1] not in b.weights:
        raise ValueError("dreamkit has no gradient for Pow with an exponent that is computed")
    exponent = b.weights[node.input[1]]
    slope = b.add("Mul", b.add("Pow", node.x, exponent - 1), exponent)
    return b.add("Mul", g, slope)


def _gemm(b, node, g):
    return b.add("Gemm", g, node.input[1], transB=1, alpha=node.attributes["alpha"])


def _mat_mul(b, node, g):
    left, right = (b.add("Transpose", name, perm=[1, 0]) for name in node.input)
    return [b.add("MatMul", g, right), b.add("MatMul", left, g)]


def _where(inside: Callable[[Builder, Node], str]) -> Rule:
    """The gradient passes where `inside` is true, and is 0 elsewhere."""
    return lambda b, node, g: b.add("Where", inside(b, node), g, 0.0)


def _not_clipped(b, node):
    """Strictly between the limits, as for torch's ReLU6: at 0 itself nothing passes."""
    low, high = (*node.input[1:], "")[:2]
    above = b.add("Greater", node.x, low) if low else None
    below = b.add("Less", node.x, high) if high else None
    return b.add("And", above, below) if above and below else above or below


def _times(slope: Callable[[Builder, Node], str]) -> Rule:
    """The gradient times the slope of a function of one tensor."""
    return lambda b, node, g: b.add("Mul", g, slope(b, node))


def _hard_swish(b, node):
    """0 below -3, 1 above 3, x / 3 + 1/2 between."""
    slope = b.add("Add", b.add("Div", node.x, 3.0), 0.5)
    slope = b.add("Where", b.add("Less", node.x, -3.0), 0.0, slope)
    return b.add("Where", b.add("Greater", node.x, 3.0), 1.0, slope)


def _hard_sigmoid(b, node):
    inside = b.add("And", b.add("Greater", node.y, 0.0), b.add("Less", node.y, 1.0))
    return b.add("Where", inside, node.attributes["alpha"], 0.0)


def _leaky_relu(b, node):
    return b.add("Where", b.add("Greater", node.x, 0.0), 1.0, node.attributes["alpha"])


def _batch_norm(b, node):
    scale, _, _, var = (b.weights[name] for name in node.input[1:])
    slope = scale / np.sqrt(var + node.attributes["epsilon"])
    return b.constant(slope.reshape(1, -1, 1, 1).astype(np.float32))


def _softmax(b, node, g):
    mean = b.add("ReduceSum", b.add("Mul", g, node.y), [node.attributes["axis"]], keepdims=1)
    return b.add("Mul", node.y, b.add("Sub", g, mean))


def _reshape(b, node, g):
    return b.add("Reshape", g, size_of(b, node.x))


def _transpose(b, node, g):
    return b.add("Transpose", g, perm=np.argsort(node.attributes["perm"]).tolist())


def _slice(b, node, g):
    """Zeros where nothing was taken: their number along each axis is found when the graph runs."""
    given, _, axes, *steps = (b.weights[name] for name in node.input[1:])
    if (given < 0).any() or any((step != 1).any() for step in steps):
        raise ValueError("dreamkit has no gradient for Slice with steps or a start from the end")
    starts = np.zeros(len(b.shapes[node.x]), np.int64)
    starts[axes] = given
    after = b.add("Sub", b.add("Sub", size_of(b, node.x), size_of(b, g)), starts)
    return b.add("Pad", g, b.add("Concat", starts, after, axis=0))


def _pad(b, node, g):
    pads = b.weights[node.input[1]]
    if (pads < 0).any():
        raise ValueError("dreamkit has no gradient for Pad that crops")
    begin = pads[: len(pads) // 2]
    return b.add("Slice", g, begin, b.add("Add", size_of(b, node.x), begin))


def _gather(b, node, g):
    order = np.argsort(b.weights[node.input[1]])  # `tracing` writes Gather to reorder channels only
    return b.add("Gather", g, order.astype(np.int64), axis=node.attributes["axis"])


RULES: dict[str, Rule] = {
    "Conv": lambda b, node, g: _transposed(b, g, node.x, node.input[1], node.attributes),
    "Gemm": _gemm, "MatMul": _mat_mul, "BatchNormalization": _times(_batch_norm),
    "MaxPool": _max_pool, "AveragePool": _average_pool,
    "GlobalAveragePool": _mean, "ReduceMean": _mean,
    "ReduceSum": lambda b, node, g: b.add("Expand", g, size_of(b, node.x)),  # always of all axes
    "Add": _broadcasting(lambda b, node, g: [g, g]),
    "Sub": _broadcasting(lambda b, node, g: [g, b.add("Neg", g)]),
    "Mul": _broadcasting(lambda b, node, g: [b.add("Mul", g, n) for n in node.input[::-1]]),
    "Div": _broadcasting(_quotient), "Pow": _power,
    "Relu": _where(lambda b, node: b.add("Greater", node.y, 0.0)), "Clip": _where(_not_clipped),
    "LeakyRelu": _times(_leaky_relu), "Exp": _times(lambda b, node: node.y),
    "Log": _times(lambda b, node: b.add("Div", 1.0, node.x)),
    "Sigmoid": _times(lambda b, node: b.add("Mul", node.y, b.add("Sub", 1.0, node.y))),
    "Tanh": _times(lambda b, node: b.add("Sub", 1.0, b.add("Mul", node.y, node.y))),
    "HardSwish": _times(_hard_swish), "HardSigmoid": _times(_hard_sigmoid), "Softmax": _softmax,
    "Concat": _concat, "Slice": _slice, "Pad": _pad, "Gather": _gather,
    "Flatten": _reshape, "Reshape": _reshape, "Squeeze": _reshape, "Unsqueeze": _reshape,
    "Transpose": _transpose, "Identity": lambda b, node, g: g,
}  # fmt: skip
