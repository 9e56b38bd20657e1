"""The studio's face: its sliders and buttons, and how it shows a frame and the Python for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import ipywidgets

from ..ascent.settings import Settings
from ..networks.layers import layer_info, layer_names
from ..networks.network import Network, isolated
from ..networks.suggestions import layer_at, suggested_layers
from ..objectives.styles import Style, settings_for, styles_of
from ..pictures.image import Image
from .panel import Panel
from .parts import (
    choice,
    code_html,
    column,
    html_part,
    number,
    picture_html,
    row,
    settings_of,
    settings_sliders,
)
from .runs import Frame, Run, Source, Target, command, python

PICTURE_WIDTH = 420  # on the page, in CSS pixels
WHOLE_LAYER = -1  # the first stop of the channel slider


@dataclass(frozen=True)
class Start:
    """What is on the studio's sliders, and where they start; the style "" is none.

    With `follows` the settings follow the layer until the user moves one of their sliders.
    """

    layers: tuple[str, ...]
    layer: str
    settings: Settings
    presets: Mapping[str, Style]
    style: str
    follows: bool


def starting(
    network: Network, layers: Sequence[str] | None, layer: str | None, settings: Settings | None
) -> Start:
    """The start that `studio` describes. Raises KeyError for an unknown layer."""
    presets = styles_of(network) if layers is None else {}
    style = "" if layer or settings else next(iter(presets), "")
    if style:
        layer = presets[style].layers[0]
    if layers is None:
        layer = layer or layer_at(network, 0.6)
        wanted = {*suggested_layers(network), layer}
        wanted.update(name for preset in presets.values() for name in preset.layers)
        layers = [name for name in layer_names(network) if name in wanted]
    layer = layer or layers[0]
    names = tuple(layers) if layer in layers else (*layers, layer)
    for name in names:
        layer_info(network, name)
    if style:
        suited = presets[style].settings
    else:
        suited = settings or settings_for(network, layer)
    return Start(names, layer, suited, presets, style, follows=settings is None)


class StudioControls(Panel):
    """A panel with the studio's widgets; a subclass says what its buttons and sliders do."""

    def __init__(
        self,
        network: Network,
        image: Image,
        source: str,
        start: Start,
    ):
        super().__init__("Dream studio")
        self.network, self.image, self.source = isolated(network), image.detach(), Source(source)
        self.frames: list[Frame] = []  # kept so far
        self._quiet = False  # while the panel itself moves its sliders
        self._presets = start.presets
        self._suited = start.settings if start.follows else None  # the panel's own last choice
        named = [("none", ""), *((name, name) for name in start.presets)]
        self.style = choice("style", named, start.style) if start.presets else None
        self.layer = choice("layer", start.layers, start.layer)
        self.channel = choice("channel", self._channels(), WHOLE_LAYER)
        self.sliders = settings_sliders(start.settings)
        self.frame = number("frame", 0, 0, 0, 1, width="100%")
        self.frame.continuous_update = True  # a drag replays; it starts no work
        self.file = ipywidgets.Text("dream.png", description="file name", continuous_update=False)
        self.file.layout.width, self.file.style.description_width = "250px", "70px"
        self.upload = ipywidgets.FileUpload(
            accept="image/*", multiple=False, description="Your picture"
        )
        self.upload.layout.width = "150px"
        self.picture, self.recipe = html_part(), html_part()
        self._lay_out()
        for control in self.sliders.values():
            control.observe(self._moved, names="value")
        self.channel.observe(self._changed_channel, names="value")
        if self.style:
            self.style.observe(self._changed_style, names="value")
        self.layer.observe(self._changed_layer, names="value")
        self.frame.observe(self._chose_frame, names="value")
        self.upload.observe(self._uploaded, names="value")

    def _lay_out(self) -> None:
        buttons = [
            _button("Start", self.start, "dream of the picture"),
            _button("Stop", self.stop, "end the run, keep its frames"),
            _button("Continue", self.go_on, "go on from the last frame"),
            _button("Branch", self.branch, "dream on from the frame shown"),
        ]
        saving = _button("Save", self.save, "write the frame shown, with its settings inside")
        left = column([self.picture, self.frame])
        styles = [self.style] if self.style else []
        right = column([*styles, self.layer, self.channel, *self.sliders.values()])
        self.box.children = (
            row([left, right]),
            row(buttons, 8),
            row([self.file, saving, self.upload], 8),
            self.status,
            self.recipe,
        )

    def _target(self) -> Target:
        """What the sliders for style, layer and channel choose."""
        whole = self.channel.value == WHOLE_LAYER
        return Target(self.layer.value, None if whole else self.channel.value, self._style())

    def _settings(self) -> Settings:
        """The Settings of the other sliders."""
        return settings_of(self.sliders)

    def _channels(self) -> list[tuple[str, int]]:
        count = layer_info(self.network, self.layer.value).channels
        return [("whole layer", WHOLE_LAYER), *((str(i), i) for i in range(count))]

    def _changed_style(self, change: object) -> None:
        """The sliders take over the style's layer and settings."""
        if self._quiet:
            return
        if self._style():
            preset = self._presets[self._style()]
            with self._quietly():
                self.layer.value = preset.layers[0]
                self.channel.options = self._channels()
                self.channel.value = WHOLE_LAYER
                self._suit(preset.settings)
        self._moved(change)

    def _style(self) -> str:
        return self.style.value if self.style else ""

    def _leave_style(self) -> None:
        if self.style:
            self.style.value = ""

    def _changed_layer(self, change: object) -> None:
        if self._quiet:
            return
        with self._quietly():
            kept = self.channel.value
            self.channel.options = self._channels()
            self.channel.value = kept if kept < len(self.channel.options) - 1 else WHOLE_LAYER
            self._leave_style()
            if self._settings() == self._suited:  # not moved by the user
                self._suit(settings_for(self.network, self.layer.value))
        self._moved(change)

    def _changed_channel(self, change: object) -> None:
        if self._quiet:
            return
        with self._quietly():
            self._leave_style()
        self._moved(change)

    def _suit(self, settings: Settings) -> None:
        for name, slider in self.sliders.items():
            slider.value = getattr(settings, name)
        self._suited = self._settings()

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        """What moves the sliders here starts no run."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def _new_run(self, image: Image, origin: Frame | None) -> Run:
        return Run(self.network, image, self.source, self._target(), self._settings(), origin)

    # What is shown

    def _shown_frame(self) -> Frame | None:
        index = self.frame.value
        return self.frames[index - 1] if 0 < index <= len(self.frames) else None

    def _show_source(self) -> None:
        name = self.source.name
        caption = f"{name}: the picture before the dream"
        self.picture.value = self._html(self.image, f"The picture {name}", caption)
        self._show_code(None)

    def _show_frame(self, frame: Frame | None) -> None:
        if frame is not None:
            self.picture.value = self._frame_html(frame)
        self._show_code(frame.run if frame else None, frame)

    def _frame_html(self, frame: Frame) -> str:
        run = frame.run
        octave = f"octave {frame.octave} of {run.settings.octaves}"
        caption = f"step {frame.step} of {run.total}, {octave}"
        alt = f"Dream of {run.target.name} on {run.source.name}, {caption}"
        return self._html(frame.whole, alt, caption)

    def _show_code(self, run: Run | None, frame: Frame | None = None) -> None:
        """Shows the Python and the command of the frame, the run, or what Start would make."""
        label = "What is being made:" if run else "What Start makes:"
        label = "The picture shown, again:" if frame else label
        try:
            run = run or self._new_run(self.image, None)
            self.recipe.value = code_html(f"{python(run, frame)}\n\n{command(run, frame)}", label)
        except (KeyError, ValueError) as error:
            self.fail(error)

    def _html(self, picture: Image, alt: str, caption: str) -> str:
        """A picture for the page, at least PICTURE_WIDTH on its longer side."""
        height, width = picture.shape[-2:]
        if width >= height:
            shown = max(PICTURE_WIDTH, min(width, 2 * PICTURE_WIDTH))
        else:
            shown = round(PICTURE_WIDTH * width / height)
        return picture_html(picture, alt, caption, shown)


def _button(label: str, action: Callable, tooltip: str) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label, tooltip=tooltip)
    button.layout.width = "96px"
    button.on_click(action)
    return button
