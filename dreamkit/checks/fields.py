"""Checks of data that a stranger wrote: each field has a kind.

A kind is a function that returns the value of a field, or raises ValueError in one line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .numbers import is_number, is_whole

Kind = Callable[[object, str], object]  # (value, what an error calls it) -> the value


def take(
    data: object, where: str, kinds: Mapping[str, Kind], loose: bool = False
) -> dict[str, object]:
    """The fields of `data`, each checked by its kind.

    Raises ValueError for a missing field, and, unless `loose`, for a field that `kinds` lacks.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{where} must be fields with values; given: {short(data)}")
    strange = [name for name in data if name not in kinds]
    if strange and not loose:
        raise ValueError(f"{where} has no field {short(strange[0])}; allowed: {', '.join(kinds)}")
    taken = {}
    for name, kind in kinds.items():
        if name in data:
            taken[name] = kind(data[name], f"{name!r} of {where}")
        elif isinstance(kind, Default):
            taken[name] = kind.value
        else:
            raise ValueError(f"{where} lacks the field {name!r}")
    return taken


@dataclass(frozen=True)
class Default:
    """The kind of a field that may be missing; `value` then stands for it."""

    kind: Kind
    value: object

    def __call__(self, value: object, where: str) -> object:
        return self.kind(value, where)


def optional(kind: Kind) -> Default:
    """The kind of a field that may be missing or null: None stands for both."""
    return Default(lambda value, where: None if value is None else kind(value, where), None)


def anything(value: object, where: str) -> object:
    return value


def _kind(allowed: str, fits: Callable[[object], bool]) -> Kind:
    """The kind whose values fit; `allowed` says in an error what they must be."""

    def check(value: object, where: str) -> object:
        if not fits(value):
            raise ValueError(f"{where} must be {allowed}; given: {short(value)}")
        return value

    return check


text = _kind(
    "a text of at most 256 characters",
    lambda value: isinstance(value, str) and len(value) <= 256,
)
sha256 = _kind(
    "a sha256 in hex",
    lambda value: (
        isinstance(value, str) and len(value) in (0, 64) and set(value) <= set("0123456789abcdef")
    ),
)
truth = _kind("true or false", lambda value: isinstance(value, bool))


def one_of(*allowed: str) -> Kind:
    names = " or ".join(allowed) if len(allowed) < 3 else f"one of {', '.join(allowed)}"
    return _kind(names, lambda value: isinstance(value, str) and value in allowed)


def integer(low: int, high: int) -> Kind:
    return _kind(f"a whole number from {low} to {high}", lambda value: is_whole(value, low, high))


def number(low: float, high: float) -> Kind:
    return _kind(f"a number from {low:g} to {high:g}", lambda value: is_number(value, low, high))


def short(value: object) -> str:
    """What an error shows of a value: at most 60 characters, and of a container only its type."""
    simple = isinstance(value, (str, int, float, type(None)))
    shown = repr(value) if simple else f"a {type(value).__name__}"
    return shown if len(shown) <= 60 else shown[:57] + "…"
