"""The explorer: one channel of one layer over the photo, what that channel likes, and its numbers in words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import ipywidgets
import torch
from torch import Tensor

from ..ascent.gradients import Score, gradient
from ..ascent.steps import ascend, normalize, roll, smooth
from ..networks.features import capture
from ..networks.layers import layer_info, layer_table
from ..networks.network import Network, isolated
from ..objectives.objective import channel
from ..objectives.scorer import scorer
from ..pictures.image import Image, noise
from ..pictures.scales import resize
from ..show import heat, overlay
from .panel import Panel
from .parts import choice, column, html_part, number, picture_html, row, text_html

LIKED_SIDE, LIKED_STEPS = 128, 24  # of the picture of what a channel likes
KEPT_LAYERS, KEPT_LIKED = 12, 256  # features and small pictures remembered
MAP_WIDTH, LIKED_WIDTH = 480, 240  # on the page, in CSS pixels
_GROWING = (noise(LIKED_SIDE, LIKED_SIDE, contrast=0.2), "growing …")


@dataclass(frozen=True)
class View:
    """One channel of one layer for one photo: the map over the photo, the map alone, and what there is to say of it."""

    over: Image  # [1, 3, H, W]
    alone: Image  # [1, 3, H, W]
    text: str


def explore(
    network: Network,
    image: Image,
    layers: Sequence[str] | None = None,
    *,
    channel: int | None = None,
) -> Explorer:
    """A panel with sliders for layer and channel: the feature map over the photo, what the channel likes, and numbers in words.

    `layers` are those on the slider (by default `dk.suggested_layers`); the first is shown first, with `channel` or
    its liveliest one. A photo of about 320 pixels is answered at once. Without widgets: `dk.widgets.view` and
    `dk.widgets.liked`. KeyError for an unknown layer, ValueError for one without feature maps.
    """
    return Explorer(network, image, layers, channel)


def view(network: Network, image: Image, layer: str, channel: int) -> View:
    """The View of one channel of a layer for a picture [1, 3, H, W]."""
    _check_maps(network, [layer])
    return _view(image, layer, channel, _features(network, image, [layer])[layer])


def liked(
    network: Network, layer: str, channel: int, photo: Image | None = None, seed: int = 0
) -> Image | None:
    """What a channel likes [1, 3, 128, 128]: a few steps of gradient ascent on its mean from grey noise.

    Many a deep channel is silent for noise; with a `photo`, the ascent then starts from that. None where nothing wakes it.
    """
    last = None
    for last, _ in _growing(network, layer, channel, photo, seed):
        pass
    return last


class Explorer(Panel):
    """The panel of `explore`: move `layer.value` and `channel.value`; `text.value` holds the numbers."""

    def __init__(
        self, network: Network, image: Image, layers: Sequence[str] | None, channel: int | None
    ) -> None:
        names = tuple(layers) if layers is not None else suggested_layers(network)
        _check_maps(network, names)
        super().__init__(f"What {network.name or 'the network'} sees")
        self.network, self.image = isolated(network), image.detach()
        self._kept = _features(
            network, image, names[:KEPT_LAYERS]
        )  # one pass for all: a move costs no more than drawing
        self._liked: OrderedDict[tuple[str, int], tuple[Image | None, str]] = OrderedDict()
        first = _liveliest(self._features(names[0])) if channel is None else channel
        self.layer = choice("layer", names, names[0])
        self.channel = number("channel", first, 0, self._channels() - 1, 1)
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

    def job(self) -> Generator[tuple[View, str, int, tuple[Image | None, str]] | None, None, None]:
        layer, index = self.layer.value, self.channel.value
        view, key = _view(self.image, layer, index, self._features(layer)), (layer, index)
        yield view, layer, index, self._liked.get(key, _GROWING)
        if key in self._liked:
            return
        grown = None, ""
        for grown in _growing(self.network, layer, index, self.image):
            yield None
        _keep(self._liked, key, grown, KEPT_LIKED)
        yield view, layer, index, grown

    def render(
        self, update: tuple[View, str, int, tuple[Image | None, str]]
    ) -> dict[ipywidgets.Widget, str]:
        view, layer, index, grown = update
        over = self.shown.index == 0
        alt = f"Feature map of {layer}, channel {index}, {'over the photo' if over else 'alone'}. {view.text}"
        width = (
            max(MAP_WIDTH, self.image.shape[-1])
            if self.image.shape[-1] >= self.image.shape[-2]
            else MAP_WIDTH * 2 // 3
        )
        shown = picture_html(
            view.over if over else view.alone,
            alt,
            f"{layer}, channel {index}",
            width,
            sharp=not over,
        )
        return {
            self.map: shown,
            self.text: text_html(view.text),
            self.likes: self._likes(layer, index, *grown),
        }

    def finished(self) -> None:
        if self.error is None:
            self.say("ready")

    def _likes(self, layer: str, index: int, grown: Image | None, start: str) -> str:
        if grown is None:
            return text_html(
                f"what channel {index} likes:\nit is silent, for noise and for the photo alike"
            )
        caption = f"what channel {index} likes, {start}"
        return picture_html(grown, f"{layer}: {caption}, by gradient ascent", caption, LIKED_WIDTH)

    def _moved(self, change: object) -> None:
        self._submit()

    def _submit(self) -> None:
        known = (self.layer.value, self.channel.value) in self._liked
        self.say("ready" if known else "growing what the channel likes …")
        self.submit()

    def _changed_layer(self, change: object) -> None:
        most = self._channels() - 1
        with self.channel.hold_trait_notifications():
            self.channel.value = min(self.channel.value, most)
            self.channel.max = most
        self._submit()

    def _channels(self) -> int:
        return layer_info(self.network, self.layer.value).channels

    def _features(self, layer: str) -> Tensor:
        if layer not in self._kept:
            _keep(
                self._kept, layer, _features(self.network, self.image, [layer])[layer], KEPT_LAYERS
            )
        return self._kept[layer]


def _features(network: Network, image: Image, layers: Sequence[str]) -> OrderedDict[str, Tensor]:
    """{layer: [C, h, w]}, float32 on the CPU, where they are drawn."""
    with torch.no_grad():
        return OrderedDict(
            (name, values[0].float().cpu())
            for name, values in capture(network, image, layers).items()
        )


def _view(image: Image, layer: str, index: int, features: Tensor) -> View:
    if not 0 <= index < len(features):
        raise ValueError(
            f"layer {layer!r} has {len(features)} channels, from 0 to {len(features) - 1}; given: {index}"
        )
    values, size = features[index], tuple(image.shape[-2:])
    over = _marked(overlay(image, values), values) if values.any() else overlay(image, values)
    return View(
        over,
        heat(values, size, low=min(0.0, float(values.min()))),
        _words(image, layer, index, features),
    )


def _words(image: Image, layer: str, index: int, features: Tensor) -> str:
    """What there is to say of a map: its size, its zeros, its maximum and where that is."""
    values, (height, width) = features[index], image.shape[-2:]
    rows, columns = values.shape
    first = f"{layer}, channel {index} of {len(features)}: a map of {rows} × {columns} cells for {height} × {width} pixels"
    strongest = f"strongest channels here: {', '.join(map(str, _strongest(features, 5)))}"
    if not values.any():
        return f"{first}\nall zero: nothing in this picture wakes it\n{strongest}"
    y, x = _peak(values)
    place = f"{('top', 'middle', 'bottom')[3 * y // rows]} {('left', 'centre', 'right')[3 * x // columns]}"
    zeros = float((values == 0).float().mean())
    return (
        f"{first}\nzeros: {zeros:.0%}; maximum: {values.max():.3g}, at row {y}, column {x} of the map ({place}, marked); "
        f"mean: {values.mean():.3g}\n{strongest}"
    )


def _marked(picture: Image, values: Tensor) -> Image:
    """The picture with a white frame about the map's greatest cell."""
    height, width = picture.shape[-2:]
    y, x = _peak(values)
    tall, wide = height / values.shape[0], width / values.shape[1]
    reach_y, reach_x = max(tall / 2, 7), max(wide / 2, 7)
    top, bottom = (
        round(min(max((y + 0.5) * tall + side * reach_y, 0), height - 1)) for side in (-1, 1)
    )
    left, right = (
        round(min(max((x + 0.5) * wide + side * reach_x, 0), width - 1)) for side in (-1, 1)
    )
    marked = picture.clone()
    for edge in (slice(top, top + 2), slice(max(bottom - 1, 0), bottom + 1)):
        marked[..., edge, left : right + 1] = 1.0
    for edge in (slice(left, left + 2), slice(max(right - 1, 0), right + 1)):
        marked[..., top : bottom + 1, edge] = 1.0
    return marked


def _growing(
    network: Network, layer: str, index: int, photo: Image | None, seed: int = 0
) -> Iterator[tuple[Image, str]]:
    """(picture, what it began as) of an ascent on a channel, from the first of noise and photo that wakes it; none where neither does."""
    score = scorer(network, channel(layer, index))
    starts = {"grown from noise": noise(LIKED_SIDE, LIKED_SIDE, seed, contrast=0.2)}
    if photo is not None:
        starts["grown from the photo"] = resize(photo.detach(), (LIKED_SIDE, LIKED_SIDE))
    for name, start in starts.items():
        if gradient(score, start).any():
            yield from ((picture, name) for picture in _ascent(score, start, seed))
            return


def _ascent(
    score: Score, picture: Image, seed: int, step_size: float = 0.04, jitter: int = 8
) -> Iterator[Image]:
    generator = torch.Generator().manual_seed(seed)
    for step in range(LIKED_STEPS):
        dy, dx = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
        rolled = roll(picture, (dy, dx))
        sigma = 1.5 - step / LIKED_STEPS  # coarse shapes first
        picture = roll(
            ascend(rolled, normalize(smooth(gradient(score, rolled), sigma)), step_size), (-dy, -dx)
        )
        yield picture


def _strongest(features: Tensor, count: int) -> list[int]:
    return features.flatten(1).mean(1).topk(min(count, len(features))).indices.tolist()


def _liveliest(features: Tensor) -> int:
    """The channel whose map differs most from cell to cell: the best to begin with."""
    return int(features.flatten(1).std(1, correction=0).argmax())


def _peak(values: Tensor) -> tuple[int, int]:
    return divmod(int(values.argmax()), values.shape[1])


def _keep(store: OrderedDict, key: object, value: object, most: int) -> None:
    store[key] = value
    while len(store) > most:
        store.popitem(last=False)


def _check_maps(network: Network, layers: Sequence[str]) -> None:
    if not layers:
        raise ValueError("the explorer needs at least one layer")
    for layer in layers:
        if not layer_info(network, layer).is_map:
            maps = ", ".join(info.name for info in layer_table(network) if info.is_map)
            raise ValueError(
                f"layer {layer!r} has no feature maps to show; layers with maps: {maps[:300]}"
            )
