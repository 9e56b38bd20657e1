"""The memory that a competitor's steps take, in a process of its own (Linux)."""

from __future__ import annotations

import ctypes
import gc
import json
import subprocess
import sys
from collections.abc import Callable


def peak(name: str, job: tuple) -> tuple[int, int]:
    """The peak memory of a competitor's process in MiB: (all of it, what the steps added)."""
    command = [sys.executable, "-m", "benchmarks", "--memory-of", json.dumps([name, *job])]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    whole, added = json.loads(result.stdout.splitlines()[-1])
    return whole, added


def tell(step: Callable[[], object]) -> None:
    """Prints what `peak` reads."""
    gc.collect()
    # what making the network left behind would else hide what steps take
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    before, making = _memory("VmRSS"), _memory("VmHWM")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # forgets the peak so far: making the network is no step's
    for _ in range(3):
        step()
    highest = _memory("VmHWM")
    print(json.dumps([max(making, highest), highest - before]))


def _memory(field: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith(field))
