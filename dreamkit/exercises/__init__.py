"""Self-checking exercises: `check(name, answer)` says in one line what holds, or what is wrong.

The exercises of each lesson are plain data in a module of its own (`lesson05`).
"""

from __future__ import annotations

import html
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from ..checks.names import unknown
from .checking import agree, close, described, uses


@dataclass(frozen=True)
class Condition:
    """A fact that must hold of an answer, and the message if it does not.

    The message names the likely mistake and gives a hint, but never the solution.
    """

    holds: Callable[[object], bool]
    message: str


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that students give, its name for the teacher's page, and the hint for them.

    A mistake without a hint is caught by another check of its exercise.
    """

    what: str
    answer: object
    hint: str = ""


@dataclass(frozen=True)
class Exercise:
    """One exercise: its data, its solution and the checks of an answer in the order of trial.

    A function that only repeats the lesson's own case is caught last: `cases` are the arguments of
    further calls, of other shapes and other parameters, and on each the answer must agree with the
    solution. Where writing a function of the package is the task, `write` names it: an answer that
    is that function, or calls it, is turned down first.
    """

    name: str
    lesson: str  # "05"
    title: str
    minutes: int
    difficulty: int  # 1 to 3
    solution: object
    checks: tuple[Condition | Mistake, ...]
    praise: str  # said of a right answer
    same: Callable[[object, object], bool] | None = None  # whether two answers agree
    otherwise: str = ""  # said of an answer that does not agree with the solution
    cases: tuple[tuple, ...] = ()  # each the arguments of one call
    compare: Callable[[object, object], bool] = close  # whether two results agree on a case
    write: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What must hold, in order: an answer must not agree with a mistake that has a hint."""
        found = [self._own_work] if self.write else []
        found += [check for check in map(self._condition, self.checks) if check]
        if self.otherwise:
            found.append(Condition(lambda answer: self.same(answer, self.solution), self.otherwise))
        return (*found, *map(self._on_case, self.cases))

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The known wrong answers."""
        return tuple(check for check in self.checks if isinstance(check, Mistake))

    @property
    def _own_work(self) -> Condition:
        return Condition(
            lambda answer: not uses(answer.function, self.write),
            f"that is the package's own {' or '.join(self.write)}: here the task is to write it",
        )

    def _on_case(self, case: tuple) -> Condition:
        return Condition(
            lambda answer: agree(answer, self.solution, case, self.compare),
            f"right so far, but not for other arguments ({described(case)}): "
            "is a size or a value written into your function?",
        )

    def _condition(self, check: Condition | Mistake) -> Condition | None:
        if isinstance(check, Condition):
            return check
        differs = lambda answer: not self.same(answer, check.answer)
        return Condition(differs, check.hint) if check.hint else None


@dataclass(frozen=True)
class Verdict:
    """The result of `check`, shown as one line: `ok` is None for an exercise not attempted yet."""

    name: str
    ok: bool | None
    message: str = field(repr=False)

    def __repr__(self) -> str:
        return f"{'✓' if self.ok else '○' if self.ok is None else '✗'} {self.name}: {self.message}"

    def _repr_html_(self) -> str:
        color = "#1a7f37" if self.ok else "#57606a" if self.ok is None else "#b3261e"
        style = f"color:{color};font-weight:600;margin:0"
        return f'<p role="status" style="{style}">{html.escape(repr(self))}</p>'


def check(name: str, answer: object) -> Verdict:
    """The verdict on an answer (a function or a value) to the exercise of that name.

    An answer that is or returns `...` or None is a stub: not attempted yet, which is not a failure.
    Raises KeyError for an unknown exercise.
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
        except Exception as error:  # an error in a student's code is a verdict, not a traceback
            if watched and watched.empty:
                return _waiting(name)
            reason = " ".join(str(error).split()) or "no message"
            return Verdict(name, False, f"it stopped with {type(error).__name__}: {reason}")
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
    """The exercises by name, in their order. Raises ValueError if two have the same name."""
    found: dict[str, Exercise] = {}
    for exercise in exercises:
        if exercise.name in found:
            raise ValueError(
                f"two exercises are named {exercise.name!r}: "
                f"one in lesson {found[exercise.name].lesson}, one in lesson {exercise.lesson}"
            )
        found[exercise.name] = exercise
    return found


class _Watched:
    """A student's function that remembers whether a call returned nothing, as a stub does."""

    def __init__(self, function: Callable):
        self.function, self.empty = function, False

    def __call__(self, *args, **kwargs):
        result = self.function(*args, **kwargs)
        self.empty = self.empty or result is None or result is ...
        return result


def _waiting(name: str) -> Verdict:
    return Verdict(name, None, "not attempted yet: fill in the cell above and run it again")
