"""Dreams that can be stopped, continued and branched, and the passport of each frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import islice

from .. import passport
from ..ascent.loop import dreaming
from ..ascent.settings import Settings
from ..networks.efficientnet_lite import VARIANTS
from ..networks.network import Network
from ..networks.zoo import embedded_digest, embedded_names, torchvision_names
from ..objectives.objective import Objective, channel, layer
from ..objectives.picture_info import PictureInfo
from ..objectives.scorer import scorer
from ..objectives.styles import styles
from ..pictures.image import Image
from ..pictures.samples import samples


@dataclass(frozen=True)
class Source:
    """Where a picture comes from: the name of a sample or of a file."""

    name: str

    def info(self, image: Image) -> PictureInfo:
        """What a passport says of the picture."""
        kind = "sample" if self.name in samples() else "file"
        return PictureInfo.of(image, kind, self.name, max(image.shape[-2:]))


@dataclass(frozen=True)
class Target:
    """What the panel's sliders choose: a style, a layer, or one channel of the layer."""

    layer: str
    channel: int | None = None
    style: str = ""

    @property
    def objective(self) -> Objective:
        if self.style:
            return styles()[self.style].objective
        return layer(self.layer) if self.channel is None else channel(self.layer, self.channel)

    @property
    def name(self) -> str:
        """What is excited, in words."""
        return f"the style {self.style}" if self.style else self.objective.name

    @property
    def spec(self) -> dict[str, object]:
        """The objective as the plain data of a passport."""
        return passport.entry(self.objective)


@dataclass(eq=False)
class Run:
    """One dream: it can be stopped between any two steps, and continued."""

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
        """The frames to come. A frame that was not kept is yielded again the next time."""
        while self.taken < self.total:
            if self._ahead is None:
                self._ahead = self._next()
            yield Frame(self, self.taken + 1, self._ahead)

    def keep(self) -> None:
        """Count the frame that was yielded last as taken."""
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
    picture: Image = field(repr=False)  # at the size of its octave

    @property
    def whole(self) -> Image:
        """The picture at full size, as it is shown, saved and branched from."""
        return passport.full_size(self.picture, self.run.image, self.run.settings)

    @property
    def octave(self) -> int:
        return (self.step - 1) // max(1, self.run.settings.steps) + 1

    @property
    def is_stopped(self) -> bool:
        """Whether its run had more steps to come."""
        return self.step < self.run.total

    @cached_property
    def chain(self) -> tuple[Frame, ...]:
        """The last frame of each run that led here; this one is the last."""
        return (*(self.run.origin.chain if self.run.origin else ()), self)

    @property
    def passport(self) -> dict[str, object]:
        """The passport of the frame.

        After a branch its source is the frame branched from; `before` holds that frame's passports.
        """
        run, more = self.run, {}
        source = run.source.info(run.image)
        if run.origin is not None:
            source = PictureInfo.of(run.image, "file", "the frame branched from", source.side)
            more["before"] = [frame.passport for frame in self.chain[:-1]]
        if self.is_stopped:
            more["stopped"] = self.step
        return passport.make(run.network, run.target.spec, run.settings, source, **more)


def python(run: Run, last: Frame | None = None) -> str:
    """The Python that makes the frame again; without a frame, that of the whole run."""
    frames = (last or Frame(run, run.total, run.image)).chain
    first = frames[0].run
    lines = [
        "import dreamkit as dk",
        "",
        _network(first.network),
        f"picture = {first.source.info(first.image).python()}",
    ]
    for frame in frames:
        lines += _lines(frame)
    if any(frame.is_stopped for frame in frames):
        lines = ["from itertools import islice", "", *lines]
        lines.insert(3, "from dreamkit.passport import full_size")
    return "\n".join(lines)


def is_loadable(network: Network) -> bool:
    """Whether `load_network`, and so `dreamkit again`, can make this network from its name."""
    name = network.base_name
    if name in embedded_names():
        return network.random or network.digest == embedded_digest(name)
    made = network.random or bool(network.digest)  # of a file that torchvision or pip brought
    return made and (name in VARIANTS or name in torchvision_names())


def _network(network: Network) -> str:
    """The line of Python that makes the network; a comment if it is one of the user's own."""
    if not is_loadable(network):
        name = f" {network.name!r}" if network.name else ""
        return f"# network = ...  first: your own network{name}, as you gave it to the studio"
    weights = ", weights='random'" if network.random else ""
    precision = "" if network.precision == "float32" else f", precision={network.precision!r}"
    return f"network = dk.load_network({network.base_name!r}{weights}{precision})"


def command(run: Run, last: Frame | None = None) -> str:
    """The command line that makes the frame again, or a comment that says why there is none.

    Without a frame, the command line of the whole run.
    """
    if run.origin is not None:
        return "# no single command: this dream was branched; the Python above repeats it"
    if not is_loadable(run.network):
        return "# no command: it cannot load a network of your own; the Python above uses yours"
    if last is not None and last.is_stopped:
        return "# stopped on the way: save it, then  dreamkit again FILE"
    source = run.source.info(run.image)
    return passport.command(passport.make(run.network, run.target.spec, run.settings, source))


def _lines(frame: Frame) -> list[str]:
    run = frame.run
    values = ((spec, getattr(run.settings, spec.name)) for spec in fields(Settings))
    changed = [f"{spec.name}={value!r}" for spec, value in values if value != spec.default]
    score = f"dk.scorer(network, {passport.expression(run.target.spec)})"
    settings = f"dk.Settings({', '.join(changed)})"
    if not frame.is_stopped:
        return [f"picture = dk.dream({score}, picture, {settings})"]
    return [
        f"settings = {settings}",
        f"*_, frame = islice(dk.dreaming({score}, picture, settings), {frame.step})",
        "picture = full_size(frame, picture, settings)",
    ]
