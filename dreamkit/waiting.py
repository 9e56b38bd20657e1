"""How the threads that share a step wait for each other: asleep, so that a busy machine stays fast.

PyTorch shares a step among the cores by OpenMP, which ends every layer with a barrier. A thread
that arrives early spins: it keeps its core busy, in case the others come at once. Where another
process needs that core, the thread that everybody waits for does not get it, and a step takes many
times as long. OpenMP reads its settings once, when PyTorch is loaded, so they are set before.
`python -m benchmarks --only busy` measures it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

# GNU's OpenMP (PyTorch for Linux) spins this many rounds, Intel's and LLVM's (Windows, macOS) this
# many milliseconds. Longer costs more on a busy machine, shorter on an idle one.
SETTINGS = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "1"}
# A round is one pause of the processor, which on AMD's takes half the time of Intel's.
SETTINGS_OF_AMD = SETTINGS | {"GOMP_SPINCOUNT": "2000"}
_CHOICES = ("OMP_WAIT_POLICY", *SETTINGS)  # whoever sets one of these has chosen


def spin_briefly(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let waiting threads sleep soon, in this process and those that it starts.

    Does nothing once PyTorch is loaded, where the user has chosen how threads wait (a variable of
    OpenMP is set), and where DREAMKIT_SPIN is 1.
    """
    if "torch" in sys.modules or environment.get("DREAMKIT_SPIN") == "1":
        return
    if not any(name in environment for name in _CHOICES):
        environment.update(SETTINGS_OF_AMD if _made_by_amd() else SETTINGS)


def _made_by_amd(path: str = "/proc/cpuinfo") -> bool:
    """Whether the processor is AMD's; False where nothing tells, as on systems without Linux."""
    try:
        with open(path) as told:
            return "AuthenticAMD" in "".join(next(told, "") for _ in range(2))
    except OSError:
        return False


def in_force(environment: MutableMapping[str, str] = os.environ) -> str:
    """The settings of how threads wait, in words.

    >>> in_force({"OMP_WAIT_POLICY": "ACTIVE"}), in_force({})
    ('OMP_WAIT_POLICY=ACTIVE', "OpenMP's own")
    """
    found = [f"{name}={environment[name]}" for name in _CHOICES if name in environment]
    return ", ".join(found) or "OpenMP's own"
