"""Receptive fields: which pixels of the picture a cell of a feature map can see.

They are found by walking PyTorch's autograd graph from the features back to the picture, so that
branches, residuals and shared modules are all counted (the arithmetic: Araujo et al., "Computing
receptive fields of convolutional neural networks", Distill, 2019). `local_steps` knows the
operations; after any other one the field is not known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import Tensor, nn

from .local_steps import CONSTANT, Cells, after


@dataclass(frozen=True)
class Field:
    """The pixels that the cells of a map see.

    size: (height, width) of what one cell sees.
    stride: (down, across) between the fields of neighbouring cells.
    start: (top, left) of the field of cell (0, 0); negative inside the network's padding.
    period: (down, across), multiples of the strides: a picture that moves by so many pixels has the
        same features, moved. Larger than the stride where a network goes down and up again.

    After a transposed or interpolating layer, neighbouring cells see different numbers of pixels;
    the field is the smallest box of one size that holds what each of them sees.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    start: tuple[int, int]
    period: tuple[int, int] = field(default=(0, 0), repr=False)

    def __post_init__(self) -> None:
        if self.period == (0, 0):
            object.__setattr__(self, "period", self.stride)

    def box(self, y: int, x: int) -> tuple[int, int, int, int]:
        """(top, bottom, left, right) of the field of cell (y, x); bottom and right not included."""
        top, left = self.start[0] + y * self.stride[0], self.start[1] + x * self.stride[1]
        return top, top + self.size[0], left, left + self.size[1]


def field_of(
    features: Tensor, memory: dict[object, object], axes: tuple[int, ...] | None = None
) -> Field | None:
    """The field of features that were computed from a picture which requires a gradient.

    None if it is not known: a cell may see the whole picture, or none of it. `memory` holds what is
    known of the graph's nodes so far, which the layers of one pass share. `axes` are those of rows
    and columns in the features, counted from the end; by default any two in this order.
    """
    if features.grad_fn is None:
        cells = _leaf(features) if features.requires_grad else None
    else:
        cells = _walk(features.grad_fn, memory)
    if not isinstance(cells, Cells) or cells.axes != (axes or tuple(sorted(cells.axes))):
        return None
    if any(step.denominator > 1 for step in cells.stride):  # finer than the picture
        return None
    start = tuple(math.ceil(cells.start[a]) for a in (0, 1))  # of whole pixels
    end = tuple(math.floor(cells.start[a] + cells.size[a]) for a in (0, 1))
    stride = tuple(map(int, cells.stride))
    return Field((end[0] - start[0], end[1] - start[1]), stride, start, cells.period)


def _walk(last: object, memory: dict[object, object]) -> object:
    """What `after` gives for the last node: Cells, CONSTANT, or None where nothing is known."""
    waiting = [last]
    while waiting:  # depth first, without recursion: DenseNets are deep
        node = waiting[-1]
        sources = [source for source, _ in node.next_functions]
        missing = [s for s in sources if s is not None and s not in memory]
        if missing:
            waiting.extend(missing)
            continue
        waiting.pop()
        if node in memory:
            continue
        if hasattr(node, "variable"):  # the picture itself, or a weight that is not frozen
            memory[node] = _leaf(node.variable)
        else:
            memory[node] = after(node, [CONSTANT if s is None else memory[s] for s in sources])
    return memory[last]


def _leaf(tensor: Tensor) -> object:
    if isinstance(tensor, nn.Parameter):
        return CONSTANT
    return Cells.of_pixels(tuple(tensor.shape[-2:])) if tensor.dim() == 4 else None
