"""Random numbers of training: generators by step, and the one place that seeds PyTorch's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


def seeded(seed: int, step: int) -> torch.Generator:
    """A generator for one step of a run with this seed."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)


@contextlib.contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """Seeds PyTorch's own generator for a block: initial weights and dropout draw from it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
