"""The numbers that recipes take, with their limits, and the check of a recipe's arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator

from ...ascent import settings
from ...objectives.scorer import scorer
from ...pictures.image import Image, check_values

#: What the recipes take: {name: (lowest, highest)}.
LIMITS = settings.LIMITS | {"max_loss": (0, 1e30)}
#: The names of those that are whole numbers.
WHOLE = ("steps", "octaves", "jitter", "tile", "seed")

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
    problem = settings.out_of_limits(value, *LIMITS[name], whole=name in WHOLE)
    if problem:
        raise ValueError(f"{name} of the {recipe} recipe must be {problem}")
