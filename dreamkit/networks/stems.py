"""The gradient of a first convolution with a large kernel, in half of the time.

Libraries compute a convolution's gradient with respect to its input in blocks of 8 or 16 input
channels. The first convolution has 3, the colours, so most of each block is empty; in GoogLeNet
that one gradient takes a seventh of a step. The same sum can be written as a convolution of the
output's gradient: with a stride of s, each of the s×s positions of a pixel within the stride has
its own part of the kernel ("phase"), and all of them together are one convolution with s×s×3
outputs, which are then interleaved (Shi et al., "Real-Time Single Image and Video
Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", 2016).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEW = 4  # input channels, at most: the other form is faster there
LARGE = 5  # pixels a side of the kernel, at least: smaller ones (VGG, Lite) gain nothing
_BLOCK = 16  # channels: a convolution with 12 outputs takes longer than one with 16


class Stem(nn.Conv2d):
    """A convolution of few input channels whose gradient with respect to its input is quick."""

    def _conv_forward(self, picture: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        frozen = not (weight.requires_grad or (bias is not None and bias.requires_grad))
        if picture.requires_grad and frozen and picture.dim() == 4 and picture.device.type == "cpu":
            return StemConvolution.apply(picture, weight, bias, self.stride, self.padding)
        return super()._conv_forward(picture, weight, bias)


class StemConvolution(torch.autograd.Function):
    """`F.conv2d`, with its own gradient with respect to the picture.

    Its node in PyTorch's graph has the attributes of a convolution's, from which `receptive` reads
    what a cell sees.
    """

    @staticmethod
    def forward(context, picture, weight, bias, stride, padding):
        context.size, context.dtype = picture.shape[-2:], picture.dtype
        context._saved_weight, context._saved_stride = weight, stride
        context._saved_padding, context._saved_dilation = padding, (1, 1)
        context._saved_transposed = False
        return F.conv2d(picture, weight, bias, stride, padding)

    @staticmethod
    def backward(context, above: Tensor) -> tuple[Tensor | None, ...]:
        weight = context._saved_weight.to(above.dtype)  # under autocast they differ
        stride, padding = context._saved_stride, context._saved_padding
        found = gradient_by_phases(above, weight, context.size, stride, padding)
        return found.to(context.dtype), None, None, None, None


def quicken_stem(module: nn.Module) -> nn.Module:
    """The module, changed in place: large convolutions of few input channels become a `Stem`."""
    for layer in module.modules():
        if (
            type(layer) is nn.Conv2d
            and layer.in_channels <= FEW
            and min(layer.kernel_size) >= LARGE
            and layer.groups == 1
            and layer.dilation == (1, 1)
            and layer.padding_mode == "zeros"
            and not isinstance(layer.padding, str)
            and layer.stride[0] == layer.stride[1]
        ):
            layer.__class__ = Stem
    return module


def gradient_by_phases(
    above: Tensor,
    weight: Tensor,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
) -> Tensor:
    """The gradient [N, C, H, W] of a convolution with respect to its input of that size.

    - above: the gradient with respect to the convolution's output, [N, D, h, w]
    - weight: [D, C, k, l], not grouped and not dilated
    - stride: the same down and across
    """
    step, inputs = stride[0], weight.shape[1]
    down, across = (
        _Axis(*axis, step)
        for axis in zip(weight.shape[-2:], padding, size, above.shape[-2:], strict=True)
    )
    padded = F.pad(weight, (*across.pads, *down.pads))
    split = padded.unflatten(3, (-1, step)).unflatten(2, (-1, step))  # [D, C, n, s, m, s]
    kernel = split.flip(2, 4).permute(1, 3, 5, 0, 2, 4).flatten(0, 2)  # [C·s·s, D, n, m]
    kernel = F.pad(kernel, (0, 0, 0, 0, 0, 0, 0, -len(kernel) % _BLOCK))
    spread = F.conv2d(
        above,
        kernel.contiguous(memory_format=torch.channels_last),
        padding=(down.border, across.border),
    )
    spread = spread[:, : inputs * step**2, down.rows, across.rows]
    return F.pixel_shuffle(spread, step)[..., : size[0], : size[1]]


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
