"""What panels are put together from: accessible HTML, labelled sliders, and the plain page that stands in for them.

`ipywidgets.Image` has no alt text, so pictures are `<img>` in `ipywidgets.HTML`. Whatever comes from outside
(names, labels, messages) is escaped here and nowhere else.
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
from ..show import QUALITY

WIDTH = "390px"  # of a slider: two fit into a notebook's column, or one beside a picture
_TEXT = "color:var(--jp-ui-font-color1,inherit);line-height:1.5;margin:2px 0"


def picture_html(
    picture: Image | Shown,
    alt: str,
    caption: str = "",
    width: int | None = None,
    sharp: bool = False,
) -> str:
    """An `<img>` with alt text, the JPEG inside it, under an optional caption.

    `width` is in CSS pixels (the picture's own by default); `sharp` shows its pixels as squares.
    """
    kind, data, own = _encoded(picture)
    alt = getattr(picture, "alt", None) or alt  # what dk.show made says itself what it shows
    source = base64.b64encode(data).decode("ascii")
    size = f"width:{width or own}px;" if width or own else ""
    frame = (
        "" if isinstance(picture, Shown) else "outline:1px solid #8884;"
    )  # so that a white picture is seen
    style = f"display:block;{size}max-width:100%;height:auto;{frame}{'image-rendering:pixelated;' if sharp else ''}"
    head = f'<div style="{_TEXT}">{html.escape(caption)}</div>' if caption else ""
    return f'{head}<img alt="{html.escape(" ".join(alt.split()))}" style="{style}" src="data:image/{kind};base64,{source}">'


def text_html(text: str) -> str:
    """A paragraph of plain text; its lines stay lines."""
    return (
        f'<div style="{_TEXT}">{"<br>".join(html.escape(line) for line in text.splitlines())}</div>'
    )


def code_html(code: str, label: str) -> str:
    """Code to copy, under a label."""
    style = (
        "margin:2px 0 8px;padding:6px 8px;border-left:3px solid #8886;line-height:1.35;font-size:12px;"
        "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
    )
    return f'<div style="{_TEXT}">{html.escape(label)}</div><pre style="{style}">{html.escape(code)}</pre>'


def status_html(text: str, error: bool = False) -> str:
    """The status line: a live region, so that a screen reader speaks each change."""
    mark = 'data-error="true" ' if error else ""
    color = "color:var(--jp-error-color0,#b00020);" if error else ""
    return f'<div role="status" aria-live="polite" {mark}style="{_TEXT};{color}">{html.escape(text)}</div>'


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
    label: str, options: Sequence, value: object, width: str = WIDTH, tooltip: str = ""
) -> ipywidgets.SelectionSlider:
    """A slider over a list of values, with its label and the value in words; reports when it is let go, and at every key."""
    slider = ipywidgets.SelectionSlider(
        options=options, value=value, continuous_update=False, tooltip=tooltip or label
    )
    if not slider.label:  # ipywidgets leaves that of the first option empty until it is left
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
    """A slider over whole numbers, or over decimals where `value` or `step` is one."""
    whole = all(isinstance(v, int) for v in (value, low, high, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    more = {} if whole else {"readout_format": f".{max(1, len(f'{step:g}'.partition('.')[2]))}f"}
    slider = kind(
        value=value,
        min=min(low, value),
        max=max(high, value),
        step=step,
        continuous_update=False,
        **more,
    )
    slider.tooltip = tooltip or label
    return _labelled(slider, label, width)


def settings_sliders(settings: Settings) -> dict[str, ipywidgets.Widget]:
    """One slider for each field of `Settings`, made from the field's own metadata, at the values of `settings`."""
    made = {}
    for spec in fields(Settings):
        meta, value = spec.metadata, getattr(settings, spec.name)
        made[spec.name] = number(
            spec.name.replace("_", " "),
            value,
            meta["low"],
            meta["high"],
            meta["step"],
            tooltip=meta["help"],
        )
    return made


def settings_of(sliders: dict[str, ipywidgets.Widget]) -> Settings:
    """The Settings that the sliders stand at."""
    return Settings(
        **{
            name: slider.value if isinstance(slider.value, int) else round(slider.value, 6)
            for name, slider in sliders.items()
        }
    )


def fallback_html(widget: ipywidgets.Widget) -> str:
    """The panel as it stands as plain HTML, for pages without a kernel: its pictures, its texts, and what its sliders say."""
    if isinstance(widget, ipywidgets.Box):
        inner = "".join(fallback_html(child) for child in widget.children)
        style = (
            ' style="display:flex;flex-flow:row wrap;gap:4px 20px"'
            if isinstance(widget, ipywidgets.HBox)
            else ""
        )
        return f"<div{style}>{inner}</div>" if inner else ""
    if isinstance(widget, ipywidgets.HTML):
        return f"<div>{widget.value}</div>"
    if isinstance(
        widget, (ipywidgets.SelectionSlider, ipywidgets.IntSlider, ipywidgets.FloatSlider)
    ):
        shown = (
            widget.label if isinstance(widget, ipywidgets.SelectionSlider) else f"{widget.value:g}"
        )
        return f"<div>{html.escape(widget.description)}: <b>{html.escape(shown)}</b></div>"
    return ""


def walk(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """The widget and all that it holds, each with its layout and style, which are widgets too."""
    for child in getattr(widget, "children", ()):
        yield from walk(child)
    for name in ("layout", "style"):
        if getattr(widget, name, None) is not None:
            yield getattr(widget, name)
    yield widget


def close_all(widget: ipywidgets.Widget) -> None:
    """Closes the widget and all that it holds: ipywidgets itself keeps children, layouts and styles alive for ever."""
    for part in list(walk(widget)):
        part.unobserve_all() if part.comm is not None else None
        part.close()


def _labelled(slider: ipywidgets.Widget, label: str, width: str) -> ipywidgets.Widget:
    slider.description = label
    slider.style.description_width = "90px" if len(label) < 14 else "initial"
    slider.layout.width, slider.layout.max_width = width, "100%"
    return slider


def _encoded(picture: Image | Shown) -> tuple[str, bytes, int | None]:
    """(subtype, bytes, width in pixels) of a picture."""
    if isinstance(picture, Shown):
        return picture.format, picture.data, None
    file, pixels = io.BytesIO(), to_pillow(picture)
    pixels.save(file, "JPEG", quality=QUALITY)
    return "jpeg", file.getvalue(), pixels.width
