"""The explorer panel: one channel over the photo, what it likes, and numbers in words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Sequence

import ipywidgets
from torch import Tensor

from ..networks.network import Network, isolated
from ..networks.suggestions import suggested_layers
from ..pictures.image import Image
from .channel_view import View, features_of, liveliest, map_channels, view_of
from .likes import growing, start_picture
from .panel import Panel
from .parts import choice, column, html_part, limit, number, picture_html, row, text_html

KEPT_LAYERS, KEPT_LIKED = 12, 256  # features and small pictures remembered
MAP_WIDTH, LIKED_WIDTH = 480, 240  # on the page, in CSS pixels
_GROWING = (start_picture(), "growing …")

Liked = tuple[Image | None, str]  # a picture that a channel likes, and where it started


def explore(
    network: Network,
    image: Image,
    layers: Sequence[str] | None = None,
    *,
    channel: int | None = None,
) -> Explorer:
    """A panel with sliders for layer and channel: the feature map over a photo, and what it likes.

    Args:
        network: the network to look into.
        image: the photo [1, 3, H, W]. One of about 320 pixels is answered at once.
        layers: those on the slider, `dk.suggested_layers(network)` by default. The first is shown
            first.
        channel: the channel shown first, by default the one whose map varies most.

    Without widgets: `dk.widgets.view` and `dk.widgets.liked`. Raises KeyError for an unknown layer,
    ValueError for one without feature maps.
    """
    return Explorer(network, image, layers, channel)


class Explorer(Panel):
    """The panel of `explore`: move `layer.value` and `channel.value`; `text.value` holds words."""

    def __init__(
        self, network: Network, image: Image, layers: Sequence[str] | None, channel: int | None
    ) -> None:
        names = tuple(layers) if layers is not None else suggested_layers(network)
        self._counts = map_channels(network, names)
        super().__init__(f"What {network.name or 'the network'} sees")
        self.network, self.image = isolated(network), image.detach()
        # One pass for all layers: a move then costs no more than drawing.
        self._kept = OrderedDict(features_of(network, image, names[:KEPT_LAYERS]))
        self._liked: OrderedDict[tuple[str, int], Liked] = OrderedDict()
        first = liveliest(self._features(names[0])) if channel is None else channel
        self.layer = choice("layer", names, names[0])
        self.channel = number("channel", first, 0, self._counts[names[0]] - 1, 1)
        self.shown = ipywidgets.ToggleButtons(options=["over the photo", "map alone"])
        self.shown.style.button_width = "140px"
        self.map, self.likes, self.text = html_part(), html_part(), html_part()
        self.box.children = (
            row([self.layer, self.channel]),
            row([self.map, column([self.likes])]),
            self.text,
            self.shown,
            self.status,
        )
        self.run()
        for control in (self.channel, self.shown):
            control.observe(self._moved, names="value")
        self.layer.observe(self._changed_layer, names="value")

    def job(self) -> Generator[tuple[View, str, int, Liked] | None, None, None]:
        """Yields (view, layer, channel, what it likes) at once, then with the grown picture."""
        layer, index = key = self.layer.value, self.channel.value
        view = view_of(self.image, layer, index, self._features(layer))
        yield view, layer, index, self._liked.get(key, _GROWING)
        if key in self._liked:
            return
        grown = None, ""
        for step in growing(self.network, layer, index, self.image):
            grown = step
            yield None
        _keep(self._liked, key, grown, KEPT_LIKED)
        yield view, layer, index, grown

    def render(self, update: tuple[View, str, int, Liked]) -> dict[ipywidgets.Widget, str]:
        """The map, the words, and what the channel likes."""
        view, layer, index, (grown, start) = update
        over = self.shown.index == 0
        picture, how = (view.over, "over the photo") if over else (view.alone, "alone")
        alt = f"Feature map of {layer}, channel {index}, {how}. {view.text}"
        height, width = self.image.shape[-2:]
        wide = max(MAP_WIDTH, width) if width >= height else MAP_WIDTH * 2 // 3
        caption = f"what channel {index} likes"
        likes = text_html(f"{caption}:\nnothing: it is silent for noise and for the photo")
        if grown is not None:
            caption = f"{caption}, {start}"
            words = f"{layer}: {caption}, by gradient ascent"
            likes = picture_html(grown, words, caption, LIKED_WIDTH)
        shown = picture_html(picture, alt, f"{layer}, channel {index}", wide, sharp=not over)
        return {self.map: shown, self.text: text_html(view.text), self.likes: likes}

    def _moved(self, change: object) -> None:
        known = (self.layer.value, self.channel.value) in self._liked
        self.say("ready" if known else "growing what the channel likes …")
        self.submit()

    def _changed_layer(self, change: object) -> None:
        limit(self.channel, self._counts[self.layer.value] - 1)
        self._moved(change)

    def _features(self, layer: str) -> Tensor:
        if layer not in self._kept:
            found = features_of(self.network, self.image, [layer])
            _keep(self._kept, layer, found[layer], KEPT_LAYERS)
        return self._kept[layer]


def _keep(store: OrderedDict, key: object, value: object, most: int) -> None:
    """Stores a value; the oldest ones are dropped beyond `most`."""
    store[key] = value
    while len(store) > most:
        store.popitem(last=False)
