"""Memory that a step frees is kept for the next step, and returned after a large dream.

The kernel's count of page faults shows it.
"""

import json
import os
import subprocess
import sys

import pytest

from dreamkit.ascent import memory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(memory._library() is None, reason="needs the GNU C library"),
]

PROGRAM = """
import json, resource
import torch
import dreamkit as dk

torch.set_num_threads(1)
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 2**20

module = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.ReLU())
score = dk.scorer(dk.as_network(module, (0.5,) * 3, (0.2,) * 3), dk.layer("1"))
dream = dk.dreaming(score, dk.noise(1100, 1000), dk.Settings(steps=6, octaves=1, smoothing=0))
for _ in range(4):
    next(dream)
before = faults()
last = next(dream), next(dream)
taken, held = faults() - before, resident()
list(dream)
print(json.dumps([taken, held, resident()]))
"""


def counted(keep: bool) -> tuple[int, int, int]:
    """Page faults of two steps; MiB resident after them, and after the dream."""
    environment = os.environ | {"DREAMKIT_KEEP_MEMORY": str(int(keep))}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment
    )
    return tuple(json.loads(result.stdout))


def test_a_step_takes_the_memory_that_the_one_before_has_freed():
    (faults, held, after), (without, _, _) = counted(True), counted(False)
    print(
        f"{faults} page faults in two steps of a 1100×1000 picture, {without} without; "
        f"{held} MiB during the dream, {after} after"
    )
    assert faults < without / 4  # none, but where a piece of a new size was wanted
    assert after < held - 50  # a map of features alone is 67 MiB
