"""Dreams by name: an objective with the settings that suit it, found by looking at many pictures.

A layer's stride says how large the things are that it sees, and so how a dream of it should be
made: `settings_for`. A style names what is seen: `styles`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..ascent.settings import Settings
from ..checks.names import unknown
from ..networks.layers import layer_info
from ..networks.network import Network
from .objective import Objective, channel, layer

NETWORK = "efficientnet_lite0"  # whose layers and channels the styles name
DEEPEST = 32  # pixels: the greatest stride that has settings of its own


@dataclass(frozen=True)
class Style:
    """A dream by name: what is seen, the objective, and the settings that suit it.

    The objective's layers and channels are those of `network`.
    """

    name: str
    shows: str
    objective: Objective
    settings: Settings
    network: str = NETWORK

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the objective needs."""
        return self.objective.layers


def styles() -> dict[str, Style]:
    """The styles {name: Style}; the first one is what `dreamkit dream` makes.

    >>> styles()["strokes"].layers
    ('block2b.expand',)
    """
    return dict(_STYLES)


def styles_of(network: Network) -> dict[str, Style]:
    """The styles that were made for this network; none for most."""
    return {name: style for name, style in _STYLES.items() if style.network == network.base_name}


def style_of(network: Network, name: str) -> Style:
    """The style of that name, for the network.

    Raises KeyError for an unknown name, and ValueError for a network that it was not made for.
    """
    if name not in _STYLES:
        raise unknown("style", name, _STYLES)
    found = _STYLES[name]
    if network.base_name != found.network:
        raise ValueError(
            f"the style {name} names channels of {found.network}; given: {network.name}"
        )
    return found


def settings_for(network: Network, layers: str | Iterable[str]) -> Settings:
    """Settings that suit a dream of these layers, from the greatest of their strides.

    A layer with a stride of 4 pixels sees strokes: few octaves and small steps, or they cover the
    picture. One with a stride of 16 or more sees whole animals: more octaves, so that they find
    room, larger steps, and more bands of equal strength. The name "" is the logits. Raises KeyError
    for an unknown layer.

    >>> from dreamkit.networks.zoo import load_network
    >>> settings_for(load_network("dreamnet"), "inception3a").octaves
    3
    """
    names = [layers] if isinstance(layers, str) else layers
    strides = [layer_info(network, name).stride if name else None for name in names]
    return for_stride(max(max(stride) if stride else DEEPEST for stride in strides))


def for_stride(stride: int) -> Settings:
    """The settings for layers of a stride in pixels.

    >>> for_stride(4).octaves, for_stride(16).octaves
    (3, 5)
    """
    depth = min(round(math.log2(stride)), 5)
    return Settings(
        step_size=0.015 if depth > 3 else 0.01,
        octaves=min(max(depth + 1, 3), 5),
        smoothing=0.7,
        laplacian=min(max(depth, 1), 4),
        chroma=0.2,
    )


def _channels(name: str, first: int, *others: int) -> Objective:
    return sum((channel(name, index) for index in others), start=channel(name, first))


_PARTS, _WHOLES = "block5c.expand", "block6a.expand"  # stride 16; parts, and whole things
_DEEP = for_stride(16)
# Chosen by eye: layers from dreams of each, channels from pictures of all 672 of these two layers.
_STYLES = {
    style.name: style
    for style in (
        Style(
            "animals",
            "heads of bears, dogs, monkeys and seals",
            layer(_WHOLES) + layer(_PARTS),
            replace(_DEEP, steps=15),
        ),
        Style("eyes", "eyes", _channels(_PARTS, 64, 132, 136, 448, 497, 655), _DEEP),
        Style("birds", "birds' heads and feathers", _channels(_WHOLES, 301, 464, 592), _DEEP),
        Style(
            "flowers",
            "blossoms, moss and coral",
            _channels(_WHOLES, 92, 397, 406, 516, 523, 575, 624, 629),
            _DEEP,
        ),
        Style(
            "buildings",
            "a city of towers, domes and arches",
            _channels(_PARTS, 13, 158, 346, 391, 398, 441, 443),
            _DEEP,
        ),
        Style(
            "ornament",
            "rosettes as in a stained-glass window",
            _channels(_WHOLES, 232, 239, 328, 334, 518, 599),
            _DEEP,
        ),
        Style("spirals", "curls and eddies", _channels(_WHOLES, 502, 587, 643), _DEEP),
        Style("scales", "scales of fish and snakes", _channels(_PARTS, 257, 335, 383, 469), _DEEP),
        Style("patchwork", "pieces of cloth sewn together", layer("block3b.expand"), for_stride(8)),
        Style("strokes", "strokes of a broad brush", layer("block2b.expand"), for_stride(4)),
    )
}
