"""ONNX operators that work number by number, as torch modules: arithmetic, types, quantisation."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from .file_node import FileNode
from .model_files import onnx_package
from .onnx_modules import Function

Maker = Callable[[FileNode], nn.Module]


def _clip(node: FileNode) -> nn.Module:
    low, high = node.constant(1, "min"), node.constant(2, "max")
    if low == 0 and high in (6, None):
        return nn.ReLU6() if high == 6 else nn.ReLU()
    if len(node.computed) > 1:
        raise node.error("only fixed limits are read")
    return Function(lambda x: x if low is None and high is None else x.clamp(low, high))


def _hard_sigmoid(node: FileNode) -> nn.Module:
    alpha, beta = float(node.get("alpha", 0.2)), float(node.get("beta", 0.5))
    return Function(lambda x: (alpha * x + beta).clamp(0, 1))


def _divided(a: Tensor, b: Tensor) -> Tensor:
    whole = not (a.is_floating_point() or b.is_floating_point())
    return torch.div(a, b, rounding_mode="trunc" if whole else None)


def _cast(node: FileNode) -> nn.Module:
    if node.op_type == "CastLike":  # to the type of its second input
        like = node.constants[1]
        kind = "f" if like is None else like.dtype.kind
        return Function(lambda x, y: _of_kind(x, kind), node.constants)
    to = int(node.get("to", 0))
    try:
        kind = onnx_package().helper.tensor_dtype_to_np_dtype(to).kind
    except (KeyError, TypeError):
        kind = "O"
    if kind == "O" or to == onnx_package().TensorProto.STRING:
        raise node.error(f"numbers of type {to} are not read")
    return Function(lambda x: _of_kind(x, kind))


def _of_kind(x: Tensor, kind: str) -> Tensor:
    """The numbers as logical, whole or real ones. Real numbers keep the network's precision."""
    if kind == "b":
        return x != 0
    if kind in "iu":
        return x.long()
    return x if x.is_floating_point() else x.to(torch.get_default_dtype())


def _quantize(node: FileNode) -> nn.Module:
    """QuantizeLinear: x / scale + zero, rounded and cut off to whole numbers of 8 to 32 bits.

    Its gradient is the one without the rounding ("straight through"), else it would be 0.
    """
    zero = node.constants[2] if len(node.constants) > 2 else None
    kind = np.dtype(np.uint8) if zero is None else zero.dtype
    to = int(node.get("output_dtype", 0))
    if zero is None and to:
        kind = np.dtype(onnx_package().helper.tensor_dtype_to_np_dtype(to))
    if kind.kind not in "iu" or kind.isbuiltin != 1:
        raise node.error("only whole numbers of 8, 16 or 32 bits are read")
    low, high = (float(limit) for limit in (np.iinfo(kind).min, np.iinfo(kind).max))
    scale, zero = _scale_and_zero(node)

    def quantized(x: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
        exact = _along(scale, x, node, lambda s: x / s)
        whole = _along(zero, x, node, lambda z: exact.round() + z).clamp(low, high)
        smooth = _along(zero, x, node, lambda z: exact + z).clamp(low, high)
        return smooth + (whole - smooth).detach()

    return Function(quantized, [node.constants[0], scale, zero])


def _dequantize(node: FileNode) -> nn.Module:
    def dequantized(x: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
        x = x.to(scale.dtype) if not x.is_floating_point() else x
        return _along(zero, x, node, lambda z: x - z) * _along(scale, x, node, lambda s: s)

    return Function(dequantized, [node.constants[0], *_scale_and_zero(node)])


def _scale_and_zero(node: FileNode) -> tuple[np.ndarray, np.ndarray]:
    scale = node.constants[1] if len(node.constants) > 1 else None
    zero = node.constants[2] if len(node.constants) > 2 else None
    if scale is None or 2 in node.computed or scale.ndim > 1 or node.get("block_size", 0):
        raise node.error("only a fixed scale is read, of the whole tensor or of each channel")
    return scale, np.zeros_like(scale) if zero is None else zero.astype(np.float32)


def _along(value: Tensor, x: Tensor, node: FileNode, function: Callable[[Tensor], Tensor]):
    """The function of a value that holds one number, or one for each place along an axis."""
    if value.dim() == 1 and value.numel() > 1:
        axis = int(node.get("axis", 1)) % x.dim()
        value = value.reshape([-1 if i == axis else 1 for i in range(x.dim())])
    return function(value if value.dim() != 1 else value.reshape(()))


def _of_all(function: Callable[..., Tensor]) -> Maker:
    """A sum or the like of any number of tensors."""
    many = lambda *inputs: functools.reduce(function, inputs)
    return lambda node: Function(many, node.given)


def _of(function: Callable[..., Tensor]) -> Maker:
    return lambda node: Function(function, node.given)


def _module(kind: Callable[..., nn.Module], *args: object) -> Maker:
    return lambda node: kind(*args)


POINTWISE_MAKERS: dict[str, Maker] = {
    "Relu": _module(nn.ReLU), "Clip": _clip, "HardSigmoid": _hard_sigmoid,
    "LeakyRelu": lambda node: nn.LeakyReLU(float(node.get("alpha", 0.01))),
    "PRelu": _of(lambda x, slope: torch.where(x < 0, slope * x, x)),
    "Elu": lambda node: nn.ELU(float(node.get("alpha", 1.0))),
    "Selu": _module(nn.SELU), "Softplus": _module(nn.Softplus), "Mish": _module(nn.Mish),
    "Gelu": lambda node: nn.GELU(node.get("approximate", "none")),
    "Sigmoid": _module(nn.Sigmoid), "Tanh": _module(nn.Tanh), "HardSwish": _module(nn.Hardswish),
    "Add": _of(torch.add), "Sub": _of(torch.sub), "Mul": _of(torch.mul), "Div": _of(_divided),
    "Pow": _of(torch.pow), "Sqrt": _of(torch.sqrt), "Exp": _of(torch.exp), "Log": _of(torch.log),
    "Erf": _of(torch.erf), "Neg": _of(torch.neg), "Abs": _of(torch.abs),
    "Mod": lambda node: Function(
        torch.fmod if node.get("fmod", 0) else torch.remainder, node.constants
    ),
    "Floor": _of(torch.floor), "Reciprocal": _of(torch.reciprocal),
    "Sum": _of_all(torch.add), "Max": _of_all(torch.maximum), "Min": _of_all(torch.minimum),
    "Equal": _of(torch.eq), "Less": _of(torch.lt), "Greater": _of(torch.gt),
    "Not": _of(torch.logical_not), "And": _of(torch.logical_and), "Or": _of(torch.logical_or),
    "Where": _of(torch.where), "Cast": _cast, "CastLike": _cast,
    "QuantizeLinear": _quantize, "DequantizeLinear": _dequantize,
    "Identity": _module(nn.Identity),
}  # fmt: skip
