"""The looking panel: choose a place of a photo, and see what a layer sees there."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch

from ..inside import growing_vector
from ..inside.neuron_group import one_map
from ..networks.layers import layer_info
from ..networks.network import Network, isolated
from ..networks.suggestions import suggested_layers
from ..pictures.image import Image
from .channel_view import map_channels
from .panel import Panel
from .parts import choice, html_part, number, picture_html, row, side_by_side, text_html

WIDTH, DRAWN_WIDTH = 380, 240  # of the photo and of the picture on the page, in CSS pixels
_KEPT = 64  # pictures
_STEP = 4  # pixels of a move of the place


@dataclass(frozen=True)
class Looked:
    """A photo with a square around the place, what the layer sees there, and words."""

    photo: Image
    seen: Image
    text: str


def look(network: Network, image: Image, layers: Sequence[str] | None = None) -> Look:
    """A panel with sliders for a place of a photo and a layer: what the layer sees there, drawn.

    It shows the picture of the direction of the layer's features at the place (see
    `dk.inside.vector_pictures`): a small one after a moment, then one of full size.

    Args:
        network: the network to look into.
        image: the photo [1, 3, H, W].
        layers: those on the slider, `dk.suggested_layers(network)` by default. Where a layer has no
            activation the pictures are clearer.

    Without widgets: `dk.widgets.looked`. Raises KeyError for an unknown layer, ValueError for a
    layer without maps.
    """
    return Look(network, image, layers)


def looking(network: Network, image: Image, layer: str, y: int, x: int) -> Generator[Looked | None]:
    """Yields a Looked with the small picture, then with the large one, and None between steps.

    y, x: row and column of the place, in pixels of the photo [1, 3, H, W].
    """
    features = one_map(network, image, layer)  # [C, h, w]
    height, width = image.shape[-2:]
    down = min(int(y * features.shape[1] / height), features.shape[1] - 1)
    across = min(int(x * features.shape[2] / width), features.shape[2] - 1)
    vector = features[:, down, across]
    strongest = ", ".join(map(str, vector.abs().topk(min(5, len(vector))).indices.tolist()))
    text = f"{layer} at row {y}, column {x}. Strongest channels: {strongest}"
    marked = _marked(image, y, x, _sees(network, layer))
    if not vector.any():
        yield Looked(marked, torch.full_like(image, 0.5), f"{text}. It is silent there")
        return
    for small in (True, False):
        seen = None
        for picture in growing_vector(network, layer, vector, small):
            seen = picture
            yield None
        yield Looked(marked, seen, text)


def looked(network: Network, image: Image, layer: str, y: int, x: int) -> Looked:
    """The photo with its place marked, and what the layer sees there, at full size."""
    *_, last = (update for update in looking(network, image, layer, y, x) if update)
    return last


class Look(Panel):
    """The panel of `look`: sliders `layer`, `down`, `across`; words: `text`."""

    def __init__(self, network: Network, image: Image, layers: Sequence[str] | None) -> None:
        names = tuple(layers) if layers is not None else suggested_layers(network)
        map_channels(network, names)
        super().__init__("What the network sees at a place")
        self.network, self.image = isolated(network), image.detach()
        self._seen: OrderedDict[tuple, Looked] = OrderedDict()
        height, width = image.shape[-2:]
        self.layer = choice("layer", names, names[len(names) // 2])
        self.down = number("row", height // 2, 0, height - 1, _STEP)
        self.across = number("column", width // 2, 0, width - 1, _STEP)
        self.pictures, self.text = html_part(), html_part()
        self.box.children = (
            row([self.layer]),
            row([self.down, self.across]),
            self.pictures,
            self.text,
            self.status,
        )
        self.run()
        for control in (self.layer, self.down, self.across):
            control.observe(self._moved, names="value")

    def job(self) -> Generator[Looked | None, None, None]:
        """Yields the small picture, then the large one."""
        key = self.layer.value, self.down.value, self.across.value
        if key in self._seen:
            yield self._seen[key]
            return
        last = None
        for update in looking(self.network, self.image, *key):
            last = update or last
            yield update
        self._seen[key] = last
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)

    def render(self, update: Looked) -> dict:
        """The photo with its place, and the picture beside it."""
        said = "what the layer sees there"
        shown = (
            picture_html(update.photo, f"The photo. {update.text}", "the photo", WIDTH),
            picture_html(update.seen, f"{said}: {update.text}", said, DRAWN_WIDTH),
        )
        return {self.pictures: side_by_side(shown), self.text: text_html(update.text)}

    def _moved(self, change: object) -> None:
        self.say("drawing …")
        self.submit()


def _sees(network: Network, layer: str) -> int:
    """How far a cell of the layer sees, in pixels, to mark it; 32 where that is unknown."""
    field = layer_info(network, layer).field
    return max(field.size) if field else 32


def _marked(image: Image, y: int, x: int, side: int) -> Image:
    """The photo with a yellow square of at most a third of the photo around the place."""
    marked, (height, width) = image.clone(), image.shape[-2:]
    half = min(side, min(height, width) // 3) // 2
    top, bottom = max(0, y - half), min(height - 1, y + half)
    left, right = max(0, x - half), min(width - 1, x + half)
    yellow = image.new_tensor([1.0, 0.9, 0.0])[:, None, None]
    thick = max(1, min(height, width) // 150)
    for rows, columns in (
        (slice(top, top + thick), slice(left, right + 1)),
        (slice(bottom - thick + 1, bottom + 1), slice(left, right + 1)),
        (slice(top, bottom + 1), slice(left, left + thick)),
        (slice(top, bottom + 1), slice(right - thick + 1, right + 1)),
    ):
        marked[0, :, rows, columns] = yellow
    return marked
