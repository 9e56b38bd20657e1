"""Passports made, and read back as a Plan: everything that a replay needs."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version

import torch

from ..ascent.loop import Settings
from ..checks import fields as checks
from ..networks.network import PRECISIONS, Network
from ..objectives.objective import Objective
from ..objectives.picture_info import PictureInfo
from ..pictures.image import Image
from .entries import check_objective, entry
from .recipe_settings import read_recipe

PACKAGES = ("dreamkit", "torch", "torchvision", "numpy", "pillow")
MADE = ("dream", "features")  # a dream; a sheet of a layer's feature maps
# those that come with the network's name; untrained ones; a file of the user's
WEIGHTS = ("own", "random", "file")


@dataclass(frozen=True)
class Plan:
    """A passport that has been checked: each field has the type and the size that it must have."""

    made: str  # one of MADE
    network: str
    weights: str  # one of WEIGHTS
    digest: str  # sha256 of the weights
    precision: str
    device: str
    objective: Mapping[str, object]  # plain data, as `passport.objective` takes it
    settings: Settings
    source: PictureInfo
    threads: int
    stopped: int | None  # the step after which the user stopped it
    channels: list[int] | None  # of a sheet of feature maps; None: the strongest
    versions: Mapping[str, str]
    recipe: Mapping[str, object] | None = None  # a published one in place of the settings

    @property
    def numbers(self) -> dict[str, object]:
        """The numbers of the dream by name: those of the recipe, or else the settings."""
        return dict(self.recipe["numbers"]) if self.recipe else asdict(self.settings)


def make(
    network: Network,
    objective_spec: Objective | Mapping[str, object],
    settings: Settings,
    source: PictureInfo | Mapping[str, object],
    *,
    weights: str = "own",
    made: str = "dream",
    **more: object,
) -> dict[str, object]:
    """The passport of a picture, for `save_image(…, passport=…)`.

    network:        the network that the picture was made with
    objective_spec: an Objective, or the plain data that `passport.objective` takes
    settings:       the numbers of the dream; left out if `more` has a recipe
    source:         the photo: a PictureInfo, or what `picture_spec` gives
    weights:        one of WEIGHTS
    made:           one of MADE
    more:           further fields: stopped=13, recipe=recipe_spec("caffe"), …

    Raises ValueError for a passport that could not be read back.

    >>> from dreamkit import channel, load_network, sample
    >>> source = picture_spec(sample("china", 64), "sample", "china", side=64)
    >>> passport = make(load_network(), channel("conv2", 3), Settings(steps=2), source)
    >>> passport["objective"], read(passport).settings.steps
    ({'kind': 'channel', 'name': 'conv2', 'index': 3}, 2)
    """
    random = not network.digest and network.name.endswith("-random")
    is_data = isinstance(objective_spec, Mapping)
    versions = {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}
    passport = {
        "dreamkit": versions["dreamkit"],
        "made": made,
        "network": {
            "name": network.name.removesuffix("-random") if random else network.name,
            "weights": "random" if random else weights,
            "sha256": network.digest,
            "precision": network.precision,
            "device": network.device.type,
        },
        "objective": dict(objective_spec) if is_data else entry(objective_spec),
        **({} if "recipe" in more else {"settings": asdict(settings)}),
        "source": asdict(source) if isinstance(source, PictureInfo) else dict(source),
        "threads": torch.get_num_threads(),
        "versions": versions,
    } | more
    read(passport)
    return passport


def picture_spec(image: Image, kind: str, name: str, side: int | None = None) -> dict[str, object]:
    """What a passport says of a picture as plain data: the fields of its PictureInfo.

    `kind` is "sample" or "file", `side` the longest side in pixels that it was loaded at.
    """
    return asdict(PictureInfo.of(image, kind, name, side))


def read(passport: object) -> Plan:
    """The passport, checked, as a Plan. ValueError in one line for data of another form."""
    whole = checks.take(passport, "the passport", _FIELDS, loose=True)
    network = checks.take(whole["network"], "its network", _NETWORK)
    given = {} if whole["recipe"] else checks.take(whole["settings"], "its settings", _SETTINGS)
    check_objective(whole["objective"])
    return Plan(
        made=whole["made"],
        network=network["name"],
        weights=network["weights"],
        digest=network["sha256"],
        precision=network["precision"],
        device=network["device"],
        objective=whole["objective"],
        settings=Settings(**given),
        source=PictureInfo.read(whole["source"], "its source"),
        threads=whole["threads"],
        stopped=whole["stopped"],
        channels=whole["channels"],
        versions=checks.take(whole["versions"], "its versions", _VERSIONS),
        recipe=whole["recipe"],
    )


def _channels(value: object, where: str) -> list[int]:
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 4096:
        raise ValueError(
            f"{where} must be a list of 1 to 4096 channels; given: {checks.short(value)}"
        )
    return [checks.integer(0, 10**6)(channel, where) for channel in value]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


_FIELDS = {
    "made": checks.one_of(*MADE),
    "network": checks.anything,
    "objective": checks.anything,
    "settings": checks.Default(checks.anything, None),
    "recipe": checks.optional(read_recipe),
    "source": checks.anything,
    "threads": checks.integer(1, 4096),
    "versions": checks.anything,
    "stopped": checks.optional(checks.integer(1, 320_000)),
    "channels": checks.optional(_channels),
}
_NETWORK = {
    "name": checks.text,
    "weights": checks.one_of(*WEIGHTS),
    "sha256": checks.sha256,
    "precision": checks.one_of(*PRECISIONS),
    "device": checks.one_of("cpu", "cuda", "mps"),
}
_SETTINGS = {spec.name: checks.anything for spec in fields(Settings)}  # Settings checks the values
_VERSIONS = {name: checks.Default(checks.text, "?") for name in ("python", *PACKAGES)}
