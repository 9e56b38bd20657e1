"""Exercises that check themselves: `check(name, answer)` says in one line what held, or which mistake this looks like.

Each lesson's exercises live in a module of their own (`lesson05`), as plain data: the solution, the conditions in the
order in which they are tried, and the wrong answers that a class is known to give.
"""

from __future__ import annotations

import html
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from ..checks.names import unknown


@dataclass(frozen=True)
class Condition:
    """What must hold of an answer, and what to say where it does not: the mistake it looks like and a nudge, never the solution."""

    holds: Callable[[object], bool]
    message: str


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that students give, with its name for the teacher's page."""

    what: str
    answer: object


@dataclass(frozen=True)
class Exercise:
    """One exercise: its data, its solution, its conditions in order, and at least three mistakes, each caught by another condition."""

    name: str
    lesson: str  # "05"
    title: str
    minutes: int
    difficulty: int  # 1 to 3
    solution: object
    conditions: tuple[Condition, ...]
    mistakes: tuple[Mistake, ...]
    praise: str  # what is now known to hold


@dataclass(frozen=True)
class Verdict:
    """The answer of `check`: `ok` is True, False, or None for an exercise not attempted yet; shown as one line."""

    name: str
    ok: bool | None
    message: str = field(repr=False)

    def __repr__(self) -> str:
        return f"{'✓' if self.ok else '○' if self.ok is None else '✗'} {self.name}: {self.message}"

    def _repr_html_(self) -> str:
        color = "#1a7f37" if self.ok else "#57606a" if self.ok is None else "#b3261e"
        return f'<p role="status" style="color:{color};font-weight:600;margin:0">{html.escape(repr(self))}</p>'


def check(name: str, answer: object) -> Verdict:
    """A Verdict on an answer (a function or a value) to the exercise of that name. KeyError for an unknown exercise.

    A stub that is not filled in (it is, or returns, `...` or None) has not been attempted; that is no failure.
    """
    exercises = all_exercises()
    if name not in exercises:
        raise unknown("exercise", name, exercises)
    exercise = exercises[name]
    if answer is None or answer is ...:
        return _waiting(name)
    watched = _Watched(answer) if callable(answer) else None
    for condition in exercise.conditions:
        try:
            held = bool(condition.holds(watched or answer))
        except Exception as error:  # whatever a student's code raises belongs into the verdict, not into a traceback
            if watched and watched.empty:
                return _waiting(name)
            return Verdict(
                name,
                False,
                f"it stopped with {type(error).__name__}: {' '.join(str(error).split()) or 'no message'}",
            )
        if watched and watched.empty:
            return _waiting(name)
        if not held:
            return Verdict(name, False, condition.message)
    return Verdict(name, True, exercise.praise)


@lru_cache
def all_exercises() -> dict[str, Exercise]:
    """Every exercise by name, in the order of the lessons."""
    names = sorted(
        info.name for info in pkgutil.iter_modules(__path__) if info.name.startswith("lesson")
    )
    return by_name(
        exercise
        for name in names
        for exercise in importlib.import_module(f".{name}", __name__).EXERCISES
    )


def by_name(exercises: Iterable[Exercise]) -> dict[str, Exercise]:
    """The exercises by their names, in their order. ValueError where two of them have one name: `check` could not tell them apart."""
    found: dict[str, Exercise] = {}
    for exercise in exercises:
        if exercise.name in found:
            raise ValueError(
                f"two exercises are named {exercise.name!r}: one in lesson {found[exercise.name].lesson}, "
                f"one in lesson {exercise.lesson}"
            )
        found[exercise.name] = exercise
    return found


class _Watched:
    """A student's function, remembering whether any call gave nothing back: the mark of a stub."""

    def __init__(self, function: Callable):
        self.function, self.empty = function, False

    def __call__(self, *args, **kwargs):
        result = self.function(*args, **kwargs)
        self.empty = self.empty or result is None or result is ...
        return result


def _waiting(name: str) -> Verdict:
    return Verdict(name, None, "not attempted yet: fill in the cell above and run it again")
