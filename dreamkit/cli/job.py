"""What `dreamkit dream` is asked for, and what all pictures of one request share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import torch
import typer

import dreamkit as dk

from .. import passport as passports
from .given_pictures import PHOTO_SIDE, SAMPLE_SIDE
from .options import (
    Device,
    Network,
    Precision,
    Scheduler,
    Weights,
    Workers,
    objective_spec,
    side_option,
)


@dataclass(frozen=True)
class Request:
    """What the user asks for: one option each. Numbers are checked when it is made."""

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
    network: Network = "dreamnet"
    weights: Weights = None
    layer: Annotated[
        str | None, typer.Option(help="the layer to excite (dreamkit layers lists them)")
    ] = None
    channel: Annotated[int | None, typer.Option(help="only this channel of the layer")] = None
    logit: Annotated[
        str | None, typer.Option(help="a class instead of a layer, by label or index")
    ] = None
    guide: Annotated[
        str | None, typer.Option(help="dream towards this picture's features at the layer")
    ] = None
    side: Annotated[
        int | None, side_option(f"the photo's own up to {PHOTO_SIDE}, {SAMPLE_SIDE} for a sample")
    ] = None
    device: Device = None
    precision: Precision = "float32"
    recipe: Annotated[
        str | None,
        typer.Option(
            help="dream as published: caffe, pytorch, tensorflow or keras; "
            "numbers that are not given are the recipe's own"
        ),
    ] = None
    clip: Annotated[
        bool | None,
        typer.Option("--clip/--no-clip", help="for --recipe caffe: clip to [0, 1] after each step"),
    ] = None
    max_loss: Annotated[
        float | None, typer.Option(help="for --recipe keras: the score that ends an octave early")
    ] = None
    workers: Workers = None
    scheduler: Scheduler = None
    settings: Mapping[str, object] = field(default_factory=dict)  # those that were given

    def __post_init__(self) -> None:
        numbers = {"clip": self.clip, "max_loss": self.max_loss}
        numbers = {name: value for name, value in numbers.items() if value is not None}
        if self.recipe is None and numbers:
            raise ValueError(
                f"--{next(iter(numbers)).replace('_', '-')} is an option of --recipe; "
                f"give one of {', '.join(dk.recipes.NAMES)}"
            )
        object.__setattr__(self, "settings", {**self.settings, **numbers})
        _ = self.dream_settings, self.recipe_spec  # raise ValueError for a wrong number

    @property
    def dream_settings(self) -> dk.Settings:
        return dk.Settings(**({} if self.recipe else self.settings))

    @property
    def recipe_spec(self) -> dict[str, object] | None:
        """The published recipe with all its numbers, as passports hold it; None without --recipe."""
        return None if self.recipe is None else passports.recipe_spec(self.recipe, self.settings)


@dataclass(frozen=True)
class Job:
    """A request with its network, and the features of its guide picture, loaded."""

    request: Request
    network: dk.Network
    objective_spec: Mapping[str, object]  # the objective as passports hold it
    guides: Mapping[str, Mapping[str, torch.Tensor]]  # sha256 of the picture: {layer: features}

    @property
    def score(self) -> dk.Score:
        return dk.scorer(self.network, passports.objective(self.objective_spec, self.guides))

    @property
    def remarks(self) -> list[str]:
        """What the user should know of all its dreams."""
        if self.request.weights != "random":
            return []
        return [
            "random weights: the network has learnt nothing, "
            "so what appears is texture without meaning"
        ]


def load(request: Request) -> Job:
    """The job of a request: loads its network, and takes the features of its guide picture."""
    net = dk.load_network(
        request.network,
        weights=request.weights,
        device=request.device,
        precision=request.precision,
    )
    spec, guides = objective_spec(net, request.layer, request.channel, request.logit, request.guide)
    if request.recipe is not None and spec["kind"] == "layer":
        spec = passports.recipe_objective(request.recipe, spec["name"])
    return Job(request, net, spec, guides)


def remarks_on(name: str, image: dk.Image) -> list[str]:
    """What the user should know of this picture's dream."""
    if not bool((image == image[..., :1, :1]).all()):
        return []
    return [f"{name!r} is one flat colour: whatever appears in it is the network's own"]
