"""An objective as the plain data of a passport, and made again from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from numbers import Integral, Real

from ..checks import fields as checks
from ..objectives import objective as makers
from ..objectives.kinds import KINDS, Term
from ..objectives.objective import Objective
from ..objectives.picture_info import PictureInfo

MAX_TERMS, MAX_DEPTH = 64, 4  # of a sum of objectives


def entry(objective: Objective) -> dict[str, object]:
    """The plain data that describes an objective; values that are left out are the default.

    Raises ValueError for a formula of your own, and for a guide without its picture.

    >>> entry(makers.layer("conv1") + 0.5 * makers.logit("goldfish"))["terms"][1]
    {'weight': 0.5, 'objective': {'kind': 'logit', 'label': 'goldfish'}}
    """
    if not objective.terms:
        raise ValueError(
            f"{objective.name or 'this objective'} is a formula of your own; a passport can hold "
            f"{', '.join(KINDS)} and their sums"
        )
    first, *rest = objective.terms
    if not rest and first.weight == 1:
        return _term_entry(first)
    terms = [{"weight": t.weight, "objective": _term_entry(t)} for t in objective.terms]
    return {"kind": "sum", "terms": terms}


def _term_entry(term: Term) -> dict[str, object]:
    kind = KINDS[term.kind]
    data = {"kind": term.kind} | ({"name": term.layer} if kind.at_layer else {})
    for name, check in kind.fields.items():
        value = term.values[name]
        if value is None:
            raise ValueError(f"a passport can hold {term.call()} only if it is given its {name}")
        if not isinstance(check, checks.Default) or value != check.value:
            data[name] = _plain(value)
    return data


def _plain(value: object) -> object:
    """A value as JSON can hold it: NumPy's numbers as Python's."""
    if isinstance(value, PictureInfo):
        return asdict(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Real) and not isinstance(value, (int, float)):
        return int(value) if isinstance(value, Integral) else float(value)
    return value


def terms_of(spec: object, depth: int = 0) -> tuple[Term, ...]:
    """The terms that plain data describes; a guide's are without the features of its picture.

    The weights of sums within sums are multiplied. Raises ValueError in one line for other data.
    """
    if depth >= MAX_DEPTH:
        raise ValueError(f"an objective is nested at most {MAX_DEPTH} deep")
    if not isinstance(spec, Mapping):
        raise ValueError(f"an objective is described by its fields; given: {checks.short(spec)}")
    kind = checks.one_of(*KINDS, "sum")(spec.get("kind"), "the kind of an objective")
    rest = {name: value for name, value in spec.items() if name != "kind"}
    if kind != "sum":
        at_layer = {"name": checks.text} if KINDS[kind].at_layer else {}
        values = checks.take(rest, f"the objective {kind}", at_layer | KINDS[kind].fields)
        return (Term(kind, values.pop("name", ""), values),)
    parts = checks.take(rest, "a sum", {"terms": checks.anything})["terms"]
    if not isinstance(parts, (list, tuple)) or not 1 <= len(parts) <= MAX_TERMS:
        raise ValueError(
            f"a sum has a list of 1 to {MAX_TERMS} terms; given: {checks.short(parts)}"
        )
    fields = {"weight": checks.number(-1e6, 1e6), "objective": checks.anything}
    parts = [checks.take(part, "a term of a sum", fields) for part in parts]
    return tuple(
        replace(term, weight=part["weight"] * term.weight)
        for part in parts
        for term in terms_of(part["objective"], depth + 1)
    )


def check_objective(spec: object) -> None:
    """Raise ValueError unless `objective` could make an objective of `spec`."""
    terms_of(spec)


def objective(spec: Mapping[str, object], guides: Mapping[str, object] | None = None) -> Objective:
    """The Objective that plain data describes; ValueError for other data.

    `spec` holds a kind and its values: layer (name, power, border), channel (name, index), neuron
    (name, index, y, x), logit (label: an index or a label), guide (name, picture), direction
    (name, vector, cosine), caricature (name, cosine, picture), diversity (name), penalty (what), or
    sum (terms: a list of {weight, objective}). `guides` holds, by the sha256 of each guide picture,
    its features {layer: tensor}.

    >>> objective(entry(makers.layer("conv1") + 0.5 * makers.logit("goldfish"))).name
    "layer('conv1') + 0.5 * logit('goldfish')"
    """
    terms = terms_of(spec)
    if spec["kind"] == "sum":
        parts = ((part["weight"], objective(part["objective"], guides)) for part in spec["terms"])
        first, *rest = (part if weight == 1 else weight * part for weight, part in parts)
        return sum(rest, start=first)
    (term,) = terms
    arguments = [term.layer] if KINDS[term.kind].at_layer else []
    picture = term.values.get("picture")
    if picture is not None:
        if picture.sha256 not in (guides or {}):
            raise ValueError(
                f"the guide picture {picture.name!r} (sha256 {picture.sha256[:12]}…) "
                "is not among the features given"
            )
        arguments.append(guides[picture.sha256])
    return getattr(makers, term.kind)(*arguments, *term.values.values())


def guide_pictures(spec: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The guide pictures that an objective needs, as [{layer, picture: its PictureInfo}]."""
    return [
        {"layer": term.layer, "picture": term.values["picture"]}
        for term in terms_of(spec)
        if "picture" in term.values
    ]
