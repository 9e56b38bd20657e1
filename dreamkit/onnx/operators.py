"""ONNX operators as torch modules: real `nn` modules where one does the same, small ones of our own where ONNX differs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

MOST_PAD, MOST_WINDOW = (
    4096,
    4096,
)  # cells: a file that asks for more asks for memory, not for a picture


@dataclass(frozen=True)
class Spec:
    """One node as the makers see it: its operator, attributes, inputs (arrays where constant, else None) and opset."""

    op: str
    name: str
    attributes: dict[str, object]
    constants: tuple[np.ndarray | None, ...]
    opset: int

    def get(self, key: str, default: object = None) -> object:
        return self.attributes.get(key, default)

    def constant(self, index: int, attribute: str, default: object = None) -> object:
        """What newer opsets give as a constant input and older ones as an attribute."""
        if index < len(self.constants) and self.constants[index] is not None:
            return self.constants[index].tolist()
        return self.get(attribute, default)

    def fail(self, why: str) -> ValueError:
        return ValueError(f"{self.op} {self.name!r}: {why}")


class Op(nn.Module):
    """A node without weights: a function of its tensors."""

    def __init__(self, function: Callable[..., Tensor]):
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


@dataclass(frozen=True)
class Window:
    """Kernel, strides, dilations and padding of a node, and the padding worked out for a map of a given size."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: tuple[int, int, int, int]  # top, left, bottom, right
    auto: str
    ceil: bool

    def padding(self, size: Sequence[int]) -> tuple[int, int, int, int]:
        """(left, right, top, bottom), as F.pad wants it, so that a plain window gives what ONNX asks for; negative crops."""
        sides: list[int] = []
        for axis in (1, 0):
            reach, stride, length = (
                self.dilation[axis] * (self.kernel[axis] - 1) + 1,
                self.stride[axis],
                size[axis],
            )
            before, after = self.pads[axis], self.pads[axis + 2]
            if self.auto in ("SAME_UPPER", "SAME_LOWER"):
                total = max((math.ceil(length / stride) - 1) * stride + reach - length, 0)
                before = total // 2 if self.auto == "SAME_UPPER" else total - total // 2
                after = total - before
            elif self.ceil:
                count = math.ceil((length + before + after - reach) / stride) + 1
                count -= (
                    (count - 1) * stride >= length + before
                )  # a window that would begin in the far padding is none
                after = (count - 1) * stride + reach - length - before
            sides += [before, after]
        return tuple(sides)


class Conv2d(nn.Conv2d):
    """A convolution whose padding differs from side to side, or depends on the picture's size."""

    window: Window

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, self.window.padding(x.shape[-2:])))


class MaxPool2d(nn.Module):
    def __init__(self, window: Window):
        super().__init__()
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        w, (left, right, top, bottom) = self.window, self.window.padding(x.shape[-2:])
        plain = (
            left == right
            and top == bottom
            and 0 <= left <= w.kernel[1] // 2
            and 0 <= top <= w.kernel[0] // 2
        )
        if not plain:
            x = F.pad(x, (left, right, top, bottom), value=-math.inf)
        return F.max_pool2d(x, w.kernel, w.stride, (top, left) if plain else 0, w.dilation)


class AvgPool2d(nn.Module):
    def __init__(self, window: Window, count_pads: bool):
        super().__init__()
        self.window, self.count_pads = window, count_pads

    def forward(self, x: Tensor) -> Tensor:
        w, sides = self.window, self.window.padding(x.shape[-2:])
        sums = F.avg_pool2d(F.pad(x, sides), w.kernel, w.stride, divisor_override=1)
        given = (
            sides
            if w.auto in ("SAME_UPPER", "SAME_LOWER")
            else (w.pads[1], w.pads[3], w.pads[0], w.pads[2])
        )
        cells = torch.ones_like(x[:1, :1]).detach()
        cells = F.pad(cells, given, value=1.0) if self.count_pads else cells
        if self.count_pads:  # what only rounding up reaches is never counted
            cells = F.pad(cells, tuple(b - a for a, b in zip(given, sides, strict=True)))
        else:
            cells = F.pad(cells, sides)
        return sums / F.avg_pool2d(cells, w.kernel, w.stride, divisor_override=1)


class LocalResponseNorm(nn.Module):
    """x / (bias + alpha / size * sum of x² over `size` neighbouring channels) ** beta (Krizhevsky et al., 2012)."""

    def __init__(self, size: int, alpha: float, beta: float, bias: float):
        super().__init__()
        self.size, self.alpha, self.beta, self.bias = size, alpha, beta, bias

    def forward(self, x: Tensor) -> Tensor:
        channels, before = x.shape[1], (self.size - 1) // 2
        squares = F.pad(x * x, (0, 0, 0, 0, before, self.size - 1 - before))
        total = squares[:, :channels]
        for i in range(1, self.size):
            total = total + squares[:, i : i + channels]
        return x * (self.bias + self.alpha / self.size * total).pow(-self.beta)


def make(spec: Spec) -> nn.Module:
    """The module of a node; it takes those inputs of the node that are no constants of it (see `taken`)."""
    return MAKERS[spec.op](spec)


def _conv(s: Spec) -> nn.Module:
    weight = _weights(s, 1, 4)
    w, groups = _window(s, weight.shape[2:]), int(s.get("group", 1))
    bias = _weights(s, 2, 1) if len(s.constants) > 2 else None
    if (
        not 0 < groups <= weight.shape[0]
        or weight.shape[0] % groups
        or (bias is not None and len(bias) != weight.shape[0])
    ):
        raise s.fail("weights, bias and groups do not fit each other")
    top, left, bottom, right = w.pads
    plain = w.auto not in ("SAME_UPPER", "SAME_LOWER") and (top, left) == (bottom, right)
    module = nn.utils.skip_init(
        (nn.Conv2d if plain else Conv2d),
        weight.shape[1] * groups,
        weight.shape[0],
        tuple(weight.shape[2:]),
        w.stride,
        (top, left) if plain else 0,
        w.dilation,
        groups,
        bias is not None,
    )
    module.window = w
    module.weight = nn.Parameter(weight)
    if bias is not None:
        module.bias = nn.Parameter(bias)
    return module


def _max_pool(s: Spec) -> nn.Module:
    if s.get("storage_order", 0):
        raise s.fail("storage_order 1 is not read")
    return MaxPool2d(_window(s, s.get("kernel_shape", ())))


def _average_pool(s: Spec) -> nn.Module:
    window = _window(s, s.get("kernel_shape", ()))
    if window.dilation != (1, 1):
        raise s.fail("averages with gaps (dilations) are not read")
    return AvgPool2d(window, bool(s.get("count_include_pad", 0)))


def _batch_norm(s: Spec) -> nn.Module:
    scale, bias, mean, var = (_weights(s, i, 1) for i in range(1, 5))
    module = nn.BatchNorm2d(len(scale), eps=float(s.get("epsilon", 1e-5)))
    if not len(scale) == len(bias) == len(mean) == len(var) or s.get("training_mode", 0):
        raise s.fail("it must be a norm with fixed statistics, as in evaluation")
    module.weight, module.bias = nn.Parameter(scale), nn.Parameter(bias)
    module.running_mean, module.running_var = mean, var
    return module


def _gemm(s: Spec) -> nn.Module:
    weight = _weights(s, 1, 2) * float(s.get("alpha", 1.0))
    weight = weight if s.get("transB", 0) else weight.T
    bias = (
        torch.from_numpy(np.array(s.constants[2], np.float32)).flatten() * float(s.get("beta", 1.0))
        if len(s.constants) > 2
        else None
    )
    if s.get("transA", 0) or (bias is not None and len(bias) not in (1, len(weight))):
        raise s.fail("only a matrix of constant weights is read, with a bias of one number a row")
    return _linear(weight, None if bias is None else bias.expand(len(weight)))


def _mat_mul(s: Spec) -> nn.Module:
    if (
        len(s.constants) == 2
        and s.constants[1] is not None
        and s.constants[1].ndim == 2
        and s.constants[0] is None
    ):
        return _linear(_weights(s, 1, 2).T, None)
    return _pointwise(torch.matmul)(s)


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    module = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias is not None)
    module.weight = nn.Parameter(weight.contiguous())
    if bias is not None:
        module.bias = nn.Parameter(bias.contiguous())
    return module


class Pointwise(nn.Module):
    """A function of several tensors, some of them constants of the file (held as buffers, so that they follow dtype and device)."""

    def __init__(self, function: Callable[..., Tensor], constants: Sequence[np.ndarray | None]):
        super().__init__()
        self.function, self.given = function, [c is None for c in constants]
        for i, constant in enumerate(constants):
            if constant is not None:
                value = torch.from_numpy(np.array(constant))
                self.register_buffer(
                    f"constant{i}", value.float() if value.is_floating_point() else value
                )

    def forward(self, *inputs: Tensor) -> Tensor:
        rest = iter(inputs)
        return self.function(
            *(
                next(rest) if given else getattr(self, f"constant{i}")
                for i, given in enumerate(self.given)
            )
        )


def _pointwise(function: Callable[..., Tensor]) -> Callable[[Spec], nn.Module]:
    return lambda s: Pointwise(function, s.constants)


def _reshape(s: Spec) -> nn.Module:
    shape = s.constant(1, "shape")
    if shape is None or s.get("allowzero", 0):
        raise s.fail("only a fixed shape is read")

    def function(x: Tensor) -> Tensor:
        sizes = [x.shape[i] if n == 0 else n for i, n in enumerate(shape)]
        if len(sizes) > 1 and sizes[0] == 1 and len(x) > 1:  # the file was made for one picture
            sizes[0] = len(x)
        return x.reshape(sizes)

    return Op(function)


def _flatten(s: Spec) -> nn.Module:
    axis = int(s.get("axis", 1))
    return nn.Flatten() if axis == 1 else Op(lambda x: x.reshape(math.prod(x.shape[:axis]), -1))


def _softmax(s: Spec) -> nn.Module:
    axis = int(s.get("axis", 1 if s.opset < 13 else -1))
    if s.opset >= 13:
        return nn.Softmax(axis)
    return Op(lambda x: x.flatten(axis).softmax(-1).reshape(x.shape))


def _clip(s: Spec) -> nn.Module:
    low, high = s.constant(1, "min"), s.constant(2, "max")
    return (
        nn.ReLU6()
        if (low, high) == (0, 6)
        else nn.ReLU()
        if (low, high) == (0, None)
        else Op(lambda x: x.clamp(low, high))
    )


def _pad(s: Spec) -> nn.Module:
    pads, value, mode = (
        s.constant(1, "pads"),
        s.constant(2, "value", 0.0),
        s.get("mode", "constant"),
    )
    if (
        pads is None
        or len(pads) % 2
        or (len(s.constants) > 3 and s.constants[3] is not None)
        or max(map(abs, pads), default=0) > MOST_PAD
    ):
        raise s.fail(f"only fixed pads on all axes are read, of at most {MOST_PAD} cells")
    rank = len(pads) // 2
    sides = [n for axis in reversed(range(rank)) for n in (pads[axis], pads[axis + rank])]
    if mode == "constant":
        return Op(lambda x: F.pad(x, sides, value=float(value)))
    if mode not in ("reflect", "edge") or any(sides[4:]):
        raise s.fail(
            f"mode {mode!r} is not read; constant, reflect and edge along height and width are"
        )
    return Op(lambda x: F.pad(x, sides[:4], mode={"reflect": "reflect", "edge": "replicate"}[mode]))


def _transpose(s: Spec) -> nn.Module:
    perm = s.get("perm")
    return Op(lambda x: x.permute(perm if perm is not None else tuple(reversed(range(x.dim())))))


def _reduce(function: Callable[..., Tensor]) -> Callable[[Spec], nn.Module]:
    def maker(s: Spec) -> nn.Module:
        axes, keep = s.constant(1, "axes"), bool(s.get("keepdims", 1))
        return Op(
            lambda x: function(x, tuple(axes) if axes else tuple(range(x.dim())), keepdim=keep)
        )

    return maker


def _axes(function: Callable[[Tensor, Sequence[int]], Tensor]) -> Callable[[Spec], nn.Module]:
    def maker(s: Spec) -> nn.Module:
        axes = s.constant(1, "axes")
        if axes is None:
            raise s.fail("only fixed axes are read")
        return Op(lambda x: function(x, axes))

    return maker


def _unsqueeze(x: Tensor, axes: Sequence[int]) -> Tensor:
    rank = x.dim() + len(axes)
    for axis in sorted(a % rank for a in axes):
        x = x.unsqueeze(axis)
    return x


def _concat(s: Spec) -> nn.Module:
    axis = int(s.get("axis", 1))
    return Pointwise(lambda *inputs: torch.cat(inputs, axis), s.constants)


def _slice(s: Spec) -> nn.Module:
    starts, ends = s.constant(1, "starts"), s.constant(2, "ends")
    axes, steps = s.constant(3, "axes"), s.constant(4, "steps")
    if starts is None or ends is None or any(step < 1 for step in steps or ()):
        raise s.fail("only fixed slices with positive steps are read")

    def function(x: Tensor) -> Tensor:
        cuts = [slice(None)] * x.dim()
        for axis, start, end, step in zip(
            axes or range(len(starts)), starts, ends, steps or [1] * len(starts), strict=True
        ):
            cuts[axis] = slice(start, end, step)
        return x[tuple(cuts)]

    return Op(function)


def _local_response(s: Spec) -> nn.Module:
    size = int(s.get("size", 0))
    if not 1 <= size <= 512:
        raise s.fail("its size is a number of channels, from 1 to 512")
    return LocalResponseNorm(
        size, float(s.get("alpha", 1e-4)), float(s.get("beta", 0.75)), float(s.get("bias", 1.0))
    )


def _window(s: Spec, kernel: Sequence[int]) -> Window:
    numbers = {
        "kernel": list(kernel),
        "strides": s.get("strides", [1, 1]),
        "dilations": s.get("dilations", [1, 1]),
    }
    pads, auto = s.get("pads", [0, 0, 0, 0]), s.get("auto_pad", "NOTSET")
    if any(len(n) != 2 for n in numbers.values()) or len(pads) != 4:
        raise s.fail("only two-dimensional maps are read, [N, C, H, W]")
    if any(not 1 <= v <= MOST_WINDOW for n in numbers.values() for v in n) or any(
        not 0 <= p <= MOST_PAD for p in pads
    ):
        raise s.fail(
            f"kernel, strides, dilations or pads are out of range: {numbers}, pads {list(pads)}"
        )
    if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise s.fail(f"unknown auto_pad {auto!r}")
    pads = (0, 0, 0, 0) if auto == "VALID" else tuple(pads)
    return Window(*(tuple(n) for n in numbers.values()), pads, auto, bool(s.get("ceil_mode", 0)))


def _weights(s: Spec, index: int, rank: int) -> Tensor:
    value = s.constants[index] if index < len(s.constants) else None
    if value is None or value.ndim != rank or value.dtype.kind != "f" or 0 in value.shape:
        raise s.fail(f"its input {index} must be constant weights with {rank} axes")
    weights = torch.from_numpy(np.array(value, np.float32))
    if not torch.isfinite(weights).all():
        raise s.fail("its weights are not all finite numbers")
    return weights


MAKERS: dict[str, Callable[[Spec], nn.Module]] = {
    "Conv": _conv, "MaxPool": _max_pool, "AveragePool": _average_pool, "BatchNormalization": _batch_norm, "Gemm": _gemm,
    "MatMul": _mat_mul, "LRN": _local_response, "Concat": _concat, "Reshape": _reshape, "Flatten": _flatten, "Softmax": _softmax,
    "Clip": _clip, "Pad": _pad, "Transpose": _transpose, "Slice": _slice, "ReduceMean": _reduce(torch.mean),
    "ReduceSum": _reduce(torch.sum), "Squeeze": _axes(lambda x, axes: x.squeeze(tuple(axes))), "Unsqueeze": _axes(_unsqueeze),
    "GlobalAveragePool": lambda s: nn.AdaptiveAvgPool2d(1), "GlobalMaxPool": lambda s: nn.AdaptiveMaxPool2d(1),
    "Relu": lambda s: nn.ReLU(), "Sigmoid": lambda s: nn.Sigmoid(), "Tanh": lambda s: nn.Tanh(), "HardSwish": lambda s: nn.Hardswish(),
    "HardSigmoid": lambda s: Op(lambda x: (float(s.get("alpha", 0.2)) * x + float(s.get("beta", 0.5))).clamp(0, 1)),
    "LeakyRelu": lambda s: nn.LeakyReLU(float(s.get("alpha", 0.01))), "Elu": lambda s: nn.ELU(float(s.get("alpha", 1.0))),
    "Dropout": lambda s: nn.Identity(), "Identity": lambda s: nn.Identity(),
    "Add": _pointwise(torch.add), "Sub": _pointwise(torch.sub), "Mul": _pointwise(torch.mul), "Div": _pointwise(torch.div),
    "Pow": _pointwise(torch.pow), "Sqrt": _pointwise(torch.sqrt), "Exp": _pointwise(torch.exp), "Erf": _pointwise(torch.erf),
    "Sum": _pointwise(lambda *inputs: sum(inputs[1:], inputs[0])),
}  # fmt: skip
