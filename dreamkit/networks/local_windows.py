"""What a cell sees after operations that slide a window over cells or spread them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

CONSTANT = "constant"  # what does not depend on the picture


@dataclass(frozen=True)
class Cells:
    """Where the cells of a map lie in a tensor, and which pixels each of them sees.

    axes: of rows and columns, counted from the end; one axis if rows follow each other in it.
    grid: how many rows and columns.
    extra: in one axis, how many places come before the cells: class tokens.
    size, stride, start, period: as of a Field, but in fractions: a map can be finer than a picture.
    """

    axes: tuple[int, ...]
    grid: tuple[int, int]
    size: tuple[Fraction, Fraction]
    stride: tuple[Fraction, Fraction]
    start: tuple[Fraction, Fraction]
    period: tuple[int, int]
    extra: int = 0

    @classmethod
    def of_pixels(cls, grid: tuple[int, int]) -> Cells:
        one, zero = (Fraction(1),) * 2, (Fraction(0),) * 2
        return cls((-2, -1), grid, one, one, zero, (1, 1))

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether a tensor of that shape has the cells at the axes."""
        grid = self.grid if len(self.axes) == 2 else (self.extra + math.prod(self.grid),)
        return len(shape) >= -min(self.axes) and grid == tuple(shape[a] for a in self.axes)


def union(known: list[Cells]) -> Cells | None:
    """What a cell sees that joins several: from the smallest start to the largest end."""
    first = known[0]
    if any(_place(c) != _place(first) for c in known):
        return None
    start = tuple(min(c.start[a] for c in known) for a in (0, 1))
    end = tuple(max(c.start[a] + c.size[a] for c in known) for a in (0, 1))
    period = tuple(math.lcm(*(c.period[a] for c in known)) for a in (0, 1))
    return replace(first, start=start, size=(end[0] - start[0], end[1] - start[1]), period=period)


def _place(cells: Cells) -> tuple:
    return cells.axes, cells.grid, cells.extra, cells.stride


def _windows(
    cells: Cells | None, shape: tuple, kernel, stride, padding, dilation=(1, 1)
) -> Cells | None:
    """After a sliding window: (kernel - 1) * dilation cells of the map below larger."""
    if cells is None or cells.axes != (-2, -1):
        return None
    kernel, stride, padding, dilation = (
        tuple(v) * (2 if len(v) == 1 else 1) for v in (kernel, stride, padding, dilation)
    )
    k, s, p, d = (v[-2:] for v in (kernel, stride, padding, dilation))  # a third is of channels
    size = tuple(cells.size[a] + (k[a] - 1) * d[a] * cells.stride[a] for a in (0, 1))
    start = tuple(cells.start[a] - p[a] * cells.stride[a] for a in (0, 1))
    steps = tuple(cells.stride[a] * s[a] for a in (0, 1))
    return moved(cells, shape, size, steps, start)


def signed(value: int) -> int:
    """A number that torch gives back without its sign."""
    return value - 2**64 if value >= 2**63 else value


def moved(cells: Cells, shape: tuple, size, stride, start) -> Cells:
    """The cells of a map of another grid, with a period that holds the new stride too."""
    period = tuple(math.lcm(cells.period[a], stride[a].numerator) for a in (0, 1))
    return Cells((-2, -1), tuple(shape[-2:]), size, stride, start, period)


def _spread(
    cells: Cells | None, shape: tuple, factors: Sequence[int], read: Callable[[int, int], list[int]]
) -> Cells | None:
    """After a layer that makes `factors` cells of each: transposed, interpolating, shuffling.

    read(axis, i): the indices of the cells below that cell i of the first `factors` cells reads.
    """
    if cells is None or cells.axes != (-2, -1):
        return None
    size, stride, start = [], [], []
    for axis, factor in enumerate(factors):
        below, step = cells.stride[axis], cells.stride[axis] / factor
        seen = [j * below - i * step for i in range(factor) for j in read(axis, i)]
        start.append(cells.start[axis] + min(seen))
        size.append(max(seen) - min(seen) + cells.size[axis])
        stride.append(step)
    return moved(cells, shape, tuple(size), tuple(stride), tuple(start))


def convolution(node: object, sources: list, shape: tuple) -> Cells | None:
    """After a convolution, transposed or not, whose weights do not depend on the picture."""
    kernel = tuple(node._saved_weight.shape[2:])
    if len(kernel) != 2 or any(source is not CONSTANT for source in sources[1:]):
        return None
    stride, padding, dilation = (
        tuple(v) * (2 // len(v))
        for v in (node._saved_stride, node._saved_padding, node._saved_dilation)
    )
    if not node._saved_transposed:
        return _windows(sources[0], shape, kernel, stride, padding, dilation)

    def read(axis: int, i: int) -> list[int]:
        places = (i + padding[axis] - k * dilation[axis] for k in range(kernel[axis]))
        return [place // stride[axis] for place in places if place % stride[axis] == 0]

    return _spread(sources[0], shape, stride, read)


def pool(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    """After a pool with a fixed window."""
    kernel = node._saved_kernel_size
    dilation = getattr(node, "_saved_dilation", (1, 1))
    return _windows(
        cells, shape, kernel, node._saved_stride or kernel, node._saved_padding, dilation
    )


def interpolation(before: int, behind: int) -> Callable:
    """The rule of an interpolation by a whole factor.

    `before` and `behind` count the cells that it reads on both sides of a place between two cells.
    An interpolation to a size has another factor for another picture: nothing is known.
    """

    def rule(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
        factors = [node._saved_scales_h, node._saved_scales_w]
        corners = getattr(node, "_saved_align_corners", False)
        if corners or any(not f or f < 1 or f != int(f) for f in factors):
            return None
        factors = [int(f) for f in factors]

        def read(axis: int, i: int) -> list[int]:
            if not behind:  # the nearest
                return [i // factors[axis]]
            place = Fraction(2 * i + 1 - factors[axis], 2 * factors[axis])
            low = math.floor(place)
            # Just between two cells, rounding may choose either side.
            return [low - before + (low != place), low + behind]

        return _spread(cells, shape, factors, read)

    return rule


def shuffle(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    """After PixelShuffle: channels become rows and columns."""
    return _spread(cells, shape, (node._saved_upscale_factor,) * 2, lambda axis, i: [0])


def unshuffle(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    """After PixelUnshuffle: rows and columns become channels."""
    factor = (node._saved_downscale_factor,) * 2
    return _windows(cells, shape, factor, factor, (0, 0))


def pad(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    """After padding with a constant."""
    left, right, top, bottom = (signed(v) for v in (*node._saved_pad, 0, 0)[:4])
    if cells is not None and cells.axes == (-2,) and top >= 0 and bottom == 0:  # of tokens
        return replace(cells, extra=cells.extra + top)
    if cells is None or cells.axes != (-2, -1) or min(left, right, top, bottom) < 0:
        return None  # a negative padding cuts cells off
    start = (cells.start[0] - top * cells.stride[0], cells.start[1] - left * cells.stride[1])
    return replace(cells, start=start, grid=tuple(shape[-2:]))
