"""The studio: a live dream with all its sliders, which can be stopped, gone on with, branched, and saved with its recipe."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ipywidgets
import torch

from ..ascent.settings import Settings
from ..networks.layers import layer_info
from ..networks.network import Network, isolated
from ..networks.suggestions import layer_at, suggested_layers
from ..pictures.image import FORMATS, Image, check_values, load_image, save_image
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

KEPT_BYTES = 64 * 2**20  # of frames
PICTURE_WIDTH = 420  # on the page, in CSS pixels
WHOLE_LAYER = -1  # the channel slider's first stop


def studio(
    network: Network,
    image: Image,
    *,
    source: str = "picture.jpg",
    layers: Sequence[str] | None = None,
    layer: str | None = None,
    settings: Settings | None = None,
) -> Studio:
    """A panel that dreams live: layer, channel and every field of `Settings` as sliders; Start, Stop, Continue, Branch, Save, upload.

    `source` is the picture's name for the recipe: a sample's name or a file's. `layers` are those on the slider (by
    default `dk.suggested_layers`), `layer` and `settings` where the sliders begin. A slider moved during a run starts
    it anew with the new value; between runs it changes what Start makes. `panel.run(steps)` dreams in step.
    Without widgets: `dk.dream`, which the shown recipe spells out. KeyError for an unknown layer, ValueError for a
    picture that is none.
    """
    return Studio(network, image, source, layers, layer, settings or Settings())


@dataclass(frozen=True)
class Loaded:
    """A picture that was uploaded."""

    name: str
    image: Image


class Studio(Panel):
    """The panel of `studio`: `sliders` by field of Settings, `layer`, `channel`, `frame`, the buttons, and `frames` kept so far."""

    def __init__(
        self,
        network: Network,
        image: Image,
        source: str,
        layers: Sequence[str] | None,
        layer: str | None,
        settings: Settings,
    ):
        check_values(image)
        names = tuple(layers) if layers is not None else suggested_layers(network)
        layer = layer or (layer_at(network, 0.6) if layers is None else names[0])
        for name in (*names, layer):
            layer_info(network, name)
        super().__init__("Dream studio")
        self.network, self.image, self.source = isolated(network), image.detach(), Source(source)
        self.frames: list[Frame] = []
        self._run: Run | None = None
        self._upload: tuple[str, bytes] | None = None
        self._quiet = False  # while the panel itself moves its sliders
        self._began = (0.0, 0)  # when the work began, and at which step
        self._make_controls(names if layer in names else (*names, layer), layer, settings)
        self._lay_out()
        self._show_source()

    # What the panel does, by button or by name

    def start(self, *_: object) -> None:
        """Begins the dream of the picture by the sliders; a run that is at work goes on."""
        if self.busy:
            return self.say("already running: Stop it first, or move a slider to begin anew")
        self._begin(self.image, None, [])

    def stop(self, *_: object) -> None:
        """Ends the run before its next step; all that was dreamt is kept."""
        if not self.busy:
            return self.say("nothing runs")
        with self._wake:
            self.cancel()
            self._settle(f"stopped after {self._where()}")

    def go_on(self, *_: object) -> None:
        """Takes up a stopped run where it was; after its end, or with sliders moved, dreams on from the last frame."""
        if self.busy:
            return self.say("already running")
        run = self._run
        if run is None or not self.frames:
            return self.start()
        if run.taken < run.total and run.same_as(self._target(), self._settings()):
            self.say("going on")
            return self.submit()
        self._begin(self.frames[-1].whole, self.frames[-1], self.frames)

    def branch(self, *_: object) -> None:
        """Dreams on from the frame that the frame slider shows; later frames are dropped."""
        if self.busy:
            return self.say("running: Stop it first, then choose a frame to branch from")
        index = self.frame.value
        if index == 0:
            return self.start()
        self._begin(self.frames[index - 1].whole, self.frames[index - 1], self.frames[:index])

    def save(self, *_: object) -> Path | None:
        """Writes the shown frame with its passport to the first free name; the path, or None where that failed."""
        frame = self._shown_frame()
        if frame is None:
            return self.say("nothing to save yet: Start first")
        try:
            path = _free(Path(self.file.value.strip() or "dream.png"))
            save_image(frame.whole, path, passport=frame.passport)
        except ValueError as error:
            return self.fail(error)
        self.say(f"saved {path} (step {frame.step}); dreamkit again {path} makes it anew")
        return path

    def run(self, steps: int | None = None) -> Studio:
        """The panel, after so many steps (by default all) of the run by the sliders, in step: a new one, or the one begun."""
        self.cancel()
        if self._run is None or not self._run.same_as(self._target(), self._settings()):
            self._run, self.frames = self._new_run(self.image, None), []
        return super().run(steps)

    # What Panel asks for

    def job(self) -> Iterator[Frame | Loaded]:
        if self._upload is not None:
            (name, data), self._upload = self._upload, None
            yield Loaded(name, _read(name, data, max(self.image.shape[-2:])))
            return
        self._began = time.monotonic(), self._run.taken
        yield from self._run.updates()

    def accept(self, update: Frame | Loaded) -> None:
        if isinstance(update, Loaded):
            self.image, self.source, self._run, self.frames = (
                update.image,
                Source(update.name),
                None,
                [],
            )
            return
        update.run.keep()
        self.frames.append(update)
        if (
            len(self.frames) > 2
            and len(self.frames) * self.image.numel() * self.image.element_size() > KEPT_BYTES
        ):
            del self.frames[1:-1:2]  # every second one: the whole way stays in view

    def render(self, update: Frame | Loaded) -> dict[ipywidgets.Widget, str]:
        if isinstance(update, Loaded):
            return {
                self.picture: self._html(
                    update.image, f"The picture {update.name}", f"{update.name}: the picture"
                )
            }
        return {self.picture: self._frame_html(update)}

    def finished(self) -> None:
        if self.error is not None:
            self._settle(None)
        elif self._run is None:
            self._settle(
                f"loaded {self.source.name}: {self.image.shape[-1]} × {self.image.shape[-2]} pixels; Start dreams of it"
            )
        elif self._run.taken == self._run.total:
            if self._silent():
                name = self._run.target.objective.name
                return self._settle(
                    f"nothing changed: {name} is silent for this picture; try another layer, channel or picture"
                )
            self._settle(
                f"done: {self._where()}{self._pace()}; move the frame slider, Continue, Branch or Save"
            )
        else:
            self._settle(f"{self._where()}; Continue goes on")

    # Beginning and ending

    def _begin(self, image: Image, origin: Frame | None, kept: list[Frame]) -> None:
        """Puts a new run by the sliders in place of any other; `kept` are the frames that stay."""
        try:
            run = self._new_run(image, origin)
        except (KeyError, ValueError) as error:
            return self.fail(error)
        with self._wake:
            self.cancel()
            self._run, self.frames = run, kept
            self._show_recipe(run)
            self.say(f"running: {run.target.objective.name}")
            self.submit()

    def _new_run(self, image: Image, origin: Frame | None) -> Run:
        return Run(self.network, image, self.source, self._target(), self._settings(), origin)

    def _settle(self, text: str | None) -> None:
        """The panel at rest: the frame slider stands at the last frame, and the recipe is that frame's."""
        self._quiet = True
        self.frame.max = len(self.frames)
        self.frame.value = len(self.frames)
        self._quiet = False
        frame = self._shown_frame()
        if frame is not None:
            self.picture.value = self._frame_html(frame)
        self._show_recipe(frame.run if frame else None, frame)
        if text is not None:
            self.say(text)

    def _silent(self) -> bool:
        """Whether a whole run left the picture as it was: its gradient was zero everywhere (dk.dream warns of that)."""
        run = self._run
        if not self.frames or self.frames[-1].run is not run or run.settings.step_size == 0:
            return False
        return torch.allclose(
            self.frames[-1].picture, run.image, rtol=0, atol=1e-6
        )  # shrunk and enlarged again between octaves

    def _where(self) -> str:
        taken, total = (self._run.taken, self._run.total) if self._run else (0, 0)
        return f"step {taken} of {total}"

    def _pace(self) -> str:
        began, first = self._began
        seconds, steps = time.monotonic() - began, self._run.taken - first
        return f", {steps / seconds:.0f} steps a second" if steps and seconds > 0 else ""

    # Callbacks

    def _moved(self, change: object) -> None:
        if self._quiet:
            return
        if self.busy and self._run is not None:
            self._begin(
                self._run.image,
                self._run.origin,
                [frame for frame in self.frames if frame.run is not self._run],
            )
        else:
            self._show_recipe(None)

    def _changed_layer(self, change: object) -> None:
        self._quiet = True
        kept = self.channel.value
        self.channel.options = self._channels()
        self.channel.value = kept if kept < len(self.channel.options) - 1 else WHOLE_LAYER
        self._quiet = False
        self._moved(change)

    def _chose_frame(self, change: object) -> None:
        if self._quiet or self.busy:
            return
        frame = self._shown_frame()
        if frame is None:
            return self._show_source()
        self.picture.value = self._frame_html(frame)
        self._show_recipe(frame.run, frame)
        self.say(f"frame {self.frame.value}: step {frame.step}; Branch dreams on from here")

    def _uploaded(self, change: object) -> None:
        if not self.upload.value:
            return
        file = self.upload.value[-1]
        with self._wake:
            self.cancel()
            self._upload = (file["name"], bytes(file["content"]))
            self.say(f"reading {file['name']} …")
            self.submit()

    # What is shown

    def _shown_frame(self) -> Frame | None:
        return (
            self.frames[self.frame.value - 1] if 0 < self.frame.value <= len(self.frames) else None
        )

    def _show_source(self) -> None:
        self.picture.value = self._html(
            self.image,
            f"The picture {self.source.name}",
            f"{self.source.name}: the picture before the dream",
        )
        self._show_recipe(None)

    def _frame_html(self, frame: Frame) -> str:
        run = frame.run
        caption = (
            f"step {frame.step} of {run.total}, octave {frame.octave} of {run.settings.octaves}"
        )
        alt = f"Dream of {run.target.objective.name} on {run.source.name}, {caption}"
        return self._html(frame.whole, alt, caption)

    def _html(self, picture: Image, alt: str, caption: str) -> str:
        height, width = picture.shape[-2:]
        shown = (
            max(PICTURE_WIDTH, min(width, 2 * PICTURE_WIDTH))
            if width >= height
            else round(PICTURE_WIDTH * width / height)
        )
        return picture_html(picture, alt, caption, shown)

    def _show_recipe(self, run: Run | None, frame: Frame | None = None) -> None:
        """The recipe of the frame; of the run at work; or, without either, of what Start would make."""
        label = (
            "The picture shown, again:"
            if frame
            else "What Start makes:"
            if run is None
            else "What is being made:"
        )
        try:
            run = run or self._new_run(self.image, None)
            self.recipe.value = code_html(f"{python(run, frame)}\n\n{command(run, frame)}", label)
        except (KeyError, ValueError) as error:
            self.fail(error)

    # Controls

    def _target(self) -> Target:
        return Target(
            self.layer.value, None if self.channel.value == WHOLE_LAYER else self.channel.value
        )

    def _settings(self) -> Settings:
        return settings_of(self.sliders)

    def _channels(self) -> list[tuple[str, int]]:
        return [
            ("whole layer", WHOLE_LAYER),
            *((str(i), i) for i in range(layer_info(self.network, self.layer.value).channels)),
        ]

    def _make_controls(self, names: Sequence[str], layer: str, settings: Settings) -> None:
        self.layer = choice("layer", names, layer)
        self.channel = choice("channel", self._channels(), WHOLE_LAYER)
        self.sliders = settings_sliders(settings)
        self.frame = number("frame", 0, 0, 0, 1, width="100%")
        self.frame.continuous_update = True  # starts no work: a drag replays
        self.file = ipywidgets.Text("dream.png", description="file name", continuous_update=False)
        self.file.layout.width, self.file.style.description_width = "250px", "70px"
        self.upload = ipywidgets.FileUpload(
            accept="image/*", multiple=False, description="Your picture"
        )
        self.upload.layout.width = "150px"
        self.picture, self.recipe = html_part(), html_part()
        self.buttons = [
            _button(*given)
            for given in (
                ("Start", self.start, "dream of the picture"),
                ("Stop", self.stop, "end the run, keep its frames"),
                ("Continue", self.go_on, "go on from the last frame"),
                ("Branch", self.branch, "dream on from the frame shown"),
            )
        ]
        self.saving = _button("Save", self.save, "write the frame shown, with its recipe inside")
        for control in (self.channel, *self.sliders.values()):
            control.observe(self._moved, names="value")
        self.layer.observe(self._changed_layer, names="value")
        self.frame.observe(self._chose_frame, names="value")
        self.upload.observe(self._uploaded, names="value")

    def _lay_out(self) -> None:
        left = column([self.picture, self.frame])
        right = column([self.layer, self.channel, *self.sliders.values()])
        files = row([self.file, self.saving, self.upload], 8)
        self.box.children = (
            row([left, right]),
            row(self.buttons, 8),
            files,
            self.status,
            self.recipe,
        )


def _button(label: str, action, tooltip: str) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label, tooltip=tooltip)
    button.layout.width = "96px"
    button.on_click(action)
    return button


def _read(name: str, data: bytes, side: int) -> Image:
    try:
        return load_image(io.BytesIO(data), side)
    except ValueError as error:
        raise ValueError(str(error).replace("the open file", repr(name))) from None


def _free(path: Path) -> Path:
    """The path itself, or with the next free number where a file of that name exists. ValueError for a suffix that is no picture's."""
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"the file name must end in {', '.join(FORMATS)}; given: {str(path)!r}")
    stem, number = re.sub(r"-\d+$", "", path.stem), 2
    while path.exists():
        path, number = path.with_name(f"{stem}-{number}{path.suffix}"), number + 1
    return path
