"""The one pattern behind every panel: widgets in the main thread, the work in one thread beside it.

A job is a function that gives a generator; each of its items is an update to show, and each pause between two items
is a place where the job can be dropped. Callbacks only put the newest job into a slot that holds one (the latest
wins) and return at once. Every job has a generation number: what an older generation still brings is dropped.
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

from .parts import close_all, column, fallback_html, html_part, status_html

MOST_UPDATES = 10  # a second: more would only fill the browser's queue
IDLE_SECONDS = 5.0  # a worker without work for so long ends; the next job starts another

Job = Callable[[], Generator[Any, None, None]]


class Panel:
    """A box of widgets with one worker thread; shown by a notebook when it is the last value of a cell.

    `panel.run(steps)` works in step, in the calling thread; `panel.error` is the worker's last error or None;
    `panel.close()` stops the worker, waits for it and takes the widgets away (so does running its cell again).
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.error: Exception | None = None
        self.status = html_part(status_html("ready"))
        self.box = column([])
        self._wake = threading.Condition(threading.RLock())  # guards what follows
        self._slot: tuple[int, Job] | None = None
        self._generation = 0
        self._running: int | None = None  # the generation at work in the thread
        self._thread: threading.Thread | None = None
        self._closed = False
        self._work_lock = threading.RLock()  # one thread at a time goes near the network
        self._drawn_at = self._answered_at = (
            0.0  # when a drawing, and when a job's first one, went out last
        )
        _replace_in_cell(self)

    # What each kind of panel says for itself

    def job(self) -> Generator[Any, None, None]:
        """The updates for the settings as they stand; None is a pause with nothing new to show."""
        raise NotImplementedError

    def accept(self, update: Any) -> None:
        """Takes note of every update, shown or not. Called under the panel's lock: it must be quick."""

    def render(self, update: Any) -> Mapping[ipywidgets.Widget, str]:
        """{widget: new value}: what shows the update. Called outside the lock: it may be slow."""
        raise NotImplementedError

    def finished(self) -> None:
        """Called under the panel's lock when the newest job has come to its end."""

    # What its user calls

    @property
    def busy(self) -> bool:
        """Whether a job waits or runs."""
        with self._wake:
            return self._slot is not None or self._running == self._generation

    def run(self, steps: int | None = None) -> Panel:
        """The panel itself, after its job was done in step, at most `steps` updates of it. Errors are raised."""
        self.cancel()
        with self._wake:
            generation, self.error = self._generation, None
        self._serve(self.job, generation, in_step=True, limit=steps)
        return self

    def wait(self, seconds: float = 60.0) -> bool:
        """Whether the worker has come to rest within so many seconds."""
        with self._wake:
            return self._wake.wait_for(lambda: not self.busy, seconds)

    def close(self) -> None:
        """Stops the work, waits for the thread to end, and takes the widgets away."""
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
        """The live widget, and the panel as it stands for pages without a kernel."""
        live = {} if self._closed else self.box._repr_mimebundle_()
        return {
            **live,
            "text/html": fallback_html(self.box),
            "text/plain": f"{self.title} (a live panel)",
        }

    # The machinery

    def submit(self) -> None:
        """Puts the job for the present settings into the slot, in place of any that waits; the one at work is dropped."""
        with self._wake:
            if self._closed:
                return
            self.cancel()
            self._slot, self.error = (self._generation, self.job), None
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name=f"dreamkit panel: {self.title}", daemon=True
                )
                self._thread.start()

    def cancel(self) -> None:
        """Drops the job that waits, and the one at work, which ends before its next step. Returns at once."""
        with self._wake:
            self._generation += 1
            self._slot = None
            self._wake.notify_all()

    def say(self, text: str) -> None:
        """Shows a line of status."""
        self.status.value = status_html(text)

    def fail(self, error: Exception) -> None:
        """Keeps the error and shows it in the status line."""
        self.error = error
        self.status.value = status_html(f"{type(error).__name__}: {error}", error=True)

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._slot or self._closed, IDLE_SECONDS)
                if self._closed or self._slot is None:
                    self._thread = None
                    return
                (generation, job), self._slot = self._slot, None
                self._running = generation
            self._serve(job, generation)
            with self._wake:
                self._running = None
                self._wake.notify_all()

    def _serve(
        self, job: Job, generation: int, in_step: bool = False, limit: int | None = None
    ) -> None:
        """Goes through the job's updates until they end or a newer generation takes over; the first and the last are always drawn."""
        try:
            with self._work_lock, contextlib.closing(job()) as updates:
                waiting, count = None, 0
                for update in itertools.islice(updates, limit):
                    if not self._take(update, generation):
                        return
                    if update is None:
                        continue
                    waiting, count = update, count + 1
                    if not in_step and (count == 1 or _rest(self._drawn_at) <= 0):
                        waiting = self._draw(update, generation, answer=count == 1)
                if waiting is not None:
                    self._draw(waiting, generation, answer=in_step)
        except Exception as error:
            if in_step:
                raise
            with self._wake:
                if generation == self._generation:
                    self.fail(error)
        finally:
            with self._wake:
                if generation == self._generation:
                    self.finished()

    def _take(self, update: Any, generation: int) -> bool:
        with self._wake:
            if generation == self._generation and update is not None:
                self.accept(update)
            return generation == self._generation

    def _draw(self, update: Any, generation: int, answer: bool) -> None:
        """Shows the update unless a newer generation has taken over: an answer waits for the last answer only, the rest for any drawing."""
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


_shown: dict[
    str, tuple[str, list[Panel]]
] = {}  # cell id: (its last execution, the panels made in it)


def _replace_in_cell(panel: Panel) -> None:
    """Closes the panels that an earlier run of the present notebook cell has made: they could no longer be seen, nor stopped."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell, execution = (
        parent.get("metadata", {}).get("cellId"),
        parent.get("header", {}).get("msg_id", ""),
    )
    if not cell:
        return
    earlier, panels = _shown.get(cell, ("", []))
    if earlier != execution:
        for old in panels:
            old.close()
        panels = []
    _shown[cell] = (execution, [*panels, panel])
