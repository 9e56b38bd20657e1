"""The gradient of each ONNX operator as ONNX nodes: the rules that `backward` puts together.

A rule takes the Builder, a node and the name of d score / d result. It adds nodes and yields, for
each input, (the input's name, the name of d score / d input). Names of a rule's tensors: `x` is the
input, `y` the result, `g` the gradient of the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from .graph import Builder, Node

Rule = Callable[[Builder, Node, str], Iterator[tuple[str, str]]]


def size_of(b: Builder, name: str, start: int = 0) -> str:
    """The tensor's sizes (int64) from axis `start` on, found when the graph runs."""
    return b.add("Shape", name, start=start)


def count_of(b: Builder, name: str, start: int = 0) -> str:
    """The product of the tensor's sizes from axis `start` on, as a float32 scalar."""
    return b.add("Cast", b.add("ReduceProd", size_of(b, name, start), keepdims=0), to=1)


def _convolution(b, node, g):
    x, weight = node.input[:2]
    yield x, _transposed_convolution(b, g, x, weight, node.attributes)


def _transposed_convolution(b, g, x, weight, window):
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
    x = node.input[0]
    if len(node.output) == 1:
        node.output.append(b.fresh("indices"))
    zeros = b.add("ConstantOfShape", b.add("ReduceProd", size_of(b, x)))
    indices, values = (b.add("Reshape", name, [-1]) for name in (node.output[1], g))
    put = b.add("ScatterElements", zeros, indices, values, axis=0, reduction="add")
    yield x, b.add("Reshape", put, size_of(b, x))


def _average_pool(b, node, g):
    """Each value goes in equal parts to its window: a transposed convolution with a constant."""
    x, a = node.input[0], node.attributes
    if a["ceil_mode"]:
        raise ValueError("dreamkit has no gradient for AveragePool with ceil_mode")
    if any(a["pads"]) and not a["count_include_pad"]:
        ones = b.add("Expand", 1.0, size_of(b, x))
        inside = b.add("AveragePool", ones, **(a | {"count_include_pad": 1}))
        g = b.add("Div", g, inside)  # the share of each window that lies inside the picture
    channels, kernel = b.shapes[x][1], a["kernel_shape"]
    weight = b.constant(np.full((channels, 1, *kernel), 1 / math.prod(kernel), np.float32))
    window = {key: a[key] for key in ("kernel_shape", "strides", "pads")} | {"group": channels}
    yield x, _transposed_convolution(b, g, x, weight, window)


def _mean(b, node, g):
    x, y = node.input[0], node.output[0]
    if not node.attributes.get("keepdims", 1):
        g = b.add("Unsqueeze", g, node.attributes["axes"])
    count = b.add("Cast", b.add("Div", b.add("Size", x), b.add("Size", y)), to=1)
    yield x, b.add("Expand", b.add("Div", g, count), size_of(b, x))


def _sum_of_all(b, node, g):
    yield node.input[0], b.add("Expand", g, size_of(b, node.input[0]))


def _concat(b, node, g):
    axis, start = node.attributes["axis"], 0
    for x in node.input:
        end = start + b.shapes[x][axis]
        yield x, b.add("Slice", g, [start], [end], [axis])
        start = end


def _broadcasting(rule: Rule) -> Rule:
    """Sums each gradient over the axes along which its input was repeated."""

    def summed(b, node, g):
        full = b.shapes[node.output[0]]
        for x, part in rule(b, node, g):
            if x not in b.weights:
                yield x, _unrepeated(b, part, x, full)

    return summed


def _unrepeated(b, g, name, full):
    shape = b.shapes[name]
    new = len(full) - len(shape)
    axes = [i for i, n in enumerate(full) if i < new or shape[i - new] < n]
    g = b.add("ReduceSum", g, axes, keepdims=1) if axes else g
    return b.add("Reshape", g, size_of(b, name)) if new else g


@_broadcasting
def _add(b, node, g):
    for x in node.input:
        yield x, g


@_broadcasting
def _sub(b, node, g):
    left, right = node.input
    yield left, g
    yield right, b.add("Neg", g)


@_broadcasting
def _mul(b, node, g):
    left, right = node.input
    yield left, b.add("Mul", g, right)
    yield right, b.add("Mul", g, left)


@_broadcasting
def _div(b, node, g):
    top, bottom = node.input
    yield top, b.add("Div", g, bottom)
    yield bottom, b.add("Neg", b.add("Mul", g, b.add("Div", node.output[0], bottom)))


def _power(b, node, g):
    x, exponent = node.input
    if exponent not in b.weights:
        raise ValueError("dreamkit has no gradient for Pow with an exponent that is computed")
    power = b.weights[exponent]
    slope = b.add("Mul", b.add("Pow", x, power - 1), power)
    yield x, b.add("Mul", g, slope)


def _gemm(b, node, g):
    yield node.input[0], b.add("Gemm", g, node.input[1], transB=1, alpha=node.attributes["alpha"])


def _mat_mul(b, node, g):
    left, right = node.input
    yield left, b.add("MatMul", g, b.add("Transpose", right, perm=[1, 0]))
    if right not in b.weights:
        yield right, b.add("MatMul", b.add("Transpose", left, perm=[1, 0]), g)


def _where(inside: Callable[[Builder, Node], str]) -> Rule:
    """The gradient passes where `inside` is true, and is 0 elsewhere."""

    def rule(b, node, g):
        yield node.input[0], b.add("Where", inside(b, node), g, 0.0)

    return rule


def _not_clipped(b, node):
    low, high = (*node.input[1:], "")[:2]
    x = node.input[0]
    above = b.add("GreaterOrEqual", x, low) if low else None
    below = b.add("LessOrEqual", x, high) if high else None
    return b.add("And", above, below) if above and below else above or below


def _times(slope: Callable[[Builder, Node], str]) -> Rule:
    """The gradient times the slope of a function of one tensor."""

    def rule(b, node, g):
        yield node.input[0], b.add("Mul", g, slope(b, node))

    return rule


def _sigmoid(b, node):
    y = node.output[0]
    return b.add("Mul", y, b.add("Sub", 1.0, y))


def _tanh(b, node):
    return b.add("Sub", 1.0, b.add("Mul", node.output[0], node.output[0]))


def _hard_swish(b, node):
    """0 below -3, 1 above 3, x / 3 + 1/2 between."""
    x = node.input[0]
    slope = b.add("Add", b.add("Div", x, 3.0), 0.5)
    slope = b.add("Where", b.add("Less", x, -3.0), 0.0, slope)
    return b.add("Where", b.add("Greater", x, 3.0), 1.0, slope)


def _hard_sigmoid(b, node):
    y = node.output[0]
    inside = b.add("And", b.add("Greater", y, 0.0), b.add("Less", y, 1.0))
    return b.add("Where", inside, node.attributes["alpha"], 0.0)


def _leaky_relu(b, node):
    positive = b.add("Greater", node.input[0], 0.0)
    return b.add("Where", positive, 1.0, node.attributes["alpha"])


def _batch_norm(b, node):
    scale, _, _, var = (b.weights[name] for name in node.input[1:])
    slope = scale / np.sqrt(var + node.attributes["epsilon"])
    return b.constant(slope.reshape(1, -1, 1, 1).astype(np.float32))


def _softmax(b, node, g):
    y, axis = node.output[0], node.attributes["axis"]
    mean = b.add("ReduceSum", b.add("Mul", g, y), [axis], keepdims=1)
    yield node.input[0], b.add("Mul", y, b.add("Sub", g, mean))


def _reshape(b, node, g):
    yield node.input[0], b.add("Reshape", g, size_of(b, node.input[0]))


def _transpose(b, node, g):
    yield node.input[0], b.add("Transpose", g, perm=np.argsort(node.attributes["perm"]).tolist())


def _slice(b, node, g):
    """Zeros where nothing was taken: their number along each axis is found when the graph runs."""
    x = node.input[0]
    given, _, axes, *steps = (b.weights[name] for name in node.input[1:])
    if any((step != 1).any() for step in steps):
        raise ValueError("dreamkit has no gradient for Slice with steps")
    if (given < 0).any():
        raise ValueError("dreamkit has no gradient for Slice that starts from the end")
    starts = np.zeros(len(b.shapes[x]), np.int64)
    starts[axes] = given
    after = b.add("Sub", b.add("Sub", size_of(b, x), size_of(b, g)), starts)
    yield x, b.add("Pad", g, b.add("Concat", starts, after, axis=0))


def _pad(b, node, g):
    x, pads = node.input[0], b.weights[node.input[1]]
    if (pads < 0).any():
        raise ValueError("dreamkit has no gradient for Pad that crops")
    begin = pads[: len(pads) // 2]
    yield x, b.add("Slice", g, begin, b.add("Add", size_of(b, x), begin))


def _gather(b, node, g):
    order = np.argsort(b.weights[node.input[1]])  # `tracing` writes Gather to reorder channels only
    yield node.input[0], b.add("Gather", g, order.astype(np.int64), axis=node.attributes["axis"])


def _identity(b, node, g):
    yield node.input[0], g


RULES: dict[str, Rule] = {
    "Conv": _convolution, "Gemm": _gemm, "MatMul": _mat_mul,
    "BatchNormalization": _times(_batch_norm),
    "MaxPool": _max_pool, "AveragePool": _average_pool,
    "GlobalAveragePool": _mean, "ReduceMean": _mean, "ReduceSum": _sum_of_all,
    "Add": _add, "Sub": _sub, "Mul": _mul, "Div": _div, "Pow": _power,
    "Exp": _times(lambda b, node: node.output[0]),
    "Relu": _where(lambda b, node: b.add("Greater", node.output[0], 0.0)),
    "LeakyRelu": _times(_leaky_relu), "Clip": _where(_not_clipped), "Softmax": _softmax,
    "Sigmoid": _times(_sigmoid), "Tanh": _times(_tanh),
    "HardSwish": _times(_hard_swish), "HardSigmoid": _times(_hard_sigmoid),
    "Concat": _concat, "Slice": _slice, "Pad": _pad, "Gather": _gather,
    "Flatten": _reshape, "Reshape": _reshape, "Squeeze": _reshape, "Unsqueeze": _reshape,
    "Transpose": _transpose, "Identity": _identity,
}  # fmt: skip
