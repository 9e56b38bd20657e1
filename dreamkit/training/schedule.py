"""The settings of a training run, and what follows from them: learning rate and picture size."""

from __future__ import annotations

import math
from dataclasses import dataclass

PRECISIONS = ("float32", "bfloat16", "auto")


@dataclass(frozen=True)
class TrainingSettings:
    """All that determines a run, apart from the pictures; each field is an option of the command.

    Two runs with the same settings on one machine end with the same weights, unless `minutes` is
    given. Raises ValueError for an unknown precision.
    """

    epochs: int = 14
    batch: int = 128
    rate: float = 0.25  # peak learning rate
    warmup: float = 0.2  # share of the run in which the rate rises
    size: int = 64  # pixels
    small_size: int = 48  # during the first `small_epochs`: two thirds faster
    small_epochs: float = 7
    epoch_pictures: int = 0  # pictures of an epoch, drawn anew for each; 0: all
    smallest_crop: float = 0.65  # share of the area
    smoothing: float = 0.1  # of labels
    weight_decay: float = 5e-4  # of weights with two or more dimensions
    average: float = 0.999  # decay of the moving average of the weights
    robust: float = 0.0  # L2 radius of the attack on each picture, see `attack`; 0: none
    attack_steps: int = 1
    precision: str = "auto"  # of the arithmetic, by autocast: float32, bfloat16 or auto
    minutes: float = 0.0  # if given, the cycle follows the clock and ends then; not repeatable
    seed: int = 0

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            allowed = ", ".join(PRECISIONS)
            raise ValueError(f"precision must be one of {allowed}; given: {self.precision!r}")

    def rate_at(self, progress: float) -> float:
        """The learning rate at `progress` in [0, 1]: a linear rise, then half a cosine down."""
        if progress < self.warmup:
            return self.rate * (0.04 + 0.96 * progress / self.warmup)
        fall = min(1.0, (progress - self.warmup) / (1 - self.warmup))
        return self.rate * 0.5 * (1 + math.cos(math.pi * fall))

    def side_at(self, progress: float) -> int:
        """The side of the training pictures at `progress` in [0, 1], in pixels."""
        return self.small_size if progress * self.epochs < self.small_epochs else self.size
