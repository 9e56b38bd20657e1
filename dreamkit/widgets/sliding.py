"""A slider over the values of one parameter, and two dreams side by side under such a slider."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import zip_longest
from typing import Any

import ipywidgets
from IPython.display import Image as Shown

from ..ascent.loop import dreaming
from ..ascent.settings import Settings
from ..networks.network import Network, isolated
from ..objectives.objective import Objective, layer
from ..objectives.scorer import scorer
from ..pictures.image import Image
from .panel import Panel
from .parts import choice, html_part, picture_html, text_html

LEAST_WIDTH = 320  # in CSS pixels: smaller pictures are enlarged on the page


def slide(
    title: str,
    values: Iterable[Any],
    make: Callable[[Any], Any],
    *,
    start: Any = None,
    width: int | None = None,
) -> Slide:
    """A panel with one slider over `values`; `make(value)` gives what is shown for each, and is called once for each.

    `title` names the parameter and its unit and is the slider's label: "smoothing σ (pixels)". `make` gives a picture,
    or (picture, text), or is a generator of such, of which each is shown as it comes and the last is kept. A picture
    is an Image [1, 3, H, W], what `dk.show` returns, or {caption: Image} for pictures side by side. `start` is the
    first value shown (by default the first of `values`); `width` is that of each Image on the page in CSS pixels.
    The first picture is made at once, so that an error in `make` shows in the cell; later ones in a thread beside it.

    Without widgets: `make` itself. ValueError where there are no values, or `start` is none of them.

    >>> from dreamkit import noise, smooth
    >>> panel = slide(
    ...     "σ (pixels)",
    ...     [0.0, 1.0, 2.0],
    ...     lambda sigma: (smooth(noise(32, 48), sigma), f"blurred by {sigma}"),
    ... )
    >>> panel.value = 1.0
    >>> panel.close()
    """
    return Slide(title, values, make, start, width)


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
    """A panel with two dreams of one picture side by side, by the settings `left` and `right`, under one shared slider.

    `along` is what the slider changes on both sides: a field of `Settings`, or "layer". `values` are its stops, by
    default five around the field's default, or the suggested layers. `objective` is what is dreamt of, by default a
    layer half-way up. The captions say in what the two sides differ (by default: without and with jitter). Without
    widgets: `dk.dream` with each of the two. ValueError for an `along` that is no field of Settings.
    """
    left, right = left or Settings(jitter=0), right or Settings()
    if along != "layer" and along not in {spec.name for spec in fields(Settings)}:
        names = ", ".join(spec.name for spec in fields(Settings))
        raise ValueError(f"along is 'layer' or a field of Settings ({names}); given: {along!r}")
    network, captions = isolated(network), _differences(left, right, along)
    values = (
        tuple(values)
        if values is not None
        else suggested_layers(network)
        if along == "layer"
        else _stops(along)
    )

    def make(value: Any) -> Iterator[tuple[dict[str, Image], str]]:
        wanted = layer(value) if along == "layer" else objective or layer(layer_at(network, 0.5))
        sides = (
            (left, right)
            if along == "layer"
            else [replace(side, **{along: value}) for side in (left, right)]
        )
        yield from _two_dreams(scorer(network, wanted), image, sides, captions)

    start = values[len(values) // 2] if start is None and len(values) else start
    return Slide(
        along.replace("_", " "), values, make, start, width or max(image.shape[-1], LEAST_WIDTH)
    )


class Slide(Panel):
    """The panel of `slide`: `value` is where it stands and can be set, `views` what it has made so far {position: (picture, text)}."""

    def __init__(
        self,
        title: str,
        values: Iterable[Any],
        make: Callable[[Any], Any],
        start: Any,
        width: int | None,
    ) -> None:
        values = list(values)
        if not values:
            raise ValueError(f"{title!r} needs at least one value to slide over")
        first = 0 if start is None else _position(values, start)
        super().__init__(title)
        self._make, self._values, self._width = make, values, width
        self.views: dict[int, tuple[Any, str]] = {}
        self.slider = choice(
            title, [(_label(value), index) for index, value in enumerate(values)], first, "520px"
        )
        self.pictures, self.text = html_part(), html_part()
        self.box.children = (self.slider, self.pictures, self.text, self.status)
        self.run()
        self.slider.observe(self._moved, names="value")

    @property
    def value(self) -> Any:
        return self._values[self.slider.index]

    @value.setter
    def value(self, value: Any) -> None:
        self.slider.index = _position(self._values, value)

    def job(self) -> Generator[tuple[int, tuple[Any, str]], None, None]:
        index = self.slider.index
        if index not in self.views:
            for view in _views(self._make(self._values[index])):
                yield index, view
            self.views[index] = view
        else:
            yield index, self.views[index]

    def render(self, update: tuple[int, tuple[Any, str]]) -> dict[ipywidgets.Widget, str]:
        index, (picture, text) = update
        said = f"{self.title}: {_label(self._values[index])}"
        return {self.pictures: self._pictures(picture, said, text), self.text: text_html(text)}

    def finished(self) -> None:
        if self.error is None:
            self.say("ready")

    def _moved(self, change: object) -> None:
        self.say(
            f"{self.title} {self.slider.label}: working …"
            if self.slider.index not in self.views
            else "ready"
        )
        self.submit()

    def _pictures(self, picture: Any, said: str, text: str) -> str:
        if isinstance(picture, Mapping):
            parts = [
                picture_html(each, f"{caption}. {said}. {text}", caption, self._size(each))
                for caption, each in picture.items()
            ]
            return f'<div style="display:flex;flex-flow:row wrap;gap:4px 16px">{"".join(f"<div>{part}</div>" for part in parts)}</div>'
        return picture_html(
            picture,
            f"{said}. {text}",
            width=None if isinstance(picture, Shown) else self._size(picture),
        )

    def _size(self, picture: Image) -> int:
        return self._width or max(picture.shape[-1], LEAST_WIDTH)


def _views(made: Any) -> Iterator[tuple[Any, str]]:
    """What `make` gave as (picture, text) pairs: at least one."""
    view = None
    for view in made if inspect.isgenerator(made) else [made]:
        if view is not None:
            yield view if isinstance(view, tuple) else (view, "")
    if view is None:
        raise ValueError(
            "make gives a picture, or (picture, text), or is a generator of such; it gave none"
        )


def _two_dreams(
    score, image: Image, sides: Sequence[Settings], captions: Sequence[str]
) -> Iterator[tuple[dict[str, Image], str]]:
    shown = [image, image]
    for pictures in zip_longest(*(dreaming(score, image, side) for side in sides)):
        shown = [new if new is not None else old for new, old in zip(pictures, shown, strict=True)]
        yield dict(zip(captions, shown, strict=True)), "dreaming …"
    changes = [
        f"{caption}: {(dreamt - image).abs().mean():.3f}"
        for caption, dreamt in zip(captions, shown, strict=True)
    ]
    yield (
        dict(zip(captions, shown, strict=True)),
        f"mean change of a pixel, of a range of 1: {'; '.join(changes)}",
    )


def _differences(left: Settings, right: Settings, along: str) -> tuple[str, str]:
    """Two captions that name what differs: ("jitter 0", "jitter 16")."""
    names = [
        spec.name
        for spec in fields(Settings)
        if spec.name != along and getattr(left, spec.name) != getattr(right, spec.name)
    ]
    if not names:
        return "left", "right: the same settings"
    return tuple(
        ", ".join(f"{name.replace('_', ' ')} {getattr(side, name):g}" for name in names)
        for side in (left, right)
    )


def _stops(name: str) -> tuple[float, ...]:
    """Five values of a field of Settings, from its least to twice its default (or the greatest that sliders offer)."""
    spec = next(spec for spec in fields(Settings) if spec.name == name)
    low, high, step = (spec.metadata[key] for key in ("low", "high", "step"))
    high = min(high, 2 * spec.default) if spec.default else high
    stops = [low + (high - low) * i / 4 for i in range(5)]
    return tuple(
        dict.fromkeys(
            round(v) if isinstance(step, int) else round(round(v / step) * step, 6) for v in stops
        )
    )


def _position(values: Sequence[Any], value: Any) -> int:
    for index, other in enumerate(values):
        if other is value or other == value:
            return index
    raise ValueError(f"the slider stops at {', '.join(map(_label, values))}; given: {value!r}")


def _label(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
