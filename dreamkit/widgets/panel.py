"""The pattern of every panel: widgets in the main thread, the work in one thread beside it.

A job is a generator. Each item it yields is an update to show; between two items it can be stopped.
A callback only puts the newest job into a slot that holds one, and returns at once. Every job has a
generation number: updates of an older generation are dropped.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any

import ipywidgets

from ..checks.names import printable
from .parts import close_all, column, fallback_html, html_part, status_html

MOST_UPDATES = 10  # a second: more would only fill the browser's queue
IDLE_SECONDS = 5.0  # a worker without work for so long ends; the next job starts another

Job = Callable[[], Generator[Any, None, None]]


class Panel:
    """A box of widgets with one worker thread; a notebook shows it as the last value of a cell.

    `panel.run(steps)` works in the calling thread; `panel.error` is the last error of the worker,
    or None; `panel.close()` stops the worker, waits for it and removes the widgets, as does running
    the cell again.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.error: BaseException | None = None
        self.status = html_part(status_html("ready"))
        self.box = column([])
        self._wake = threading.Condition(threading.RLock())  # guards what follows
        self._slot: tuple[int, Job] | None = None
        self._generation = 0
        self._running: int | None = None  # the generation at work in the thread
        self._thread: threading.Thread | None = None
        self._closed = False
        self._work_lock = threading.RLock()  # only one thread at a time uses the network
        # When the last drawing was shown, and the last one that was the first of its job.
        self._drawn_at = self._answered_at = 0.0
        _replace_in_cell(self)

    # Each kind of panel defines these

    def job(self) -> Generator[Any, None, None]:
        """Yields updates for the present settings; None is a pause with nothing new to show."""
        raise NotImplementedError

    def accept(self, update: Any) -> None:
        """Called for every update, shown or not, under the panel's lock: it must be quick."""

    def render(self, update: Any) -> Mapping[ipywidgets.Widget, str]:
        """{widget: new value} to show the update. Called without the lock: it may be slow."""
        raise NotImplementedError

    def finished(self) -> None:
        """Called under the panel's lock when the newest job has ended, with or without an error."""
        if self.error is None:
            self.say("ready")

    # Its user calls these

    @property
    def busy(self) -> bool:
        """Whether a job waits or runs."""
        with self._wake:
            return self._slot is not None or self._running == self._generation

    def run(self, steps: int | None = None) -> Panel:
        """Does the job in the calling thread, at most `steps` updates of it; raises its errors."""
        self.cancel()
        with self._wake:
            generation, self.error = self._generation, None
        self._serve(self.job, generation, in_step=True, limit=steps)
        return self

    def wait(self, seconds: float = 60.0) -> bool:
        """Waits until the worker is idle; False if it is still busy after so many seconds."""
        with self._wake:
            return self._wake.wait_for(lambda: not self.busy, seconds)

    def close(self) -> None:
        """Stops the work, waits for the thread to end, and removes the widgets."""
        with self._wake:
            self._closed, thread = True, self._thread
            self.cancel()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        close_all(self.box)

    def __enter__(self) -> Panel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, object]:
        """The live widget, and the panel's present state for pages without a kernel."""
        live = {} if self._closed else self.box._repr_mimebundle_()
        text = f"{printable(self.title)} (a live panel)"
        plain = {"text/html": fallback_html(self.box), "text/plain": text}
        return live | plain

    # Callbacks and jobs use these

    def submit(self, _: object = None) -> None:
        """Puts the job for the present settings into the slot, and stops the running one."""
        with self._wake:
            if self._closed:
                return
            self.cancel()
            self._slot, self.error = (self._generation, self.job), None
            if self._thread is None:
                name = f"dreamkit panel: {self.title}"
                self._thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._thread.start()

    def cancel(self) -> None:
        """Drops the waiting job, and the running one before its next step. Returns at once."""
        with self._wake:
            self._generation += 1
            self._slot = None
            self._wake.notify_all()

    def say(self, text: str) -> None:
        """Shows a line of status."""
        self.status.value = status_html(text)

    def fail(self, error: BaseException) -> None:
        """Keeps the error and shows it in the status line."""
        self.error = error
        self.status.value = status_html(f"{type(error).__name__}: {error}", error=True)

    # The worker

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._slot or self._closed, IDLE_SECONDS)
                if self._closed or self._slot is None:
                    self._thread = None
                    return
                (generation, job), self._slot = self._slot, None
                self._running = generation
            try:
                self._serve(job, generation)
            except BaseException as error:  # of `finished`
                self.fail(error)
            finally:
                with self._wake:
                    self._running = None
                    self._wake.notify_all()

    def _serve(
        self, job: Job, generation: int, in_step: bool = False, limit: int | None = None
    ) -> None:
        """Shows the job's updates until it ends or a newer generation exists."""
        try:
            with self._work_lock, contextlib.closing(job()) as updates:
                self._show(itertools.islice(updates, limit), generation, in_step)
        # SystemExit and its like too: a thread that they ended would leave the panel busy for ever.
        except BaseException as error:
            if in_step:
                raise
            with self._wake:
                if generation == self._generation:
                    self.fail(error)
        finally:
            with self._wake:
                if generation == self._generation:
                    self.finished()

    def _show(self, updates: itertools.islice, generation: int, in_step: bool) -> None:
        """Draws the first update and the last, and others as often as MOST_UPDATES allows."""
        waiting, count = None, 0
        for update in updates:
            with self._wake:
                if generation != self._generation:
                    return
                if update is None:
                    continue
                self.accept(update)
            waiting, count = update, count + 1
            if not in_step and (count == 1 or _rest(self._drawn_at) <= 0):
                waiting = self._draw(update, generation, answer=count == 1)
        if waiting is not None:
            self._draw(waiting, generation, answer=in_step)

    def _draw(self, update: Any, generation: int, answer: bool) -> None:
        """Shows one update unless a newer generation exists, MOST_UPDATES a second at most.

        An answer, the first update of a job, waits only for the last answer.
        """
        values = self.render(update)
        with self._wake:
            rest = _rest(self._answered_at if answer else self._drawn_at)
            if rest > 0:
                self._wake.wait_for(lambda: generation != self._generation, rest)
            if generation != self._generation:
                return
            for widget, value in values.items():
                widget.value = value
            self._drawn_at = time.monotonic()
            self._answered_at = self._drawn_at if answer else self._answered_at


def _rest(since: float) -> float:
    """Seconds until the next drawing may go to the browser."""
    return since + 1 / MOST_UPDATES - time.monotonic()


# {cell id: (its last execution, the panels made in it)}
_shown: dict[str, tuple[str, list[Panel]]] = {}


def _replace_in_cell(panel: Panel) -> None:
    """Closes the panels of an earlier run of this notebook cell, which nobody can see any more."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = parent.get("metadata", {}).get("cellId")
    execution = parent.get("header", {}).get("msg_id", "")
    if not cell:
        return
    earlier, panels = _shown.get(cell, ("", []))
    if earlier != execution:
        for old in panels:
            old.close()
        panels = []
    _shown[cell] = (execution, [*panels, panel])
