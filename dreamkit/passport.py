"""Passports: the recipe of a picture as plain data, small enough to travel inside its file, and its replay.

A passport is data, never code: it is read field by field, every size is bounded, every objective is rebuilt from a
table of four kinds, and no path in it is ever opened. What it was made from (a photo, a guide picture, weights of your
own) is known by its sha256 only, and must be handed over again.
"""

from __future__ import annotations

import hashlib
import inspect
import numbers
import platform
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from itertools import islice

import torch

from .ascent.loop import Settings, dreaming
from .ascent.steps import Score
from .checks import fields as kinds
from .networks.network import PRECISIONS, Network
from .objectives import objective as objectives
from .objectives.objective import Objective
from .pictures.image import MAX_PIXELS, MAX_SIDE, Image
from .pictures.scales import octaves, resize
from .published import recipes

PACKAGES = ("dreamkit", "torch", "torchvision", "numpy", "pillow")
MADE = ("dream", "features")  # a dream; a sheet of a layer's feature maps
WEIGHTS = (
    "own",
    "random",
    "file",
)  # those that come with the network's name; untrained; a file of the user's
MAX_TERMS, MAX_DEPTH = 64, 4  # of a sum of objectives


@dataclass(frozen=True)
class Plan:
    """A passport that has been checked: everything that a replay needs, each field of the type and size it must have."""

    made: str  # one of MADE
    network: str
    weights: str  # one of WEIGHTS
    digest: str
    precision: str
    device: str
    objective: Mapping[str, object]
    settings: Settings
    source: Mapping[str, object]
    threads: int
    stopped: int | None  # the step after which the user stopped it
    channels: list[int] | None  # of a sheet of feature maps; None: the strongest
    versions: Mapping[str, str]
    recipe: Mapping[str, object] | None = (
        None  # a published recipe in place of the settings: {name, numbers}
    )


# --- making one


def make(
    network: Network,
    objective_spec: Mapping[str, object],
    settings: Settings,
    source: Mapping[str, object],
    *,
    weights: str = "own",
    made: str = "dream",
    **more: object,
) -> dict[str, object]:
    """The passport of a picture, for `save_image(…, passport=…)`; raises ValueError where it could not be read back.

    `objective_spec` as for `objective`; `source` as from `picture_spec`; `more` are further fields (stopped=13). With
    recipe=`recipe_spec(…)` the settings go unused, and are left out.

    >>> from dreamkit import load_network, sample
    >>> source = picture_spec(sample("china", 64), "sample", "china", side=64)
    >>> read(
    ...     make(
    ...         load_network(),
    ...         {"kind": "channel", "name": "conv2", "index": 3},
    ...         Settings(steps=2),
    ...         source,
    ...     )
    ... ).settings.steps
    2
    """
    random = not network.digest and network.name.endswith("-random")
    passport = {
        "dreamkit": _version("dreamkit"),
        "made": made,
        "network": {
            "name": network.name.removesuffix("-random") if random else network.name,
            "weights": "random" if random else weights,
            "sha256": network.digest,
            "precision": network.precision,
            "device": network.device.type,
        },
        "objective": dict(objective_spec),
        **({} if "recipe" in more else {"settings": asdict(settings)}),
        "source": dict(source),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version()}
        | {name: _version(name) for name in PACKAGES},
    } | more
    read(passport)
    return passport


def picture_spec(image: Image, kind: str, name: str, side: int | None = None) -> dict[str, object]:
    """What a passport says of a picture: kind ("sample" or "file"), name, the side it was loaded at, size, and sha256 of its pixels.

    Of a file's path only the last part is kept: where a picture lies is nobody's business.
    """
    name = name.replace("\\", "/").rpartition("/")[2][-200:]
    return {
        "kind": kind,
        "name": name,
        "side": side,
        "height": image.shape[-2],
        "width": image.shape[-1],
        "sha256": pixels_digest(image),
    }


def pixels_digest(image: Image) -> str:
    """The sha256 (hex) of a picture's values and shape, as dtype, shape and little-endian bytes in row order."""
    array = image.detach().cpu().contiguous().numpy()
    digest = hashlib.sha256(f"{array.dtype} {list(array.shape)} ".encode())
    digest.update(memoryview(array.astype(array.dtype.newbyteorder("<"), copy=False)).cast("B"))
    return digest.hexdigest()


# --- reading one


def read(passport: object) -> Plan:
    """The passport, checked, as a Plan. ValueError in one line for anything that is not as `make` writes it."""
    whole = kinds.take(
        passport,
        "the passport",
        {
            "made": kinds.one_of(*MADE),
            "network": kinds.anything,
            "objective": kinds.anything,
            "settings": kinds.Default(kinds.anything, None),
            "recipe": kinds.optional(_recipe),
            "source": kinds.anything,
            "threads": kinds.integer(1, 4096),
            "versions": kinds.anything,
            "stopped": kinds.optional(kinds.integer(1, 320_000)),
            "channels": kinds.optional(_channels),
        },
        loose=True,
    )
    network = kinds.take(
        whole["network"],
        "its network",
        {
            "name": kinds.text,
            "weights": kinds.one_of(*WEIGHTS),
            "sha256": kinds.sha256,
            "precision": kinds.one_of(*PRECISIONS),
            "device": kinds.one_of("cpu", "cuda", "mps"),
        },
    )
    any_setting = {spec.name: kinds.anything for spec in fields(Settings)}
    given = {} if whole["recipe"] else kinds.take(whole["settings"], "its settings", any_setting)
    check_objective(whole["objective"])
    return Plan(
        whole["made"],
        network["name"],
        network["weights"],
        network["sha256"],
        network["precision"],
        network["device"],
        whole["objective"],
        Settings(**given),
        _picture(whole["source"], "its source"),
        whole["threads"],
        whole["stopped"],
        whole["channels"],
        _versions(whole["versions"]),
        whole["recipe"],
    )


def objective(spec: Mapping[str, object], guides: Mapping[str, object] | None = None) -> Objective:
    """The Objective that plain data describes; ValueError for data that describes none.

    The kinds: layer (name, power, border), channel (name, index), neuron (name, index, y, x), logit (label: an index or a
    label), guide (name, picture: a `picture_spec`), and sum (terms: a list of {weight, objective}). `guides` holds, by
    the sha256 of each guide picture, its features {layer: tensor}.

    >>> objective(
    ...     {
    ...         "kind": "sum",
    ...         "terms": [
    ...             {"weight": 1, "objective": {"kind": "layer", "name": "conv1"}},
    ...             {"weight": 0.5, "objective": {"kind": "logit", "label": "goldfish"}},
    ...         ],
    ...     }
    ... ).name
    "1 * layer('conv1') + 0.5 * logit('goldfish')"
    """
    kind, parts = _parts(spec)
    if kind == "sum":
        first, *rest = [
            term["weight"] * objective(term["objective"], guides) for term in parts["terms"]
        ]
        return sum(rest, start=first)
    if kind == "guide":
        digest = parts["picture"]["sha256"]
        if digest not in (guides or {}):
            raise ValueError(
                f"the guide picture {parts['picture']['name']!r} (sha256 {digest[:12]}…) is not at hand"
            )
        return objectives.guide(parts["name"], guides[digest])
    if kind == "logit":
        return objectives.logit(parts["label"])
    return getattr(objectives, kind)(
        **parts
    )  # layer, channel, neuron: _parts let no other word through


def check_objective(spec: object) -> None:
    """Raises ValueError unless `objective` could make something of `spec`."""
    _parts(spec)


def guide_pictures(spec: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The guide pictures that an objective asks for, as {layer, picture: its picture_spec}."""
    kind, parts = _parts(spec)
    if kind == "sum":
        return [found for term in parts["terms"] for found in guide_pictures(term["objective"])]
    return [{"layer": parts["name"], "picture": parts["picture"]}] if kind == "guide" else []


# --- recipes


def recipe_spec(name: str, given: Mapping[str, object] | None = None) -> dict[str, object]:
    """What a passport says of a published recipe: its name and all of its numbers, those given and its own for the rest.

    ValueError for an unknown recipe, for a number that it does not take, and for one out of bounds.

    >>> recipe_spec("caffe", {"steps": 3})["numbers"]["step_size"]
    1.5
    """
    kinds.one_of(*recipes.NAMES)(name, "recipe")
    own = _recipe_numbers(name)
    strange = [flag for flag in given or {} if flag not in own]
    if strange:
        raise ValueError(f"the {name} recipe has no {strange[0]}; it takes {', '.join(own)}")
    return _recipe({"name": name, "numbers": own | dict(given or {})}, "recipe")


def recipe_objective(name: str, layer: str) -> dict[str, object]:
    """What the recipe, as published, wants of a layer: TensorFlow's the mean of a (not of a²), Keras's a² but for two border cells."""
    return {"kind": "layer", "name": layer} | {
        "tensorflow": {"power": 1},
        "keras": {"border": 2},
    }.get(name, {})


def following(
    recipe: Mapping[str, object], network: Network, wanted: Objective, image: Image
) -> Iterator[Image]:
    """The pictures of the recipe. ValueError where an octave would be larger than any picture may be."""
    name, numbers = recipe["name"], recipe["numbers"]
    if name == "tensorflow":  # the only one whose octaves outgrow the photo
        pixels = (
            image.shape[-2]
            * image.shape[-1]
            * float(numbers["octave_ratio"]) ** (2 * ((numbers["octaves"] + 1) // 2 - 1))
        )
        if pixels > MAX_PIXELS:
            raise ValueError(
                f"the largest octave would have {pixels / 1e6:.0f} megapixels, and at most {MAX_PIXELS // 10**6} are allowed: "
                "take fewer octaves, a smaller octave_ratio or a smaller picture"
            )
    return getattr(recipes, name)(network, wanted, image, **numbers)


# --- replaying one


def replaying(plan: Plan, score: Score, image: Image) -> Iterator[Image]:
    """The pictures of the dream that the plan describes, up to the step at which it was stopped."""
    if plan.recipe is not None:
        return islice(following(plan.recipe, score.network, score.objective, image), plan.stopped)
    return islice(dreaming(score, image, plan.settings), plan.stopped)


def full_size(picture: Image, image: Image, settings: Settings | None) -> Image:
    """A dream of `image` broken off at `picture`, at full size: the detail found so far laid over the photo, as the next octave would.

    Without settings (of a recipe) the picture itself is resized.

    >>> half = next(
    ...     dreaming(lambda x: x.mean(), torch.full((1, 3, 8, 8), 0.5), Settings(octaves=2))
    ... )
    >>> tuple(full_size(half, torch.full((1, 3, 8, 8), 0.5), Settings(octaves=2)).shape[-2:])
    (8, 8)
    """
    size = picture.shape[-2:]
    if size == image.shape[-2:]:
        return picture
    if settings is None:
        return resize(picture, image.shape[-2:], "bilinear").clamp(0, 1)
    base = next(
        octave
        for octave in octaves(image, settings.octaves, settings.octave_ratio)
        if octave.shape[-2:] == size
    )
    return (image + resize(picture - base, image.shape[-2:])).clamp(0, 1)


# --- saying one


def command(passport: object) -> str:
    """The command line that makes the picture again; `dreamkit again` where flags cannot say its objective."""
    plan = read(passport)
    kind, parts = _parts(plan.objective)
    usual = {"power": 2, "border": 0} | (
        recipe_objective(plan.recipe["name"], "") if plan.recipe else {}
    )
    known = kind in ("layer", "channel", "logit", "guide") and all(
        parts.get(name, value) == value
        for name, value in usual.items()
        if name in ("power", "border")
    )
    if not known or plan.stopped:
        return "dreamkit again OUT.png"
    what = ["--logit", str(parts["label"])] if kind == "logit" else ["--layer", parts["name"]]
    what += ["--channel", str(parts["index"])] if kind == "channel" else []
    what += ["--guide", parts["picture"]["name"]] if kind == "guide" else []
    if plan.channels:
        what += ["--channels", ",".join(map(str, plan.channels))]
    weights = {"own": [], "random": ["--weights", "random"], "file": ["--weights", "FILE"]}[
        plan.weights
    ]
    side = ["--side", str(max(plan.source["height"], plan.source["width"]))]
    precision = [] if plan.precision == "float32" else ["--precision", plan.precision]
    numbers = [
        part
        for name, value in (
            plan.recipe["numbers"] if plan.recipe else asdict(plan.settings)
        ).items()
        for part in _flag(name, value)
    ]
    numbers = ["--recipe", plan.recipe["name"], *numbers] if plan.recipe else numbers
    return shlex.join(
        [
            "dreamkit",
            plan.made,
            plan.source["name"],
            "--network",
            plan.network,
            *weights,
            *what,
            *side,
            *precision,
            *(numbers if plan.made == "dream" else []),
        ]
    )


def _flag(name: str, value: object) -> list[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [] if value is None else [f"--{flag}", str(value)]


def python(passport: object) -> str:
    """The lines of Python that make the dream again."""
    plan = read(passport)
    if plan.made != "dream":
        raise ValueError(
            f"only a dream is told as Python here; this picture is made of {plan.made}"
        )
    weights = {"own": "", "random": ", weights='random'", "file": ", weights='FILE'"}[plan.weights]
    precision = "" if plan.precision == "float32" else f", precision={plan.precision!r}"
    guides = [
        f"guide{i or ''} = {_loading(found['picture'])}"
        for i, found in enumerate(guide_pictures(plan.objective))
    ]
    numbers = ", ".join(
        f"{name}={value!r}"
        for name, value in (
            plan.recipe["numbers"] if plan.recipe else asdict(plan.settings)
        ).items()
    )
    dreaming = (
        [f"dream = dk.dream(dk.scorer(network, objective), picture, dk.Settings({numbers}))"]
        if plan.recipe is None
        else [
            f"for dream in dk.recipes.{plan.recipe['name']}(network, objective, picture, {numbers}):",
            "    pass",
        ]
    )
    return "\n".join(
        [
            "import dreamkit as dk",
            "",
            f"network = dk.load_network({plan.network!r}{weights}{precision})",
            f"picture = {_loading(plan.source)}",
            *guides,
            f"objective = {_expression(plan.objective, iter(range(len(guides))))}",
            *dreaming,
            "dk.save_image(dream, 'dream.png')",
            "",
        ]
    )


def _loading(picture: Mapping[str, object]) -> str:
    side = "" if picture["side"] is None else f", side={picture['side']}"
    return (
        f"dk.{'sample' if picture['kind'] == 'sample' else 'load_image'}({picture['name']!r}{side})"
    )


def _expression(spec: Mapping[str, object], numbers: Iterator[int]) -> str:
    kind, parts = _parts(spec)
    if kind == "sum":
        return (
            "("
            + " + ".join(
                f"{term['weight']!r} * {_expression(term['objective'], numbers)}"
                for term in parts["terms"]
            )
            + ")"
        )
    if kind == "guide":
        return f"dk.guide({parts['name']!r}, dk.capture(network, guide{next(numbers) or ''}, {parts['name']!r}))"
    if kind == "logit":
        return f"dk.logit({parts['label']!r})"
    return f"dk.{kind}({', '.join(f'{name}={value!r}' for name, value in parts.items())})"


# --- its parts


def _parts(spec: object, depth: int = 0) -> tuple[str, dict[str, object]]:
    """(kind, its checked parts) of one objective."""
    if depth >= MAX_DEPTH:
        raise ValueError(f"an objective is nested at most {MAX_DEPTH} deep")
    if not isinstance(spec, Mapping):
        raise ValueError(f"an objective is described by its fields; given: {kinds.short(spec)}")
    kind = kinds.one_of(*_OBJECTIVES, "sum")(spec.get("kind"), "the kind of an objective")
    rest = {name: value for name, value in spec.items() if name != "kind"}
    if kind != "sum":
        return kind, kinds.take(rest, f"the objective {kind}", _OBJECTIVES[kind])
    terms = kinds.take(rest, "a sum", {"terms": kinds.anything})["terms"]
    if not isinstance(terms, (list, tuple)) or not 1 <= len(terms) <= MAX_TERMS:
        raise ValueError(f"a sum has a list of 1 to {MAX_TERMS} terms; given: {kinds.short(terms)}")
    checked = [
        kinds.take(
            term,
            "a term of a sum",
            {"weight": kinds.number(-1e6, 1e6), "objective": kinds.anything},
        )
        for term in terms
    ]
    for term in checked:
        _parts(term["objective"], depth + 1)
    return kind, {"terms": checked}


def _recipe(data: object, where: str) -> dict[str, object]:
    taken = kinds.take(
        data, where, {"name": kinds.one_of(*recipes.NAMES), "numbers": kinds.anything}
    )
    own = _recipe_numbers(taken["name"])
    return taken | {
        "numbers": kinds.take(
            taken["numbers"],
            f"the {taken['name']} recipe",
            {name: _recipe_kind(name, value) for name, value in own.items()},
        )
    }


def _recipe_numbers(name: str) -> dict[str, object]:
    """The numbers of a recipe with its published values, as its signature says them."""
    parameters = inspect.signature(getattr(recipes, name)).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def _recipe_kind(name: str, published: object) -> kinds.Kind:
    if isinstance(published, bool):
        return kinds.truth
    kind, low, high = recipes.LIMITS[name]
    checked = kinds.integer(low, high) if kind is numbers.Integral else kinds.number(low, high)
    return kinds.optional(checked).kind if published is None or name == "max_loss" else checked


def _channels(value: object, where: str) -> list[int]:
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 4096:
        raise ValueError(
            f"{where} must be a list of 1 to 4096 channels; given: {kinds.short(value)}"
        )
    return [_INDEX(channel, where) for channel in value]


def _label(value: object, where: str) -> int | str:
    return (
        kinds.text(value, where)
        if isinstance(value, str)
        else kinds.integer(0, 10**6)(value, where)
    )


def _picture(data: object, where: str) -> dict[str, object]:
    size = kinds.integer(1, MAX_SIDE)
    taken = kinds.take(
        data,
        where,
        {
            "kind": kinds.one_of("sample", "file"),
            "name": kinds.text,
            "side": kinds.optional(size),
            "height": size,
            "width": size,
            "sha256": kinds.sha256,
        },
    )
    if taken["height"] * taken["width"] > MAX_PIXELS:
        raise ValueError(
            f"{where} has at most {MAX_PIXELS // 10**6} megapixels; given: {taken['width']}×{taken['height']}"
        )
    if taken["side"] not in (None, max(taken["height"], taken["width"])):
        raise ValueError(
            f"{where} cannot have the side {taken['side']} and the size {taken['width']}×{taken['height']}"
        )
    return taken


def _versions(data: object) -> dict[str, str]:
    return kinds.take(
        data,
        "its versions",
        {name: kinds.Default(kinds.text, "?") for name in ("python", *PACKAGES)},
    )


_INDEX = kinds.integer(0, 10**6)
_OBJECTIVES: dict[str, dict[str, kinds.Kind]] = {
    "layer": {
        "name": kinds.text,
        "power": kinds.Default(kinds.number(0, 16), 2),
        "border": kinds.Default(kinds.integer(0, MAX_SIDE), 0),
    },
    "channel": {"name": kinds.text, "index": _INDEX},
    "neuron": {"name": kinds.text, "index": _INDEX, "y": _INDEX, "x": _INDEX},
    "logit": {"label": _label},
    "guide": {
        "name": kinds.text,
        "picture": lambda value, where: _picture(value, "the guide picture"),
    },
}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"
