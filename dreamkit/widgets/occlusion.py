"""The covering panel: a grey square pushed over the photo by sliders, and what the network makes of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch

from ..inside import covered, project
from ..networks.features import capture
from ..networks.layers import layer_info
from ..networks.network import Network, isolated
from ..objectives.kinds import class_index
from ..pictures.image import Image
from ..show import overlay, signed
from .panel import Panel
from .parts import choice, html_part, number, picture_html, row, text_html

WIDTH = 300  # of each picture on the page, in CSS pixels


@dataclass(frozen=True)
class Covered:
    """The covered picture, one channel's map over it, what that channel saw of it, and what the network says."""

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
    """A panel with sliders for a grey square's size and place, and for layer and channel.

    It shows the covered picture, the channel's map over it, the channel's projection (see `dk.inside.project`), and says
    what became of the probability of `target` (by default the most probable class), of the best label and of the map.
    Without widgets: `dk.widgets.covered_view`. KeyError for an unknown layer or label, ValueError for a layer without maps.
    """
    return Cover(network, image, target, layers)


def covered_view(
    network: Network, image: Image, target: int, layer: str, channel: int, y: int, x: int, size: int
) -> Covered:
    """The Covered of one picture with a square of `size` pixels (0: none) whose middle is at row `y`, column `x`."""
    picture = covered(image, y, x, size) if size else image.detach()
    with torch.no_grad():
        features = capture(network, torch.cat([image.detach(), picture]), (layer, ""))
    shares, maps = features[""].float().softmax(1).cpu(), features[layer].float().cpu()
    best, name = (
        int(shares[1].argmax()),
        lambda index: network.labels[index] if network.labels else f"class {index}",
    )
    activity = maps[:, channel].sum((1, 2))
    said = (
        f"probability of {name(target)}: {shares[1, target]:.2f} (uncovered {shares[0, target]:.2f})\n"
        f"most probable now: {name(best)}, {shares[1, best]:.2f}\n"
        f"activity of {layer}, channel {channel}: {activity[1]:.3g} (uncovered {activity[0]:.3g})"
    )
    saw = signed(project(network, picture, layer, channel))
    return Covered(picture, overlay(picture, maps[1, channel]), saw, said)


class Cover(Panel):
    """The panel of `cover`: `size`, `down`, `across`, `layer` and `channel` are its sliders; `text.value` holds what it says."""

    def __init__(
        self, network: Network, image: Image, target: int | str | None, layers: Sequence[str] | None
    ) -> None:
        names = tuple(layers) if layers is not None else suggested_layers(network)
        for name in names:
            if not layer_info(network, name).is_map:
                raise ValueError(f"layer {name!r} has no feature maps to show")
        super().__init__("A grey square over the picture")
        self.network, self.image = isolated(network), image.detach()
        height, width = image.shape[-2:]
        with torch.no_grad():
            first = layer_at(network, 0.85) if layers is None else names[-1]
            features = capture(network, image, (first, ""))
        self.target = (
            int(features[""].argmax())
            if target is None
            else class_index(network.labels, target)
            if isinstance(target, str)
            else target
        )
        channel = int(features[first][0].sum((1, 2)).argmax())
        self.size = number("square (pixels)", min(height, width) // 4, 0, min(height, width), 2)
        self.down, self.across = (
            number("row", height // 2, 0, height, 4),
            number("column", width // 2, 0, width, 4),
        )
        self.layer = choice("layer", names, first)
        self.channel = number("channel", channel, 0, layer_info(network, first).channels - 1, 1)
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
        layer, channel = self.layer.value, self.channel.value
        place = self.down.value, self.across.value, self.size.value
        yield (
            covered_view(self.network, self.image, self.target, layer, channel, *place),
            layer,
            channel,
        )

    def render(self, update: tuple[Covered, str, int]) -> dict:
        view, layer, channel = update
        parts = (
            (view.picture, "the covered picture"),
            (view.over, f"{layer}, channel {channel}, over it"),
            (view.saw, f"what channel {channel} sees of it"),
        )
        shown = "".join(
            f"<div>{picture_html(picture, f'{caption}. {view.text}', caption, WIDTH)}</div>"
            for picture, caption in parts
        )
        return {
            self.pictures: f'<div style="display:flex;flex-flow:row wrap;gap:4px 16px">{shown}</div>',
            self.text: text_html(view.text),
        }

    def finished(self) -> None:
        if self.error is None:
            self.say("ready")

    def _moved(self, change: object) -> None:
        self.say("working …")
        self.submit()

    def _changed_layer(self, change: object) -> None:
        most = layer_info(self.network, self.layer.value).channels - 1
        with self.channel.hold_trait_notifications():
            self.channel.value = min(self.channel.value, most)
            self.channel.max = most
        self._moved(change)
