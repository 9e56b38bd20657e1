"""Convolutions whose gradient with respect to their input is quicker than the library's.

Two kinds of convolution are slow on the way back, on a processor:

The first one. Libraries compute the gradient in blocks of 8 or 16 input channels. The first
convolution has 3, the colours, so most of each block is empty; in GoogLeNet that one gradient takes
a seventh of a step. See `gradient_by_phases`.

A depthwise one with a stride, in bfloat16. For it oneDNN has only its reference code, 20 times
slower than the same in float32. See `depthwise_in_float32`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input

FEW = 4  # input channels, at most: gradient_by_phases is faster there
LARGE = 5  # pixels a side of the kernel, at least, where the stride is 1; with a stride 3 will do
_BLOCK = 16  # channels: a convolution with 12 outputs takes longer than one with 16
_Pair = tuple[int, int]


class Conv2d(nn.Conv2d):
    """A convolution whose gradient is the quicker one where it is of one of the two kinds."""

    def _conv_forward(self, picture: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        frozen = not (weight.requires_grad or (bias is not None and bias.requires_grad))
        wanted = picture.requires_grad and picture.dim() == 4 and picture.device.type == "cpu"
        gradient = _gradient_of(self, picture) if wanted and frozen else None
        if gradient is None:
            return super()._conv_forward(picture, weight, bias)
        window = self.stride, self.padding, self.groups
        return QuickConvolution.apply(picture, weight, bias, *window, gradient)


def _gradient_of(layer: nn.Conv2d, picture: Tensor) -> Callable | None:
    """The function that computes the gradient more quickly than the library, if there is one."""
    if _is_first(layer):
        return gradient_by_phases
    if _is_strided_depthwise(layer) and _in_bfloat16(picture):
        return functools.partial(depthwise_in_float32, groups=layer.groups)
    return None


def _in_bfloat16(picture: Tensor) -> bool:
    cast = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu")
    return torch.bfloat16 in (picture.dtype, cast)


class QuickConvolution(torch.autograd.Function):
    """`F.conv2d`, with a gradient with respect to the picture of its own.

    Its node in PyTorch's graph has the attributes of a convolution's, from which `receptive` reads
    what a cell sees.
    """

    @staticmethod
    def forward(context, picture, weight, bias, stride, padding, groups, gradient: Callable):
        context.size, context.dtype, context.gradient = picture.shape[-2:], picture.dtype, gradient
        context._saved_weight, context._saved_stride = weight, stride
        context._saved_padding, context._saved_dilation = padding, (1, 1)
        context._saved_transposed = False
        return F.conv2d(picture, weight, bias, stride, padding, groups=groups)

    @staticmethod
    def backward(context, above: Tensor) -> tuple[Tensor | None, ...]:
        window = context._saved_stride, context._saved_padding
        found = context.gradient(above, context._saved_weight, context.size, *window)
        return found.to(context.dtype), *(None,) * 6


def quicken(module: nn.Module) -> nn.Module:
    """The module, changed in place: convolutions of the two kinds become a `Conv2d` of ours."""
    for layer in module.modules():
        if type(layer) is nn.Conv2d and (_is_first(layer) or _is_strided_depthwise(layer)):
            layer.__class__ = Conv2d
    return module


def _is_first(layer: nn.Conv2d) -> bool:
    least = LARGE if layer.stride == (1, 1) else 3
    same = layer.stride[0] == layer.stride[1]
    small = layer.in_channels <= FEW and layer.groups == 1
    return _is_plain(layer) and small and same and min(layer.kernel_size) >= least


def _is_strided_depthwise(layer: nn.Conv2d) -> bool:
    depthwise = layer.in_channels == layer.groups > FEW
    return _is_plain(layer) and depthwise and max(layer.stride) > 1


def _is_plain(layer: nn.Conv2d) -> bool:
    zeros = layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return zeros and layer.dilation == (1, 1)


def depthwise_in_float32(
    above: Tensor, weight: Tensor, size: _Pair, stride: _Pair, padding: _Pair, groups: int
) -> Tensor:
    """The gradient [N, C, H, W] of a depthwise convolution with respect to its input of that size.

    It is computed in float32 at least. The weight is [D, 1, k, l], there are as many groups as
    channels, and the rest is as for `gradient_by_phases`.
    """
    wide = torch.promote_types(above.dtype, torch.float32)
    shape = (len(above), groups, *size)
    return conv2d_input(shape, weight.to(wide), above.to(wide), stride, padding, groups=groups)


def gradient_by_phases(
    above: Tensor, weight: Tensor, size: _Pair, stride: _Pair, padding: _Pair
) -> Tensor:
    """The gradient [N, C, H, W] of a convolution with respect to its input of that size.

    It is written as a convolution of the output's gradient: with a stride of s, each of the s×s
    positions of a pixel within the stride has its own part of the kernel ("phase"), and all of them
    together are one convolution with s×s×C outputs, which are then interleaved (Shi et al.,
    "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
    Neural Network", 2016).

    - above: the gradient with respect to the convolution's output, [N, D, h, w]
    - weight: [D, C, k, l], not grouped and not dilated
    - stride: the same down and across
    """
    step, inputs = stride[0], weight.shape[1]
    down, across = (
        _Axis(*axis, step)
        for axis in zip(weight.shape[-2:], padding, size, above.shape[-2:], strict=True)
    )
    padded = F.pad(weight.to(above.dtype), (*across.pads, *down.pads))  # autocast: they differ
    split = padded.unflatten(3, (-1, step)).unflatten(2, (-1, step))  # [D, C, n, s, m, s]
    kernel = split.flip(2, 4).permute(3, 5, 1, 0, 2, 4).flatten(0, 2)  # [s·s·C, D, n, m]
    kernel = F.pad(kernel, (0, 0, 0, 0, 0, 0, 0, -len(kernel) % _BLOCK))
    spread = F.conv2d(
        above,
        kernel.contiguous(memory_format=torch.channels_last),
        padding=(down.border, across.border),
    )
    spread = spread.permute(0, 2, 3, 1)[:, down.rows, across.rows, : step * step * inputs]
    # [N, h, w, s·s·C]: a row's values for its s pixels lie next to each other, so they move at once
    rows = spread.unflatten(3, (step, step * inputs)).transpose(2, 3)  # [N, h, s, w, s·C]
    pixels = rows.reshape(len(rows), rows.shape[1] * step, rows.shape[3] * step, inputs)
    return pixels[:, : size[0], : size[1]].permute(0, 3, 1, 2)


class _Axis:
    """One axis: output position j reaches input position s·i + r if j = i + d, d from low to high.

    The kernel's position is then r + padding - s·d.
    """

    def __init__(self, kernel: int, padding: int, size: int, outputs: int, step: int):
        high = math.ceil(padding / step)
        before = step * high - padding
        count = math.ceil((kernel + before) / step)
        low = high - count + 1
        self.pads = (before, step * count - before - kernel)
        positions = math.ceil(size / step)
        # conv2d pads both ends alike: by the larger need; the rest is cut off
        self.border = max(-low, high + positions - outputs, 0)
        first = self.border + low
        self.rows = slice(first, first + positions)
