"""The error for an unknown name: what was given, and the nearest names that exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from .fields import short


class UnknownNameError(KeyError):
    """A KeyError whose text is its message; a plain KeyError shows its message in quotes."""

    def __str__(self) -> str:
        return str(self.args[0])


def printable(text: str) -> str:
    r"""The text with its control characters as escapes: a terminal would obey them.

    >>> printable("red" + chr(7))
    'red\\x07'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def unknown(kind: str, given: object, allowed: Iterable[str], hint: str = "") -> KeyError:
    """A KeyError that names what was given and the three nearest allowed names, then `hint`.

    >>> str(unknown("layer", "conv9", ["conv1", "conv2", "fc"]))
    "unknown layer 'conv9'; nearest: conv1, conv2, fc"
    """
    names = list(allowed)
    few = len(names) <= 3
    near = names if few else difflib.get_close_matches(str(given)[:256], names, n=3, cutoff=0.0)
    more = f"; {hint}" if hint else ""
    return UnknownNameError(f"unknown {kind} {short(given)}; nearest: {', '.join(near)}{more}")
