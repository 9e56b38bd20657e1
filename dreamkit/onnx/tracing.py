"""A torch network watched while it runs, and written down as ONNX nodes that bear its layers' names.

PyTorch's own exporter would need onnxscript beside onnx, and would give the inner tensors names of its own; here
`inception4c` is called `inception4c`. What is watched are the ATen operations of one run of the network.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from ..networks.layers import layer_info
from ..networks.network import Network
from ..networks.trial import trial_pictures
from .graph import Builder

PICTURE = "picture"


class Tracing(TorchDispatchMode):
    """Writes each operation on tensors that depend on the picture into a Builder. `outputs`: layer -> tensor, in order."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.builder = Builder()
        self.names: dict[int, str] = {}  # id of a live tensor -> its name
        self.alive: list[Tensor] = []  # so that no id is used twice
        self.weights = {
            id(p): name for name, p in (*module.named_parameters(), *module.named_buffers())
        }
        self.outputs: dict[str, str] = {}

    def watch(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        tensors = [
            a
            for group in args
            for a in (group if isinstance(group, (list, tuple)) else [group])
            if isinstance(a, Tensor)
        ]
        if any(id(a) in self.names for a in tensors):
            name = func.overloadpacket.__name__.rstrip("_")
            rule = RULES.get(name)
            if rule is None:
                raise Lacking(name)
            out = result[0] if isinstance(result, tuple) else result
            self.note(out, rule(self, out, *args, **(kwargs or {})))
        return result

    def note(self, tensor: Tensor, name: str) -> None:
        self.names[id(tensor)] = name
        self.alive.append(tensor)
        self.builder.shapes[name] = tuple(tensor.shape)

    def name(self, value: Tensor | float) -> str:
        """The name of a tensor of the graph, of a weight, or of a number made a constant."""
        if isinstance(value, Tensor):
            if id(value) in self.names:
                return self.names[id(value)]
            self.note(
                value,
                self.builder.weight(
                    value.detach().float().numpy(), self.weights.get(id(value), "")
                ),
            )
            return self.names[id(value)]
        return self.builder.weight(np.array(value, np.float32))

    def add(self, op: str, *inputs: Tensor | float | str | np.ndarray, **attributes: object) -> str:
        return self.builder.add(
            op,
            *(i if isinstance(i, (str, np.ndarray)) else self.name(i) for i in inputs),
            **attributes,
        )


Tracing.__torch_dispatch__ = (
    Tracing.watch
)  # not in the class: there torch would load its compiler for it


class Lacking(Exception):
    """An operation that has no rule here."""


class _Reached(Exception):
    """Ends the run once the last layer asked for has run."""


def trace(network: Network, layers: Sequence[str]) -> tuple[Builder, tuple[int, int]]:
    """(the Builder of the network up to the last of `layers`, the size of the trial picture). Each layer is a tensor of that name.

    The picture, in [0, 1], is called "picture"; standardising it is part of the graph. ValueError for an operation that
    ONNX nodes are not written for here.
    """
    module = copy.deepcopy(network.module).float().cpu().to(memory_format=torch.contiguous_format)
    calls = {name: layer_info(network, name).calls for name in layers if name}
    for picture in trial_pictures(module):
        tracing = Tracing(module)
        size = tuple(picture.shape[-2:])
        try:
            with torch.no_grad(), _watched(tracing, module, calls, stop="" not in layers):
                picture = torch.cat([picture, picture])  # two, so that no 1 is taken for a batch
                tracing.note(picture, _standardized(tracing.builder, network, picture.shape))
                with tracing, contextlib.suppress(_Reached):
                    tracing.outputs[""] = tracing.name(module(picture))
        except Lacking as error:
            raise ValueError(
                f"{network.name or 'the network'} uses {error}, which dreamkit does not write as ONNX; "
                "layers before it can be exported"
            ) from None
        except (
            RuntimeError,
            ValueError,
            AssertionError,
        ):  # not a size this network takes: try the next
            continue
        _name_layers(tracing, "logits")
        return tracing.builder, size
    raise ValueError(f"{network.name or 'the network'} takes none of the sizes that were tried")


def _standardized(builder: Builder, network: Network, shape: Sequence[int]) -> str:
    mean, std = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (network.mean, network.std))
    builder.shapes[PICTURE] = tuple(shape)
    centred = builder.add("Sub", PICTURE, builder.weight(mean, "mean"), shape=shape)
    return builder.add("Div", centred, builder.weight(std, "std"), shape=shape)


@contextlib.contextmanager
def _watched(tracing: Tracing, module: nn.Module, calls: dict[str, int], stop: bool):
    left = dict(calls)

    def keep(name: str):
        def hook(layer: nn.Module, inputs: tuple, output: object) -> None:
            if isinstance(output, Tensor) and id(output) in tracing.names:
                tracing.outputs.pop(name, None)  # a module called twice: its last call
                raw = getattr(
                    layer, "raw_weight", None
                )  # what a folded convolution gave before its BatchNorm
                if raw is not None and name not in calls:
                    return
                tracing.outputs[name] = (
                    tracing.names[id(output)]
                    if raw is None
                    else tracing.names[id(layer._conv_forward(inputs[0], raw, layer.raw_bias))]
                )
                if name in left:
                    left[name] -= 1
                    if stop and not any(left.values()):
                        raise _Reached

        return hook

    handles = [
        layer.register_forward_hook(keep(name)) for name, layer in module.named_modules() if name
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _name_layers(tracing: Tracing, whole: str) -> None:
    """Gives the tensors the names of their layers; where several layers give one tensor, the outermost, and copies to the others."""
    builder, names = tracing.builder, {}
    for layer, tensor in reversed(tracing.outputs.items()):
        layer = layer or whole
        if tensor not in names and tensor.startswith("_"):
            names[tensor] = layer
        else:
            builder.shapes[layer] = builder.shapes[tensor]
            at = 1 + max(
                (i for i, node in enumerate(builder.nodes) if tensor in node.outputs), default=-1
            )
            builder.nodes.insert(at, type(builder.nodes[0])("Identity", [tensor], [layer], {}))
    builder.rename(names)


def _pair(value: Sequence[int]) -> list[int]:
    return list(value) if len(value) == 2 else [value[0]] * 2


def _both(value: Sequence[int]) -> list[int]:
    return [*_pair(value), *_pair(value)]


def _convolution(
    t, out, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups
):
    if transposed or x.dim() != 4:
        raise Lacking(
            "transposed convolution" if transposed else f"convolution of {x.dim() - 2} dimensions"
        )
    return t.add(
        "Conv",
        x,
        weight,
        *([bias] if bias is not None else []),
        strides=_pair(stride),
        pads=_both(padding),
        dilations=_pair(dilation),
        group=groups,
        kernel_shape=list(weight.shape[2:]),
    )


def _max_pool(t, out, x, kernel, stride=(), padding=(0,), dilation=(1,), ceil_mode=False):
    return t.add(
        "MaxPool",
        x,
        kernel_shape=_pair(kernel),
        strides=_pair(stride or kernel),
        pads=_both(padding),
        dilations=_pair(dilation),
        ceil_mode=int(ceil_mode),
    )


def _avg_pool(
    t,
    out,
    x,
    kernel,
    stride=(),
    padding=(0,),
    ceil_mode=False,
    count_include_pad=True,
    divisor=None,
):
    pooled = t.add(
        "AveragePool",
        x,
        kernel_shape=_pair(kernel),
        strides=_pair(stride or kernel),
        pads=_both(padding),
        ceil_mode=int(ceil_mode),
        count_include_pad=int(count_include_pad or divisor is not None),
    )
    if divisor is None:
        return pooled
    t.builder.shapes[pooled] = tuple(out.shape)
    return t.add("Mul", pooled, float(np.prod(_pair(kernel)) / divisor))


def _adaptive_avg_pool(t, out, x, size):
    if tuple(size) == (1, 1):
        return t.add("GlobalAveragePool", x)
    if tuple(size) == tuple(x.shape[-2:]):
        return t.add("Identity", x)
    raise RuntimeError(
        f"an adaptive pool to {list(size)} from {list(x.shape[-2:])}"
    )  # another trial size may fit


def _mean(t, out, x, axes=None, keepdim=False, dtype=None):
    axes = sorted(a % x.dim() for a in (axes if axes else range(x.dim())))
    return t.add("ReduceMean", x, axes=axes, keepdims=int(keepdim))


def _cat(t, out, tensors, axis=0):
    return t.add("Concat", *tensors, axis=axis % out.dim())


def _add(t, out, a, b, alpha=1):
    return t.add(
        "Add",
        a,
        b
        if alpha == 1
        else t.builder.add(
            "Mul", t.name(b), np.array(alpha, np.float32), shape=getattr(b, "shape", ())
        ),
    )


def _sub(t, out, a, b, alpha=1):
    return _add(t, out, a, b, -alpha) if alpha != 1 else t.add("Sub", a, b)


def _addmm(t, out, bias, x, weight, beta=1, alpha=1):
    return t.add("Gemm", x, weight, bias, alpha=float(alpha), beta=float(beta))


def _linear(t, out, x, weight, bias=None):
    product = t.add("MatMul", x, t.name(weight.t().contiguous()))
    if bias is None:
        return product
    t.builder.shapes[product] = tuple(out.shape)
    return t.add("Add", product, bias)


def _permuted(t, out, x, order):
    if id(x) not in t.names:
        return t.name(out.contiguous())
    return t.add("Transpose", x, perm=[int(a) for a in order])


def _transpose(t, out, x, a, b):
    order = list(range(x.dim()))
    order[a], order[b] = order[b], order[a]
    return _permuted(t, out, x, order)


def _view(t, out, x, size):
    if len(out.shape) == 2 and x.dim() > 1 and out.shape[0] == x.shape[0]:
        return t.add("Flatten", x, axis=1)
    sizes = [0 if i < x.dim() and n == x.shape[i] else n for i, n in enumerate(out.shape)]
    return t.add("Reshape", x, np.array(sizes, np.int64))


def _batch_norm(t, out, x, weight, bias, mean, var, *rest):
    ones = torch.ones_like(mean)
    return t.add(
        "BatchNormalization",
        x,
        ones if weight is None else weight,
        ones * 0 if bias is None else bias,
        mean,
        var,
        epsilon=float(rest[-1]),
    )


def _clamp(t, out, x, low=None, high=None):
    number = lambda v: "" if v is None else t.name(v)
    return t.add("Clip", x, *([number(low), number(high)] if high is not None else [number(low)]))


def _slice(t, out, x, axis=0, start=None, end=None, step=1):
    end = 2**62 if end is None or end >= x.shape[axis] else end
    if (start or 0) == 0 and end == 2**62 and step == 1:
        return t.add("Identity", x)
    return t.add("Slice", x, *(np.array([v], np.int64) for v in (start or 0, end, axis, step)))


def _select(t, out, x, axis, index):
    index %= x.shape[axis]
    part = t.add("Slice", x, *(np.array([v], np.int64) for v in (index, index + 1, axis)))
    t.builder.shapes[part] = tuple(1 if a == axis % x.dim() else n for a, n in enumerate(x.shape))
    return t.add("Squeeze", part, np.array([axis], np.int64))


def _pad(t, out, x, pads, value=0.0):
    sides = list(zip(pads[::2], pads[1::2], strict=True))[::-1]
    sides = [(0, 0)] * (x.dim() - len(sides)) + sides
    return t.add(
        "Pad",
        x,
        np.array([b for b, _ in sides] + [a for _, a in sides], np.int64),
        np.array(value, np.float32),
    )


def _silu(t, out, x):
    gate = t.add("Sigmoid", x)
    t.builder.shapes[gate] = tuple(x.shape)
    return t.add("Mul", x, gate)


def _same(t, out, x, *rest, **more):
    return t.add("Identity", x)


def _unary(op: str, **attributes: object) -> Callable[..., str]:
    return lambda t, out, x, *rest, **more: t.add(op, x, **attributes)


RULES: dict[str, Callable[..., str]] = {
    "convolution": _convolution, "max_pool2d_with_indices": _max_pool, "avg_pool2d": _avg_pool, "mean": _mean, "cat": _cat,
    "_adaptive_avg_pool2d": _adaptive_avg_pool, "add": _add, "sub": _sub, "addmm": _addmm, "linear": _linear,
    "mul": lambda t, out, a, b: t.add("Mul", a, b), "div": lambda t, out, a, b: t.add("Div", a, b),
    "mm": lambda t, out, a, b: t.add("MatMul", a, b), "rsub": lambda t, out, a, b, alpha=1: t.add("Sub", b, a),
    "pow": lambda t, out, x, power: t.add("Pow", x, power), "t": lambda t, out, x: _permuted(t, out, x, [1, 0]),
    "transpose": _transpose, "permute": _permuted, "view": _view, "_unsafe_view": _view, "reshape": _view,
    "native_batch_norm": _batch_norm, "_native_batch_norm_legit_no_training": _batch_norm, "clamp": _clamp, "hardtanh":
    lambda t, out, x, low=-1.0, high=1.0: _clamp(t, out, x, low, high), "slice": _slice, "select": _select, "constant_pad_nd": _pad,
    "unsqueeze": lambda t, out, x, axis: t.add("Unsqueeze", x, np.array([axis % out.dim()], np.int64)),
    "flip": lambda t, out, x, axes: t.add("Gather", x, np.array([2, 1, 0], np.int64), axis=1) if list(axes) == [1] and x.shape[1] == 3
    else _lack("flip"),
    "relu": _unary("Relu"), "sigmoid": _unary("Sigmoid"), "tanh": _unary("Tanh"), "hardswish": _unary("HardSwish"), "silu": _silu,
    "hardsigmoid": _unary("HardSigmoid", alpha=1 / 6, beta=0.5), "sqrt": _unary("Sqrt"), "exp": _unary("Exp"),
    "leaky_relu": lambda t, out, x, slope=0.01: t.add("LeakyRelu", x, alpha=float(slope)),
    "_softmax": lambda t, out, x, axis, half: t.add("Softmax", x, axis=axis % x.dim()),
    "clone": _same, "detach": _same, "alias": _same, "_to_copy": _same, "contiguous": _same,
}  # fmt: skip


def _lack(what: str) -> str:
    raise Lacking(what)
