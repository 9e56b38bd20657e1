"""The covering panel: a grey square over the photo, and how the network's answer changes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch

from ..inside import covered, project
from ..networks.ends import probabilities
from ..networks.features import capture
from ..networks.network import Network, isolated
from ..networks.outputs import class_names, scores_of
from ..networks.suggestions import layer_at, suggested_layers
from ..objectives.formulas import class_index
from ..pictures.image import Image
from ..show import overlay, signed
from .channel_view import map_channels
from .panel import Panel
from .parts import choice, html_part, limit, number, picture_html, row, side_by_side, text_html

WIDTH = 300  # of each picture on the page, in CSS pixels


@dataclass(frozen=True)
class Covered:
    """A covered picture, one channel's map over it, that channel's projection, numbers in words."""

    picture: Image
    over: Image
    saw: Image
    text: str


def cover(
    network: Network,
    image: Image,
    target: int | str | None = None,
    layers: Sequence[str] | None = None,
) -> Cover:
    """A panel with sliders for the size and place of a grey square, and for layer and channel.

    It shows the covered picture, the channel's map over it and the channel's projection (see
    `dk.inside.project`). It says how the probability of the target, the most probable class and the
    channel's activity change.

    Args:
        network: a classifier.
        image: the photo [1, 3, H, W].
        target: a class by index or label, by default the most probable one for the photo.
        layers: those on the slider, `dk.suggested_layers(network)` by default.

    Without widgets: `dk.widgets.covered_view`. Raises KeyError for an unknown layer or label,
    ValueError for a layer without maps.
    """
    return Cover(network, image, target, layers)


def covered_view(
    network: Network, image: Image, target: int, layer: str, channel: int, y: int, x: int, size: int
) -> Covered:
    """The Covered of one picture [1, 3, H, W] with a grey square.

    Args:
        target: index of the class whose probability is told.
        layer, channel: which map and projection are shown.
        y, x: row and column of the middle of the square, in pixels.
        size: side of the square in pixels; 0: no square.
    """
    picture = covered(image, y, x, size) if size else image.detach()
    with torch.no_grad():
        features = capture(network, torch.cat([image.detach(), picture]), (layer, ""))
    shares = probabilities(network, scores_of(features[""]).float()).cpu()
    maps = features[layer].float().cpu()
    before, now = shares[:, target].tolist()
    best, active = int(shares[1].argmax()), maps[:, channel].sum((1, 2))
    name = class_names(network, shares.shape[1]).__getitem__
    said = (
        f"probability of {name(target)}: {now:.2f} (uncovered {before:.2f})\n"
        f"most probable now: {name(best)}, {shares[1, best]:.2f}\n"
        f"activity of {layer}, channel {channel}: {active[1]:.3g} (uncovered {active[0]:.3g})"
    )
    saw = signed(project(network, picture, layer, channel))
    return Covered(picture, overlay(picture, maps[1, channel]), saw, said)


class Cover(Panel):
    """The panel of `cover`: sliders `size`, `down`, `across`, `layer`, `channel`; words: `text`."""

    def __init__(
        self, network: Network, image: Image, target: int | str | None, layers: Sequence[str] | None
    ) -> None:
        names = tuple(layers) if layers is not None else suggested_layers(network)
        self._counts = map_channels(network, names)
        super().__init__("A grey square over the picture")
        self.network, self.image = isolated(network), image.detach()
        height, width = image.shape[-2:]
        first = layer_at(network, 0.85) if layers is None else names[-1]
        with torch.no_grad():
            features = capture(network, image, (first, ""))
        if isinstance(target, str):
            target = class_index(network.labels, target)
        self.target = int(scores_of(features[""]).argmax()) if target is None else target
        channel, side = int(features[first][0].sum((1, 2)).argmax()), min(height, width)
        self.size = number("square (pixels)", side // 4, 0, side, 2)
        self.down = number("row", height // 2, 0, height, 4)
        self.across = number("column", width // 2, 0, width, 4)
        self.layer = choice("layer", names, first)
        self.channel = number("channel", channel, 0, self._counts[first] - 1, 1)
        self.pictures, self.text = html_part(), html_part()
        self.box.children = (
            row([self.size]),
            row([self.down, self.across]),
            row([self.layer, self.channel]),
            self.pictures,
            self.text,
            self.status,
        )
        self.run()
        for control in (self.size, self.down, self.across, self.channel):
            control.observe(self._moved, names="value")
        self.layer.observe(self._changed_layer, names="value")

    def job(self) -> Generator[tuple[Covered, str, int], None, None]:
        """Yields one (Covered, layer, channel) for the present sliders."""
        layer, channel = self.layer.value, self.channel.value
        place = self.down.value, self.across.value, self.size.value
        view = covered_view(self.network, self.image, self.target, layer, channel, *place)
        yield view, layer, channel

    def render(self, update: tuple[Covered, str, int]) -> dict:
        """The three pictures side by side, and the words."""
        view, layer, channel = update
        parts = (
            (view.picture, "the covered picture"),
            (view.over, f"{layer}, channel {channel}, over it"),
            (view.saw, f"what channel {channel} sees of it"),
        )
        shown = (picture_html(p, f"{said}. {view.text}", said, WIDTH) for p, said in parts)
        return {self.pictures: side_by_side(shown), self.text: text_html(view.text)}

    def _moved(self, change: object) -> None:
        self.say("working …")
        self.submit()

    def _changed_layer(self, change: object) -> None:
        limit(self.channel, self._counts[self.layer.value] - 1)
        self._moved(change)
