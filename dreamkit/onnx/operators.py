"""ONNX operators as torch modules: torch's own where one does the same, else one of ours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .file_node import FileNode
from .onnx_modules import AvgPool2d, Conv2d, Function, LocalResponseNorm, MaxPool2d
from .pointwise import POINTWISE_MAKERS
from .resampling import resize, transposed_convolution
from .shape_operators import SHAPE_MAKERS

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
    if node.computed != [0] or node.get("transA", 0):
        return _any_gemm(node)
    weight = node.weights(1, 2) * float(node.get("alpha", 1.0))
    weight, bias = weight if node.get("transB", 0) else weight.T, None
    if len(node.constants) > 2:
        bias = torch.from_numpy(np.array(node.constants[2], np.float32)).flatten()
        bias = bias * float(node.get("beta", 1.0))
    if bias is not None and len(bias) not in (1, len(weight)):
        raise node.error("only a bias of one number a row is read")
    return _linear(weight, None if bias is None else bias.expand(len(weight)))


def _any_gemm(node: FileNode) -> nn.Module:
    alpha, beta = float(node.get("alpha", 1.0)), float(node.get("beta", 1.0))
    turn_a, turn_b = bool(node.get("transA", 0)), bool(node.get("transB", 0))

    def product(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        made = alpha * ((a.T if turn_a else a) @ (b.T if turn_b else b))
        return made if c is None else made + beta * c

    return Function(product, node.given)


def _mat_mul(node: FileNode) -> nn.Module:
    left, right = (*node.constants, None)[:2]
    if left is None and right is not None and right.ndim == 2:
        return _linear(node.weights(1, 2).T)
    return Function(torch.matmul, node.given)


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


def _softmax(node: FileNode) -> nn.Module:
    function = F.log_softmax if node.op_type == "LogSoftmax" else F.softmax
    if node.opset >= 13:
        axis = int(node.get("axis", -1))
        return nn.Softmax(axis) if function is F.softmax else nn.LogSoftmax(axis)
    axis = int(node.get("axis", 1))  # older softmaxes run over all axes from this one on
    return Function(lambda x: function(x.flatten(axis), -1).reshape(x.shape))


def _reduce(function: Callable[..., Tensor]) -> Maker:
    def maker(node: FileNode) -> nn.Module:
        axes, keep = node.constant(1, "axes"), bool(node.get("keepdims", 1))
        if 1 in node.computed:
            raise node.error("only fixed axes are read")
        if not axes and node.get("noop_with_empty_axes", 0):
            return nn.Identity()
        if function is torch.mean and keep and sorted(axes or ()) in ([2, 3], [-2, -1]):
            return nn.AdaptiveAvgPool2d(1)
        return Function(lambda x: function(x, tuple(axes or range(x.dim())), keepdim=keep))

    return maker


def _length(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    return (x * x).sum(axes, keepdim=keepdim).sqrt()


def _layer_norm(node: FileNode) -> nn.Module:
    axis, epsilon = int(node.get("axis", -1)), float(node.get("epsilon", 1e-5))

    def normed(x: Tensor, scale: Tensor, bias: Tensor | None = None) -> Tensor:
        even = F.layer_norm(x, x.shape[axis:], eps=epsilon) * scale
        return even if bias is None else even + bias

    return Function(normed, node.given)


def _group_norm(node: FileNode) -> nn.Module:
    """InstanceNormalization and GroupNormalization: over height and width of a group of channels.

    Before opset 21 a GroupNormalization has a scale for each group, later one for each channel.
    """
    scale, bias, epsilon = node.weights(1, 1), node.weights(2, 1), float(node.get("epsilon", 1e-5))
    groups = int(node.get("num_groups", len(scale)))
    by_group = node.op_type == "GroupNormalization" and node.opset < 21
    if groups < 1 or len(scale) != len(bias) or (by_group and len(scale) != groups):
        raise node.error("scale, bias and groups do not fit each other")

    def normed(x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
        if by_group:
            scale, bias = (v.repeat_interleave(x.shape[1] // groups) for v in (scale, bias))
        return F.group_norm(x, groups, scale, bias, epsilon)

    return Function(normed, [None, scale.numpy(), bias.numpy()])


def _dropout(node: FileNode) -> nn.Module:
    if node.constant(2, "training_mode", False) or 2 in node.computed:
        raise node.error("it must drop nothing, as in evaluation")
    return nn.Identity()


def _max_pool(node: FileNode) -> nn.Module:
    return MaxPool2d(node.window(node.get("kernel_shape", ())))


def _module(kind: Callable[..., nn.Module], *args: object) -> Maker:
    return lambda node: kind(*args)


MAKERS: dict[str, Maker] = {
    "Conv": _convolution, "ConvTranspose": transposed_convolution, "Gemm": _gemm,
    "MatMul": _mat_mul, "BatchNormalization": _batch_norm, "LayerNormalization": _layer_norm,
    "InstanceNormalization": _group_norm, "GroupNormalization": _group_norm,
    "MaxPool": _max_pool, "AveragePool": _average_pool, "LRN": _local_response,
    "GlobalAveragePool": _module(nn.AdaptiveAvgPool2d, 1),
    "GlobalMaxPool": _module(nn.AdaptiveMaxPool2d, 1),
    "ReduceMean": _reduce(torch.mean), "ReduceSum": _reduce(torch.sum),
    "ReduceMax": _reduce(torch.amax), "ReduceMin": _reduce(torch.amin),
    "ReduceL2": _reduce(_length), "Softmax": _softmax, "LogSoftmax": _softmax,
    "Dropout": _dropout, "Resize": resize, "Upsample": resize,
    **POINTWISE_MAKERS, **SHAPE_MAKERS,
}  # fmt: skip
