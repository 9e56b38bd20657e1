"""Dreams that can be stopped, taken up again and branched from; the recipe of each frame; no widgets here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import islice

from .. import passport
from ..ascent.loop import Settings, dreaming
from ..networks.network import Network
from ..objectives.objective import Objective, channel, layer, scorer
from ..pictures.image import Image
from ..pictures.samples import samples


@dataclass(frozen=True)
class Source:
    """Where a picture comes from: a sample's name, or the name of a file."""

    name: str

    @property
    def kind(self) -> str:
        return "sample" if self.name in samples() else "file"

    def spec(self, image: Image) -> dict[str, object]:
        return passport.picture_spec(image, self.kind, self.name, max(image.shape[-2:]))

    def python(self, image: Image) -> str:
        return f"dk.{'sample' if self.kind == 'sample' else 'load_image'}({self.name!r}, side={max(image.shape[-2:])})"


@dataclass(frozen=True)
class Target:
    """What is dreamt of: a layer, or one channel of it."""

    layer: str
    channel: int | None = None

    @property
    def objective(self) -> Objective:
        return layer(self.layer) if self.channel is None else channel(self.layer, self.channel)

    @property
    def spec(self) -> dict[str, object]:
        kind = {"kind": "layer", "name": self.layer}
        return (
            kind
            if self.channel is None
            else {"kind": "channel", "name": self.layer, "index": self.channel}
        )


@dataclass(eq=False)
class Run:
    """One dream at work: its updates can be broken off between any two steps, and asked for again."""

    network: Network = field(repr=False)
    image: Image = field(repr=False)
    source: Source
    target: Target
    settings: Settings
    origin: Frame | None = None  # the frame it branches from
    taken: int = 0  # steps that have been kept

    def __post_init__(self) -> None:
        self._pictures = dreaming(
            scorer(self.network, self.target.objective), self.image, self.settings
        )
        self._ahead: Image | None = None  # dreamt, but not yet kept

    @property
    def total(self) -> int:
        return self.settings.steps * self.settings.octaves

    def updates(self) -> Iterator[Frame]:
        """The frames to come. One that is not kept is given again the next time."""
        while self.taken < self.total:
            if self._ahead is None:
                self._ahead = self._next()
            yield Frame(self, self.taken + 1, self._ahead)

    def keep(self) -> None:
        """The frame that was given last counts."""
        self.taken, self._ahead = self.taken + 1, None

    def _next(self) -> Image:
        try:
            return next(self._pictures)
        except BaseException:
            # An interrupted generator has ended for good: begin again after the steps taken.
            self.__post_init__()
            self._pictures = islice(self._pictures, self.taken, None)
            raise

    def same_as(self, target: Target, settings: Settings) -> bool:
        return (self.target, self.settings) == (target, settings)


@dataclass(eq=False)
class Frame:
    """The picture after so many steps of a run."""

    run: Run = field(repr=False)
    step: int
    picture: Image = field(repr=False)  # of its octave's size

    @property
    def whole(self) -> Image:
        """The picture at full size: what is shown, saved, and branched from."""
        return passport.full_size(self.picture, self.run.image, self.run.settings)

    @property
    def octave(self) -> int:
        return (self.step - 1) // max(1, self.run.settings.steps) + 1

    @cached_property
    def chain(self) -> tuple[Frame, ...]:
        """The last frame of each run on the way here, this one at the end."""
        return (*(self.run.origin.chain if self.run.origin else ()), self)

    @property
    def passport(self) -> dict[str, object]:
        """The recipe as plain data. After a branch its source is the frame branched from; `before` holds how that was made."""
        run, more = self.run, {}
        source = run.source.spec(run.image)
        if run.origin is not None:
            source = passport.picture_spec(
                run.image, "file", "the frame branched from", max(run.image.shape[-2:])
            )
            more["before"] = [frame.passport for frame in self.chain[:-1]]
        if self.step < run.total:
            more["stopped"] = self.step
        return passport.make(run.network, run.target.spec, run.settings, source, **more)


def python(run: Run, last: Frame | None = None) -> str:
    """The Python that makes the frame again; without one, the Python of the whole run."""
    frames = (
        last.chain
        if last is not None
        else (*(run.origin.chain if run.origin else ()), Frame(run, run.total, run.image))
    )
    first = frames[0].run
    lines = [
        "import dreamkit as dk",
        "",
        f"network = dk.load_network({first.network.name!r})",
        f"picture = {first.source.python(first.image)}",
    ]
    for frame in frames:
        lines += _lines(frame)
    if any(frame.step < frame.run.total for frame in frames):
        lines[:1] = [
            "from itertools import islice",
            "",
            "import dreamkit as dk",
            "from dreamkit.passport import full_size",
        ]
    return "\n".join(lines)


def command(run: Run, last: Frame | None = None) -> str:
    """The command line that makes the frame again, or why there is none; without a frame, that of the whole run."""
    if run.origin is not None:
        return "# no single command: this dream was branched; the Python above repeats it"
    if last is not None and last.step < run.total:
        return "# stopped on the way: save it, then  dreamkit again FILE"
    return passport.command(
        passport.make(run.network, run.target.spec, run.settings, run.source.spec(run.image))
    )


def _lines(frame: Frame) -> list[str]:
    run = frame.run
    values = (
        (spec.name, getattr(run.settings, spec.name), spec.default) for spec in fields(Settings)
    )
    changed = [f"{name}={value!r}" for name, value, default in values if value != default]
    score = f"dk.scorer(network, dk.{run.target.objective.name})"
    settings = f"dk.Settings({', '.join(changed)})"
    if frame.step >= run.total:
        return [f"picture = dk.dream({score}, picture, {settings})"]
    return [
        f"settings = {settings}",
        f"*_, frame = islice(dk.dreaming({score}, picture, settings), {frame.step})",
        "picture = full_size(frame, picture, settings)",
    ]
