"""The command line. PyTorch takes seconds to load, so Ctrl-C is handled before it is imported."""

from __future__ import annotations


def main(arguments: list[str] | None = None) -> None:
    """Runs one command line (by default this process's own) and exits with its status."""
    from . import _early

    _early.listen()
    from .app import main

    main(arguments)
