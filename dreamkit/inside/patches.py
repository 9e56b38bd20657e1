"""What excites a channel: the patches of a picture collection to which it responds most.

They are the evidence beside which a channel's dream can be judged (Zeiler & Fergus, "Visualizing
and understanding convolutional networks", 2013, figure 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..networks.network import Network
from ..pictures.image import Image
from .arguments import map_layer
from .peaks import PER_PHOTO, Peaks, find_peaks
from .sources import Pictures
from .support import Box, Cell, support

SIDES = (96, 160, 256)  # longest sides of a photo in pixels: a thing in it can be small or large


@dataclass(frozen=True)
class Patch:
    """One patch of a picture, and how strongly the channel responds to it."""

    crop: Image  # what the cell sees, [1, 3, h, w]
    value: float  # the channel's activation
    source: str  # the name of the picture
    box: Box  # where the crop lies in the picture
    size: tuple[int, int]  # (height, width) of the picture when it went through the network
    cell: Cell = field(repr=False)  # of the activation in the map
    whole: Callable[[], Image] = field(repr=False, compare=False)  # returns the picture

    def __repr__(self) -> str:
        top, bottom, left, right = self.box
        size = f"{self.size[0]}×{self.size[1]}"
        place = f"rows {top}–{bottom - 1}, columns {left}–{right - 1}"
        return f"Patch({self.value:.3g} in {self.source!r} at {size}: {place})"


def top_patches(
    network: Network,
    layer: str,
    channel: int,
    pictures: Pictures = None,
    count: int = 9,
    widest: int | None = None,
    sides: Sequence[int] = SIDES,
) -> list[Patch]:
    """The up to `count` patches of a collection that excite a channel most, the strongest first.

    A patch is the part of the picture, without padding, inside the cell's receptive field; where
    that is not known, it is measured: the pixels on which the cell's gradient is not 0. To make
    the patches differ, a photo gives at most two, and of two whose centres are less than half a
    patch apart only the stronger counts. Cells with an activation of 0 or less give no patch. One
    forward pass serves all channels of a layer, and its result is remembered.

    Args:
        layer: a layer with feature maps; KeyError if unknown, ValueError if it has none.
        channel: the channel's index; ValueError if out of range.
        pictures: a folder, what `dk.collection` returns, a sequence of images [1, 3, H, W] (used as
            they are), or by default the sample photos; ValueError for none.
        count: the largest number of patches, at least 1.
        widest: the largest side of a patch in pixels; a larger field is cut around its centre, and
            the patch is moved inside the picture.
        sides: the sizes of each file or sample, as the longest side in pixels.

    >>> import torch
    >>> from dreamkit.networks.network import as_network
    >>> module = torch.nn.Sequential(torch.nn.AvgPool2d(2))  # channel 0 is the amount of red
    >>> network = as_network(module, (0, 0, 0), (1, 1, 1))
    >>> picture = torch.zeros(1, 3, 8, 8)
    >>> picture[0, 0, 4:6, 2:4] = 1
    >>> top_patches(network, "0", 0, [picture])
    [Patch(1 in 'picture 0' at 8×8: rows 4–5, columns 2–3)]
    """
    info = map_layer(network, layer, channel)
    if count < 1 or (widest is not None and widest < 1):
        raise ValueError(f"count and widest must be at least 1; given: {count}, {widest}")
    peaks = find_peaks(network, info, pictures, sides, widest)
    found = []
    for picture, cell, value in _choose(peaks, channel, count):
        source, view = peaks.sources[picture], peaks.views[picture]
        image = source.load()
        measured = None if view.field else support(network, info.name, image, cell)
        top, bottom, left, right = box = view.box(cell, measured)
        crop = image[..., top:bottom, left:right].detach().clone()
        found.append(Patch(crop, value, source.name, box, view.size, cell, source.load))
    return found


def _choose(peaks: Peaks, channel: int, count: int) -> Iterator[tuple[int, Cell, float]]:
    """(picture, cell, value) of a channel's strongest peaks over all pictures.

    There are at most PER_PHOTO for one photo, and none is near a stronger one.
    """
    values = peaks.value[:, :, channel]  # [pictures, K]
    places: dict[str, list[list[tuple[float, float]]]] = {}
    chosen = 0
    for index in values.flatten().argsort(descending=True, stable=True).tolist():
        picture, k = divmod(index, values.shape[1])
        value = float(values[picture, k])
        if chosen == count or value <= 0:
            return
        cell = int(peaks.row[picture, k, channel]), int(peaks.column[picture, k, channel])
        place = peaks.views[picture].place(cell)
        others = places.setdefault(peaks.sources[picture].name, [])
        if len(others) < PER_PHOTO and not any(_near(place, other) for other in others):
            others.append(place)
            chosen += 1
            yield picture, cell, value


def _near(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> bool:
    """Whether the centres are less than half of the larger patch apart, down and across."""
    return all(
        abs(a - b) < max(half_a, half_b)
        for (a, half_a), (b, half_b) in zip(one, other, strict=True)
    )
