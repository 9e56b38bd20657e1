"""Gradient ascent on the numbers that a picture is drawn from, seen in random views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from ..pictures.image import Image
from .gradients import Score
from .views import Crops, Views, random_view

Draw = Callable[[float], Image]  # the picture that the numbers make when this share is done


@dataclass(frozen=True)
class Look:
    """How a step looks at the picture: `count` random views, each under fading noise.

    Where there is a picture `beside` it, of the same size, both are seen in the same view, one
    behind the other in one batch.
    """

    views: Views | Crops
    noise: float
    count: int
    generator: torch.Generator
    beside: Image | None = None

    def __post_init__(self) -> None:
        if not self.noise >= 0 or self.count < 1:
            raise ValueError(
                f"noise must be 0 or more and count 1 or more; given: {self.noise}, {self.count}"
            )

    def at(self, image: Image, done: float) -> Iterator[Image]:
        if self.beside is not None:
            image = torch.cat([image, self.beside.to(image)])
        for _ in range(self.count):
            view = random_view(image, self.views, self.generator)
            if self.noise:
                grain = torch.randn(1, *view.shape[1:], generator=self.generator).to(view)
                view = view + self.noise * (1 - done) * grain
            yield view


def climbing(
    score: Score,
    draw: Draw,
    optimizer: torch.optim.Optimizer,
    steps: int,
    look: Look,
    after: Callable[[float], None] = lambda done: None,
) -> Iterator[Image]:
    """The picture after each step of an optimizer on the numbers from which `draw` makes it.

    `after` is called after each step with the share of the steps that is done before it.
    """
    for step in range(steps):
        done = step / steps
        optimizer.zero_grad()
        with torch.enable_grad():  # not across the yield: the caller's mode is the caller's
            loss = -sum(score(view) for view in look.at(draw(done), done)) / look.count
        loss.backward()
        optimizer.step()
        after(done)
        with torch.no_grad():
            image = draw(done)
        yield image


def check_steps(steps: int, rate: float) -> None:
    """Raise ValueError for a negative number of steps or a rate that is not above 0."""
    if steps < 0 or not rate > 0:
        raise ValueError(f"steps must be 0 or more and rate above 0; given: {steps}, {rate}")
