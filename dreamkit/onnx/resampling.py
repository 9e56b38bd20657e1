"""ONNX operators that enlarge and shrink maps, Resize and ConvTranspose, as torch modules."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .file_node import FileNode
from .onnx_modules import Function, Window
from .shape_operators import with_numbers

# Where a cell of the result lies among the cells of the input: from (cells, scale, length of the
# input, length of the result), as the ONNX specification of Resize gives it.
_PLACES: dict[str, Callable[[Tensor, float, int, int], Tensor]] = {
    "half_pixel": lambda i, scale, old, new: (i + 0.5) / scale - 0.5,
    "pytorch_half_pixel": lambda i, scale, old, new: (i + 0.5) / scale - 0.5 if new > 1 else 0 * i,
    "half_pixel_symmetric": lambda i, scale, old, new: (
        old / 2 * (1 - new / (scale * old)) + (i + 0.5) / scale - 0.5
    ),
    "align_corners": lambda i, scale, old, new: i * (old - 1) / (new - 1) if new > 1 else 0 * i,
    "asymmetric": lambda i, scale, old, new: i / scale,
}
_ROUNDINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "round_prefer_floor": lambda place: (place - 0.5).ceil(),
    "round_prefer_ceil": lambda place: (place + 0.5).floor(),
    "floor": torch.floor,
    "ceil": torch.ceil,
}


def resize(node: FileNode) -> nn.Module:
    """Resize, and its older form Upsample, in the modes nearest and linear."""
    old = node.op_type == "Upsample" or node.opset < 11
    mode = node.get("mode", "nearest")
    how = node.get("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    rounding = node.get("nearest_mode", "floor" if old else "round_prefer_floor")
    axes, policy = node.get("axes"), node.get("keep_aspect_ratio_policy", "stretch")
    nearest = mode == "nearest"
    if mode not in ("nearest", "linear") or how not in _PLACES or rounding not in _ROUNDINGS:
        shown = f"mode {mode!r} with {how!r}" + (f" and {rounding!r}" if nearest else "")
        raise node.error(f"{shown} is not read; nearest and linear are, with {', '.join(_PLACES)}")
    if policy != "stretch" or (node.get("antialias", 0) and not nearest):
        raise node.error("antialias and keep_aspect_ratio_policy are not read")

    def resized(x: Tensor, scales: list[float] | None, sizes: list[int] | None) -> Tensor:
        for i, axis in enumerate(axes or range(x.dim())):
            length = x.shape[axis]
            new = int(sizes[i]) if sizes else math.floor(length * scales[i])
            scale = scales[i] if scales else new / length
            if new != length or scale != 1:
                cells = torch.arange(new, dtype=torch.float64)
                place = _PLACES[how](cells, scale, length, new)
                x = (
                    _nearest(x, axis, _ROUNDINGS[rounding](place))
                    if nearest
                    else _linear(x, axis, place)
                )
        return x

    if old and len(node.inputs) < 2:  # Upsample of opset 7: the scales are an attribute
        return Function(lambda x: resized(x, node.get("scales"), None))
    if old:
        return with_numbers(node, lambda x, scales: resized(x, scales, None))
    return with_numbers(
        node, lambda x, roi=None, scales=None, sizes=None: resized(x, scales, sizes)
    )


def _nearest(x: Tensor, axis: int, place: Tensor) -> Tensor:
    return x.index_select(axis, place.clamp(0, x.shape[axis] - 1).to(x.device, torch.int64))


def _linear(x: Tensor, axis: int, place: Tensor) -> Tensor:
    place = place.clamp(0, x.shape[axis] - 1)
    before = place.floor()
    shape = [-1 if i == axis % x.dim() else 1 for i in range(x.dim())]
    share = (place - before).to(x.device, x.dtype).reshape(shape)
    return _nearest(x, axis, before) * (1 - share) + _nearest(x, axis, before + 1) * share


class ConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution whose padding differs from side to side, or depends on the size."""

    window: Window
    more: tuple[int, int]  # rows and columns added at the end: ONNX's output_padding

    def forward(self, x: Tensor) -> Tensor:
        full = F.conv_transpose2d(
            x, self.weight, None, self.stride, 0, 0, self.groups, self.dilation
        )
        sides: list[int] = []
        for axis in (1, 0):
            before, after = self.window.pads[axis], self.window.pads[axis + 2]
            if self.window.same:
                wanted = x.shape[axis + 2] * self.window.stride[axis]
                total = full.shape[axis + 2] + self.more[axis] - wanted
                half = max(total, 0) // 2
                before = half if self.window.auto == "SAME_UPPER" else max(total, 0) - half
                after = total - before
            sides += [-before, self.more[axis] - after]
        full = F.pad(full, sides)
        return full if self.bias is None else full + self.bias.view(-1, 1, 1)


def transposed_convolution(node: FileNode) -> nn.Module:
    weight = node.weights(1, 4)  # [channels in, channels out / groups, rows, columns]
    bias = node.weights(2, 1) if len(node.constants) > 2 else None
    w, groups = node.window(weight.shape[2:]), int(node.get("group", 1))
    more = tuple(node.get("output_padding", (0, 0)))
    if node.get("output_shape"):
        raise node.error("output_shape is not read; pads are")
    if groups < 1 or len(weight) % groups or len(more) != 2 or min(more) < 0:
        raise node.error("weights, groups and output_padding do not fit each other")
    outputs = weight.shape[1] * groups
    if bias is not None and len(bias) != outputs:
        raise node.error("weights, bias and groups do not fit each other")
    (top, left, bottom, right), room = w.pads, zip(more, w.stride, w.dilation, strict=True)
    plain = not w.same and (top, left) == (bottom, right) and all(m < max(s) for m, *s in room)
    sizes = (len(weight), outputs, w.kernel, w.stride, (top, left) if plain else 0)
    kind = nn.ConvTranspose2d if plain else ConvTranspose2d
    added = more if plain else 0
    module = nn.utils.skip_init(kind, *sizes, added, groups, bias is not None, w.dilation)
    module.window, module.more = w, more
    module.weight = nn.Parameter(weight.contiguous())
    if bias is not None:
        module.bias = nn.Parameter(bias.contiguous())
    return module
