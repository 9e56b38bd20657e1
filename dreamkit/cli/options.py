"""The options that several commands share, and the objective that those describe."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Annotated, ClassVar, get_type_hints

import typer

import dreamkit as dk

from .. import passport as passports
from ..checks.numbers import check_index
from .given_pictures import GUIDE_SIDE, picture_at

# The layer that dreams best, where that was tried; for other networks a suggested layer at about
# 70 % of the depth is taken.
DEFAULT_LAYERS = {
    "dreamnet": "inception5a",
    "dreamnet-robust": "inception5a",
    "efficientnet_lite0": "block6a.expand",
    "googlenet": "inception4c",
    "vgg16": "features.22",
    "resnet50": "layer3.5",
}

Network = Annotated[
    str,
    typer.Option(help="dreamnet, dreamnet-robust, efficientnet_lite0, or a network of torchvision"),
]
Weights = Annotated[
    str | None, typer.Option(help="your own weights file (safetensors or state dict), or: random")
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda or mps; the fastest available one if not given")
]
Precision = Annotated[str, typer.Option(help="float32, bfloat16, float64 or auto")]
Channels = Annotated[str | None, typer.Option(help="which channels, as 3,14,15; all if not given")]
Workers = Annotated[
    int | None,
    typer.Option(help="processes on this machine that share the work; if not given, this one"),
]
Scheduler = Annotated[
    str | None, typer.Option(help="a Dask scheduler that shares out the work: tcp://HOST:PORT")
]


def side_option(what: str) -> typer.models.OptionInfo:
    """The option --side, with the side that is taken without it."""
    return typer.Option(help=f"longest side in pixels; if not given, {what}")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asks of a dreaming command: a field for each option."""

    DEFAULTS: ClassVar[dk.Settings] = dk.Settings()
    network: Network = "dreamnet"
    weights: Weights = None
    device: Device = None
    precision: Precision = "float32"
    settings: Mapping[str, object] = field(default_factory=dict)  # those that the user gave

    def __post_init__(self) -> None:
        """Raises ValueError for a wrong number, before anything is loaded."""
        self.dream_settings()

    def dream_settings(self) -> dk.Settings:
        return replace(self.DEFAULTS, **self.settings)

    def load_network(self) -> dk.Network:
        return dk.load_network(
            self.network, weights=self.weights, device=self.device, precision=self.precision
        )


def command_with(request: type[Request]) -> Callable[[Callable], Callable]:
    """A decorator: the command gets an option for each field of the request, and then a request.

    The field `settings` stands for an option for each field of dk.Settings, made from its metadata.
    """
    hints = get_type_hints(request, include_extras=True)
    parameters = [_parameter("context", typer.Context)]
    for spec in fields(request):
        if spec.name != "settings":
            default = inspect.Parameter.empty if spec.default is MISSING else spec.default
            parameters.append(_parameter(spec.name, hints[spec.name], default))
    numbers = {spec.name: getattr(request.DEFAULTS, spec.name) for spec in fields(dk.Settings)}
    for spec in fields(dk.Settings):
        option = typer.Option(f"--{spec.name.replace('_', '-')}", help=spec.metadata["help"])
        kind = Annotated[type(spec.default), option]
        parameters.append(_parameter(spec.name, kind, numbers[spec.name]))

    def decorate(command: Callable) -> Callable:
        def wrapper(context: typer.Context, **given: object) -> None:
            values = {name: given.pop(name) for name in numbers}
            source = context.get_parameter_source
            typed = {name: n for name, n in values.items() if source(name).name != "DEFAULT"}
            command(request(**given, settings=typed))

        wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
        wrapper.__signature__ = inspect.Signature(parameters)
        wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
        return wrapper

    return decorate


def _parameter(name: str, kind: object, default: object = inspect.Parameter.empty):
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


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
    """The channel; raises ValueError if the layer does not have it."""
    check_index("channel", channel, dk.layer_info(net, layer).channels, f"layer {layer!r}")
    return channel


def channel_list(text: str | None) -> list[int] | None:
    """The whole numbers in a text like 3,14,15; None if there is no text."""
    try:
        return None if text is None else [int(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(
            f"--channels are whole numbers with commas between, as 3,14,15; given: {text!r}"
        ) from None


def default_layer(net: dk.Network) -> str:
    return DEFAULT_LAYERS.get(net.base_name) or dk.layer_at(net, 0.7)


def weights_kind(weights: str | None) -> str:
    """How a passport names the weights: "own" (the network's), "random" or "file"."""
    return {None: "own", "random": "random"}.get(weights, "file")
