"""What the commands share: their options, the pictures they are given, what the user wants of a picture, the signals."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Optional

import typer

import dreamkit as dk

from .. import passport as passports
from ..pictures.image import fit
from .console import Signals, say

signals = Signals()  # those of the call that is running

# The layer that dreams best, where somebody has looked; for other networks a suggested layer about 70 % deep is taken.
DEFAULT_LAYERS = {
    "dreamnet": "inception5a",
    "dreamnet-robust": "inception5a",
    "googlenet": "inception4c",
    "vgg16": "features.22",
    "resnet50": "layer3.5",
}
MAX_SHEET_PIXELS = 2**26  # of a picture that nobody hands over, or whose maps are drawn
# Longest sides in pixels where --side does not say; photos are never enlarged.
PHOTO_SIDE, SAMPLE_SIDE, GUIDE_SIDE, FILM_SIDE = 1024, 512, 320, 512

Network = Annotated[
    str,
    typer.Option(
        "--network", help="dreamnet, dreamnet-robust, or a classification network of torchvision"
    ),
]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights", help="a weights file of your own (safetensors or state dict), or: random"
    ),
]
Device = Annotated[
    str | None, typer.Option("--device", help="cpu, cuda, mps; the best at hand if not given")
]
Precision = Annotated[str, typer.Option("--precision", help="float32, bfloat16, float64 or auto")]
MaybeText = Optional[str]  # noqa: UP045
MaybeInt = Optional[int]  # noqa: UP045


def with_settings(command: Callable, defaults: dk.Settings | None = None) -> Callable:
    """The command with one flag for each field of Settings, made from the field's own metadata, given to it as `settings`.

    With a --recipe, which has numbers and limits of its own, `settings` holds only what the user gave, by name.
    """
    defaults = defaults or dk.Settings()
    signature = inspect.signature(command, eval_str=True)
    kept = [p for name, p in signature.parameters.items() if name != "settings"]
    kinds = {"int": int, "float": float}
    flags = [
        inspect.Parameter(
            spec.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=getattr(defaults, spec.name),
            annotation=Annotated[
                kinds[spec.type],
                typer.Option(f"--{spec.name.replace('_', '-')}", help=spec.metadata["help"]),
            ],
        )
        for spec in fields(dk.Settings)
    ]

    @wraps(command)
    def wrapper(**given: object) -> object:
        numbers = {flag.name: given.pop(flag.name) for flag in flags}
        if given.get("recipe") is not None:
            source = given["context"].get_parameter_source
            return command(
                **given,
                settings={
                    name: value for name, value in numbers.items() if source(name).name != "DEFAULT"
                },
            )
        return command(**given, settings=dk.Settings(**numbers))

    wrapper.__signature__ = signature.replace(
        parameters=[p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in kept] + flags
    )
    wrapper.__annotations__ = {
        p.name: p.annotation for p in wrapper.__signature__.parameters.values()
    }
    del wrapper.__wrapped__  # so that typer reads this signature and not the first one
    return wrapper


def picture_at(
    name: str, side: int | None, greatest: int, quiet: bool = False
) -> tuple[dk.Image, dict]:
    """The picture of a file or a sample, with what a passport says of it; without `side`, shrunk to `greatest` if it is larger."""
    if not os.path.lexists(name) and name in dk.samples():
        side = min(SAMPLE_SIDE, greatest) if side is None else side
        image = dk.sample(name, side)
        return image, passports.picture_spec(image, "sample", name, side)
    if not os.path.lexists(name) and not Path(name).suffix and os.sep not in name:
        raise FileNotFoundError(
            f"no picture at {name!r}, and no sample of this name; samples: {', '.join(dk.samples())}"
        )
    image = dk.load_image(name, side)
    height, width = image.shape[-2:]
    if side is None and max(height, width) > greatest:
        side, image = greatest, fit(image, greatest)
        if not quiet:
            say(
                f"{name!r} has {width}×{height} pixels; taken at {image.shape[-1]}×{image.shape[-2]} (--side changes that)"
            )
    return image, passports.picture_spec(image, "file", os.path.basename(name), side)


def handed(wanted: dict, given: str | None, flag: str) -> dk.Image:
    """The picture that a passport speaks of: a sample by its name, anything else only as the user hands it over."""
    if given is None and wanted["kind"] == "file":
        raise ValueError(
            f"it was made from a picture of yours, {wanted['name']!r}: give it with {flag} PICTURE"
        )
    if wanted["height"] * wanted["width"] > MAX_SHEET_PIXELS and wanted["kind"] == "sample":
        raise ValueError(f"no sample has {wanted['width']}×{wanted['height']} pixels")
    image = (
        dk.sample(wanted["name"], wanted["side"])
        if given is None
        else _picture_again(given, wanted)
    )
    height, width = image.shape[-2:]
    if (height, width) != (wanted["height"], wanted["width"]):
        raise ValueError(
            f"{given or wanted['name']!r} is another picture: at this side it has {width}×{height} pixels, "
            f"and the passport says {wanted['width']}×{wanted['height']}"
        )
    if passports.pixels_digest(image) != wanted["sha256"]:
        say(
            f"warning: {given or wanted['name']!r} does not have the pixels that the passport names (sha256 {wanted['sha256'][:12]}…)"
        )
    return image


def _picture_again(given: str, wanted: dict) -> dk.Image:
    known = given in dk.samples() and not os.path.lexists(given)
    return dk.sample(given, wanted["side"]) if known else dk.load_image(given, wanted["side"])


def objective_spec(
    net: dk.Network, layer: str | None, channel: int | None, logit: str | None, guide: str | None
) -> tuple[dict, dict]:
    """The objective that the flags describe, as data, and the features of the guide by its hash."""
    if sum(v is not None for v in (channel, logit, guide)) > 1 or (
        logit is not None and layer is not None
    ):
        raise ValueError("give one of --channel, --logit and --guide; a --logit has no --layer")
    if logit is not None:
        return passports.entry(dk.logit(int(logit) if logit.isdigit() else logit)), {}
    layer, guides = layer or default_layer(net), {}
    if channel is not None:
        objective = dk.channel(layer, channel_index(channel, net, layer))
    elif guide is not None:
        image, spec = picture_at(guide, None, GUIDE_SIDE)
        guides = {spec["sha256"]: dk.capture(net, image, layer)}
        objective = dk.guide(layer, guides[spec["sha256"]], passports.PictureInfo(**spec))
    else:
        objective = dk.layer(layer)
    return passports.entry(objective), guides


def channel_index(channel: int, net: dk.Network, layer: str) -> int:
    count = dk.layer_info(net, layer).channels
    if not 0 <= channel < count:
        raise ValueError(
            f"channel {channel} is out of range: {layer!r} has {count}, from 0 to {count - 1}"
        )
    return channel


def weights_kind(weights: str | None) -> str:
    return {None: "own", "random": "random"}.get(weights, "file")


def default_layer(net: dk.Network) -> str:
    return DEFAULT_LAYERS.get(net.name.removesuffix("-random")) or dk.layer_at(net, 0.7)


def spare(output: Path, *inputs: str | None) -> None:
    """Raises ValueError where the result would take the place of a picture it is made from."""
    for given in inputs:
        if (
            given is not None
            and output.exists()
            and os.path.exists(given)
            and os.path.samefile(output, given)
        ):
            raise ValueError(
                f"{str(output)!r} is a picture it is made from; give the result another name with -o"
            )
