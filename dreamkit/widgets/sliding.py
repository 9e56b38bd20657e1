"""A panel with one slider over the values of a parameter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets
from IPython.display import Image as Shown

from ..pictures.image import Image
from .panel import Panel
from .parts import choice, html_part, picture_html, side_by_side, text_html

LEAST_WIDTH = 320  # in CSS pixels: smaller pictures are enlarged on the page


def slide(
    title: str,
    values: Iterable[Any],
    make: Callable[[Any], Any],
    *,
    start: Any = None,
    width: int | None = None,
) -> Slide:
    """A panel with one slider over `values`; `make(value)` is called once for each value shown.

    Args:
        title: names the parameter and its unit, and is the slider's label: "smoothing σ (pixels)".
        values: where the slider stops.
        make: gives a picture, or (picture, text), or is a generator of such, which are shown as
            they come; the last one is kept. A picture is an Image [1, 3, H, W], or what `dk.show`
            returns, or {caption: Image} for pictures side by side.
        start: the value shown first, by default the first of `values`.
        width: of each Image on the page, in CSS pixels.

    The first picture is made at once, so that an error in `make` shows in the cell. Later ones are
    made in a thread. Without widgets: `make` itself. Raises ValueError for no values, and for a
    `start` that is not one of them.

    >>> from dreamkit import noise, smooth
    >>> picture = noise(32, 48)
    >>> panel = slide("σ (pixels)", [0.0, 1.0, 2.0], lambda sigma: smooth(picture, sigma))
    >>> panel.value = 1.0
    >>> panel.close()
    """
    return Slide(title, values, make, start, width)


class Slide(Panel):
    """The panel of `slide`: set `value` to move it; `views` is {position: (picture, text)}."""

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
            raise ValueError(f"{title!r} needs at least one value to slide over; given: none")
        first = 0 if start is None else _position(values, start)
        super().__init__(title)
        self._make, self._values, self._width = make, values, width
        self.views: dict[int, tuple[Any, str]] = {}
        labels = [(_label(value), index) for index, value in enumerate(values)]
        self.slider = choice(title, labels, first, "520px")
        self.pictures, self.text = html_part(), html_part()
        self.box.children = (self.slider, self.pictures, self.text, self.status)
        self.run()
        self.slider.observe(self._moved, names="value")

    @property
    def value(self) -> Any:
        """The value that the slider stands at."""
        return self._values[self.slider.index]

    @value.setter
    def value(self, value: Any) -> None:
        self.slider.index = _position(self._values, value)

    def job(self) -> Generator[tuple[int, tuple[Any, str]], None, None]:
        """Yields (position, (picture, text)) for the present value, made now or before."""
        index = self.slider.index
        if index not in self.views:
            for view in _views(self._make(self._values[index])):
                yield index, view
            self.views[index] = view
        else:
            yield index, self.views[index]

    def render(self, update: tuple[int, tuple[Any, str]]) -> dict[ipywidgets.Widget, str]:
        """The picture or pictures, and the text."""
        index, (picture, text) = update
        said = f"{self.title}: {_label(self._values[index])}. {text}"
        if isinstance(picture, Mapping):
            shown = side_by_side(
                picture_html(each, f"{caption}. {said}", caption, self._size(each))
                for caption, each in picture.items()
            )
        else:
            shown = picture_html(picture, said, width=self._size(picture))
        return {self.pictures: shown, self.text: text_html(text)}

    def _moved(self, change: object) -> None:
        known = self.slider.index in self.views
        self.say("ready" if known else f"{self.title} {self.slider.label}: working …")
        self.submit()

    def _size(self, picture: Image | Shown) -> int | None:
        if isinstance(picture, Shown):
            return None
        return self._width or max(picture.shape[-1], LEAST_WIDTH)


def _views(made: Any) -> Iterator[tuple[Any, str]]:
    """What `make` gave as (picture, text) pairs. Raises ValueError if it gave none."""
    view = None
    for view in made if inspect.isgenerator(made) else [made]:
        if view is not None:
            yield view if isinstance(view, tuple) else (view, "")
    if view is None:
        raise ValueError(
            "make must give a picture, or (picture, text), or be a generator of such; it gave none"
        )


def _position(values: Sequence[Any], value: Any) -> int:
    for index, other in enumerate(values):
        if other is value or other == value:
            return index
    raise ValueError(f"the slider stops at {', '.join(map(_label, values))}; given: {value!r}")


def _label(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
