"""The parts of panels: accessible HTML, labelled sliders, and the plain page in their place.

`ipywidgets.Image` has no alt text, so pictures are `<img>` elements in `ipywidgets.HTML`. All text
from outside (names, labels, messages) is escaped here and nowhere else.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

import ipywidgets
from IPython.display import Image as Shown

from ..ascent.settings import Settings
from ..pictures.image import Image, to_pillow
from ..show.shown import QUALITY

WIDTH = "390px"  # of a slider: two fit into a notebook's column, or one beside a picture
_TEXT = "color:var(--jp-ui-font-color1,inherit);line-height:1.5;margin:2px 0"
_WRAP = "display:flex;flex-flow:row wrap;gap:4px"


def picture_html(
    picture: Image | Shown,
    alt: str,
    caption: str = "",
    width: int | None = None,
    sharp: bool = False,
) -> str:
    """An `<img>` with alt text that holds the picture as a JPEG, under an optional caption.

    picture: an Image, or what `dk.show` returns, whose own alt text then counts.
    width: in CSS pixels, by default the picture's own.
    sharp: show the picture's pixels as squares.
    """
    if isinstance(picture, Shown):
        kind, data, own = picture.format, picture.data, None
        alt, frame = getattr(picture, "alt", None) or alt, ""
    else:
        file, pixels = io.BytesIO(), to_pillow(picture)
        pixels.save(file, "JPEG", quality=QUALITY)
        kind, data, own = "jpeg", file.getvalue(), pixels.width
        frame = "outline:1px solid #8884;"  # so that a white picture is seen
    size = f"width:{width or own}px;" if width or own else ""
    style = f"display:block;{size}max-width:100%;height:auto;{frame}"
    style += "image-rendering:pixelated;" if sharp else ""
    alt, source = html.escape(" ".join(alt.split())), base64.b64encode(data).decode("ascii")
    head = f'<div style="{_TEXT}">{html.escape(caption)}</div>' if caption else ""
    return f'{head}<img alt="{alt}" style="{style}" src="data:image/{kind};base64,{source}">'


def side_by_side(pictures: Iterable[str]) -> str:
    """Pieces of HTML side by side, on a second line where the page is narrow."""
    parts = "".join(f"<div>{picture}</div>" for picture in pictures)
    return f'<div style="{_WRAP} 16px">{parts}</div>'


def text_html(text: str) -> str:
    """A paragraph of plain text; its lines stay lines."""
    return f'<div style="{_TEXT}">{"<br>".join(map(html.escape, text.splitlines()))}</div>'


def code_html(code: str, label: str) -> str:
    """Code to copy, under a label."""
    style = (
        "margin:2px 0 8px;padding:6px 8px;border-left:3px solid #8886;line-height:1.35;"
        "font-size:12px;white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
    )
    head = f'<div style="{_TEXT}">{html.escape(label)}</div>'
    return f'{head}<pre style="{style}">{html.escape(code)}</pre>'


def status_html(text: str, error: bool = False) -> str:
    """The status line: a live region, so that a screen reader speaks each change."""
    mark = 'data-error="true" ' if error else ""
    color = "color:var(--jp-error-color0,#b00020);" if error else ""
    live = f'role="status" aria-live="polite" {mark}style="{_TEXT};{color}"'
    return f"<div {live}>{html.escape(text)}</div>"


def row(children: Iterable[ipywidgets.Widget], gap: int = 20) -> ipywidgets.HBox:
    """Widgets side by side, on a second line where the page is narrow."""
    layout = ipywidgets.Layout(
        flex_flow="row wrap", align_items="flex-start", grid_gap=f"4px {gap}px", overflow="visible"
    )
    return ipywidgets.HBox(list(children), layout=layout)


def column(children: Iterable[ipywidgets.Widget]) -> ipywidgets.VBox:
    """Widgets one under the other."""
    return ipywidgets.VBox(list(children), layout=ipywidgets.Layout(overflow="visible"))


def html_part(value: str = "") -> ipywidgets.HTML:
    """A piece of HTML that neither scrolls nor shrinks."""
    return ipywidgets.HTML(value, layout=ipywidgets.Layout(overflow="visible", max_width="100%"))


def choice(
    label: str, options: Sequence, value: object, width: str = WIDTH
) -> ipywidgets.SelectionSlider:
    """A slider over a list of values with its label and the value in words.

    It reports a change when it is released, and at every key.
    """
    slider = ipywidgets.SelectionSlider(options=options, value=value, continuous_update=False)
    if not slider.label:  # ipywidgets leaves the label of the first option empty until it is left
        first = slider.options[slider.index]
        slider.label = first[0] if isinstance(first, tuple) else str(first)
    return _labelled(slider, label, width)


def number(
    label: str,
    value: float,
    low: float,
    high: float,
    step: float,
    width: str = WIDTH,
    tooltip: str = "",
) -> ipywidgets.Widget:
    """A slider over whole numbers, or over decimals if one of the numbers is a float.

    The range from `low` to `high` is widened to hold `value`. The tooltip is the label by default.
    """
    whole = all(isinstance(v, int) for v in (value, low, high, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    more = {} if whole else {"readout_format": f".{max(1, len(f'{step:g}'.partition('.')[2]))}f"}
    low, high = min(low, value), max(high, value)
    slider = kind(value=value, min=low, max=high, step=step, continuous_update=False, **more)
    return _labelled(slider, label, width, tooltip)


def limit(slider: ipywidgets.IntSlider, most: int) -> None:
    """Gives the slider another maximum, and moves it there if it stood above."""
    with slider.hold_trait_notifications():
        slider.value = min(slider.value, most)
        slider.max = most


def settings_sliders(settings: Settings) -> dict[str, ipywidgets.Widget]:
    """One slider for each field of `Settings`, made from the field's metadata, at its value."""
    made = {}
    for spec in fields(Settings):
        help, *numbers = (spec.metadata[key] for key in ("help", "low", "high", "step"))
        label, value = spec.name.replace("_", " "), getattr(settings, spec.name)
        made[spec.name] = number(label, value, *numbers, tooltip=help)
    return made


def settings_of(sliders: dict[str, ipywidgets.Widget]) -> Settings:
    """The Settings that the sliders show."""
    values = {name: slider.value for name, slider in sliders.items()}
    return Settings(**{k: v if isinstance(v, int) else round(v, 6) for k, v in values.items()})


def fallback_html(widget: ipywidgets.Widget) -> str:
    """The panel as plain HTML, for pages without a kernel: pictures, texts and slider values."""
    if isinstance(widget, ipywidgets.Box):
        inner = "".join(fallback_html(child) for child in widget.children)
        style = f' style="{_WRAP} 20px"' if isinstance(widget, ipywidgets.HBox) else ""
        return f"<div{style}>{inner}</div>" if inner else ""
    if isinstance(widget, ipywidgets.HTML):
        return f"<div>{widget.value}</div>"
    if isinstance(widget, ipywidgets.SelectionSlider):
        shown = widget.label
    elif isinstance(widget, (ipywidgets.IntSlider, ipywidgets.FloatSlider)):
        shown = f"{widget.value:g}"
    else:
        return ""
    return f"<div>{html.escape(widget.description)}: <b>{html.escape(shown)}</b></div>"


def walk(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """The widget and all that it holds; layouts and styles are widgets too."""
    for child in getattr(widget, "children", ()):
        yield from walk(child)
    for name in ("layout", "style"):
        if getattr(widget, name, None) is not None:
            yield getattr(widget, name)
    yield widget


def close_all(widget: ipywidgets.Widget) -> None:
    """Closes the widget and all that it holds, which ipywidgets would otherwise keep for ever."""
    for part in list(walk(widget)):
        if part.comm is not None:
            part.unobserve_all()
        part.close()


def _labelled(
    slider: ipywidgets.Widget, label: str, width: str, tooltip: str = ""
) -> ipywidgets.Widget:
    slider.description, slider.tooltip = label, tooltip or label
    slider.style.description_width = "90px" if len(label) < 14 else "initial"
    slider.layout.width, slider.layout.max_width = width, "100%"
    return slider
