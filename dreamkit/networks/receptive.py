"""Receptive fields: which pixels of the picture a cell of a feature map can see.

Found by walking PyTorch's own record of the forward pass (the autograd graph) from the features back to the picture,
so that branches, residuals and shared modules are all counted (the arithmetic: Araujo et al., Distill, 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Field:
    """Cell (y, x) of a map sees the rows from top + y * stride on, `size` of them, and likewise the columns; in pixels.

    Rows or columns outside the picture are the network's padding.
    """

    size: tuple[int, int]  # (height, width)
    stride: tuple[int, int]  # (down, across)
    start: tuple[int, int]  # (top, left) of the field of cell (0, 0); negative inside the padding

    def box(self, y: int, x: int) -> tuple[int, int, int, int]:
        """(top, bottom, left, right) of what cell (y, x) sees, bottom and right not included."""
        top, left = self.start[0] + y * self.stride[0], self.start[1] + x * self.stride[1]
        return top, top + self.size[0], left, left + self.size[1]


def field_of(features: Tensor, memory: dict[object, Field | None]) -> Field | None:
    """The field of features computed from a picture that requires a gradient; None where they see all of it or none.

    `memory` holds the fields of the graph's nodes found so far, so that many layers of one pass share the work.
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


_EVERYTHING = ("adaptive", "mean", "bmm", "attention", "groupnorm", "fft")


def _by_cells(node: object) -> bool:
    """Whether a matrix product is a linear layer on each of many cells (of maps with channels last), not on one row of all of them."""
    sizes = getattr(node, "_saved_mat1_sym_sizes", None) or getattr(
        node, "_saved_self_sym_sizes", (1,)
    )
    return sizes[0] > 1


def _through(node: object, fields: list[Field | None]) -> Field | None:
    kind = type(node).__name__
    if kind == "AccumulateGrad":  # the picture itself
        return Field((1, 1), (1, 1), (0, 0))
    if (
        None in fields
        or not fields
        or any(word in kind.lower() for word in _EVERYTHING)
        or ("mm" in kind.lower() and not _by_cells(node))
    ):
        return None  # every cell sees everything
    field = _union(fields)
    if "Convolution" in kind:
        kernel = node._saved_weight.shape[2:]
        return (
            _slide(field, kernel, node._saved_stride, node._saved_padding, node._saved_dilation)
            if len(kernel) == 2
            else None
        )
    if "MaxPool2D" in kind or "AvgPool2D" in kind:
        dilation = node._saved_dilation if "Max" in kind else (1, 1)
        return _slide(
            field,
            node._saved_kernel_size,
            node._saved_stride or node._saved_kernel_size,
            node._saved_padding,
            dilation,
        )
    return field  # ReLU, sums, joins, BatchNorm in evaluation: cell by cell


def _union(fields: list[Field]) -> Field:
    """The field of a cell that joins several: from the least start to the greatest end."""
    start = tuple(min(f.start[a] for f in fields) for a in (0, 1))
    end = tuple(max(f.start[a] + f.size[a] for f in fields) for a in (0, 1))
    stride = tuple(max(f.stride[a] for f in fields) for a in (0, 1))
    return Field((end[0] - start[0], end[1] - start[1]), stride, start)


def _slide(field: Field, kernel, stride, padding, dilation) -> Field:
    """The field after a window slides over the map: it grows by (kernel - 1) * dilation cells of the map below."""
    pairs = [tuple(v) * (2 // len(v)) for v in (kernel, stride, padding, dilation)]
    kernel, stride, padding, dilation = pairs
    size = tuple(field.size[a] + (kernel[a] - 1) * dilation[a] * field.stride[a] for a in (0, 1))
    start = tuple(field.start[a] - padding[a] * field.stride[a] for a in (0, 1))
    return Field(size, (field.stride[0] * stride[0], field.stride[1] * stride[1]), start)
