"""The atlas in a notebook: sliders for layer and channel over the pictures of a folder, with their numbers in words."""

from __future__ import annotations

import os
from collections.abc import Generator

import ipywidgets
import torch

from ..atlas import Atlas, open_atlas
from ..pictures.image import Image
from .panel import Panel
from .parts import choice, html_part, picture_html, row, text_html

SHOWN, AROUND = 320, 4  # width on the page in CSS pixels; neighbours shown on each side


def atlas(folder: str | os.PathLike[str] | Atlas) -> AtlasPanel:
    """A panel to browse an atlas by layer and channel: the picture, its neighbours, and how strongly it excites its channel.

    `folder` is one that `dk.atlas` or `dreamkit atlas` made. Without widgets: `dk.atlas.open(folder).picture(layer, channel)`.
    """
    return AtlasPanel(folder if isinstance(folder, Atlas) else open_atlas(folder))


class AtlasPanel(Panel):
    """The panel of `atlas`: move `layer.value` and `channel.value`."""

    def __init__(self, atlas: Atlas) -> None:
        names = tuple(name for name in atlas.layers if atlas.channels(name))
        if not names:
            raise ValueError("this atlas has no pictures yet")
        super().__init__(f"Atlas of {atlas.head['network']['name'] or 'a network'}")
        self.atlas = atlas
        self.layer = choice("layer", names, names[0])
        self.channel = choice("channel", atlas.channels(names[0]), atlas.channels(names[0])[0])
        self.shown, self.around, self.text = html_part(), html_part(), html_part()
        self.box.children = (
            row([self.layer, self.channel]),
            self.text,
            row([self.shown, self.around]),
            self.status,
        )
        self.run()
        self.layer.observe(self._changed_layer, names="value")
        self.channel.observe(self._moved, names="value")

    def job(self) -> Generator[tuple[str, int, Image, Image, tuple[int, ...]], None, None]:
        layer, channel = self.layer.value, self.channel.value
        there = self.atlas.channels(layer)
        at = (
            there.index(channel) if channel in there else 0
        )  # the layer may have been changed a moment ago
        first = max(0, min(at - AROUND, len(there) - 2 * AROUND - 1))
        near = there[first : first + 2 * AROUND + 1]
        pictures = [self.atlas.picture(layer, c) for c in near]
        pictures += [torch.ones_like(pictures[0])] * (-len(pictures) % 3)
        grid = torch.cat(
            [torch.cat(pictures[i : i + 3], -1) for i in range(0, len(pictures), 3)], -2
        )
        yield layer, there[at], self.atlas.picture(layer, there[at]), grid, near

    def render(
        self, update: tuple[str, int, Image, Image, tuple[int, ...]]
    ) -> dict[ipywidgets.Widget, str]:
        layer, channel, picture, grid, near = update
        words, names = self.atlas.describe(layer, channel), ", ".join(map(str, near))
        return {
            self.text: text_html(words),
            self.shown: picture_html(picture, f"What {words} looks for", "", SHOWN),
            self.around: picture_html(
                grid, f"Channels {names} of {layer}", f"channels {names}", SHOWN
            ),
        }

    def finished(self) -> None:
        if self.error is None:
            self.say("ready")

    def _moved(self, change: object) -> None:
        self.submit()

    def _changed_layer(self, change: object) -> None:
        there = self.atlas.channels(self.layer.value)
        with self.channel.hold_trait_notifications():
            self.channel.options, self.channel.value = there, there[0]
        self.submit()
