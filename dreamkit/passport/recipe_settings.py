"""The published recipes in passports: their numbers, checked, and their objectives."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from numbers import Integral

from ..checks import fields as checks
from ..networks.network import Network
from ..objectives.objective import Objective
from ..pictures.image import MAX_PIXELS, Image
from ..published import recipes


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
    return read_recipe({"name": name, "numbers": own | given}, "recipe")


def recipe_objective(name: str, layer: str) -> dict[str, object]:
    """The objective that the recipe was published with, at a layer, as plain data.

    TensorFlow's is the mean of a (not of a²); Keras's is a² without two border cells.
    """
    own = {"tensorflow": {"power": 1}, "keras": {"border": 2}}.get(name, {})
    return {"kind": "layer", "name": layer} | own


def read_recipe(data: object, where: str) -> dict[str, object]:
    """The {name, numbers} of a recipe, checked."""
    fields = {"name": checks.one_of(*recipes.NAMES), "numbers": checks.anything}
    taken = checks.take(data, where, fields)
    kinds = {name: _check(name, value) for name, value in _published(taken["name"]).items()}
    numbers = checks.take(taken["numbers"], f"the {taken['name']} recipe", kinds)
    return taken | {"numbers": numbers}


def _published(name: str) -> dict[str, object]:
    """The numbers of a recipe as published: the defaults of its keyword parameters."""
    parameters = inspect.signature(getattr(recipes, name)).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def _check(name: str, published: object) -> checks.Kind:
    if isinstance(published, bool):
        return checks.truth
    kind, low, high = recipes.LIMITS[name]
    check = checks.integer(low, high) if kind is Integral else checks.number(low, high)
    if published is None or name == "max_loss":  # None is allowed, but has to be written
        return checks.optional(check).kind
    return check


def following(
    recipe: Mapping[str, object], network: Network, wanted: Objective, image: Image
) -> Iterator[Image]:
    """The pictures of the recipe after each of its steps.

    Raises ValueError where an octave would be larger than any picture may be.
    """
    name, numbers = recipe["name"], recipe["numbers"]
    if name == "tensorflow":  # the only one whose octaves outgrow the photo
        larger = (numbers["octaves"] + 1) // 2 - 1
        growth = float(numbers["octave_ratio"]) ** (2 * larger)
        pixels = image.shape[-2] * image.shape[-1] * growth
        if pixels > MAX_PIXELS:
            raise ValueError(
                f"the largest octave would have {pixels / 1e6:.0f} megapixels, and at most "
                f"{MAX_PIXELS // 10**6} are allowed: take fewer octaves, a smaller octave_ratio or "
                "a smaller picture"
            )
    return getattr(recipes, name)(network, wanted, image, **numbers)
