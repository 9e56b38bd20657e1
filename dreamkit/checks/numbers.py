"""Checks of numbers: the index of a channel, a class, a row or a column."""

from __future__ import annotations

from numbers import Integral


def check_index(what: str, given: object, count: int, where: str) -> None:
    """Raise ValueError unless `given` is a whole number from 0 to `count` - 1.

    `what` names the thing that is counted ("channel"); `where` names what has `count` of them
    ("layer 'conv1'").

    >>> check_index("channel", 3, 8, "layer 'conv1'")
    >>> check_index("channel", 8, 8, "layer 'conv1'")
    Traceback (most recent call last):
    ValueError: channel 8 is out of range: layer 'conv1' has 8, from 0 to 7
    """
    if isinstance(given, bool) or not isinstance(given, Integral) or not 0 <= given < count:
        raise ValueError(
            f"{what} {given} is out of range: {where} has {count}, from 0 to {count - 1}"
        )
