"""Receptive fields: which pixels of the picture a cell of a feature map can see.

They are found by walking PyTorch's autograd graph from the features back to the picture, so that
branches, residuals and shared modules are all counted (the arithmetic: Araujo et al., "Computing
receptive fields of convolutional neural networks", Distill, 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Field:
    """The pixels that the cells of a map see.

    size: (height, width) of what one cell sees.
    stride: (down, across) between the fields of neighbouring cells.
    start: (top, left) of the field of cell (0, 0); negative inside the network's padding.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    start: tuple[int, int]

    def box(self, y: int, x: int) -> tuple[int, int, int, int]:
        """(top, bottom, left, right) of the field of cell (y, x); bottom and right not included."""
        top, left = self.start[0] + y * self.stride[0], self.start[1] + x * self.stride[1]
        return top, top + self.size[0], left, left + self.size[1]


def field_of(features: Tensor, memory: dict[object, Field | None]) -> Field | None:
    """The field of features that were computed from a picture which requires a gradient.

    None if each cell sees the whole picture, or none of it. `memory` holds the fields of the
    graph's nodes found so far, which the layers of one pass share.
    """
    waiting = [features.grad_fn] if features.grad_fn is not None else []
    while waiting:  # depth first, without recursion: DenseNets are deep
        node = waiting[-1]
        sources = [source for source, _ in node.next_functions if source is not None]
        missing = [source for source in sources if source not in memory]
        if missing:
            waiting.extend(missing)
        else:
            waiting.pop()
            if node not in memory:
                memory[node] = _through(node, [memory[source] for source in sources])
    return memory.get(features.grad_fn)


# Words in the names of operations after which each cell depends on all others.
_GLOBAL = ("adaptive", "mean", "bmm", "attention", "groupnorm", "fft")


def _through(node: object, fields: list[Field | None]) -> Field | None:
    """The field after one operation, of those of its inputs."""
    kind = type(node).__name__
    if kind == "AccumulateGrad":  # the picture itself
        return Field((1, 1), (1, 1), (0, 0))
    if not fields or None in fields or _is_global(kind.lower(), node):
        return None
    field = _union(fields)
    if "Convolution" in kind:
        kernel = node._saved_weight.shape[2:]
        if len(kernel) != 2:
            return None
        return _slide(field, kernel, node._saved_stride, node._saved_padding, node._saved_dilation)
    if "MaxPool2D" in kind or "AvgPool2D" in kind:
        kernel, dilation = node._saved_kernel_size, (1, 1)
        if "Max" in kind:
            dilation = node._saved_dilation
        return _slide(field, kernel, node._saved_stride or kernel, node._saved_padding, dilation)
    if "ConstantPad" in kind:
        left, _, top, _, *others = (*node._saved_pad, 0, 0)[: max(4, len(node._saved_pad))]
        if any(others):
            return None
        start = (field.start[0] - top * field.stride[0], field.start[1] - left * field.stride[1])
        return Field(field.size, field.stride, start)
    return field  # ReLU, sums, joins, BatchNorm in evaluation: cell by cell


def _is_global(kind: str, node: object) -> bool:
    if "mm" in kind and "bmm" not in kind:
        # A linear layer on many cells (of maps with channels last) works cell by cell.
        sizes = getattr(node, "_saved_mat1_sym_sizes", None)
        return (sizes or getattr(node, "_saved_self_sym_sizes", (1,)))[0] <= 1
    return any(word in kind for word in _GLOBAL)


def _union(fields: list[Field]) -> Field:
    """The field of a cell that joins several: from the smallest start to the largest end."""
    start = tuple(min(f.start[a] for f in fields) for a in (0, 1))
    end = tuple(max(f.start[a] + f.size[a] for f in fields) for a in (0, 1))
    stride = tuple(max(f.stride[a] for f in fields) for a in (0, 1))
    return Field((end[0] - start[0], end[1] - start[1]), stride, start)


def _slide(field: Field, kernel, stride, padding, dilation) -> Field:
    """The field after a sliding window: (kernel - 1) * dilation cells of the map below larger."""
    kernel, stride, padding, dilation = (
        tuple(v) * (2 // len(v)) for v in (kernel, stride, padding, dilation)
    )
    size = tuple(field.size[a] + (kernel[a] - 1) * dilation[a] * field.stride[a] for a in (0, 1))
    start = tuple(field.start[a] - padding[a] * field.stride[a] for a in (0, 1))
    return Field(size, (field.stride[0] * stride[0], field.stride[1] * stride[1]), start)
