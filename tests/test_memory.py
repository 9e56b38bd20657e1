"""What a step frees is kept for the next one, and handed back when a large dream ends; counted by the kernel, not by a clock."""

import json
import os
import subprocess
import sys

import pytest

from dreamkit import _memory

pytestmark = pytest.mark.skipif(_memory._library() is None, reason="needs the GNU C library, with nothing settled in the environment")

PROGRAM = """
import json, resource, sys
import torch
import dreamkit as dk
from dreamkit import _memory

torch.set_num_threads(1)
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 2**20

net = dk.as_network(torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.ReLU()), (0.5,) * 3, (0.2,) * 3)
if sys.argv[1] == "not":
    _memory.do_not_keep()
dream = dk.dreaming(dk.scorer(net, dk.layer("1")), dk.noise(1100, 1000), dk.Settings(steps=4, octaves=1, smoothing=0))
next(dream), next(dream)
before = faults()
last = next(dream), next(dream)
taken, held = faults() - before, resident()
list(dream)
print(json.dumps([taken, held, resident()]))
"""


def counted(how: str, **environment: str) -> tuple[int, int, int]:
    """Page faults of two steps; MiB resident after them, and after the dream."""
    result = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True, env=os.environ | environment)
    return tuple(json.loads(result.stdout))


def test_a_step_takes_the_memory_that_the_one_before_has_freed():
    faults, held, after = counted("keep")
    without, _, _ = counted("not")
    print(f"{faults} page faults in two steps of a 1100×1000 picture, {without} without; {held} MiB during the dream, {after} after")
    assert faults < without / 10
    assert after < held - 50                                   # a map of features alone is 67 MiB


def test_what_the_environment_says_comes_first():
    faults, _, _ = counted("keep", MALLOC_MMAP_MAX_="65536")
    assert faults > 10_000
