"""Checks of numbers: whole numbers, finite numbers, the index of a channel, a class or a row."""

from __future__ import annotations

import math
from numbers import Integral, Real


def is_whole(value: object, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether `value` is a whole number from `low` to `high`; True and False are not numbers.

    >>> is_whole(3, 0), is_whole(3, 4), is_whole(3.0), is_whole(True)
    (True, False, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool) and low <= value <= high


def is_number(value: object, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether `value` is a finite real number from `low` to `high`; True and False are not numbers.

    >>> is_number(0.5, 0, 1), is_number(2, 0, 1), is_number(math.inf), is_number(math.nan)
    (True, False, False, False)
    """
    is_real = isinstance(value, Real) and not isinstance(value, bool)
    return is_real and low <= value <= high and abs(value) != math.inf


def check_index(what: str, given: object, count: int, where: str) -> None:
    """Raise ValueError unless `given` is a whole number from 0 to `count` - 1.

    `what` names the thing that is counted ("channel"); `where` names what has `count` of them
    ("layer 'conv1'").

    >>> check_index("channel", 3, 8, "layer 'conv1'")
    >>> check_index("channel", 8, 8, "layer 'conv1'")
    Traceback (most recent call last):
    ValueError: channel 8 is out of range: layer 'conv1' has 8, from 0 to 7
    """
    if not is_whole(given, 0, count - 1):
        raise ValueError(
            f"{what} {given} is out of range: {where} has {count}, from 0 to {count - 1}"
        )
