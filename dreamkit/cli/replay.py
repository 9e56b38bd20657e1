"""The steps of a dream, taken as its passport says: for a new dream, and to make one again."""

from __future__ import annotations

import dreamkit as dk

from .. import passport as passports
from .console import signals
from .progress import StepProgress


class Run:
    """A dream as it is made: the number of steps done, and the picture that it has come to.

    The photo stays in memory until the first picture of its size: a dream that is stopped before
    is laid over it. After that a poster's memory is needed for the steps.
    """

    def __init__(self, plan: passports.Plan, score: dk.Score, photo: dk.Image):
        numbers = plan.recipe["numbers"] if plan.recipe else vars(plan.settings)
        self.progress = StepProgress(numbers["octaves"], numbers["steps"])
        self.settings = None if plan.recipe else plan.settings
        self.done = 0
        self._picture: dk.Image | None = None
        self._photo: dk.Image | None = photo
        self._pictures = passports.replaying(plan, score, photo)

    def take(self) -> None:
        """Takes all steps. Raises Stopped after a signal; the steps done until then are kept."""
        try:
            for picture in self._pictures:
                with signals.held():  # so that the picture and the numbers agree
                    self._keep(picture)
                signals.check()
        finally:
            self.progress.close()

    def _keep(self, picture: dk.Image) -> None:
        height, width = picture.shape[-2:]
        if self.done and width > self._picture.shape[-1]:
            self.progress.finish_octave()
        self._picture, self.done = picture, self.done + 1
        self.progress.advance_to(height, width)
        # Of a recipe, a larger picture may still come, and is shrunk to the photo's size.
        if self.settings is not None and self._photo is not None:
            self._photo = None if picture.shape == self._photo.shape else self._photo

    def result(self) -> dk.Image:
        """The picture after the last step, at the photo's size; without a step, the photo."""
        if self._picture is None:
            return self._photo
        if self._photo is None:
            return self._picture
        return passports.full_size(self._picture, self._photo, self.settings)
