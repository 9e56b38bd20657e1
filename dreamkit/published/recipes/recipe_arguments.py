"""The numbers that recipes take, with their limits, and the check of a recipe's arguments."""

from __future__ import annotations

import functools
import inspect
import math
import numbers
from collections.abc import Callable, Iterator

from ...objectives.objective import scorer
from ...pictures.image import Image, check_values

# name: (kind, lowest, highest)
LIMITS = {
    "steps": (numbers.Integral, 0, 10_000),
    "step_size": (numbers.Real, 0, 1e3),
    "octaves": (numbers.Integral, 1, 32),
    "octave_ratio": (numbers.Real, 1, 16),
    "jitter": (numbers.Integral, 0, 65_536),
    "smoothing": (numbers.Real, 0, 256),
    "tile": (numbers.Integral, 0, 65_536),
    "max_loss": (numbers.Real, 0, math.inf),
    "seed": (numbers.Integral, 0, 2**63 - 1),
}

Recipe = Callable[..., Iterator[Image]]


def checked(*may_be_none: str) -> Callable[[Recipe], Recipe]:
    """A decorator that checks a recipe's arguments when it is called, not at its first step.

    The numbers named in `may_be_none` may also be None.
    """

    def decorate(recipe: Recipe) -> Recipe:
        signature = inspect.signature(recipe)

        @functools.wraps(recipe)
        def start(*args, **keywords) -> Iterator[Image]:
            given = signature.bind(*args, **keywords).arguments
            check_values(given["image"])
            scorer(given["network"], given["objective"])
            for name, value in given.items():
                if name in LIMITS and not (value is None and name in may_be_none):
                    _check_number(recipe.__name__, name, value)
            return recipe(*args, **keywords)

        return start

    return decorate


def _check_number(recipe: str, name: str, value: object) -> None:
    kind, low, high = LIMITS[name]
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        whole = "a whole number" if kind is numbers.Integral else "a number"
        raise ValueError(
            f"{name} of the {recipe} recipe must be {whole} from {low} to {high}; given: {value!r}"
        )
