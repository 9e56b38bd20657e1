"""Exact tiles: a score of any picture from parts of it, so that memory stays flat and no seam appears.

A score that adds up the cells of feature maps can be taken apart: every cell belongs to one tile, and each tile is cut
out with all that its cells see. Cells near a cut would see padding where there is picture; they belong to the neighbour.
Cuts lie at multiples of the layer's stride, so that every pooling window lands where it would in the whole picture.
"""

from __future__ import annotations

import itertools
import math
import os
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from ..networks.features import capture
from ..networks.layers import layer_info, layer_table
from ..networks.network import Network
from ..networks.trial import LayerInfo
from ..pictures.image import Image

_IN_PLACE = (
    "ReLU",
    "ReLU6",
    "Identity",
    "Dropout",
)  # types of layers that hold no features of their own
_CONVENIENT = (
    1024  # the tile taken without being asked: large against most fields, small against memory
)


@dataclass(frozen=True)
class Window:
    """Where some cells of a map lie in the whole map of height × width cells: the first one at (top, left)."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Part:
    """One tile: the pixels to cut out, and for each layer the cells that belong to it (in the cut-out's map) and their Window."""

    rows: slice
    columns: slice
    cells: dict[str, tuple[slice, slice]]
    windows: dict[str, Window]


def parts(network: Network, layers: Sequence[str], image: Image, tile: int) -> Iterator[Part]:
    """The tiles of at most `tile` pixels a side, overlaps counted, that share out the cells of the layers' maps.

    ValueError where that cannot be: for a layer that sees the whole picture, and for a tile that is smaller than what
    one stride of cells sees.
    """
    infos = fields_of(network, layers)
    height, width = image.shape[-2:]
    axes = [_Axis.of(infos, axis, size, tile) for axis, size in enumerate((height, width))]
    _check_fields(network, infos)
    small = [axis.small for axis in axes]
    counted = capture(
        network, image[:1, :, : small[0], : small[1]].detach(), layers
    )  # how many cells: exact, whatever rounds
    whole = {
        info.name: [
            counted[info.name].shape[2 + a] + (size - small[a]) // info.field.stride[a]
            for a, size in enumerate((height, width))
        ]
        for info in infos
    }
    for (top, bottom), (left, right) in itertools.product(*(axis.cores for axis in axes)):
        rows, columns = axes[0].pixels(top, bottom), axes[1].pixels(left, right)
        cells, windows = {}, {}
        for info in infos:
            down = _owned(
                info.field.stride[0], top, bottom, rows.start, whole[info.name][0], bottom >= height
            )
            across = _owned(
                info.field.stride[1],
                left,
                right,
                columns.start,
                whole[info.name][1],
                right >= width,
            )
            cells[info.name] = (down, across)
            windows[info.name] = Window(
                top // info.field.stride[0], left // info.field.stride[1], *whole[info.name]
            )
        yield Part(rows, columns, cells, windows)


def _owned(stride: int, start: int, end: int, origin: int, count: int, last: bool) -> slice:
    """The cells from pixel `start` to `end`, as a slice of the map of a cut-out that begins at pixel `origin`."""
    first, until = start // stride, count if last else min(count, end // stride)
    return slice(first - origin // stride, max(first, until) - origin // stride)


@dataclass(frozen=True)
class _Axis:
    """Along one axis: the picture's size, the cores [start, end) that share it out, and what they need before and after."""

    size: int
    grid: int  # cuts lie at its multiples
    before: int
    after: int
    small: int  # a size with the same rounding as the picture's
    cores: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, infos: Sequence[LayerInfo], axis: int, size: int, tile: int) -> _Axis:
        grid = math.lcm(*(info.field.stride[axis] for info in infos))
        before = grid * math.ceil(max(-info.field.start[axis] for info in infos) / grid)
        after = max(
            0,
            *(
                info.field.start[axis] + info.field.size[axis] - info.field.stride[axis]
                for info in infos
            ),
        )
        seen = max(info.field.size[axis] for info in infos)
        small = size - grid * max(0, (size - seen) // grid)
        if size <= tile:
            return cls(size, grid, before, after, small, ((0, size),))
        most = (tile - before - after) // grid
        if most < 1:
            names = " and ".join(repr(info.name) for info in infos)
            raise ValueError(
                f"exact tiles for {names} have at least {before + after + grid} pixels a side, since a cell sees {seen}; "
                f"given: {tile}"
            )
        units = math.ceil(size / grid)
        count = math.ceil(units / most)
        edges = [grid * (units * i // count) for i in range(count + 1)]
        return cls(size, grid, before, after, small, tuple(itertools.pairwise(edges)))

    def pixels(self, start: int, end: int) -> slice:
        return slice(
            max(0, start - self.before),
            min(self.size, end + self.after) if end < self.size else self.size,
        )


def fields_of(network: Network, layers: Sequence[str]) -> list[LayerInfo]:
    """The LayerInfos of layers whose cells see a part of the picture each; ValueError where one sees all of it."""
    infos = [layer_info(network, name) for name in layers if name]
    blind = next(
        (info.name for info in infos if info.field is None or not info.is_map),
        None if infos and "" not in layers else "",
    )
    if blind is not None:
        what = f"layer {blind!r}" if blind else "the network's output"
        raise ValueError(
            f"exact tiles need feature maps whose cells see a part of the picture; {what} sees all of it "
            "(Settings(tile=…) takes random tiles of anything)"
        )
    return infos


_checked: weakref.WeakKeyDictionary[object, set[str]] = weakref.WeakKeyDictionary()


def _check_fields(network: Network, infos: Sequence[LayerInfo]) -> None:
    """ValueError unless a cell's value is found from its field alone: the trial that catches what the graph does not tell."""
    known = _checked.setdefault(network.module, set())
    for info in (info for info in infos if info.name not in known):
        (high, wide), (down, across) = info.field.size, info.field.stride
        y, x = (
            math.ceil(-start / stride)
            for start, stride in zip(info.field.start, info.field.stride, strict=True)
        )
        generator = torch.Generator().manual_seed(0)
        sides = (high + 2 * (y + 1) * down, wide + 2 * (x + 1) * across)
        picture = torch.rand(1, 3, *sides, generator=generator).to(network.device)
        top, left = down, across  # cut off one stride: another border, the same grid
        with torch.no_grad():
            whole = capture(network, picture, info.name)[info.name][..., y + 1, x + 1]
            part = capture(network, picture[..., top:, left:], info.name)[info.name][..., y, x]
        if not torch.allclose(whole, part, rtol=1e-2, atol=1e-2 * float(whole.abs().max())):
            raise ValueError(
                f"layer {info.name!r} cannot be taken in exact tiles: its cells see more than its windows tell "
                "(Settings(tile=…) takes random tiles of anything)"
            )
        known.add(info.name)


# --- whether a picture fits


def bytes_needed(network: Network, layers: Sequence[str], image: Image) -> int:
    """About how many bytes a gradient of the picture takes: the features of all layers on the way, kept until the way back."""
    table = layer_table(network)
    names = [info.name for info in table]
    last = max((names.index(name) for name in layers if name in names), default=len(table) - 1)
    if "" in layers:
        last = len(table) - 1
    parents = {info.name.rpartition(".")[0] for info in table}
    values = 12.0  # of the picture: itself, standardised, and their gradients
    for info in table[: last + 1]:
        if (
            info.field is not None
            and info.is_map
            and info.name not in parents
            and info.kind not in _IN_PLACE
        ):
            values += info.channels / (info.field.stride[0] * info.field.stride[1])
    return int(
        1.6
        * values
        * image.shape[0]
        * image.shape[-2]
        * image.shape[-1]
        * max(image.element_size(), 4)
    )


def bytes_free(device: torch.device) -> int | None:
    """How many bytes can still be had on the device; None where nobody tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return None
    try:
        with open("/proc/meminfo") as file:
            return next(
                int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable")
            )
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError, AttributeError):
        return None


def exceeds_memory(network: Network, layers: Sequence[str], image: Image) -> bool:
    """Whether a gradient of the picture as a whole would take more than a good half of the memory that is free."""
    free = bytes_free(network.device)
    return free is not None and bytes_needed(network, layers, image) > 0.6 * free


def tile_that_fits(network: Network, layers: Sequence[str], image: Image) -> int:
    """The side of the exact tiles to take the picture in: 0 where it fits as a whole, or where tiles would not help."""
    if max(image.shape[-2:]) <= _CONVENIENT or not exceeds_memory(network, layers, image):
        return 0
    try:
        infos = fields_of(network, layers)
    except ValueError:
        return 0
    overlap = max(info.field.size[a] + 2 * info.field.stride[a] for info in infos for a in (0, 1))
    return max(_CONVENIENT, 2 * overlap)
