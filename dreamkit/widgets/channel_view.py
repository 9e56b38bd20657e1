"""One channel of a layer for one photo: its map over the photo and alone, numbers in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.layers import layer_info, layer_table
from ..networks.network import Network
from ..pictures.image import Image
from ..show import heat, overlay

LEAST_FRAME = 14  # side in pixels of the frame around the maximum, at least


@dataclass(frozen=True)
class View:
    """One channel of one layer for one photo; both pictures have the photo's size [1, 3, H, W]."""

    over: Image  # the map over the photo, its maximum marked
    alone: Image  # the map as a heat map
    text: str


def view(network: Network, image: Image, layer: str, channel: int) -> View:
    """The View of one channel of a layer for a picture [1, 3, H, W].

    Raises KeyError for an unknown layer, ValueError for a layer without maps or a channel that does
    not exist.
    """
    map_channels(network, [layer])
    return view_of(image, layer, channel, features_of(network, image, [layer])[layer])


def map_channels(network: Network, layers: Sequence[str]) -> dict[str, int]:
    """{layer: number of its channels}. Raises ValueError for no layers, or one without maps."""
    if not layers:
        raise ValueError("the panel needs at least one layer; given: none")
    found = {layer: layer_info(network, layer) for layer in layers}
    for layer, info in found.items():
        if not info.is_map:
            maps = ", ".join(info.name for info in layer_table(network) if info.is_map)
            raise ValueError(
                f"layer {layer!r} has no feature maps to show; layers with maps: {maps[:300]}"
            )
    return {layer: info.channels for layer, info in found.items()}


def features_of(network: Network, image: Image, layers: Sequence[str]) -> dict[str, Tensor]:
    """{layer: features [C, h, w]} of one picture, float32 and on the CPU, where they are drawn."""
    with torch.no_grad():
        found: Mapping[str, Tensor] = capture(network, image, layers)
    return {name: values[0].float().cpu() for name, values in found.items()}


def view_of(image: Image, layer: str, channel: int, features: Tensor) -> View:
    """The View of one channel, from the features [C, h, w] of its layer."""
    count = len(features)
    if not 0 <= channel < count:
        raise ValueError(
            f"channel {channel} is out of range: layer {layer!r} has {count}, from 0 to {count - 1}"
        )
    values = features[channel]  # [h, w]
    over = overlay(image, values)
    alone = heat(values, tuple(image.shape[-2:]), low=min(0.0, float(values.min())))
    text = _words(image, layer, channel, features)
    return View(_marked(over, values) if values.any() else over, alone, text)


def liveliest(features: Tensor) -> int:
    """The channel whose map varies most from cell to cell."""
    return int(features.flatten(1).std(1, correction=0).argmax())


def _words(image: Image, layer: str, channel: int, features: Tensor) -> str:
    """The size of the map, its zeros, its maximum and where that is, and the strongest channels."""
    values, (height, width) = features[channel], image.shape[-2:]
    rows, columns = values.shape
    first = f"{layer}, channel {channel} of {len(features)}: "
    first += f"a map of {rows} × {columns} cells for {height} × {width} pixels"
    strongest = features.flatten(1).mean(1).topk(min(5, len(features))).indices.tolist()
    last = f"strongest channels here: {', '.join(map(str, strongest))}"
    if not values.any():
        return f"{first}\nall zero: this channel is silent for this picture\n{last}"
    y, x = _peak(values)
    down, across = ("top", "middle", "bottom")[3 * y // rows], 3 * x // columns
    place = f"{down} {('left', 'centre', 'right')[across]}, marked"
    zeros = float((values == 0).float().mean())
    numbers = f"zeros: {zeros:.0%}; maximum: {values.max():.3g}, at row {y}, column {x} of the map "
    return f"{first}\n{numbers}({place}); mean: {values.mean():.3g}\n{last}"


def _marked(picture: Image, values: Tensor) -> Image:
    """The picture with a white frame around the map's largest cell."""
    edges = []
    for size, cells, place in zip(picture.shape[-2:], values.shape, _peak(values), strict=True):
        cell = size / cells  # pixels
        middle, half = (place + 0.5) * cell, max(cell, LEAST_FRAME) / 2
        edges += [round(min(max(middle + side * half, 0), size - 1)) for side in (-1, 1)]
    top, bottom, left, right = edges
    marked = picture.clone()
    for edge in (slice(top, top + 2), slice(max(bottom - 1, 0), bottom + 1)):
        marked[..., edge, left : right + 1] = 1.0
    for edge in (slice(left, left + 2), slice(max(right - 1, 0), right + 1)):
        marked[..., top : bottom + 1, edge] = 1.0
    return marked


def _peak(values: Tensor) -> tuple[int, int]:
    """The row and column of the largest value."""
    return divmod(int(values.argmax()), values.shape[1])
