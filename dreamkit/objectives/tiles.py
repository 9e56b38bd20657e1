"""Exact tiles: a score of a picture taken in parts, without a seam and with flat memory.

A score that adds up the cells of feature maps can be taken apart: each cell belongs to one tile,
and each tile is cut out with all that its cells see. Cells near a cut would see padding in place of
the picture; they belong to the neighbouring tile. Cuts lie at multiples of the layers' strides, so
that each pooling window lies where it would in the whole picture.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from ..networks.features import capture
from ..networks.layers import layer_info, layer_table
from ..networks.network import Network
from ..networks.trial import LayerInfo
from ..pictures.image import Image
from .tile_check import check_fields

# types of layers whose features take no memory of their own
_IN_PLACE = ("ReLU", "ReLU6", "Identity", "Dropout")
# the tile in pixels when none is asked for: large against most fields, small against memory
_CONVENIENT = 1024


@dataclass(frozen=True)
class Window:
    """Where some cells lie in a whole map of height × width cells: the first at (top, left)."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Part:
    """One tile: the pixels to cut out, and for each layer the cells that belong to it.

    `cells` holds their rows and columns in the map of the cut-out, `windows` where they lie in the
    whole map.
    """

    rows: slice
    columns: slice
    cells: dict[str, tuple[slice, slice]]
    windows: dict[str, Window]


def parts(network: Network, layers: Sequence[str], image: Image, tile: int) -> Iterator[Part]:
    """The tiles that share out the cells of the layers' maps, each at most `tile` pixels a side.

    The side counts the overlaps. Raises ValueError for a layer that sees the whole picture, and for
    a tile that is smaller than what one stride of cells sees.
    """
    infos = fields_of(network, layers)
    axes = [_Axis.of(infos, axis, size, tile) for axis, size in enumerate(image.shape[-2:])]
    check_fields(network, infos.values(), image.shape[-2:])
    sample = image[:1, :, : axes[0].sample, : axes[1].sample].detach()
    maps = capture(network, sample, infos)
    shapes = {  # of the whole maps
        name: [
            maps[name].shape[2 + axis] + (cut.size - cut.sample) // info.field.stride[axis]
            for axis, cut in enumerate(axes)
        ]
        for name, info in infos.items()
    }
    for core in itertools.product(*(itertools.pairwise(axis.edges) for axis in axes)):
        pixels = [axis.pixels(*span) for axis, span in zip(axes, core, strict=True)]
        cells, windows = {}, {}
        for name, info in infos.items():
            owned = [
                _owned(info.field.stride[axis], *core[axis], image.shape[2 + axis], count)
                for axis, count in enumerate(shapes[name])
            ]
            first = [p.start // s for p, s in zip(pixels, info.field.stride, strict=True)]
            cells[name] = tuple(
                slice(start - offset, end - offset)
                for (start, end), offset in zip(owned, first, strict=True)
            )
            windows[name] = Window(owned[0][0], owned[1][0], *shapes[name])
        yield Part(*pixels, cells, windows)


def _owned(stride: int, start: int, end: int, size: int, count: int) -> tuple[int, int]:
    """The first of a map's `count` cells from pixel `start` to `end`, and the first after them."""
    first, until = start // stride, count if end >= size else min(count, end // stride)
    return first, max(first, until)


@dataclass(frozen=True)
class _Axis:
    """How one axis of a picture is cut."""

    size: int
    edges: tuple[int, ...]  # the cuts, and both ends
    before: int  # pixels that the cells of a tile see before its first edge
    after: int
    sample: int  # a small size that every layer rounds as it rounds `size`

    @classmethod
    def of(cls, infos: Mapping[str, LayerInfo], axis: int, size: int, tile: int) -> _Axis:
        fields = [info.field for info in infos.values()]
        grid = math.lcm(*(field.period[axis] for field in fields))  # cuts lie at its multiples
        before = grid * math.ceil(max(-field.start[axis] for field in fields) / grid)
        overhangs = [field.start[axis] + field.size[axis] - field.stride[axis] for field in fields]
        after, seen = max(0, *overhangs), max(field.size[axis] for field in fields)
        if any(field.period[axis] != field.stride[axis] for field in fields):
            after = grid * math.ceil(after / grid)  # maps that went down and up again are joined
        sample = size - grid * max(0, (size - seen) // grid)
        if size <= tile:
            return cls(size, (0, size), before, after, sample)
        most = (tile - before - after) // grid
        if most < 1:
            raise ValueError(
                f"exact tiles for {' and '.join(map(repr, infos))} have at least "
                f"{before + after + grid} pixels a side, since a cell sees {seen}; given: {tile}"
            )
        units = math.ceil(size / grid)
        count = math.ceil(units / most)
        edges = tuple(grid * (units * i // count) for i in range(count + 1))
        return cls(size, edges, before, after, sample)

    def pixels(self, start: int, end: int) -> slice:
        """The pixels to cut out for the cells between two edges."""
        return slice(max(0, start - self.before), min(self.size, end + self.after))


def fields_of(network: Network, layers: Sequence[str]) -> dict[str, LayerInfo]:
    """{layer: its LayerInfo} of layers whose cells see a part of the picture each.

    Raises ValueError for a layer whose cells see all of it, and KeyError for an unknown layer.
    """
    infos = {name: layer_info(network, name) for name in layers if name}
    blind = [name for name, info in infos.items() if info.field is None or not info.is_map]
    if blind or not infos or "" in layers:
        what = f"layer {blind[0]!r}" if blind else "the network's output"
        raise ValueError(
            "exact tiles need feature maps whose cells see a known part of the picture; "
            f"{what} sees all of it, or what it sees is not known (Settings(tile=…) takes random "
            "tiles of anything)"
        )
    return infos


# --- whether a picture fits into memory


def bytes_needed(network: Network, layers: Sequence[str], image: Image) -> int:
    """About how many bytes a gradient of the picture takes.

    It keeps the features of all layers up to the last of `layers` until the way back.
    """
    table = layer_table(network)
    needed = [table.index(layer_info(network, name)) for name in layers if name]
    last = len(table) - 1 if "" in layers else max(needed, default=len(table) - 1)
    parents = {info.name.rpartition(".")[0] for info in table}
    values = 12.0  # for each pixel: the picture, the standardised picture and their gradients
    for info in table[: last + 1]:
        is_map = info.field is not None and info.is_map
        if is_map and info.name not in parents and info.kind not in _IN_PLACE:
            values += info.channels / math.prod(info.field.stride)
    pixels = image.shape[0] * image.shape[-2] * image.shape[-1]
    return int(1.6 * values * pixels * max(image.element_size(), 4))


def bytes_free(device: torch.device) -> int | None:
    """How many bytes are free on the device; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return None
    try:
        with open("/proc/meminfo") as file:
            available = next(line for line in file if line.startswith("MemAvailable"))
        return int(available.split()[1]) * 1024
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError, AttributeError):
        return None


def exceeds_memory(network: Network, layers: Sequence[str], image: Image) -> bool:
    """Whether a gradient of the whole picture would take more than 60 % of the free memory."""
    free = bytes_free(network.device)
    return free is not None and bytes_needed(network, layers, image) > 0.6 * free


def tile_that_fits(network: Network, layers: Sequence[str], image: Image) -> int:
    """The side of the exact tiles to take the picture in; 0 if it fits or tiles would not help."""
    if max(image.shape[-2:]) <= _CONVENIENT or not exceeds_memory(network, layers, image):
        return 0
    try:
        fields = [info.field for info in fields_of(network, layers).values()]
    except ValueError:
        return 0
    overlap = max(field.size[a] + 2 * field.stride[a] for field in fields for a in (0, 1))
    return max(_CONVENIENT, 2 * overlap)
