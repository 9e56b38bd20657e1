"""Peaks: the strongest cells of every channel of a layer over a collection of pictures.

One forward pass serves all channels of a layer, and its result is remembered.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.network import Network
from ..networks.receptive import Field
from ..networks.trial import LayerInfo
from ..pictures.image import Image
from .sources import Pictures, Source, sources_of
from .support import Box, Cell, support

PER_PHOTO = 2  # patches that one photo may give, so that patches differ
_BATCH = 8  # pictures of one size in one forward pass
_REMEMBERED = 8  # pairs of layer and collection whose peaks are kept for a network


@dataclass(frozen=True)
class View:
    """What the cells of a map of `cells` (rows, columns) see of a picture of `size` pixels.

    A cell sees its receptive `field`, and of this at most `widest` pixels around the centre. If the
    field is not known, it sees about as many pixels around its place as `extent`, which is measured
    for the middle cell.
    """

    size: tuple[int, int]
    cells: Cell
    field: Field | None
    widest: int | None
    extent: tuple[int, int]

    def _seen(self, axis: int, index: int) -> tuple[int, int]:
        """First row (or column) that a cell sees and the one after the last, maybe outside."""
        if self.field is None:
            centre = (index + 0.5) * self.size[axis] / self.cells[axis]
            start, end = 0, self.size[axis]
            if self.extent[axis] < end:
                start = round(centre - self.extent[axis] / 2)
                end = start + self.extent[axis]
        else:
            start = self.field.start[axis] + index * self.field.stride[axis]
            end = start + self.field.size[axis]
            centre = (start + end) / 2
        if self.widest is not None and end - start > self.widest:
            start = round(centre - self.widest / 2)
            end = start + self.widest
        return start, end

    def reach(self, axis: int) -> float:
        """Half of what a cell sees, in cells; infinite if all cells see the same."""
        start, end = self._seen(axis, 0)
        step = self._seen(axis, 1)[0] - start
        return (end - start) / 2 / step if step > 0 else math.inf

    def place(self, cell: Cell) -> list[tuple[float, float]]:
        """Centre and half length, down and across, of what a cell sees, in picture lengths."""
        place = []
        for axis, length in enumerate(self.size):
            start, end = self._seen(axis, cell[axis])
            place.append(((start + end) / 2 / length, (end - start) / 2 / length))
        return place

    def box(self, cell: Cell, seen: Box | None = None) -> Box:
        """The part of the picture that a cell sees; a window of `widest` pixels moves inside.

        `seen` is what was measured of this cell, if the field is not known.
        """
        box = []
        for axis, length in enumerate(self.size):
            start, end = self._seen(axis, cell[axis])
            if seen is not None and seen[2 * axis + 1] - seen[2 * axis] < length:
                start, end = seen[2 * axis : 2 * axis + 2]
                if self.widest is not None and end - start > self.widest:
                    start = round((start + end - self.widest) / 2)
                    end = start + self.widest
            if self.widest is not None and end - start == self.widest < length:
                start = min(max(0, start), length - self.widest)
                end = start + self.widest
            box += [max(0, start), min(length, end)]
        return tuple(box)


@dataclass(frozen=True)
class Peaks:
    """The K strongest cells of every channel in each of P pictures."""

    value: Tensor  # [P, K, C]
    row: Tensor  # [P, K, C]
    column: Tensor  # [P, K, C]
    sources: tuple[Source, ...]
    views: tuple[View, ...]


_memory: weakref.WeakKeyDictionary[torch.nn.Module, dict[Hashable, Peaks]] = (
    weakref.WeakKeyDictionary()
)


def find_peaks(
    network: Network, info: LayerInfo, pictures: Pictures, sides: Sequence[int], widest: int | None
) -> Peaks:
    """The peaks of a layer over a collection (see `sources_of`), remembered once found."""
    collection, sources = sources_of(pictures, tuple(sides))
    key = (info.name, network.mean, network.std, network.precision, widest, collection)
    memory = _memory.setdefault(network.module, {})
    peaks = memory.pop(key, None) or _search(network, info, sources, widest)
    memory[key] = peaks  # the most recent is the last
    if len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
    return peaks


def _search(
    network: Network, info: LayerInfo, sources: tuple[Source, ...], widest: int | None
) -> Peaks:
    found, views, extents = [], [], {}
    for batch in _batches(sources):
        with torch.no_grad():
            features = capture(network, batch, info.name)[info.name].float().cpu()
        size, cells = tuple(batch.shape[-2:]), tuple(features.shape[-2:])
        if info.field is None and size not in extents:
            box = support(network, info.name, batch[:1], (cells[0] // 2, cells[1] // 2))
            extents[size] = box[1] - box[0], box[3] - box[2]
        view = View(size, cells, info.field, widest, extents.get(size, size))
        found += [_strongest(maps, view) for maps in features]
        views += [view] * len(batch)
    value, row, column = (torch.stack(part) for part in zip(*found, strict=True))
    return Peaks(value, row, column, sources, tuple(views))


def _batches(sources: tuple[Source, ...]) -> Iterator[Image]:
    """The pictures in order; neighbours of the same size go together."""
    pictures = (source.load() for source in sources)
    for _, group in groupby(pictures, key=lambda image: (image.shape, image.dtype)):
        while batch := list(islice(group, _BATCH)):
            yield torch.cat(batch)


def _strongest(maps: Tensor, view: View) -> tuple[Tensor, ...]:
    """Value, row and column [K, C] of the strongest cells of the maps [C, h, w].

    No cell is within half a patch of a stronger one.
    """
    left, (height, width) = maps.clone(), maps.shape[1:]
    rows, columns, found = torch.arange(height), torch.arange(width), []
    for _ in range(2 * PER_PHOTO):
        value, cell = left.flatten(1).max(1)
        row, column = cell // width, cell % width
        near_rows = (rows - row[:, None]).abs() < view.reach(0)  # [C, h]
        near_columns = (columns - column[:, None]).abs() < view.reach(1)  # [C, w]
        left.masked_fill_(near_rows[:, :, None] & near_columns[:, None, :], -torch.inf)
        found.append((value, row, column))
    return tuple(torch.stack(part) for part in zip(*found, strict=True))
