"""Errors and warnings in one line each on the terminal, and signals that end a command cleanly."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from ..checks.names import printable
from ..checks.out_of_memory import is_out_of_memory
from .streams import drop

PACKAGE = Path(__file__).parent.parent
TOO_LITTLE_MEMORY = (
    "there is not enough memory for a picture of this size: try a smaller --side, or, "
    "for dream, zoom and film, --tile 512"
)


class Stopped(BaseException):
    """SIGINT or SIGTERM has arrived; not an Exception, so `except Exception` lets it through."""

    def __init__(self, number: int):
        self.number = number
        self.reported = False

    def report(self, text: str) -> None:
        """Says what was kept; without it the program ends with "nothing was saved"."""
        say(text)
        self.reported = True


class Signals:
    """SIGINT and SIGTERM as `Stopped`: raised at once, or, while held, at the next `check`."""

    def __init__(self) -> None:
        self.received, self.holding = 0, False

    def receive(self, number: int, frame: object) -> None:
        self.received = number
        if not self.holding:
            raise Stopped(number)

    def check(self) -> None:
        if self.received:
            raise Stopped(self.received)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Inside, a signal waits: one part of a longer work is being saved."""
        self.holding = True
        try:
            yield
        finally:
            self.holding = False

    def hold(self) -> None:
        """From here on a signal changes nothing: only the last save and its message are left."""
        self.holding = True

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Inside, both signals come here; afterwards the handlers from before are put back."""
        self.received, self.holding = 0, False
        before = {}
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                # a background job ignores Ctrl-C
                if signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, self.receive)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


signals = Signals()  # of the command that is running


def run(command: Callable[[], int | None]) -> int:
    """The exit status of `command`; 2 for a user's mistake, 1 for a bug, 128 + n for signal n."""
    try:
        with _one_line_warnings():
            status = command() or 0
            sys.stdout.flush()
        return status
    except Stopped as stop:
        if not stop.reported:
            say("stopped; nothing was saved")
        return 128 + stop.number
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except BrokenPipeError:
        drop(sys.stdout)
        return 1
    except Exception as error:
        if os.environ.get("DREAMKIT_DEBUG"):
            traceback.print_exc()
        return _report(error)


def say(text: str) -> None:
    """Prints one line on stderr, after the program's name; if nobody can read it, nothing."""
    try:
        _print(f"dreamkit: {text}", sys.stderr)
    except OSError:  # closed by its reader, or a full disk: the work goes on
        drop(sys.stderr)


def print_line(text: str) -> None:
    """Prints one line on stdout about a result that is saved; nobody needs to read it."""
    try:
        _print(text, sys.stdout)
    except OSError:
        drop(sys.stdout)


def print_row(text: str) -> None:
    """Prints one line of a list on stdout, with its spaces; where that fails, raises OSError."""
    _print(text, sys.stdout, spaced=True)


def _print(text: str, stream: IO[str], spaced: bool = False) -> None:
    """Prints the text without line breaks, and with control characters as escapes.

    What the stream's encoding lacks is escaped too. If `spaced`, spaces stay as they are, and all
    other white space is escaped; else each white space becomes one space.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = text if spaced else " ".join(text.split())
    line = printable(shown).encode(encoding, "backslashreplace").decode(encoding)
    if "tqdm" in sys.modules and sys.stderr.isatty():
        # clears a progress bar, prints, and draws the bar again
        sys.modules["tqdm"].tqdm.write(line, file=stream)
    else:
        print(line, file=stream, flush=True)


def _report(error: Exception) -> int:
    """Says the error in one line; the exit status: 2, or 1 for a bug."""
    if hasattr(error, "format_message"):  # a usage error of typer, or of the click inside it
        text = error.format_message().rstrip(".")
        say(f"{text[:1].lower()}{text[1:]} (see dreamkit --help)")
    elif isinstance(error, (ValueError, KeyError, FileNotFoundError)):
        say(str(error))
    elif is_out_of_memory(error):
        say(TOO_LITTLE_MEMORY)
    elif isinstance(error, OSError):
        say(f"{error.strerror or error}{f': {error.filename!r}' if error.filename else ''}")
    else:
        say(f"a bug in dreamkit, {type(error).__name__}: {error} (DREAMKIT_DEBUG=1 shows where)")
        return 1
    return 2


@contextlib.contextmanager
def _one_line_warnings() -> Iterator[None]:
    """Inside, dreamkit's own warnings are one line each; those of other libraries are hidden."""

    def show(message: Warning | str, category: type[Warning], filename: str, *rest: object) -> None:
        if category is UserWarning and Path(filename).is_relative_to(PACKAGE):
            say(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield
