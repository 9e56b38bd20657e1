"""The chain rule on ONNX nodes: for each operator the nodes that carry a gradient from what it gives back to what it takes.

The gradient of a convolution is a transposed convolution, of a ReLU a mask, of a max-pool a scatter to where the
maxima were. `RULES` is read backwards, from the score to the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from .graph import Builder, Node

Gradients = Iterator[tuple[str, str]]  # (a tensor taken, its part of the gradient)


def backward(builder: Builder, score: str, picture: str) -> str:
    """Adds the nodes that make d score / d picture, and returns its name. ValueError naming every operator without a gradient."""
    forward = builder.pruned([score])
    moving = {picture}
    for node in forward:
        if moving.intersection(node.inputs) and node.op not in STILL:
            moving.update(node.outputs)
    if score not in moving:
        raise ValueError("the score does not depend on the picture")
    lacking = sorted(
        {node.op for node in forward if moving.intersection(node.outputs) and node.op not in RULES}
    )
    if lacking:
        raise ValueError(f"no gradient is known here for {', '.join(lacking)}")
    parts: dict[str, list[str]] = {score: [builder.weight(np.array(1, np.float32))]}
    for node in reversed(forward):
        name = node.outputs[0]
        if name in parts and name in moving and name != picture:
            uphill = _total(builder, parts.pop(name), name)
            for taken, part in RULES[node.op](builder, node, uphill):
                if taken in moving:
                    parts.setdefault(taken, []).append(part)
    return _total(builder, parts[picture], picture)


def _total(b: Builder, parts: list[str], name: str) -> str:
    total = parts[0]
    for part in parts[1:]:
        total = b.add("Add", total, part, shape=b.shapes.get(name))
    return total


def size_of(b: Builder, name: str, axes: slice = slice(None)) -> str:
    """The tensor's sizes (int64), or some of them, found when the graph runs."""
    shape = b.add("Shape", name)
    if axes == slice(None):
        return shape
    return b.add(
        "Slice",
        shape,
        np.array([axes.start or 0], np.int64),
        np.array([2**62 if axes.stop is None else axes.stop], np.int64),
    )


def count_of(b: Builder, name: str, axes: slice) -> str:
    """How many cells the tensor has along those axes, as a float32 scalar."""
    return b.add("Cast", b.add("ReduceProd", size_of(b, name, axes), keepdims=0), to=1)


def _conv(b: Builder, node: Node, g: str) -> Gradients:
    x, weight = node.inputs[:2]
    a = node.attributes
    yield (
        x,
        _transposed(
            b, g, x, weight, a["kernel_shape"], a["strides"], a["pads"], a["dilations"], a["group"]
        ),
    )


def _transposed(
    b: Builder, g: str, x: str, weight: str, kernel, strides, pads, dilations, group
) -> str:
    """ConvTranspose back to the size of `x`. With strides several sizes give one, so it is cut to measure when the graph runs."""
    if max(strides) == 1:
        return b.add(
            "ConvTranspose",
            g,
            weight,
            kernel_shape=kernel,
            strides=strides,
            pads=pads,
            dilations=dilations,
            group=group,
        )
    full = b.add(
        "ConvTranspose",
        g,
        weight,
        kernel_shape=kernel,
        strides=strides,
        dilations=dilations,
        group=group,
    )
    more = [0] * 6 + [s - 1 + max(p, 0) for s, p in zip(strides, pads[2:], strict=True)]
    padded = b.add("Pad", full, np.array(more, np.int64))
    begin = np.array(pads[:2], np.int64)
    end = b.add("Add", size_of(b, x, slice(2, 4)), begin)
    return b.add("Slice", padded, begin, end, np.array([2, 3], np.int64))


def _max_pool(b: Builder, node: Node, g: str) -> Gradients:
    """Each value goes to where its maximum was; windows overlap, so what meets is added."""
    x = node.inputs[0]
    if len(node.outputs) == 1:
        node.outputs.append(b.fresh("indices"))
    flat = lambda name: b.add("Reshape", name, np.array([-1], np.int64))
    zeros = b.add(
        "Expand",
        np.zeros(1, np.float32),
        b.add("Reshape", b.add("Size", x), np.array([1], np.int64)),
    )
    put = b.add("ScatterElements", zeros, flat(node.outputs[1]), flat(g), axis=0, reduction="add")
    yield x, b.add("Reshape", put, size_of(b, x))


def _average_pool(b: Builder, node: Node, g: str) -> Gradients:
    """Each value, divided by its number of cells, goes back to all of them: a transposed convolution with ones."""
    x, a = node.inputs[0], node.attributes
    channels, kernel, strides, pads = b.shapes[x][1], a["kernel_shape"], a["strides"], a["pads"]
    if a["ceil_mode"]:
        raise ValueError("no gradient is known here for AveragePool with ceil_mode")
    if any(pads) and not a["count_include_pad"]:
        ones = b.add("Expand", np.ones((1, 1, 1, 1), np.float32), size_of(b, x))
        cells = b.add(
            "AveragePool", ones, **(a | {"count_include_pad": 1})
        )  # the share of a window inside the picture
        g = b.add("Div", g, cells)
    weight = np.full((channels, 1, *kernel), 1 / math.prod(kernel), np.float32)
    yield x, _transposed(b, g, x, b.weight(weight), kernel, strides, pads, [1, 1], channels)


def _global_average(b: Builder, node: Node, g: str) -> Gradients:
    x = node.inputs[0]
    yield x, b.add("Expand", b.add("Div", g, count_of(b, x, slice(2, None))), size_of(b, x))


def _reduce(mean: bool) -> Callable[[Builder, Node, str], Gradients]:
    def rule(b: Builder, node: Node, g: str) -> Gradients:
        x, rank = node.inputs[0], len(b.shapes[node.inputs[0]])
        axes = _reduced(b, node, rank)
        if not node.attributes.get("keepdims", 1):
            g = b.add("Unsqueeze", g, np.array(axes, np.int64))
        g = b.add("Expand", g, size_of(b, x))
        if mean:
            kept = b.add("Gather", b.add("Shape", x), np.array(axes, np.int64))
            g = b.add("Div", g, b.add("Cast", b.add("ReduceProd", kept, keepdims=0), to=1))
        yield x, g

    return rule


def _reduced(b: Builder, node: Node, rank: int) -> list[int]:
    given = (
        b.weights[node.inputs[1]].tolist()
        if len(node.inputs) > 1
        else node.attributes.get("axes", range(rank))
    )
    return sorted(a % rank for a in given)


def _concat(b: Builder, node: Node, g: str) -> Gradients:
    axis, start = node.attributes["axis"], 0
    for name in node.inputs:
        end = start + b.shapes[name][axis]
        yield name, b.add("Slice", g, *(np.array([v], np.int64) for v in (start, end, axis)))
        start = end


def _fitted(b: Builder, g: str, name: str, full: tuple[int, ...]) -> str:
    """The gradient summed over the axes along which the tensor was spread out."""
    shape = b.shapes.get(name, ())
    if name in b.weights or shape == full:
        return g
    axes = [
        i
        for i, n in enumerate(full)
        if i < len(full) - len(shape) or (shape[i - len(full) + len(shape)] == 1 and n != 1)
    ]
    g = b.add("ReduceSum", g, np.array(axes, np.int64), keepdims=1) if axes else g
    return b.add("Reshape", g, size_of(b, name)) if len(shape) < len(full) else g


def _add(b: Builder, node: Node, g: str) -> Gradients:
    for name in node.inputs:
        yield name, _fitted(b, g, name, b.shapes.get(node.outputs[0], ()))


def _sub(b: Builder, node: Node, g: str) -> Gradients:
    left, right = node.inputs
    full = b.shapes.get(node.outputs[0], ())
    yield left, _fitted(b, g, left, full)
    if right not in b.weights:
        yield right, _fitted(b, b.add("Neg", g), right, full)


def _mul(b: Builder, node: Node, g: str) -> Gradients:
    for name, other in (node.inputs, node.inputs[::-1]):
        if name not in b.weights:
            yield name, _fitted(b, b.add("Mul", g, other), name, b.shapes.get(node.outputs[0], ()))


def _div(b: Builder, node: Node, g: str) -> Gradients:
    top, bottom = node.inputs
    yield top, _fitted(b, b.add("Div", g, bottom), top, b.shapes.get(node.outputs[0], ()))
    if bottom in b.shapes and bottom not in b.weights:
        slope = b.add("Neg", b.add("Div", node.outputs[0], bottom))
        yield bottom, _fitted(b, b.add("Mul", g, slope), bottom, b.shapes.get(node.outputs[0], ()))


def _pow(b: Builder, node: Node, g: str) -> Gradients:
    x, power = node.inputs[0], b.weights[node.inputs[1]]
    slope = b.add("Pow", x, np.asarray(power - 1, np.float32)) if power != 2 else x
    yield x, b.add("Mul", g, b.add("Mul", slope, np.asarray(power, np.float32)))


def _gemm(b: Builder, node: Node, g: str) -> Gradients:
    a = node.attributes
    yield (
        node.inputs[0],
        b.add(
            "Gemm", g, node.inputs[1], transB=0 if a.get("transB") else 1, alpha=a.get("alpha", 1.0)
        ),
    )


def _mat_mul(b: Builder, node: Node, g: str) -> Gradients:
    turned = b.weights[node.inputs[1]].T
    yield node.inputs[0], b.add("MatMul", g, turned)


def _masked(mask: Callable[[Builder, Node], str]) -> Callable[[Builder, Node, str], Gradients]:
    """The gradient where the mask is true, else 0."""

    def rule(b: Builder, node: Node, g: str) -> Gradients:
        yield node.inputs[0], b.add("Where", mask(b, node), g, np.zeros((), np.float32))

    return rule


def _number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


def _inside(b: Builder, node: Node) -> str:
    masks = [
        b.add(op, node.inputs[0], name)
        for op, name in zip(("GreaterOrEqual", "LessOrEqual"), node.inputs[1:], strict=False)
        if name
    ]
    return masks[0] if len(masks) == 1 else b.add("And", *masks)


def _times(slope: Callable[[Builder, Node], str]) -> Callable[[Builder, Node, str], Gradients]:
    def rule(b: Builder, node: Node, g: str) -> Gradients:
        yield node.inputs[0], b.add("Mul", g, slope(b, node))

    return rule


def _sigmoid(b: Builder, node: Node) -> str:
    y = node.outputs[0]
    return b.add("Mul", y, b.add("Sub", _number(1), y))


def _tanh(b: Builder, node: Node) -> str:
    return b.add("Sub", _number(1), b.add("Mul", node.outputs[0], node.outputs[0]))


def _hard_swish(b: Builder, node: Node) -> str:
    """X * clip(x / 6 + 1/2): 0 below -3, 1 above 3, x / 3 + 1/2 between."""
    x = node.inputs[0]
    between = b.add("Add", b.add("Div", x, _number(3)), _number(0.5))
    return b.add(
        "Where",
        b.add("Greater", x, _number(3)),
        _number(1),
        b.add("Where", b.add("Less", x, _number(-3)), _number(0), between),
    )


def _hard_sigmoid(b: Builder, node: Node) -> str:
    y, alpha = node.outputs[0], _number(node.attributes["alpha"])
    inside = b.add("And", b.add("Greater", y, _number(0)), b.add("Less", y, _number(1)))
    return b.add("Where", inside, alpha, _number(0))


def _leaky(b: Builder, node: Node) -> str:
    return b.add(
        "Where",
        b.add("Greater", node.inputs[0], _number(0)),
        _number(1),
        _number(node.attributes["alpha"]),
    )


def _batch_norm(b: Builder, node: Node) -> str:
    scale, _, _, var = (b.weights[name] for name in node.inputs[1:])
    return b.weight(
        (scale / np.sqrt(var + node.attributes["epsilon"])).reshape(1, -1, 1, 1).astype(np.float32)
    )


def _softmax(b: Builder, node: Node, g: str) -> Gradients:
    y, axis = node.outputs[0], node.attributes["axis"]
    mean = b.add("ReduceSum", b.add("Mul", g, y), np.array([axis], np.int64), keepdims=1)
    yield node.inputs[0], b.add("Mul", y, b.add("Sub", g, mean))


def _reshaped(b: Builder, node: Node, g: str) -> Gradients:
    yield node.inputs[0], b.add("Reshape", g, size_of(b, node.inputs[0]))


def _transpose(b: Builder, node: Node, g: str) -> Gradients:
    yield node.inputs[0], b.add("Transpose", g, perm=np.argsort(node.attributes["perm"]).tolist())


def _slice(b: Builder, node: Node, g: str) -> Gradients:
    """Zeros where nothing was taken: the rest of the axis, found when the graph runs."""
    x, steps = node.inputs[0], node.inputs[4:]
    if steps and (b.weights[steps[0]] != 1).any():
        raise ValueError("no gradient is known here for Slice with steps")
    rank, axes = len(b.shapes[x]), b.weights[node.inputs[3]]
    starts = np.zeros(rank, np.int64)
    given = b.weights[node.inputs[1]]
    if (given < 0).any():
        raise ValueError("no gradient is known here for Slice from the end")
    starts[axes] = given
    after = b.add("Sub", b.add("Sub", size_of(b, x), size_of(b, g)), starts)
    yield x, b.add("Pad", g, b.add("Concat", starts, after, axis=0))


def _pad(b: Builder, node: Node, g: str) -> Gradients:
    x, pads = node.inputs[0], b.weights[node.inputs[1]]
    if (pads < 0).any():
        raise ValueError("no gradient is known here for Pad that crops")
    begin = pads[: len(pads) // 2]
    yield x, b.add("Slice", g, begin, b.add("Add", size_of(b, x), begin))


def _gather(b: Builder, node: Node, g: str) -> Gradients:
    order = np.argsort(b.weights[node.inputs[1]])  # only channels put in another order
    yield node.inputs[0], b.add("Gather", g, order.astype(np.int64), axis=node.attributes["axis"])


def _identity(b: Builder, node: Node, g: str) -> Gradients:
    yield node.inputs[0], g


STILL = {"Shape", "Size", "ArgMax"}  # of what they give nothing moves with the picture
RULES: dict[str, Callable[[Builder, Node, str], Gradients]] = {
    "Conv": _conv, "MaxPool": _max_pool, "AveragePool": _average_pool, "GlobalAveragePool": _global_average, "ReduceMean": _reduce(True),
    "ReduceSum": _reduce(False), "Concat": _concat, "Add": _add, "Sub": _sub, "Mul": _mul, "Div": _div, "Pow": _pow, "Gemm": _gemm,
    "MatMul": _mat_mul, "Relu": _masked(lambda b, node: b.add("Greater", node.outputs[0], _number(0))), "Clip": _masked(_inside),
    "Sigmoid": _times(_sigmoid), "Tanh": _times(_tanh), "HardSwish": _times(_hard_swish), "HardSigmoid": _times(_hard_sigmoid),
    "LeakyRelu": _times(_leaky), "BatchNormalization": _times(_batch_norm), "Exp": _times(lambda b, node: node.outputs[0]),
    "Softmax": _softmax, "Flatten": _reshaped, "Reshape": _reshaped, "Squeeze": _reshaped, "Unsqueeze": _reshaped,
    "Transpose": _transpose, "Slice": _slice, "Pad": _pad, "Gather": _gather, "Identity": _identity,
}  # fmt: skip
