"""A passport as the command line and as the Python that make the picture again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from ..checks import fields as checks
from ..objectives.kinds import KINDS, Term
from ..objectives.picture_info import PictureInfo
from ..objectives.styles import styles
from .entries import terms_of
from .reading import SEEN, Plan, read, recipe_objective


def command(passport: object) -> str:
    """The command line that makes the picture again; `dreamkit again` if no flags can say it."""
    plan = read(passport)
    what = _objective_flags(plan)
    if what is None or plan.stopped:
        return "dreamkit again OUT.png"
    weights = {"own": [], "random": ["--weights", "random"], "file": ["--weights", "FILE"]}
    words = ["dreamkit", plan.made, plan.source.name, "--network", plan.network]
    words += [*weights[plan.weights], *what]
    if plan.channels:
        words += ["--channels", ",".join(map(str, plan.channels))]
    if plan.count:
        words += ["--cells" if plan.made == "grid" else "--groups", str(plan.count)]
    if plan.made in SEEN:
        words += ["--seed", str(plan.settings.seed)]
    words += ["--side", str(max(plan.source.height, plan.source.width))]
    if plan.precision != "float32":
        words += ["--precision", plan.precision]
    if plan.made == "dream":
        words += ["--recipe", plan.recipe["name"]] if plan.recipe else []
        words += [word for name, value in plan.numbers.items() for word in _flag(name, value)]
    return shlex.join(words)


def _objective_flags(plan: Plan) -> list[str] | None:
    """The flags that describe the plan's objective; None if no flags can."""
    term, *rest = terms = terms_of(plan.objective)
    for style in styles().values():
        if terms == style.objective.terms and plan.network == style.network:
            return None if plan.recipe else ["--style", style.name]
    if rest or term.weight != 1:
        return None
    kind = KINDS[term.kind]
    usual = recipe_objective(plan.recipe["name"], term.layer) if plan.recipe else {}
    words = ["--layer", term.layer] if kind.at_layer else []
    for name, check in kind.fields.items():
        value = term.values[name]
        if name in kind.flags:
            text = value.name if isinstance(value, PictureInfo) else str(value)
            words += [f"--{kind.flags[name]}", text]
        elif not isinstance(check, checks.Default) or value != usual.get(name, check.value):
            return None
    return words


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
    weights = {"own": "", "random": ", weights='random'", "file": ", weights='FILE'"}
    precision = "" if plan.precision == "float32" else f", precision={plan.precision!r}"
    terms = terms_of(plan.objective)
    pictures = [term.values["picture"] for term in terms if "picture" in term.values]
    guides = [f"guide{number or ''}" for number in range(len(pictures))]
    numbers = ", ".join(f"{name}={value!r}" for name, value in plan.numbers.items())
    if plan.recipe is None:
        score = "dk.scorer(network, objective)"
        dreaming = [f"dream = dk.dream({score}, picture, dk.Settings({numbers}))"]
    else:
        recipe = f"dk.recipes.{plan.recipe['name']}(network, objective, picture, {numbers})"
        dreaming = [f"for dream in {recipe}:", "    pass"]
    lines = [
        "import dreamkit as dk",
        "",
        f"network = dk.load_network({plan.network!r}{weights[plan.weights]}{precision})",
        f"picture = {plan.source.python()}",
        *(f"{name} = {picture.python()}" for name, picture in zip(guides, pictures, strict=True)),
        f"objective = {_sum(terms, guides)}",
        *dreaming,
        "dk.save_image(dream, 'dream.png')",
        "",
    ]
    return "\n".join(lines)


def expression(spec: Mapping[str, object]) -> str:
    """The Python of an objective that plain data describes, if it has no guide picture.

    >>> expression({"kind": "channel", "name": "conv2", "index": 3})
    "dk.channel('conv2', 3)"
    """
    return _sum(terms_of(spec), ())


def _sum(terms: Sequence[Term], guides: Sequence[str]) -> str:
    names, calls = iter(guides), []
    for term in terms:
        features = ""
        if "picture" in term.values:
            features = f"dk.capture(network, {next(names)}, {term.layer!r})"
        weight = "" if term.weight == 1 else f"{term.weight!r} * "
        calls.append(f"{weight}dk.{term.call(features)}")
    return " + ".join(calls)
