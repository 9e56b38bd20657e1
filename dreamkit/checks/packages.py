"""Packages that only some functions need: the error that says how to install a missing one."""

from __future__ import annotations

from types import ModuleType


def optional_package(name: str, need: str, extra: str, otherwise: str = "") -> ModuleType:
    """The package of that name, imported.

    Raises ValueError in one line if it is missing: what needs it, which of dreamkit's extras
    installs it, and, if given, what works without it.

    >>> optional_package("json", "texts need it", "texts").__name__
    'json'
    >>> optional_package("no_such_package", "dreams need Sleep", "sleep", "; films do not")
    Traceback (most recent call last):
    ValueError: dreams need Sleep: pip install 'dreamkit[sleep]' installs it; films do not
    """
    try:
        return __import__(name)  # of "timm.data" it gives timm, with timm.data in it
    except ImportError:
        advice = f"pip install 'dreamkit[{extra}]' installs it"
        raise ValueError(f"{need}: {advice}{otherwise}") from None
