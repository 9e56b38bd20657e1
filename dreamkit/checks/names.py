"""The answer to a wrong name: what was given, and the nearest names that exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UnknownNameError(KeyError):
    """A KeyError whose text is its message (a plain KeyError shows the quoted repr of it)."""

    def __str__(self) -> str:
        return str(self.args[0])


def unknown(kind: str, given: object, allowed: Iterable[str], hint: str = "") -> KeyError:
    """A KeyError that names what was given and the three nearest allowed names.

    >>> str(unknown("layer", "conv9", ["conv1", "conv2", "fc"]))
    "unknown layer 'conv9'; nearest: conv1, conv2, fc"
    """
    names = list(allowed)
    near = difflib.get_close_matches(str(given), names, n=3, cutoff=0.0)
    if len(names) <= 3:
        near = names
    return UnknownNameError(
        f"unknown {kind} {given!r}; nearest: {', '.join(near)}{'; ' + hint if hint else ''}"
    )
