"""What excites a channel: the patches of a picture collection to which it answers most.

For a channel, its strongest patches are the evidence beside which what gradient ascent draws for it can be judged
(Zeiler & Fergus, "Visualizing and understanding convolutional networks", 2013, figure 2).
"""

from __future__ import annotations

import os
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.layers import layer_info
from ..networks.network import Network
from ..networks.receptive import Field
from ..pictures.image import FORMATS, Image, check_image, load_image
from ..pictures.samples import sample, samples

SIDES = (
    96,
    160,
    256,
)  # longest sides, in pixels, at which a photo is looked at: a thing can be small or large in it
PER_PHOTO = 2  # patches that one photo may give, so that they differ
_BATCH = 8  # pictures of one size that go through the network together
_REMEMBERED = 8  # layers and collections whose peaks are kept for a network

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Patch:
    """One patch: what it looks like, how strongly the channel answers, and where it lies.

    `crop` [1, 3, h, w] is what the cell sees of its picture; `box` (top, bottom, left, right; bottom and right not
    included) is where that lies, in pixels of the picture at the size `size` (height, width) at which it was looked at.
    `cell` (row, column) is the cell in the map of that picture, and `whole()` gives the picture again.
    """

    crop: Image
    value: float
    source: str
    box: Box
    size: tuple[int, int]
    cell: tuple[int, int] = field(repr=False)
    whole: Callable[[], Image] = field(repr=False, compare=False)

    def __repr__(self) -> str:
        top, bottom, left, right = self.box
        place = f"rows {top}–{bottom - 1}, columns {left}–{right - 1}"
        return (
            f"Patch({self.value:.3g} in {self.source!r} at {self.size[0]}×{self.size[1]}: {place})"
        )


def top_patches(
    network: Network,
    layer: str,
    channel: int,
    pictures: str | os.PathLike[str] | Sequence[Image] | None = None,
    count: int = 9,
    widest: int | None = None,
    sides: Sequence[int] = SIDES,
) -> list[Patch]:
    """The up to `count` patches of a collection that excite a channel most, the strongest first.

    `pictures`: a folder of pictures, a sequence of images [1, 3, H, W] (looked at as they are), or by default the sample photos;
    files and samples are looked at with each of `sides` as their longest side in pixels. A patch is the part of the picture inside
    the cell's receptive field (the network's padding beyond the border is not shown), or a window of at most `widest` pixels
    around the field's centre, moved back inside the picture where it would leave it. To make the patches differ, a photo gives two
    at most, and of two whose centres lie within half a patch of each other only the stronger counts; cells that answer with 0 or
    less give none. One pass through the network serves all channels of a layer, and is remembered. KeyError for an unknown layer,
    ValueError for a channel or collection that is not there.

    >>> from dreamkit.networks.network import as_network
    >>> network = as_network(
    ...     torch.nn.Sequential(torch.nn.AvgPool2d(2)), (0, 0, 0), (1, 1, 1)
    ... )  # channel 0: how red is it?
    >>> picture = torch.zeros(1, 3, 8, 8)
    >>> picture[0, 0, 4:6, 2:4] = 1
    >>> top_patches(network, "0", 0, [picture])
    [Patch(1 in 'picture 0' at 8×8: rows 4–5, columns 2–3)]
    """
    info = layer_info(network, layer) if layer else None
    if info is None or not info.is_map:
        what = f"layer {layer!r} gives" if layer else "the network itself gives"
        raise ValueError(f"top_patches looks at a layer inside the network; {what} no feature maps")
    if (
        isinstance(channel, bool)
        or not isinstance(channel, int)
        or not 0 <= channel < info.channels
    ):
        raise ValueError(
            f"channel {channel!r} is out of range: {layer!r} has {info.channels}, from 0 to {info.channels - 1}"
        )
    if count < 1 or (widest is not None and widest < 1):
        raise ValueError(f"count and widest are at least 1; given: {count}, {widest}")
    collection = _collection(pictures, tuple(sides))
    peaks = _remembered_peaks(network, layer, info.field, collection, widest)
    return [_cut(peak, collection, widest) for peak in _choose(peaks, collection, channel, count)]


@dataclass(frozen=True)
class _Source:
    """A picture that can be loaded when it is needed; those of one photo share its name."""

    name: str
    load: Callable[[], Image]


@dataclass(frozen=True)
class _Collection:
    """Pictures, and a key that is the same for the same pictures (`kept` keeps alive the tensors whose ids are in the key)."""

    key: tuple
    sources: tuple[_Source, ...]
    kept: object = None


@dataclass(frozen=True)
class _Peaks:
    """The strongest cells of every channel in every picture: value, row and column, [pictures, K, C] each; and what a cell sees."""

    value: Tensor
    row: Tensor
    column: Tensor
    boxes: tuple[
        Callable[[int, int], tuple[float, float, float, float]], ...
    ]  # of each picture, not cut at its borders
    sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Peak:
    picture: int
    value: float
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    cell: tuple[int, int]


def _collection(pictures: object, sides: tuple[int, ...]) -> _Collection:
    if pictures is None:
        sources = [
            _Source(name, partial(_sample, name, side)) for name in samples() for side in sides
        ]
        return _Collection(("samples", sides), tuple(sources))
    if isinstance(pictures, (str, os.PathLike)):
        folder = Path(pictures)
        if not folder.is_dir():
            raise ValueError(
                f"pictures must be a folder, a sequence of images, or None; {str(folder)!r} is no folder"
            )
        files = sorted(
            path for path in folder.iterdir() if path.suffix.lower() in FORMATS and path.is_file()
        )
        if not files:
            raise ValueError(f"no pictures ({', '.join(FORMATS)}) in the folder {str(folder)!r}")
        stamps = tuple((str(path.resolve()), path.stat().st_mtime_ns) for path in files)
        return _Collection(
            (stamps, sides),
            tuple(
                _Source(path.name, partial(load_image, path, side))
                for path in files
                for side in sides
            ),
        )
    images = list(pictures)
    if not images:
        raise ValueError("the collection of pictures is empty")
    for image in images:
        check_image(image)
        if len(image) != 1:
            raise ValueError(
                f"each picture of the collection has the shape [1, 3, H, W]; given: {list(image.shape)}"
            )
    key = tuple((id(image), image._version) for image in images)
    return _Collection(
        key,
        tuple(_Source(f"picture {i}", partial(_same, image)) for i, image in enumerate(images)),
        images,
    )


@lru_cache(maxsize=64)
def _sample(name: str, side: int) -> Image:
    return sample(name, side)


def _same(image: Image) -> Image:
    return image


_memory: weakref.WeakKeyDictionary[
    torch.nn.Module, OrderedDict[tuple, tuple[_Collection, _Peaks]]
] = weakref.WeakKeyDictionary()


def _remembered_peaks(
    network: Network, layer: str, field: Field | None, collection: _Collection, widest: int | None
) -> _Peaks:
    memory = _memory.setdefault(network.module, OrderedDict())
    key = (layer, network.mean, network.std, network.precision, widest, collection.key)
    if key not in memory:
        memory[key] = (collection, _find_peaks(network, layer, field, collection, widest))
    memory.move_to_end(key)
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
    return memory[key][1]


def _find_peaks(
    network: Network, layer: str, field: Field | None, collection: _Collection, widest: int | None
) -> _Peaks:
    """One forward pass a picture (pictures of one size that follow each other go together): the peaks of all channels."""
    found, boxes, sizes = [], [], []
    for batch in _batches(collection):
        with torch.no_grad():
            features = capture(network, batch, layer)[layer].float().cpu()
        size = tuple(batch.shape[-2:])
        box = partial(_box, field, size, tuple(features.shape[-2:]), widest)
        reach = _reach(box)
        found += [_strongest(maps, reach) for maps in features]
        boxes += [box] * len(batch)
        sizes += [size] * len(batch)
    value, row, column = (torch.stack(part) for part in zip(*found, strict=True))
    return _Peaks(value, row, column, tuple(boxes), tuple(sizes))


def _batches(collection: _Collection) -> Iterator[Image]:
    for _, group in groupby(
        (source.load() for source in collection.sources),
        key=lambda image: (image.shape, image.dtype),
    ):
        waiting = []
        for image in group:
            waiting.append(image)
            if len(waiting) == _BATCH:
                yield torch.cat(waiting)
                waiting = []
        if waiting:
            yield torch.cat(waiting)


def _box(
    field: Field | None,
    size: tuple[int, int],
    cells: tuple[int, int],
    widest: int | None,
    row: int,
    column: int,
):
    """(top, bottom, left, right) of what a cell sees, in pixels, reaching beyond the picture where the field does."""
    if field is None:  # the cell sees everything; `widest` keeps what lies around it
        middle = [(i + 0.5) * n / c for i, n, c in zip((row, column), size, cells, strict=True)]
        top, bottom, left, right = (0, size[0], 0, size[1])
    else:
        top, bottom, left, right = field.box(row, column)
        middle = [(top + bottom) / 2, (left + right) / 2]
    if widest is not None and bottom - top > widest:
        top = round(middle[0] - widest / 2)
        bottom = top + widest
    if widest is not None and right - left > widest:
        left = round(middle[1] - widest / 2)
        right = left + widest
    return top, bottom, left, right


def _reach(box: Callable) -> tuple[float, float]:
    """Half a patch, in cells (down, across): infinite where all cells see the same."""
    first, next_ = box(0, 0), box(1, 1)
    steps = [next_[0] - first[0], next_[2] - first[2]]
    extents = [first[1] - first[0], first[3] - first[2]]
    return tuple(
        extent / 2 / step if step > 0 else float("inf")
        for extent, step in zip(extents, steps, strict=True)
    )


def _strongest(
    maps: Tensor, reach: tuple[float, float], count: int = 2 * PER_PHOTO
) -> tuple[Tensor, Tensor, Tensor]:
    """Value, row and column [count, C] of the strongest cells of each map [C, h, w], none within `reach` cells of a stronger one."""
    left, (height, width) = maps.clone(), maps.shape[1:]
    rows, columns, found = torch.arange(height), torch.arange(width), []
    for _ in range(count):
        value, cell = left.flatten(1).max(1)
        row, column = cell // width, cell % width
        near = ((rows - row[:, None]).abs() < reach[0])[:, :, None] & (
            (columns - column[:, None]).abs() < reach[1]
        )[:, None, :]
        left.masked_fill_(near, -torch.inf)
        found.append((value, row, column))
    return tuple(torch.stack(part) for part in zip(*found, strict=True))


def _choose(peaks: _Peaks, collection: _Collection, channel: int, count: int) -> list[_Peak]:
    """The strongest peaks of a channel over all pictures, at most PER_PHOTO from a photo, none beside a stronger one."""
    values = peaks.value[:, :, channel]  # [pictures, K]
    chosen: list[_Peak] = []
    taken: dict[str, list[_Peak]] = {}
    for index in values.flatten().argsort(descending=True, stable=True).tolist():
        picture, k = divmod(index, values.shape[1])
        value = float(values[picture, k])
        if len(chosen) == count or value <= 0:
            break
        cell = int(peaks.row[picture, k, channel]), int(peaks.column[picture, k, channel])
        peak = _Peak(picture, value, peaks.boxes[picture](*cell), peaks.sizes[picture], cell)
        others = taken.setdefault(collection.sources[picture].name, [])
        if len(others) < PER_PHOTO and not any(_same_place(peak, other) for other in others):
            others.append(peak)
            chosen.append(peak)
    return chosen


def _same_place(one: _Peak, other: _Peak) -> bool:
    """Do the centres lie within half a patch (the larger, at the photo's scale) of each other?"""
    for axis in (0, 1):
        (a, half_a), (b, half_b) = (
            (
                (p.box[2 * axis] + p.box[2 * axis + 1]) / 2 / p.size[axis],
                (p.box[2 * axis + 1] - p.box[2 * axis]) / 2 / p.size[axis],
            )
            for p in (one, other)
        )
        if abs(a - b) >= max(half_a, half_b):
            return False
    return True


def _cut(peak: _Peak, collection: _Collection, widest: int | None) -> Patch:
    source, box = collection.sources[peak.picture], []
    for axis, length in enumerate(peak.size):
        start, end = peak.box[2 * axis : 2 * axis + 2]
        if (
            widest is not None and end - start == widest < length
        ):  # a window of our choosing: moved back inside, whole
            start = min(max(0, start), length - widest)
            end = start + widest
        box += [max(0, start), min(length, end)]
    top, bottom, left, right = box
    crop = source.load()[..., top:bottom, left:right].detach().clone()
    return Patch(
        crop, peak.value, source.name, (top, bottom, left, right), peak.size, peak.cell, source.load
    )
