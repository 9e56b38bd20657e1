"""ONNX operators as torch modules: torch's own where one does the same, else one of ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .file_node import MAX_CELLS, FileNode
from .onnx_modules import AvgPool2d, Conv2d, Function, LocalResponseNorm, MaxPool2d, Pad

Maker = Callable[[FileNode], nn.Module]


def _convolution(node: FileNode) -> nn.Module:
    weight = node.weights(1, 4)
    bias = node.weights(2, 1) if len(node.constants) > 2 else None
    w, groups, outputs = node.window(weight.shape[2:]), int(node.get("group", 1)), len(weight)
    fits = 0 < groups <= outputs and outputs % groups == 0
    if not fits or (bias is not None and len(bias) != outputs):
        raise node.error("weights, bias and groups do not fit each other")
    top, left, bottom, right = w.pads
    plain = not w.same and (top, left) == (bottom, right)
    sizes = (weight.shape[1] * groups, outputs, w.kernel, w.stride, (top, left) if plain else 0)
    kind = nn.Conv2d if plain else Conv2d
    module = nn.utils.skip_init(kind, *sizes, w.dilation, groups, bias is not None)
    module.window = w
    return _with_weights(module, weight, bias)


def _gemm(node: FileNode) -> nn.Module:
    weight = node.weights(1, 2) * float(node.get("alpha", 1.0))
    weight, bias = weight if node.get("transB", 0) else weight.T, None
    if len(node.constants) > 2:
        bias = torch.from_numpy(np.array(node.constants[2], np.float32)).flatten()
        bias = bias * float(node.get("beta", 1.0))
    if node.get("transA", 0) or (bias is not None and len(bias) not in (1, len(weight))):
        raise node.error("only a constant matrix is read, with a bias of one number a row")
    return _linear(weight, None if bias is None else bias.expand(len(weight)))


def _mat_mul(node: FileNode) -> nn.Module:
    left, right = (*node.constants, None)[:2]
    if left is None and right is not None and right.ndim == 2:
        return _linear(node.weights(1, 2).T)
    return Function(torch.matmul, node.constants)


def _linear(weight: Tensor, bias: Tensor | None = None) -> nn.Module:
    module = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias is not None)
    return _with_weights(module, weight, bias)


def _with_weights(module: nn.Module, weight: Tensor, bias: Tensor | None) -> nn.Module:
    module.weight = nn.Parameter(weight.contiguous())
    if bias is not None:
        module.bias = nn.Parameter(bias.contiguous())
    return module


def _batch_norm(node: FileNode) -> nn.Module:
    scale, bias, mean, var = (node.weights(i, 1) for i in range(1, 5))
    if not len(scale) == len(bias) == len(mean) == len(var) or node.get("training_mode", 0):
        raise node.error("it must be a norm with fixed statistics, as in evaluation")
    module = nn.BatchNorm2d(len(scale), eps=float(node.get("epsilon", 1e-5)))
    module.running_mean, module.running_var = mean, var
    return _with_weights(module, scale, bias)


def _max_pool(node: FileNode) -> nn.Module:
    if node.get("storage_order", 0):
        raise node.error("storage_order 1 is not read")
    return MaxPool2d(node.window(node.get("kernel_shape", ())))


def _average_pool(node: FileNode) -> nn.Module:
    window = node.window(node.get("kernel_shape", ()))
    if window.dilation != (1, 1):
        raise node.error("averages with gaps (dilations) are not read")
    return AvgPool2d(window, bool(node.get("count_include_pad", 0)))


def _local_response(node: FileNode) -> nn.Module:
    size = int(node.get("size", 0))
    if not 1 <= size <= 512:
        raise node.error("its size must be a number of channels from 1 to 512")
    defaults = {"alpha": 1e-4, "beta": 0.75, "bias": 1.0}
    settings = {key: float(node.get(key, value)) for key, value in defaults.items()}
    return LocalResponseNorm(size, **settings)


def _reshape(node: FileNode) -> nn.Module:
    shape = node.constant(1, "shape")
    if shape is None or node.get("allowzero", 0):
        raise node.error("only a fixed shape is read")

    def reshaped(x: Tensor) -> Tensor:
        sizes = [x.shape[i] if n == 0 else n for i, n in enumerate(shape)]
        if len(sizes) > 1 and sizes[0] == 1 and len(x) > 1:  # the file was made for one picture
            sizes[0] = len(x)
        return x.reshape(sizes)

    return Function(reshaped)


def _flatten(node: FileNode) -> nn.Module:
    axis = int(node.get("axis", 1))
    flat = lambda x: x.reshape(math.prod(x.shape[:axis]), -1)
    return nn.Flatten() if axis == 1 else Function(flat)


def _softmax(node: FileNode) -> nn.Module:
    if node.opset >= 13:
        return nn.Softmax(int(node.get("axis", -1)))
    axis = int(node.get("axis", 1))  # older softmaxes run over all axes from this one on
    return Function(lambda x: x.flatten(axis).softmax(-1).reshape(x.shape))


def _clip(node: FileNode) -> nn.Module:
    low, high = node.constant(1, "min"), node.constant(2, "max")
    if low == 0 and high in (6, None):
        return nn.ReLU6() if high == 6 else nn.ReLU()
    return Function(lambda x: x.clamp(low, high))


def _hard_sigmoid(node: FileNode) -> nn.Module:
    alpha, beta = float(node.get("alpha", 0.2)), float(node.get("beta", 0.5))
    return Function(lambda x: (alpha * x + beta).clamp(0, 1))


def _pad(node: FileNode) -> nn.Module:
    pads, mode = node.constant(1, "pads"), node.get("mode", "constant")
    given_axes = any(constant is not None for constant in node.constants[3:])
    if pads is None or len(pads) % 2 or given_axes or max(map(abs, pads), default=0) > MAX_CELLS:
        raise node.error(f"only fixed pads on all axes are read, of at most {MAX_CELLS} cells")
    rank = len(pads) // 2
    sides = [n for axis in reversed(range(rank)) for n in (pads[axis], pads[axis + rank])]
    if mode == "constant":
        value = float(node.constant(2, "value", 0.0))
        return Pad(lambda x: F.pad(x, sides, value=value))
    modes = {"reflect": "reflect", "edge": "replicate"}  # {ONNX's name: torch's name}
    if mode not in modes or any(sides[4:]):
        raise node.error(
            f"mode {mode!r} is not read; constant, reflect and edge along height and width are"
        )
    return Pad(lambda x: F.pad(x, sides[:4], mode=modes[mode]))


def _transpose(node: FileNode) -> nn.Module:
    order = node.get("perm")
    return Function(lambda x: x.permute(order or tuple(reversed(range(x.dim())))))


def _slice(node: FileNode) -> nn.Module:
    starts, ends = node.constant(1, "starts"), node.constant(2, "ends")
    axes, steps = node.constant(3, "axes"), node.constant(4, "steps")
    if starts is None or ends is None or any(step < 1 for step in steps or ()):
        raise node.error("only fixed slices with positive steps are read")
    axes, steps = axes or range(len(starts)), steps or [1] * len(starts)

    def sliced(x: Tensor) -> Tensor:
        cuts = [slice(None)] * x.dim()
        for axis, *cut in zip(axes, starts, ends, steps, strict=True):
            cuts[axis] = slice(*cut)
        return x[tuple(cuts)]

    return Function(sliced)


def _reduce(function: Callable[..., Tensor]) -> Maker:
    def maker(node: FileNode) -> nn.Module:
        axes, keep = node.constant(1, "axes"), bool(node.get("keepdims", 1))
        if function is torch.mean and keep and sorted(axes or ()) in ([2, 3], [-2, -1]):
            return nn.AdaptiveAvgPool2d(1)
        return Function(lambda x: function(x, tuple(axes or range(x.dim())), keepdim=keep))

    return maker


def _with_axes(function: Callable[[Tensor, Sequence[int]], Tensor]) -> Maker:
    def maker(node: FileNode) -> nn.Module:
        axes = node.constant(1, "axes")
        if axes is None:
            raise node.error("only fixed axes are read")
        return Function(lambda x: function(x, axes))

    return maker


def _unsqueeze(x: Tensor, axes: Sequence[int]) -> Tensor:
    rank = x.dim() + len(axes)
    for axis in sorted(a % rank for a in axes):
        x = x.unsqueeze(axis)
    return x


def _concat(node: FileNode) -> nn.Module:
    axis = int(node.get("axis", 1))
    return Function(lambda *inputs: torch.cat(inputs, axis), node.constants)


def _pointwise(function: Callable[..., Tensor]) -> Maker:
    return lambda node: Function(function, node.constants)


def _module(kind: Callable[..., nn.Module], *args: object) -> Maker:
    return lambda node: kind(*args)


MAKERS: dict[str, Maker] = {
    "Conv": _convolution, "Gemm": _gemm, "MatMul": _mat_mul, "BatchNormalization": _batch_norm,
    "MaxPool": _max_pool, "AveragePool": _average_pool, "LRN": _local_response,
    "GlobalAveragePool": _module(nn.AdaptiveAvgPool2d, 1),
    "GlobalMaxPool": _module(nn.AdaptiveMaxPool2d, 1),
    "ReduceMean": _reduce(torch.mean), "ReduceSum": _reduce(torch.sum),
    "Relu": _module(nn.ReLU), "Clip": _clip, "Softmax": _softmax,
    "LeakyRelu": lambda node: nn.LeakyReLU(float(node.get("alpha", 0.01))),
    "Elu": lambda node: nn.ELU(float(node.get("alpha", 1.0))),
    "Sigmoid": _module(nn.Sigmoid), "Tanh": _module(nn.Tanh),
    "HardSwish": _module(nn.Hardswish), "HardSigmoid": _hard_sigmoid,
    "Add": _pointwise(torch.add), "Sub": _pointwise(torch.sub), "Mul": _pointwise(torch.mul),
    "Div": _pointwise(torch.div), "Pow": _pointwise(torch.pow), "Sqrt": _pointwise(torch.sqrt),
    "Exp": _pointwise(torch.exp), "Erf": _pointwise(torch.erf),
    "Sum": _pointwise(lambda *inputs: sum(inputs[1:], inputs[0])),
    "Concat": _concat, "Slice": _slice, "Pad": _pad, "Transpose": _transpose,
    "Reshape": _reshape, "Flatten": _flatten, "Unsqueeze": _with_axes(_unsqueeze),
    "Squeeze": _with_axes(lambda x, axes: x.squeeze(tuple(axes))),
    "Dropout": _module(nn.Identity), "Identity": _module(nn.Identity),
}  # fmt: skip
