"""ONNX operators that cut, join, pad and turn tensors, or compute with their shapes."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .file_node import MAX_CELLS, FileNode, to_array
from .onnx_modules import Filled, Function, Numbered, Pad, tensor_of

Maker = Callable[[FileNode], nn.Module]
Numbers = list[int] | None


def with_numbers(
    node: FileNode, function: Callable[..., Tensor], kind: type[Numbered] = Numbered
) -> Numbered:
    """A Function of (tensor, *numbers): its inputs after the first are sizes, places or axes.

    Numbers come as lists, None if they are left out. They are fixed in the file, or are computed
    from the shapes of tensors while the network runs.
    """
    fixed = [None if constant is None else constant.tolist() for constant in node.constants[1:]]
    computed = [i - 1 for i in node.computed if i > 0]

    def run(x: Tensor, *found: Tensor) -> Tensor:
        numbers = list(fixed)
        for i, values in zip(computed, found, strict=True):
            numbers[i] = numbers_of(values)
        return function(x, *numbers)

    return kind(run, [node.constants[0], *(None for _ in computed)])


def numbers_of(values: Tensor) -> list:
    if values.is_meta:
        raise ValueError("its sizes depend on the picture's pixels, which is not read")
    return values.tolist()


def _reshape(node: FileNode) -> nn.Module:
    shape, keep_zeros = node.constant(1, "shape"), bool(node.get("allowzero", 0))
    if keep_zeros and 0 in (shape or ()):
        raise node.error("a shape with a side of 0 is not read")

    def reshaped(x: Tensor, shape: Numbers = shape) -> Tensor:
        sizes = [x.shape[i] if n == 0 and not keep_zeros else n for i, n in enumerate(shape)]
        fits = math.prod(sizes) == x.numel()
        if len(sizes) > 1 and sizes[0] == 1 and len(x) > 1 and not fits:
            sizes[0] = len(x)  # the file was made for one picture
        return x.reshape(sizes)

    return with_numbers(node, reshaped)


def _flatten(node: FileNode) -> nn.Module:
    axis = int(node.get("axis", 1))
    flat = lambda x: x.reshape(math.prod(x.shape[:axis]), -1)
    return nn.Flatten() if axis == 1 else Function(flat)


def _pad(node: FileNode) -> nn.Module:
    mode = node.get("mode", "constant")
    modes = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    if mode not in modes:
        raise node.error(f"mode {mode!r} is not read; {', '.join(modes)} are")

    def padded(x: Tensor, pads: Numbers, value: object = 0.0, axes: Numbers = None) -> Tensor:
        axes, half = axes or list(range(x.dim())), len(pads) // 2
        if len(pads) != 2 * len(axes) or max(map(abs, pads), default=0) > MAX_CELLS:
            raise ValueError(f"pads {pads} do not fit; at most {MAX_CELLS} cells are read")
        sides = [0] * (2 * x.dim())  # from the last axis to the first, as torch takes them
        for i, axis in enumerate(axes):
            place = 2 * (x.dim() - 1 - axis % x.dim())
            sides[place : place + 2] = pads[i], pads[i + half]
        if mode == "constant":
            value = value[0] if isinstance(value, list) else value
            return F.pad(x, sides, value=value or 0)
        if any(sides[4:]):
            raise ValueError(f"mode {mode!r} is read along height and width only")
        return F.pad(x, sides[:4], mode=modes[mode])

    if node.opset < 11:  # pads and value are attributes
        return Pad(lambda x: padded(x, node.get("pads"), node.get("value", 0.0)))
    return with_numbers(node, padded, Pad)


def _transpose(node: FileNode) -> nn.Module:
    order = node.get("perm")
    return Function(lambda x: x.permute(order or tuple(reversed(range(x.dim())))))


def _slice(node: FileNode) -> nn.Module:
    if node.opset < 10:  # starts, ends and axes are attributes
        cut = (node.get("starts"), node.get("ends"), node.get("axes"))
        return Function(lambda x: _sliced(x, *cut))
    return with_numbers(node, _sliced)


def _sliced(
    x: Tensor, starts: list[int], ends: list[int], axes: Numbers = None, steps: Numbers = None
) -> Tensor:
    axes, steps = axes or range(len(starts)), steps or [1] * len(starts)
    for axis, *cut in zip(axes, starts, ends, steps, strict=True):
        places = range(*slice(*cut).indices(x.shape[axis]))
        if cut[-1] > 0:
            x = x[(slice(None),) * (axis % x.dim()) + (slice(*cut),)]
        else:  # torch's own slices go forwards only
            x = x.index_select(axis, torch.tensor(list(places), dtype=torch.int64, device=x.device))
    return x


def _split(node: FileNode) -> nn.Module:
    axis, sizes = int(node.get("axis", 0)), node.constant(1, "split")
    count, index = int(node.get("num_outputs", node.results)), node.index
    if 1 in node.computed:
        raise node.error("only fixed sizes of the parts are read")

    def part(x: Tensor) -> Tensor:
        length = math.ceil(x.shape[axis] / count)
        return x.split(sizes if sizes else length, axis)[index]

    return Function(part, node.constants[:1])


def _squeeze(node: FileNode) -> nn.Module:
    axes = node.constant(1, "axes")
    if axes is None:
        raise node.error("only fixed axes are read")
    return Function(lambda x: x.squeeze(tuple(axes)))


def _unsqueeze(node: FileNode) -> nn.Module:
    axes = node.constant(1, "axes")
    if axes is None:
        raise node.error("only fixed axes are read")

    def unsqueezed(x: Tensor) -> Tensor:
        rank = x.dim() + len(axes)
        for axis in sorted(a % rank for a in axes):
            x = x.unsqueeze(axis)
        return x

    return Function(unsqueezed)


def _concat(node: FileNode) -> nn.Module:
    axis = int(node.get("axis", 1))
    return Function(lambda *inputs: torch.cat(inputs, axis), node.constants)


def _gather(node: FileNode) -> nn.Module:
    axis = int(node.get("axis", 0))

    def gathered(x: Tensor, index: Tensor) -> Tensor:
        place, index = axis % x.dim(), index.to(x.device, torch.int64)
        found = x.index_select(place, (index % x.shape[place]).flatten())
        return found.reshape((*x.shape[:place], *index.shape, *x.shape[place + 1 :]))

    index = node.constants[1]
    if index is not None and index.size > MAX_CELLS**2:
        raise node.error("it reads too many places")
    return Function(gathered, node.constants)


def _shape(node: FileNode) -> nn.Module:
    part = slice(node.get("start"), node.get("end"))
    # On the meta device a tensor has a shape and no values, and the shape is all that counts here.
    return Function(lambda x: torch.tensor(x.shape[part], device="cpu" if x.is_meta else x.device))


def _expand(x: Tensor, shape: list[int]) -> Tensor:
    return x.expand(torch.broadcast_shapes(x.shape, shape))


def _filled(node: FileNode) -> nn.Module:
    """ConstantOfShape: its one input is the shape."""
    value = node.get("value")
    value = torch.zeros(1) if value is None else tensor_of(to_array(value))

    sizes = None if node.constants[0] is None else node.constants[0].tolist()

    def filled(shape: Tensor) -> Tensor:
        found = numbers_of(shape) if sizes is None else sizes
        return value.to("cpu" if shape.is_meta else shape.device).expand(found)

    return Filled(filled, node.constants)


def _range(node: FileNode) -> nn.Module:
    def counted(start: Tensor, end: Tensor, step: Tensor) -> Tensor:
        first, last, by = map(numbers_of, (start, end, step))
        if abs(last - first) > MAX_CELLS**2 * abs(by):
            raise ValueError(f"a range of more than {MAX_CELLS**2} numbers is not read")
        return torch.arange(first, last, by, device=start.device)

    return Filled(counted, node.constants)


def _scatter(node: FileNode) -> nn.Module:
    if node.get("reduction", "none") != "none":
        raise node.error("only values that replace others are read, without a reduction")

    def scattered(x: Tensor, places: Tensor, values: Tensor) -> Tensor:
        return x.index_put(places.long().unbind(-1), values.to(x.dtype))

    return Function(scattered, node.constants)


def _depth_to_space(node: FileNode) -> nn.Module:
    side, rows_first = int(node.get("blocksize", 0)), node.get("mode", "DCR") == "DCR"

    def spread(x: Tensor) -> Tensor:
        if rows_first:  # torch takes the channels in the other order
            x = x.unflatten(1, (side**2, -1)).transpose(1, 2).flatten(1, 2)
        return F.pixel_shuffle(x, side)

    return Function(spread)


def _space_to_depth(node: FileNode) -> nn.Module:
    side = int(node.get("blocksize", 0))

    def gathered(x: Tensor) -> Tensor:
        deep = F.pixel_unshuffle(x, side)
        return deep.unflatten(1, (-1, side**2)).transpose(1, 2).flatten(1, 2)

    return Function(gathered)


def _numbered(function: Callable[..., Tensor]) -> Maker:
    return lambda node: with_numbers(node, function)


SHAPE_MAKERS: dict[str, Maker] = {
    "Reshape": _reshape, "Flatten": _flatten, "Pad": _pad, "Transpose": _transpose,
    "Slice": _slice, "Split": _split, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze,
    "Concat": _concat, "Gather": _gather, "Shape": _shape, "Expand": _numbered(_expand),
    "Tile": _numbered(lambda x, repeats: x.repeat(repeats)), "ConstantOfShape": _filled,
    "Range": _range, "ScatterND": _scatter,
    "DepthToSpace": _depth_to_space, "SpaceToDepth": _space_to_depth,
}  # fmt: skip
