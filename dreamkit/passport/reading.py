"""Passports made, and read back as a Plan: everything that a replay needs."""

from __future__ import annotations

import inspect
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version

import torch

from ..ascent.settings import Settings
from ..checks import fields as checks
from ..networks.network import PRECISIONS, Network
from ..objectives.objective import Objective
from ..objectives.picture_info import PictureInfo
from ..pictures.image import Image
from ..published import recipes
from .entries import check_objective, entry

PACKAGES = ("dreamkit", "torch", "torchvision", "numpy", "pillow")
# a dream; a sheet of a layer's feature maps; what a layer sees in a photo, drawn in three ways
SEEN = ("grid", "groups", "caricature")
MADE = ("dream", "features", *SEEN)
MAX_COUNT = 24  # of the cells along a photo, or of groups
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
    count: int | None  # of the cells along the photo's longest side, or of groups
    versions: Mapping[str, str]
    recipe: Mapping[str, object] | None  # a published one in place of the settings

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

    objective_spec: an Objective, or the plain data that `passport.objective` takes
    settings:       the numbers of the dream; left out if `more` has a recipe
    source:         the photo: a PictureInfo, or what `picture_spec` gives
    weights, made:  one of WEIGHTS, one of MADE
    more:           further fields: stopped=13, recipe=recipe_spec("caffe"), …

    Raises ValueError for a passport that could not be read back.

    >>> from dreamkit import channel, load_network, sample
    >>> source = picture_spec(sample("china", 64), "sample", "china", side=64)
    >>> passport = make(load_network("dreamnet"), channel("conv2", 3), Settings(steps=2), source)
    >>> passport["objective"], read(passport).settings.steps
    ({'kind': 'channel', 'name': 'conv2', 'index': 3}, 2)
    """
    is_data = isinstance(objective_spec, Mapping)
    versions = {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}
    passport = {
        "dreamkit": versions["dreamkit"],
        "made": made,
        "network": {
            "name": network.base_name,
            "weights": "random" if network.random else weights,
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
    """What a passport says of a picture: the fields of `PictureInfo.of` as plain data."""
    side = None if side is None else int(side)  # JSON knows no numbers of NumPy
    return asdict(PictureInfo.of(image, kind, name, side))


def read(passport: object) -> Plan:
    """The passport, checked, as a Plan. ValueError in one line for data of another form."""
    plan = checks.take(passport, "the passport", _FIELDS, loose=True)
    network = checks.take(plan["network"], "its network", _NETWORK)
    given = {} if plan["recipe"] else checks.take(plan["settings"], "its settings", _SETTINGS)
    check_objective(plan["objective"])
    plan |= {
        "network": network.pop("name"),
        "digest": network.pop("sha256"),
        "settings": Settings(**given),
        "source": PictureInfo.read(plan["source"], "its source"),
        "versions": checks.take(plan["versions"], "its versions", _VERSIONS),
    }
    return Plan(**plan, **network)


# --- published recipes


def recipe_spec(name: str, given: Mapping[str, object] | None = None) -> dict[str, object]:
    """What a passport says of a published recipe: its name and all of its numbers.

    Numbers that are not given are the published ones. Raises ValueError for an unknown recipe, for
    a number that it does not take, and for one out of range.

    >>> recipe_spec("caffe", {"steps": 3})["numbers"]["step_size"]
    1.5
    """
    checks.one_of(*recipes.NAMES)(name, "recipe")
    own, given = _published(name), dict(given or {})
    strange = [flag for flag in given if flag not in own]
    if strange:
        raise ValueError(f"the {name} recipe has no {strange[0]}; it takes {', '.join(own)}")
    return _recipe({"name": name, "numbers": own | given}, "recipe")


def recipe_objective(name: str, layer: str) -> dict[str, object]:
    """The objective that the recipe was published with, at a layer, as plain data.

    TensorFlow's is the mean of a (not of a²); Keras's is a² without two border cells.
    """
    own = {"tensorflow": {"power": 1}, "keras": {"border": 2}}.get(name, {})
    return {"kind": "layer", "name": layer} | own


def _recipe(data: object, where: str) -> dict[str, object]:
    """The {name, numbers} of a recipe, checked."""
    fields = {"name": checks.one_of(*recipes.NAMES), "numbers": checks.anything}
    name, numbers = checks.take(data, where, fields).values()
    kinds = {number: _recipe_kind(number, value) for number, value in _published(name).items()}
    return {"name": name, "numbers": checks.take(numbers, f"the {name} recipe", kinds)}


def _published(name: str) -> dict[str, object]:
    """The numbers of a recipe as published: the defaults of its keyword parameters."""
    parameters = inspect.signature(getattr(recipes, name)).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def _recipe_kind(name: str, published: object) -> checks.Kind:
    if isinstance(published, bool):
        return checks.truth
    kind = checks.integer if name in recipes.WHOLE else checks.number
    checked = kind(*recipes.LIMITS[name])
    # max_loss and a number without a published value may be None, but not left out
    return checks.optional(checked).kind if published is None or name == "max_loss" else checked


# --- what is allowed where


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
    "recipe": checks.optional(_recipe),
    "source": checks.anything,
    "threads": checks.integer(1, 4096),
    "versions": checks.anything,
    "stopped": checks.optional(checks.integer(1, 320_000)),
    "channels": checks.optional(_channels),
    "count": checks.optional(checks.integer(1, MAX_COUNT)),
}
_NETWORK = {
    "name": checks.text,
    "weights": checks.one_of(*WEIGHTS),
    "sha256": checks.sha256,
    "precision": checks.one_of(*PRECISIONS),
    "device": checks.one_of("cpu", "cuda", "mps"),
}
# Settings checks the values. The two that came later may be missing: then they change nothing.
_SETTINGS = {spec.name: checks.anything for spec in fields(Settings)} | {
    "laplacian": checks.Default(checks.anything, 0),
    "chroma": checks.Default(checks.anything, 1.0),
}
_VERSIONS = {name: checks.Default(checks.text, "?") for name in ("python", *PACKAGES)}
