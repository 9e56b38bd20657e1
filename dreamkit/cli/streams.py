"""The standard streams can be closed, broken, or of an encoding that lacks half the letters."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import IO, TextIO


def repair() -> None:
    """Make sure that there are three standard streams, and that each text can be printed on them.

    A stream that was closed before the program began becomes the null device: otherwise the next
    file to be opened would take its number, and messages would be written into that file. What
    the encoding of stdout or stderr lacks is printed as an escape.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            _to_null(number)
        stream = getattr(sys, name)
        if stream is None:
            mode = "w" if number else "r"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)
        if number and hasattr(stream, "reconfigure"):
            setattr(sys, name, _forgiving(stream, number))


def _forgiving(stream: TextIO, number: int) -> TextIO:
    """The stream, or another on the same file, that prints what its encoding lacks as an escape."""
    try:
        stream.reconfigure(errors="backslashreplace")
    except (OSError, ValueError):
        # It was closed, or was a file when Python began and is a pipe now (a forked process, a
        # program that redirects us): Python still asks for its position, which a pipe has not.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
        encoding = stream.encoding
        return open(number, "w", encoding=encoding, errors="backslashreplace", closefd=False)
    return stream


def drop(stream: IO[str]) -> None:
    """Send what is still printed on the stream to the null device: nobody reads it any more.

    Python would complain once more when it flushes the stream at its end.
    """
    with contextlib.suppress(OSError, ValueError):
        _to_null(stream.fileno())


def _to_null(number: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null == number:
        os.set_inheritable(null, True)
    else:
        os.dup2(null, number)
        os.close(null)
