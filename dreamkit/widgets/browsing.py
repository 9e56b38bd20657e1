"""The atlas panel: sliders for layer and channel over the pictures of an atlas folder."""

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
    """A panel to browse an atlas: the picture of a channel, its neighbours, its mean activation.

    `folder` is an Atlas, or a folder that `dk.atlas` or `dreamkit atlas` made. Without widgets:
    `dk.atlas.open(folder).picture(layer, channel)`. Raises ValueError for an atlas without
    pictures.
    """
    return AtlasPanel(folder if isinstance(folder, Atlas) else open_atlas(folder))


class AtlasPanel(Panel):
    """The panel of `atlas`: move `layer.value` and `channel.value`."""

    def __init__(self, atlas: Atlas) -> None:
        names = tuple(name for name in atlas.layers if atlas.channels(name))
        if not names:
            raise ValueError("this atlas has no pictures")
        super().__init__(f"Atlas of {atlas.head['network']['name'] or 'a network'}")
        self.atlas = atlas
        self.layer = choice("layer", names, names[0])
        self.channel = choice("channel", atlas.channels(names[0]), atlas.channels(names[0])[0])
        self.shown, self.around, self.text = html_part(), html_part(), html_part()
        sliders, pictures = row([self.layer, self.channel]), row([self.shown, self.around])
        self.box.children = (sliders, self.text, pictures, self.status)
        self.run()
        self.layer.observe(self._changed_layer, names="value")
        self.channel.observe(self.submit, names="value")

    def job(self) -> Generator[tuple[str, int, Image, Image, tuple[int, ...]], None, None]:
        """Yields (layer, channel, its picture, pictures of its neighbours, their channels)."""
        layer, channel = self.layer.value, self.channel.value
        there = self.atlas.channels(layer)
        if channel not in there:  # the layer has changed since
            channel = there[0]
        first = max(0, min(there.index(channel) - AROUND, len(there) - 2 * AROUND - 1))
        near = there[first : first + 2 * AROUND + 1]
        pictures = [self.atlas.picture(layer, c) for c in near]
        pictures += [torch.ones_like(pictures[0])] * (-len(pictures) % 3)
        rows = [torch.cat(pictures[i : i + 3], -1) for i in range(0, len(pictures), 3)]
        yield layer, channel, self.atlas.picture(layer, channel), torch.cat(rows, -2), near

    def render(
        self, update: tuple[str, int, Image, Image, tuple[int, ...]]
    ) -> dict[ipywidgets.Widget, str]:
        """The picture, its neighbours and the words."""
        layer, channel, picture, grid, near = update
        words, names = self.atlas.describe(layer, channel), f"channels {', '.join(map(str, near))}"
        return {
            self.text: text_html(words),
            self.shown: picture_html(picture, f"What {words} responds to", "", SHOWN),
            self.around: picture_html(grid, f"{names.capitalize()} of {layer}", names, SHOWN),
        }

    def _changed_layer(self, change: object) -> None:
        there = self.atlas.channels(self.layer.value)
        with self.channel.hold_trait_notifications():
            self.channel.options, self.channel.value = there, there[0]
        self.submit()
