"""What a cell sees after operations that move, split or join axes, or that act along some axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from .local_windows import CONSTANT, Cells, moved, signed, union


def _axis(dim: int, count: int) -> int:
    """A dimension of a tensor with `count` of them, counted from the end."""
    dim = signed(dim)
    return dim - count if dim >= 0 else dim


def same(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    """After an operation on each number by itself."""
    return cells


def along(attribute: str) -> Callable:
    """The rule of an operation along the dimensions that the node saved: not those of the cells.

    If it takes the dimensions away, those before them move.
    """

    def rule(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
        given = getattr(node, attribute)
        dims = given if isinstance(given, (tuple, list)) else (given,)
        gone = len(dims) if not getattr(node, "_saved_keepdim", True) else 0
        dims = [_axis(dim, len(shape) + gone) for dim in dims if dim is not None]
        if cells is None or not dims or set(dims) & set(cells.axes):
            return None
        return _without(cells, dims) if gone else cells

    return rule


def _without(cells: Cells, dims: list[int]) -> Cells:
    """After the dimensions were taken away: axes before them are nearer to the end."""
    return replace(cells, axes=tuple(a + sum(a < dim for dim in dims) for a in cells.axes))


def one_of(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    """After select or unbind, which take one place of a dimension."""
    dim = _axis(node._saved_dim, len(shape) + 1)
    return None if cells is None or dim in cells.axes else _without(cells, [dim])


def one_more(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    """After unsqueeze or stack, which add a dimension."""
    if cells is None:
        return None
    dim = _axis(node._saved_dim, len(shape))
    return replace(cells, axes=tuple(a - (a <= dim) for a in cells.axes))


def permuted(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    """After permute, transpose or .T."""
    count = len(shape)
    order = list(range(-count, 0))
    if hasattr(node, "_saved_dims"):
        order = [_axis(dim, count) for dim in node._saved_dims]
    else:
        dims = getattr(node, "_saved_dim0", 0), getattr(node, "_saved_dim1", 1)
        one, other = (_axis(dim, count) for dim in dims)
        order[one], order[other] = other, one
    return cells and replace(cells, axes=tuple(order.index(a) - count for a in cells.axes))


def viewed(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    """After view or reshape, if rows and columns stay whole or are joined in one axis."""
    if cells is None:
        return None
    length = cells.extra + math.prod(cells.grid)
    below, (height, width) = tuple(node._saved_self_sym_sizes), cells.grid
    ends = [math.prod(below[len(below) + a + 1 :]) for a in cells.axes]  # numbers after each axis

    def find(size: int, end: int) -> int | None:
        places = [j - len(shape) for j in range(len(shape)) if shape[j] == size > 1]
        return next((j for j in places if math.prod(shape[len(shape) + j + 1 :]) == end), None)

    apart = (None, None)
    if not cells.extra:
        apart = find(height, ends[-1] * width), find(width, ends[-1])
    if len(cells.axes) == 2 and cells.axes[1] != cells.axes[0] + 1:
        apart = find(height, ends[0]), find(width, ends[1])
    elif None in apart:
        joined = find(length, ends[-1])
        return None if joined is None else replace(cells, axes=(joined,))
    return None if None in apart else replace(cells, axes=apart)


def joined(node: object, sources: list, shape: tuple) -> Cells | None:
    """After cat: along another dimension than those of cells, or of class tokens before cells."""
    known, axis = [s for s in sources if s is not CONSTANT], _axis(node._saved_dim, len(shape))
    first = sources[-1]
    if len(known) == 1 and first is known[0] and first.axes == (axis,):
        return replace(first, extra=shape[axis] - math.prod(first.grid))
    return along("_saved_dim")(node, union(known), shape)


def linear(node: object, sources: list, shape: tuple) -> Cells | None:
    """After a product with a matrix of weights, which is taken along one dimension."""
    first, second = sources[-2:]  # of addmm, the first of three is the bias
    if first is not CONSTANT and second is CONSTANT and sources[0] in (first, CONSTANT):
        return first if -1 not in first.axes else None
    if first is CONSTANT and second is not CONSTANT and sources[0] is CONSTANT:
        return second if -2 not in second.axes else None
    return None


def cut(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    """After a slice. Each second row and the like is local, a crop is not.

    Where a crop begins may depend on the picture's size.
    """
    axis = _axis(node._saved_dim, len(shape))
    if cells is None or axis not in cells.axes:
        return cells
    start, end, step = (signed(v) for v in (node._saved_start, node._saved_end, node._saved_step))
    below = node._saved_self_sym_sizes[axis]
    if cells.axes != (-2, -1) or not 0 <= start < step or 0 <= end < below:
        return None
    a, stride, first = axis + 2, list(cells.stride), list(cells.start)
    first[a], stride[a] = first[a] + start * stride[a], stride[a] * step
    return moved(cells, shape, cells.size, tuple(stride), tuple(first))
