"""Competitors in processes of their own that take turns, and what can be said of their times."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import psutil

WARM_UP = 2  # steps that do not count: the first also loads and compiles
PATIENCE = 2.0  # seconds: of what still takes longer when warm, FEW steps are timed
FEW = 3
PAUSE = 0.02  # seconds between two turns: the threads of the one before have gone to sleep
TOO_WIDE = 1 / 3  # a spread above this allows no ratio
OWN_CHOICE = {"DREAMKIT_SPIN": "1"}  # for competitors: OpenMP as they find it


@dataclass
class Times:
    """The seconds of a competitor's steps."""

    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """The distance of the quartiles as a share of the median; 0 for a single time."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (high - low) / self.median

    @property
    def steady(self) -> bool:
        return self.spread <= TOO_WIDE

    def __str__(self) -> str:
        return f"{1e3 * self.median:.0f} ms (spread {self.spread:.0%})"


def ratio(one: Times, other: Times) -> float | None:
    """How many times `other`'s time `one` takes: None where either spread allows no answer."""
    return one.median / other.median if one.steady and other.steady else None


def told(value: float | None) -> str:
    """A ratio in words."""
    return "none: spread over a third" if value is None else f"{value:.2f}"


class Competitor:
    """A competitor in a process of its own, with its own memory and threads.

    The process runs `python -m benchmarks --serve`. What is not dreamkit's gets OpenMP as it is.
    """

    def __init__(self, name: str, *job: object, threads: int, **environment: str):
        own = {} if name.startswith("dreamkit") else OWN_CHOICE
        serve = json.dumps([name, *job])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks", "--threads", str(threads), "--serve", serve],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={k: v for k, v in os.environ.items() if k not in _OPENMP} | own | environment,
        )
        self.trouble = json.loads(self.process.stdout.readline())  # why it cannot compete, if so

    def __call__(self) -> float:
        """Seconds of a step."""
        print(file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        with self.process:
            self.process.stdin.close()


_OPENMP = ("GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY")  # set by this process's import


def serve(make: Callable[[], Callable[[], object]]) -> None:
    """The other side of `Competitor`: for each line read, one step and its seconds."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    try:
        step, trouble = make(), ""
    except (ImportError, ValueError) as error:
        step, trouble = None, str(error)
    print(json.dumps(trouble), file=answers, flush=True)
    for _ in sys.stdin if step else ():
        print(json.dumps(seconds(step)), file=answers, flush=True)


def seconds(step: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def turns(
    competitors: Mapping[str, Callable[[], float]], repeats: int, pause: float = PAUSE
) -> dict[str, Times]:
    """The times of each competitor, which take turns after two steps each that do not count.

    Before each timed step its competitor takes one more: after another's turn the processor's
    caches hold nothing of this one.
    """
    warm = {name: [take() for _ in range(WARM_UP)][-1] for name, take in competitors.items()}
    found = {name: Times() for name in competitors}
    for turn in range(repeats):
        for name, take in competitors.items():
            slow = warm[name] > PATIENCE
            if slow and turn >= FEW:
                continue
            time.sleep(pause)
            if not slow:
                take()
            found[name].seconds.append(take())
    return found


@contextlib.contextmanager
def a_busy_process() -> Iterator[None]:
    """One other process that never rests."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Machine:
    """What the processor did besides our own processes while a measurement ran."""

    def __init__(self) -> None:
        self.own, self.all = self._own(), psutil.cpu_times()

    def told(self) -> str:
        """The load in words."""
        now = psutil.cpu_times()
        spent = {n: getattr(now, n) - getattr(self.all, n) for n in now._fields}
        total = sum(v for n, v in spent.items() if not n.startswith("guest"))
        idle = spent["idle"] + spent.get("iowait", 0)
        stolen = spent.get("steal", 0)
        others = max(0.0, total - idle - stolen - (self._own() - self.own))
        share = lambda value: f"{value / max(total, 1e-9):.0%}"
        return f"other programs took {share(others)} of the processor, its host {share(stolen)}"

    @staticmethod
    def _own() -> float:
        found = 0.0
        for process in (me := psutil.Process(), *me.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                found += times.user + times.system
        ended = psutil.Process().cpu_times()
        return found + ended.children_user + ended.children_system
