"""Checking data that a stranger wrote: each field by a kind, a function that gives the value or raises ValueError in one line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Kind = Callable[[object, str], object]  # (value, what to call it in an error) -> the value


def take(
    data: object, where: str, kinds: Mapping[str, Kind], loose: bool = False
) -> dict[str, object]:
    """The fields of `data`, each checked by its kind; unknown fields are refused unless `loose`."""
    if not isinstance(data, Mapping):
        raise ValueError(f"{where} must be fields with values; given: {short(data)}")
    strange = [name for name in data if name not in kinds]
    if strange and not loose:
        raise ValueError(f"{where} has no field {short(strange[0])}; allowed: {', '.join(kinds)}")
    taken = {}
    for name, kind in kinds.items():
        if name in data or not isinstance(kind, Default):
            if name not in data:
                raise ValueError(f"{where} lacks the field {name!r}")
            taken[name] = kind(data[name], f"{name!r} of {where}")
        else:
            taken[name] = kind.value
    return taken


@dataclass(frozen=True)
class Default:
    """A field that may be left out."""

    kind: Kind
    value: object

    def __call__(self, value: object, where: str) -> object:
        return self.kind(value, where)


def optional(kind: Kind) -> Default:
    return Default(lambda value, where: None if value is None else kind(value, where), None)


def anything(value: object, where: str) -> object:
    return value


def text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > 256:
        raise ValueError(f"{where} must be a text of at most 256 characters; given: {short(value)}")
    return value


def sha256(value: object, where: str) -> str:
    if (
        not isinstance(value, str)
        or len(value) not in (0, 64)
        or set(value) - set("0123456789abcdef")
    ):
        raise ValueError(f"{where} must be a sha256 in hex; given: {short(value)}")
    return value


def one_of(*allowed: str) -> Kind:
    def check(value: object, where: str) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(
                f"{where} must be {' or '.join(allowed) if len(allowed) < 3 else 'one of ' + ', '.join(allowed)}; "
                f"given: {short(value)}"
            )
        return value

    return check


def truth(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{where} must be true or false; given: {short(value)}")
    return value


def integer(low: int, high: int) -> Kind:
    def check(value: object, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(
                f"{where} must be a whole number from {low} to {high}; given: {short(value)}"
            )
        return value

    return check


def number(low: float, high: float) -> Kind:
    def check(value: object, where: str) -> float:
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not (math.isfinite(value) and low <= value <= high)
        ):
            raise ValueError(
                f"{where} must be a number from {low:g} to {high:g}; given: {short(value)}"
            )
        return value

    return check


def short(value: object) -> str:
    text = (
        repr(value)
        if isinstance(value, (str, int, float, type(None)))
        else f"a {type(value).__name__}"
    )
    return text if len(text) <= 60 else text[:57] + "…"
