"""torch modules for what ONNX has and torch has not: its ways to pad, its norm, its constants."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import quick_gradients


@dataclass(frozen=True)
class Window:
    """Kernel, strides, dilations and padding of a node, as (rows, columns)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: tuple[int, int, int, int]  # top, left, bottom, right
    auto: str
    ceil: bool

    @property
    def same(self) -> bool:
        """Whether the padding depends on the size, so that the result is ceil(size / stride)."""
        return self.auto in ("SAME_UPPER", "SAME_LOWER")

    def padding(self, size: Sequence[int]) -> tuple[int, int, int, int]:
        """The padding for a map of that size, as F.pad takes it: (left, right, top, bottom).

        After it, a window without padding gives what ONNX asks for. Negative padding crops.
        """
        sides: list[int] = []
        for axis in (1, 0):
            reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1
            stride, length = self.stride[axis], size[axis]
            before, after = self.pads[axis], self.pads[axis + 2]
            if self.same:
                total = max((math.ceil(length / stride) - 1) * stride + reach - length, 0)
                before = total // 2 if self.auto == "SAME_UPPER" else total - total // 2
                after = total - before
            elif self.ceil:
                count = math.ceil((length + before + after - reach) / stride) + 1
                # A window that would begin in the padding at the end does not count.
                count -= (count - 1) * stride >= length + before
                after = (count - 1) * stride + reach - length - before
            sides += [before, after]
        return tuple(sides)


class Conv2d(quick_gradients.Conv2d):
    """A convolution whose padding differs from side to side, or depends on the picture's size."""

    window: Window

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, self.window.padding(x.shape[-2:])))


class MaxPool2d(nn.Module):
    """A max-pool with any padding."""

    def __init__(self, window: Window):
        super().__init__()
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        w, (left, right, top, bottom) = self.window, self.window.padding(x.shape[-2:])
        fits = 0 <= left <= w.kernel[1] // 2 and 0 <= top <= w.kernel[0] // 2  # torch's own limits
        if fits and left == right and top == bottom:
            return F.max_pool2d(x, w.kernel, w.stride, (top, left), w.dilation)
        padded = F.pad(x, (left, right, top, bottom), value=-math.inf)
        return F.max_pool2d(padded, w.kernel, w.stride, 0, w.dilation)


class AvgPool2d(nn.Module):
    """An average pool with any padding, whose cells count only with `count_pads`."""

    def __init__(self, window: Window, count_pads: bool):
        super().__init__()
        self.window, self.count_pads = window, count_pads

    def forward(self, x: Tensor) -> Tensor:
        w, sides = self.window, self.window.padding(x.shape[-2:])
        counted = torch.ones_like(x[:1, :1]).detach()
        rest = sides
        if self.count_pads:  # cells that only rounding up reaches do not count even then
            top, left, bottom, right = w.pads
            given = sides if w.same else (left, right, top, bottom)
            counted = F.pad(counted, given, value=1.0)
            rest = tuple(b - a for a, b in zip(given, sides, strict=True))
        sums, counts = (
            F.avg_pool2d(padded, w.kernel, w.stride, divisor_override=1)
            for padded in (F.pad(x, sides), F.pad(counted, rest))
        )
        return sums / counts


class LocalResponseNorm(nn.Module):
    """x / (bias + alpha / size * sum of x² over `size` channels) ** beta (Krizhevsky, 2012)."""

    def __init__(self, size: int, alpha: float, beta: float, bias: float):
        super().__init__()
        self.size, self.alpha, self.beta, self.bias = size, alpha, beta, bias

    def forward(self, x: Tensor) -> Tensor:
        channels, before = x.shape[1], (self.size - 1) // 2
        squares = F.pad(x * x, (0, 0, 0, 0, before, self.size - 1 - before))
        total = sum(squares[:, i : i + channels] for i in range(self.size))
        return x * (self.bias + self.alpha / self.size * total).pow(-self.beta)


def tensor_of(constant: np.ndarray) -> Tensor:
    """A constant as a tensor: float32, logical, or whole numbers that torch computes with."""
    if constant.dtype.kind == "u" and constant.dtype != np.uint8:
        constant = constant.astype(np.int64)
    value = torch.from_numpy(np.array(constant))
    return value.float() if value.is_floating_point() else value


class Function(nn.Module):
    """A function of one tensor, or of several, some of which are constants of the file.

    `constants` holds the array of each constant, and None for each tensor that is computed. The
    constants are buffers, so that they follow the network's dtype and device.
    """

    def __init__(self, function: Callable[..., Tensor], constants: Sequence = (None,)):
        super().__init__()
        self.function, self.computed = function, [c is None for c in constants]
        for i, constant in enumerate(constants):
            if constant is not None:
                self.register_buffer(f"constant{i}", tensor_of(constant))

    def forward(self, *inputs: Tensor) -> Tensor:
        rest = iter(inputs)
        values = [
            next(rest) if computed else getattr(self, f"constant{i}")
            for i, computed in enumerate(self.computed)
        ]
        if any(value.is_meta for value in inputs) and not isinstance(self, Numbered):
            values = [value.to("meta") for value in values]
        return self.function(*values)


class Numbered(Function):
    """A Function whose tensors after the first one hold sizes, places or axes."""


class Filled(Function):
    """A Function of a shape."""


class Pad(Numbered):
    """A padding of a tensor, which ends no block."""
