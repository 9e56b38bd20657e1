"""The studio: a dream with all its sliders that can be stopped, continued, branched and saved."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import ipywidgets
import torch

from ..ascent.settings import Settings
from ..networks.network import Network
from ..pictures.image import Image, check_values, save_image
from .runs import Frame, Run, Source, is_loadable
from .studio_controls import Start, StudioControls, starting
from .studio_files import Upload, free_path, read_upload

KEPT_BYTES = 64 * 2**20  # of frames


def studio(
    network: Network,
    image: Image,
    *,
    source: str = "picture.jpg",
    layers: Sequence[str] | None = None,
    layer: str | None = None,
    settings: Settings | None = None,
) -> Studio:
    """A panel that dreams live: sliders for style, layer, channel and every field of `Settings`.

    Buttons: Start, Stop, Continue, Branch, Save, and an upload. A slider that is moved during a run
    restarts it with the new value; between runs it changes what Start makes. `panel.run(steps)`
    dreams in the calling thread.

    Args:
        network: what dreams.
        image: the picture [1, 3, H, W].
        source: the picture's name for the shown Python and command: a sample's, or a file's.
        layers: those on the slider, `dk.suggested_layers(network)` by default.
        layer, settings: where the sliders start. With neither, on a network that has `dk.styles()`,
            the panel starts with the first style. Until they are moved, the other sliders follow
            the layer.

    Without widgets: `dk.dream`, as the shown Python says. Raises KeyError for an unknown layer,
    ValueError for a picture that is not an Image.
    """
    check_values(image)
    return Studio(network, image, source, starting(network, layers, layer, settings))


class Studio(StudioControls):
    """The panel of `studio`: `style`, `layer`, `channel`, `sliders[field]`, `frame`, `frames`."""

    def __init__(
        self,
        network: Network,
        image: Image,
        source: str,
        start: Start,
    ):
        self._run: Run | None = None
        self._upload: tuple[str, bytes] | None = None
        self._began = (0.0, 0)  # when the work began, and at which step
        super().__init__(network, image, source, start)
        self._show_source()

    # What the buttons do

    def start(self, *_: object) -> None:
        """Starts a dream of the picture with the sliders' settings; a running one goes on."""
        if self.busy:
            return self.say("already running: Stop it first, or move a slider to start again")
        self._begin(self.image, None, [])

    def stop(self, *_: object) -> None:
        """Ends the run before its next step and keeps its frames."""
        if not self.busy:
            return self.say("nothing runs")
        with self._wake:
            self.cancel()
            self._settle(f"stopped after {self._where()}")

    def go_on(self, *_: object) -> None:
        """Continues a stopped run with the same settings, else dreams on from its last frame."""
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
        """Dreams on from the frame that the frame slider shows, and drops the later frames."""
        if self.busy:
            return self.say("running: Stop it first, then choose a frame to branch from")
        frame = self._shown_frame()
        if frame is None:
            return self.start()
        self._begin(frame.whole, frame, self.frames[: self.frame.value])

    def save(self, *_: object) -> Path | None:
        """Saves the shown frame under a free name; returns the path, or None if that failed."""
        frame = self._shown_frame()
        if frame is None:
            return self.say("nothing to save yet: Start first")
        try:
            path = free_path(Path(self.file.value.strip() or "dream.png"))
            save_image(frame.whole, path, passport=frame.passport)
        except ValueError as error:
            return self.fail(error)
        how = f"dreamkit again {path} makes it again"
        if not is_loadable(frame.run.network):
            how = "dreamkit again cannot load your own network; the Python shown makes it again"
        self.say(f"saved {path} (step {frame.step}); {how}")
        return path

    def run(self, steps: int | None = None) -> Studio:
        """Dreams `steps` steps (or all) in the calling thread, anew if sliders have moved."""
        self.cancel()
        if self._run is None or not self._run.same_as(self._target(), self._settings()):
            self._run, self.frames = self._new_run(self.image, None), []
        return super().run(steps)

    # What Panel asks for

    def job(self) -> Iterator[Frame | Upload]:
        """Yields an uploaded picture, or the frames of the run."""
        if self._upload is not None:
            (name, data), self._upload = self._upload, None
            yield read_upload(name, data, max(self.image.shape[-2:]))
            return
        self._began = time.monotonic(), self._run.taken
        yield from self._run.updates()

    def accept(self, update: Frame | Upload) -> None:
        """Takes over an uploaded picture, or keeps a frame."""
        if isinstance(update, Upload):
            self.image, self.source = update.image, Source(update.name)
            self._run, self.frames = None, []
            return
        update.run.keep()
        self.frames.append(update)
        size = len(self.frames) * self.image.numel() * self.image.element_size()
        if len(self.frames) > 2 and size > KEPT_BYTES:
            del self.frames[1:-1:2]  # every second one: first, last and the way between stay

    def render(self, update: Frame | Upload) -> dict[ipywidgets.Widget, str]:
        """The frame, or the uploaded picture."""
        if isinstance(update, Frame):
            return {self.picture: self._frame_html(update)}
        caption = f"{update.name}: the picture"
        return {self.picture: self._html(update.image, f"The picture {update.name}", caption)}

    def finished(self) -> None:
        """Says how the run ended."""
        run = self._run
        if self.error is not None:
            return self._settle(None)
        if run is None:
            height, width = self.image.shape[-2:]
            size = f"{width} × {height} pixels"
            return self._settle(f"loaded {self.source.name}: {size}; Start dreams of it")
        if run.taken < run.total:
            return self._settle(f"{self._where()}; Continue goes on")
        if self._silent():
            return self._settle(
                f"nothing changed: {run.target.name} is silent for this picture; "
                "try another layer, channel or picture"
            )
        hint = "move the frame slider, Continue, Branch or Save"
        self._settle(f"done: {self._where()}{self._pace()}; {hint}")

    # Starting and ending

    def _begin(self, image: Image, origin: Frame | None, kept: list[Frame]) -> None:
        """Replaces any run with a new one, with the sliders' settings; the frames `kept` stay."""
        try:
            run = self._new_run(image, origin)
        except (KeyError, ValueError) as error:
            return self.fail(error)
        with self._wake:
            self.cancel()
            self._run, self.frames = run, kept
            self._show_code(run)
            self.say(f"running: {run.target.name}")
            self.submit()

    def _settle(self, text: str | None) -> None:
        """The panel at rest: shows the last frame with its Python, and says `text`."""
        self._quiet = True
        self.frame.max = self.frame.value = len(self.frames)
        self._quiet = False
        self._show_frame(self._shown_frame())
        if text is not None:
            self.say(text)

    def _silent(self) -> bool:
        """Whether a whole run left the picture as it was: its gradient was zero everywhere."""
        run = self._run
        if not self.frames or self.frames[-1].run is not run or run.settings.step_size == 0:
            return False
        # The picture was shrunk and enlarged between octaves: nearly the same is the same.
        return torch.allclose(self.frames[-1].picture, run.image, rtol=0, atol=1e-6)

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
        run = self._run
        if self.busy and run is not None:
            kept = [frame for frame in self.frames if frame.run is not run]
            self._begin(run.image, run.origin, kept)
        else:
            self._show_code(None)

    def _chose_frame(self, change: object) -> None:
        if self._quiet or self.busy:
            return
        frame = self._shown_frame()
        if frame is None:
            return self._show_source()
        self._show_frame(frame)
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
