"""The parts of a dream on the command line: the request, the loaded job, the run of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import torch
import typer

import dreamkit as dk

from .. import passport as passports
from .console import signals
from .given_pictures import PHOTO_SIDE, SAMPLE_SIDE
from .options import (
    Request,
    Scheduler,
    StyleName,
    Workers,
    objective_spec,
    side_option,
    suited_settings,
    usual_style,
)
from .progress import StepProgress


@dataclass(frozen=True, kw_only=True)
class DreamRequest(Request):
    """What the user asks of `dreamkit dream`."""

    pictures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PICTURE]...",
            show_default="china",
            help="a picture file, or a sample's name (dreamkit samples); several, or a folder of "
            "them, go to a folder",
        ),
    ] = None
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            show_default="dream.png; for several, the folder dreams",
            help="the result: .png, .jpg or .webp; for several, a folder",
        ),
    ] = None
    layer: Annotated[str | None, typer.Option(help="the layer to excite (dreamkit layers)")] = None
    channel: Annotated[int | None, typer.Option(help="only this channel of the layer")] = None
    logit: Annotated[str | None, typer.Option(help="a class, by label or index")] = None
    guide: Annotated[
        str | None, typer.Option(help="dream towards this picture's features at the layer")
    ] = None
    style: StyleName = None
    side: Annotated[
        int | None, side_option(f"the photo's own up to {PHOTO_SIDE}, {SAMPLE_SIDE} for a sample")
    ] = None
    recipe: Annotated[
        str | None,
        typer.Option(
            help="dream as published: caffe, pytorch, tensorflow or keras; "
            "numbers that are not given are the recipe's own"
        ),
    ] = None
    clip: Annotated[
        bool | None, typer.Option(help="for --recipe caffe: clip to [0, 1] after each step")
    ] = None
    max_loss: Annotated[
        float | None, typer.Option(help="for --recipe keras: the score that ends an octave early")
    ] = None
    workers: Workers = None
    scheduler: Scheduler = None

    def __post_init__(self) -> None:
        if self.recipe is None and self._recipe_numbers:
            name = next(iter(self._recipe_numbers)).replace("_", "-")
            names = ", ".join(dk.recipes.NAMES)
            raise ValueError(f"--{name} is an option of --recipe; give one of {names}")
        super().__post_init__()
        self.recipe_spec()

    @property
    def names_workers(self) -> bool:
        """Whether other processes are asked to share the work."""
        return self.workers is not None or self.scheduler is not None

    @property
    def _recipe_numbers(self) -> dict[str, object]:
        numbers = {"clip": self.clip, "max_loss": self.max_loss}
        return {name: value for name, value in numbers.items() if value is not None}

    def dream_settings(self, suited: dk.Settings | None = None) -> dk.Settings:
        return super().dream_settings(suited) if self.recipe is None else dk.Settings()

    def recipe_spec(self) -> dict[str, object] | None:
        """The published recipe with all its numbers, as passports hold it, if one is asked for."""
        if self.recipe is None:
            return None
        return passports.recipe_spec(self.recipe, {**self.settings, **self._recipe_numbers})


@dataclass(frozen=True)
class Job:
    """A request with its network, and the features of its guide picture, loaded."""

    request: DreamRequest
    network: dk.Network
    objective_spec: Mapping[str, object]  # the objective as passports hold it
    guides: Mapping[str, Mapping[str, torch.Tensor]]  # sha256 of the picture: {layer: features}
    settings: dk.Settings
    style: str | None  # that was asked for, or taken by default

    @cached_property  # a scorer looks its layers up in the network
    def score(self) -> dk.Score:
        return dk.scorer(self.network, passports.objective(self.objective_spec, self.guides))

    @property
    def what(self) -> str:
        """What is excited, in words."""
        return f"the style {self.style}" if self.style else self.score.name

    @property
    def remarks(self) -> list[str]:
        """What the user should know of all its dreams."""
        if self.request.weights != "random":
            return []
        return [
            "random weights: the network has learnt nothing, "
            "so what appears is texture without meaning"
        ]


def load(request: DreamRequest) -> Job:
    """The job of a request: loads its network, and takes the features of its guide picture."""
    net, style = request.load_network(), request.style
    flags = (request.layer, request.channel, request.logit, request.guide)
    if style is None and request.recipe is None and all(flag is None for flag in flags):
        style = usual_style(net)
    spec, guides = objective_spec(net, *flags, style)
    if request.recipe is not None and spec["kind"] == "layer":
        spec = passports.recipe_objective(request.recipe, spec["name"])
    settings = request.dream_settings(suited_settings(net, [spec], style))
    return Job(request, net, spec, guides, settings, style)


def remarks_on(name: str, image: dk.Image) -> list[str]:
    """What the user should know of this picture's dream."""
    if not bool((image == image[..., :1, :1]).all()):
        return []
    return [f"{name!r} is one flat colour: whatever appears in it is the network's own"]


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
        # A recipe may go beyond the photo's size; its result is then resized to it.
        if self.settings is not None and self._photo is not None:
            self._photo = None if picture.shape == self._photo.shape else self._photo

    def result(self) -> dk.Image:
        """The picture after the last step, at the photo's size; without a step, the photo."""
        if self._picture is None:
            return self._photo
        if self._photo is None:
            return self._picture
        return passports.full_size(self._picture, self._photo, self.settings)
