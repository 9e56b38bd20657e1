"""A command line's manners: every error one line, a signal obeyed at once and cleanly, progress that never litters a log."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent


class Stopped(BaseException):
    """SIGINT or SIGTERM has arrived. Not an Exception, so that no `except Exception` on the way swallows it."""

    def __init__(self, number: int):
        self.number = number


class Signals:
    """SIGINT and SIGTERM become `Stopped`: raised at once, or, while held, when `check` is next called."""

    def __init__(self) -> None:
        self.arrived, self.holding = 0, False

    def receive(self, number: int, frame: object) -> None:
        self.arrived = number
        if not self.holding:
            raise Stopped(number)

    def check(self) -> None:
        if self.arrived:
            raise Stopped(self.arrived)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Within, a signal waits: for the moments in which a finished picture goes to its file."""
        self.holding = True
        try:
            yield
        finally:
            self.holding = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        before = {}
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                if (
                    signal.getsignal(number) is not signal.SIG_IGN
                ):  # a job in the background is not for Ctrl-C
                    before[number] = signal.signal(number, self.receive)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(command: Callable[[], object], signals: Signals) -> int:
    """The exit status of `command`: 0, what it raised as SystemExit, 2 for a user's mistake, 128 + n for signal n, 1 for a bug."""
    try:
        with signals.listening(), _one_line_warnings():
            command()
            sys.stdout.flush()
        return 0
    except Stopped as stop:
        if not getattr(stop, "told", False):
            say("stopped; nothing was saved")
        return 128 + stop.number
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # or Python complains of it once more when it ends
        return 1
    except Exception as error:
        if os.environ.get("DREAMKIT_DEBUG"):
            traceback.print_exc()
        return _tell(error)


def say(text: str) -> None:
    """One line on stderr, under the program's name; whatever a name in it contains, it stays one line."""
    line = "dreamkit: " + " ".join(printable(text).split())
    if "tqdm" in sys.modules and sys.stderr.isatty():
        sys.modules["tqdm"].tqdm.write(
            line, file=sys.stderr
        )  # lifts a bar out of the way and puts it back
    else:
        print(line, file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """The text without control characters, and with what the terminal cannot show written as escapes."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    text = "".join(c if c.isprintable() or c.isspace() else repr(c)[1:-1] for c in text)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _tell(error: Exception) -> int:
    if hasattr(error, "format_message"):  # typer's usage errors, whichever library it keeps them in
        text = error.format_message().rstrip(".")
        say(f"{text[:1].lower()}{text[1:]} (dreamkit --help shows what there is)")
    elif isinstance(error, (ValueError, KeyError, FileNotFoundError)):
        say(str(error))
    elif isinstance(error, MemoryError) or "memory" in str(error).lower():
        say(
            "there is not enough memory for a picture of this size: try a smaller --side, or --tile 512"
        )
    elif isinstance(error, OSError):
        say(f"{error.strerror or error}{f': {error.filename!r}' if error.filename else ''}")
    else:
        say(f"a bug in dreamkit, {type(error).__name__}: {error} (DREAMKIT_DEBUG=1 shows where)")
        return 1
    return 2


@contextlib.contextmanager
def _one_line_warnings() -> Iterator[None]:
    """Dreamkit's own warnings as one line each; those of other libraries speak to programmers, and are left out."""

    def show(message: Warning | str, category: type[Warning], filename: str, *rest: object) -> None:
        if category is UserWarning and Path(filename).is_relative_to(PACKAGE):
            say(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield


class Progress:
    """A bar with octave and step on a terminal; where stderr is a file or a pipe, one plain line an octave."""

    def __init__(self, octaves: int, steps: int):
        self.octaves, self.steps, self.done = octaves, steps, 0
        self.bar = None
        if sys.stderr.isatty():
            self.bar = _bar(octaves * steps, "step")

    def advance(self, height: int, width: int) -> None:
        octave, step = self.done // self.steps + 1, self.done % self.steps + 1
        self.done += 1
        if self.bar is not None:
            self.bar.set_description(
                f"octave {octave}/{self.octaves} ({width}×{height}), step {step}/{self.steps}",
                refresh=False,
            )
            self.bar.update()
        elif step == 1:
            say(f"octave {octave} of {self.octaves}, {width}×{height}")

    @property
    def where(self) -> str:
        """The last step that was done, in words."""
        last = self.done - 1
        return f"step {last % self.steps + 1} of {self.steps} in octave {last // self.steps + 1} of {self.octaves}"

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


class FrameProgress:
    """A film's frames, or other things counted, and the time left.

    A bar on a terminal; where stderr is a file or a pipe, a plain line for each tenth.
    """

    def __init__(self, total: int, done: int = 0, unit: str = "frame"):
        self.total, self.done, self.begun, self.start, self.unit = (
            total,
            done,
            done,
            time.perf_counter(),
            unit,
        )
        self.bar = _bar(total, unit, done) if sys.stderr.isatty() else None

    def advance(self, count: int = 1) -> None:
        tenth, first = 10 * self.done // self.total, self.done == self.begun
        self.done += count
        if self.bar is not None:
            self.bar.update(count)
        elif 10 * self.done // self.total > tenth or first:
            left = (
                (time.perf_counter() - self.start)
                / (self.done - self.begun)
                * (self.total - self.done)
            )
            say(f"{self.unit} {self.done} of {self.total}, {_duration(left)} left")

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


class Figures:
    """The figures that are finished: a line on stdout for each, and on a terminal a bar below them."""

    def __init__(self, total: int):
        self.done, self.bar = 0, _bar(total, "figure") if sys.stderr.isatty() else None

    def advance(self, line: str) -> None:
        self.done += 1
        if self.bar is None:
            print(line, flush=True)
        else:
            self.bar.write(line)  # lifts the bar out of the way and puts it back
            self.bar.update()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _bar(total: int, unit: str, done: int = 0):
    from tqdm import tqdm

    sized = min(os.get_terminal_size(sys.stderr.fileno())) > 0
    size = (
        {"dynamic_ncols": True} if sized else {"ncols": 80, "nrows": 24}
    )  # a container's terminal may be 0×0
    return tqdm(total=total, initial=done, unit=unit, leave=False, file=sys.stderr, **size)


def _duration(seconds: float) -> str:
    """The time in words.

    >>> _duration(75.2)
    '1 min 15 s'
    """
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
