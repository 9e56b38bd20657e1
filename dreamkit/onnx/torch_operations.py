"""torch's operations as ONNX nodes: one rule for each ATen operation that `tracing` meets.

A rule takes the Tracing, the operation's result and its arguments, adds nodes to the graph, and
returns the name of the tensor they compute.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

Rule = Callable[..., str]


class UnsupportedOperationError(Exception):
    """An operation for which no rule exists here."""


def _pair(value: Sequence[int]) -> list[int]:
    return list(value) if len(value) == 2 else [value[0]] * 2


def _window(kernel, stride, padding, **more) -> dict[str, object]:
    return {
        "kernel_shape": _pair(kernel),
        "strides": _pair(stride or kernel),
        "pads": _pair(padding) * 2,
        **more,
    }


def _convolution(
    t, out, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups
):
    if transposed:
        raise UnsupportedOperationError("transposed convolution")
    if x.dim() != 4:
        raise UnsupportedOperationError(f"convolution of {x.dim() - 2} dimensions")
    window = _window(weight.shape[2:], stride, padding, dilations=_pair(dilation), group=groups)
    return t.add("Conv", x, weight, *([] if bias is None else [bias]), **window)


def _max_pool(t, out, x, kernel, stride=(), padding=(0,), dilation=(1,), ceil_mode=False):
    more = {"dilations": _pair(dilation), "ceil_mode": int(ceil_mode)}
    return t.add("MaxPool", x, **_window(kernel, stride, padding, **more))


def _avg_pool(
    t, out, x, kernel, stride=(), padding=(0,), ceil_mode=False, count_pads=True, divisor=None
):
    counted = int(count_pads or divisor is not None)
    more = {"ceil_mode": int(ceil_mode), "count_include_pad": counted}
    pooled = t.add("AveragePool", x, **_window(kernel, stride, padding, **more))
    return pooled if divisor is None else t.add("Mul", pooled, math.prod(_pair(kernel)) / divisor)


def _adaptive_avg_pool(t, out, x, size):
    if tuple(size) == (1, 1):
        return t.add("GlobalAveragePool", x)
    if tuple(size) == tuple(x.shape[-2:]):
        return t.add("Identity", x)
    # A RuntimeError makes `trace` try another size, which may fit.
    raise RuntimeError(f"an adaptive pool to {list(size)} from {list(x.shape[-2:])}")


def _mean(t, out, x, axes=None, keepdim=False, dtype=None):
    axes = sorted(a % x.dim() for a in (axes or range(x.dim())))
    return t.add("ReduceMean", x, axes=axes, keepdims=int(keepdim))


def _cat(t, out, tensors, axis=0):
    return t.add("Concat", *tensors, axis=axis % out.dim())


def _sum_of_two(op_type: str) -> Rule:
    """The rule for a + alpha * b, or a - alpha * b."""
    return lambda t, out, a, b, alpha=1: t.add(
        op_type, a, b if alpha == 1 else t.add("Mul", b, alpha)
    )


def _addmm(t, out, bias, x, weight, beta=1, alpha=1):
    return t.add("Gemm", x, weight, bias, alpha=float(alpha), beta=float(beta))


def _linear(t, out, x, weight, bias=None):
    product = t.add("MatMul", x, weight.t().contiguous())
    return product if bias is None else t.add("Add", product, bias)


def _permute(t, out, x, order=(1, 0)):
    return t.add("Transpose", x, perm=[int(axis) % x.dim() for axis in order])


def _transpose(t, out, x, a, b):
    order = list(range(x.dim()))
    order[a], order[b] = order[b], order[a]
    return _permute(t, out, x, order)


def _view(t, out, x, size):
    if out.dim() == 2 and x.dim() > 1 and out.shape[0] == x.shape[0]:
        return t.add("Flatten", x, axis=1)
    # A size of 0 means "as in x", so that it stays free.
    sizes = [0 if i < x.dim() and n == x.shape[i] else n for i, n in enumerate(out.shape)]
    return t.add("Reshape", x, sizes)


def _batch_norm(t, out, x, weight, bias, mean, var, *rest):
    weight = torch.ones_like(mean) if weight is None else weight
    bias = torch.zeros_like(mean) if bias is None else bias
    return t.add("BatchNormalization", x, weight, bias, mean, var, epsilon=float(rest[-1]))


def _clamp(t, out, x, low=None, high=None):
    return t.add("Clip", x, "" if low is None else low, *([] if high is None else [high]))


def _slice(t, out, x, axis=0, start=None, end=None, step=1):
    start = start or 0
    end = 2**62 if end is None or end >= x.shape[axis] else end
    if (start, end, step) == (0, 2**62, 1):
        return t.add("Identity", x)
    return t.add("Slice", x, [start], [end], [axis], [step])


def _select(t, out, x, axis, index):
    index %= x.shape[axis]
    return t.add("Squeeze", t.add("Slice", x, [index], [index + 1], [axis]), [axis])


def _pad(t, out, x, pads, value=0.0):
    before, after = list(pads[::2])[::-1], list(pads[1::2])[::-1]  # torch begins at the last axis
    others = [0] * (x.dim() - len(before))
    return t.add("Pad", x, others + before + others + after, value)


def _flip(t, out, x, axes):
    if list(axes) != [1] or x.shape[1] != 3:
        raise UnsupportedOperationError("flip")
    return t.add("Gather", x, [2, 1, 0], axis=1)


def _unary(op_type: str, **attributes: object) -> Rule:
    return lambda t, out, x, *rest, **more: t.add(op_type, x, **attributes)


def _binary(op_type: str) -> Rule:
    return lambda t, out, a, b: t.add(op_type, a, b)


RULES: dict[str, Rule] = {
    "convolution": _convolution, "linear": _linear, "addmm": _addmm, "mm": _binary("MatMul"),
    "native_batch_norm": _batch_norm, "_native_batch_norm_legit_no_training": _batch_norm,
    "max_pool2d_with_indices": _max_pool, "avg_pool2d": _avg_pool, "mean": _mean,
    "_adaptive_avg_pool2d": _adaptive_avg_pool,
    "add": _sum_of_two("Add"), "sub": _sum_of_two("Sub"), "mul": _binary("Mul"),
    "div": _binary("Div"), "pow": _binary("Pow"),
    "rsub": lambda t, out, a, b, alpha=1: t.add("Sub", b, a),
    "relu": _unary("Relu"), "sigmoid": _unary("Sigmoid"), "tanh": _unary("Tanh"), "clamp": _clamp,
    "hardtanh": lambda t, out, x, low=-1.0, high=1.0: _clamp(t, out, x, low, high),
    "leaky_relu": lambda t, out, x, slope=0.01: t.add("LeakyRelu", x, alpha=float(slope)),
    "silu": lambda t, out, x: t.add("Mul", x, t.add("Sigmoid", x)),
    "_softmax": lambda t, out, x, axis, half: t.add("Softmax", x, axis=axis % x.dim()),
    "hardswish": _unary("HardSwish"), "hardsigmoid": _unary("HardSigmoid", alpha=1 / 6, beta=0.5),
    "sqrt": _unary("Sqrt"), "exp": _unary("Exp"),
    "cat": _cat, "slice": _slice, "select": _select, "constant_pad_nd": _pad, "flip": _flip,
    "view": _view, "_unsafe_view": _view, "reshape": _view,
    "unsqueeze": lambda t, out, x, axis: t.add("Unsqueeze", x, [axis % out.dim()]),
    "t": _permute, "permute": _permute, "transpose": _transpose,
    "clone": _unary("Identity"), "detach": _unary("Identity"), "alias": _unary("Identity"),
    "_to_copy": _unary("Identity"), "contiguous": _unary("Identity"),
}  # fmt: skip
