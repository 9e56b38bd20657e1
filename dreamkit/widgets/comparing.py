"""A panel with two dreams of one picture side by side, under one slider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from itertools import zip_longest
from typing import Any

from ..ascent.gradients import Score
from ..ascent.loop import dreaming
from ..ascent.settings import Settings
from ..networks.network import Network, isolated
from ..networks.suggestions import layer_at, suggested_layers
from ..objectives.objective import Objective, layer
from ..objectives.scorer import scorer
from ..pictures.image import Image
from .sliding import LEAST_WIDTH, Slide

_FIELDS = {spec.name: spec for spec in fields(Settings)}


def compare(
    network: Network,
    image: Image,
    left: Settings | None = None,
    right: Settings | None = None,
    *,
    along: str = "steps",
    values: Sequence[Any] | None = None,
    objective: Objective | None = None,
    start: Any = None,
    width: int | None = None,
) -> Slide:
    """A panel with two dreams of one picture side by side, with two settings and one slider.

    Args:
        network, image: what dreams, and of which picture [1, 3, H, W].
        left, right: the two settings, by default without and with jitter. The captions say how they
            differ.
        along: what the slider changes on both sides: a field of `Settings`, or "layer".
        values: where the slider stops, by default five around the field's default, or the suggested
            layers.
        objective: what both dream of, by default a layer half-way up.
        start: the value shown first, by default the middle one.
        width: of each picture on the page, in CSS pixels.

    Without widgets: `dk.dream` with each of the two. Raises ValueError for any other `along`.
    """
    left, right = left or Settings(jitter=0), right or Settings()
    by_layer = along == "layer"
    if not by_layer and along not in _FIELDS:
        allowed = ", ".join(_FIELDS)
        raise ValueError(f"along is 'layer' or a field of Settings ({allowed}); given: {along!r}")
    network, captions = isolated(network), _differences(left, right, along)
    if values is None:
        values = suggested_layers(network) if by_layer else _stops(along)
    values = tuple(values)

    def make(value: Any) -> Iterator[tuple[dict[str, Image], str]]:
        wanted = layer(value) if by_layer else objective or layer(layer_at(network, 0.5))
        change = {} if by_layer else {along: value}
        sides = [replace(side, **change) for side in (left, right)]
        yield from _two_dreams(scorer(network, wanted), image, sides, captions)

    start = values[len(values) // 2] if start is None and values else start
    width = width or max(image.shape[-1], LEAST_WIDTH)
    return Slide(along.replace("_", " "), values, make, start, width)


def _two_dreams(
    score: Score, image: Image, sides: Sequence[Settings], captions: Sequence[str]
) -> Iterator[tuple[dict[str, Image], str]]:
    """Yields both dreams step by step as ({caption: picture}, text), at last with their changes."""
    shown = [image, image]
    for pictures in zip_longest(*(dreaming(score, image, side) for side in sides)):
        shown = [old if new is None else new for new, old in zip(pictures, shown, strict=True)]
        yield dict(zip(captions, shown, strict=True)), "dreaming …"
    dreams = dict(zip(captions, shown, strict=True))
    changes = [f"{said}: {(dreamt - image).abs().mean():.3f}" for said, dreamt in dreams.items()]
    yield dreams, f"mean change of a pixel, of a range of 1: {'; '.join(changes)}"


def _differences(left: Settings, right: Settings, along: str) -> tuple[str, str]:
    """Two captions that say how the settings differ: ("jitter 0", "jitter 16")."""
    differ = lambda name: name != along and getattr(left, name) != getattr(right, name)
    names = list(filter(differ, _FIELDS))
    if not names:
        return "left", "right: the same settings"
    captions = (
        ", ".join(f"{name.replace('_', ' ')} {getattr(side, name):g}" for name in names)
        for side in (left, right)
    )
    return tuple(captions)


def _stops(name: str) -> tuple[float, ...]:
    """Up to five values of a field of Settings, from its lowest to twice its default."""
    spec = _FIELDS[name]
    low, high, step = (spec.metadata[key] for key in ("low", "high", "step"))
    high = min(high, 2 * spec.default) if spec.default else high
    values = (low + (high - low) * i / 4 for i in range(5))
    if isinstance(step, int):
        return tuple(dict.fromkeys(round(value) for value in values))
    return tuple(dict.fromkeys(round(round(value / step) * step, 6) for value in values))
