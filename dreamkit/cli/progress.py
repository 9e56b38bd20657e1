"""Progress on stderr: a bar on a terminal, a few plain lines in a file or a pipe."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

from .console import Stopped, say, signals


class Progress:
    """A progress bar, and how much is done; `bar` is None where stderr is not a terminal."""

    def __init__(self, total: int, unit: str, done: int = 0):
        self.total, self.unit, self.done, self.done_before = total, unit, done, done
        self.start = time.perf_counter()
        self.bar = _bar(total, unit, done) if sys.stderr.isatty() else None

    def advance(self, count: int = 1) -> None:
        self.done += count
        if self.bar is not None:
            self.bar.update(count)

    @contextlib.contextmanager
    def reporting_stop(self, kept: Callable[[], str | None]) -> Iterator[None]:
        """Inside, the work is done. A signal then reports what was `kept`, if anything was.

        After the work a signal changes nothing, and the bar is closed.
        """
        try:
            yield
            signals.hold()
        except Stopped as stop:
            if text := kept():
                stop.report(text)
            raise
        finally:
            self.close()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.start

    def stopped_at(self, failed: int = 0) -> str:
        """What to say after a stop, where the same command continues."""
        return (
            f"stopped at {self.done - failed} of {self.total} {self.unit}s; "
            "the same command goes on from there"
        )


class StepProgress(Progress):
    """The steps of a dream: the bar shows octave and step; without it, one line for each octave."""

    def __init__(self, octaves: int, steps: int):
        super().__init__(octaves * steps, "step")
        self.octaves, self.steps = octaves, steps

    def advance_to(self, height: int, width: int) -> None:
        octave, step = self.done // self.steps + 1, self.done % self.steps + 1
        if self.bar is not None:
            self.bar.set_description(
                f"octave {octave}/{self.octaves} ({width}×{height}), step {step}/{self.steps}",
                refresh=False,
            )
        self.advance()
        if self.bar is None and step == 1:
            say(f"octave {octave} of {self.octaves}, {width}×{height}")

    def finish_octave(self) -> None:
        """Counts the steps left in this octave as done: the keras recipe may leave them out."""
        self.done += -self.done % self.steps

    @property
    def last_step(self) -> str:
        """The last step that was done, in words."""
        octave, step = divmod(self.done - 1, self.steps)
        return f"step {step + 1} of {self.steps} in octave {octave + 1} of {self.octaves}"


class CountProgress(Progress):
    """Pictures or frames: in a pipe a line after the first and each tenth, with the time left."""

    def advance(self, count: int = 1) -> None:
        tenth, first = 10 * self.done // self.total, self.done == self.done_before
        super().advance(count)
        if self.bar is None and (10 * self.done // self.total > tenth or first):
            pace = self.seconds / (self.done - self.done_before)
            left = _duration(pace * (self.total - self.done))
            say(f"{self.unit} {self.done} of {self.total}, {left} left")

    def summary(self, done_before: int) -> str:
        kept = f" ({done_before} were there already)" if done_before else ""
        return f"{kept}, made in {self.seconds:.1f} s"


def _bar(total: int, unit: str, done: int = 0):
    from tqdm import tqdm

    # a container's terminal may say that it has 0×0 characters
    sized = min(os.get_terminal_size(sys.stderr.fileno())) > 0
    size = {"dynamic_ncols": True} if sized else {"ncols": 80, "nrows": 24}
    return tqdm(total=total, initial=done, unit=unit, leave=False, file=sys.stderr, **size)


def _duration(seconds: float) -> str:
    """The time in words.

    >>> _duration(75.2)
    '1 min 15 s'
    """
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
