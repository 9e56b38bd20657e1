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
from ..networks.efficientnet_lite import VARIANTS
from ..networks.zoo import DEFAULT_NETWORK
from ..objectives.styles import for_stride, style_of, styles
from ..passport.entries import terms_of
from .given_pictures import GUIDE_SIDE, picture_at

DEFAULT_STYLE = next(iter(styles()))
# The layer that dreams best, where that was tried; for other networks a suggested layer at about
# 70 % of the depth is taken.
DEFAULT_LAYERS = {
    "dreamnet": "inception5a",
    "dreamnet-robust": "inception5a",
    **dict.fromkeys(VARIANTS, "block6a.expand"),
    "googlenet": "inception4c",
    "vgg16": "features.22",
    "resnet50": "layer3.5",
}

Network = Annotated[
    str,
    typer.Option(help="efficientnet_lite0, 1 or 2, dreamnet, dreamnet-robust, or torchvision's"),
]
Weights = Annotated[
    str | None, typer.Option(help="your own weights file (safetensors or state dict), or: random")
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda or mps; the fastest available one if not given")
]
Precision = Annotated[str, typer.Option(help="float32, bfloat16, float64 or auto")]
StyleName = Annotated[
    str | None,
    typer.Option(help=f"what to dream of: {', '.join(styles())}", show_default=DEFAULT_STYLE),
]


def _workers(given: str) -> int | str:
    try:
        return int(given)
    except ValueError:
        return given  # "auto"; of anything else the cluster says what is allowed


Channels = Annotated[str | None, typer.Option(help="which channels, as 3,14,15; all if not given")]
Workers = Annotated[
    object,
    typer.Option(
        parser=_workers,
        metavar="N|auto",
        help="processes on this machine that share the work, auto: one for each core; "
        "if not given, this one",
    ),
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

    OWN: ClassVar[Mapping[str, object]] = {}  # settings of this command, whatever the layer
    network: Network = DEFAULT_NETWORK
    weights: Weights = None
    device: Device = None
    precision: Precision = "float32"
    settings: Mapping[str, object] = field(default_factory=dict)  # those that the user gave

    def __post_init__(self) -> None:
        """Raises ValueError for a wrong number, before anything is loaded."""
        self.dream_settings()

    def dream_settings(self, suited: dk.Settings | None = None) -> dk.Settings:
        """The numbers the user gave, then the command's own, then those that suit the layer."""
        return replace(suited or dk.Settings(), **{**self.OWN, **self.settings})

    def load_network(self) -> dk.Network:
        return dk.load_network(
            self.network, weights=self.weights, device=self.device, precision=self.precision
        )


def command_with(request: type) -> Callable[[Callable], Callable]:
    """A decorator: the command gets an option for each field of the request, and then a request.

    A field `settings` stands for an option for each field of dk.Settings, made from its metadata.
    """
    hints = get_type_hints(request, include_extras=True)
    parameters = [_parameter("context", typer.Context)]
    for spec in fields(request):
        if spec.name != "settings":
            default = inspect.Parameter.empty if spec.default is MISSING else spec.default
            parameters.append(_parameter(spec.name, hints[spec.name], default))
    numbers = {spec.name: spec for spec in fields(dk.Settings)} if "settings" in hints else {}
    for name, spec in numbers.items():
        usual = str(request.OWN.get(name, _usual(name)))
        option = typer.Option(
            f"--{name.replace('_', '-')}", help=spec.metadata["help"], show_default=usual
        )
        parameters.append(_parameter(name, Annotated[type(spec.default), option], spec.default))

    def decorate(command: Callable) -> Callable:
        def wrapper(context: typer.Context, **given: object) -> None:
            values = {name: given.pop(name) for name in numbers}
            source = context.get_parameter_source
            typed = {name: n for name, n in values.items() if source(name).name != "DEFAULT"}
            command(request(**given, **({"settings": typed} if numbers else {})))

        wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
        wrapper.__signature__ = inspect.Signature(parameters)
        wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
        return wrapper

    return decorate


def _usual(name: str) -> object:
    """What `dk.settings_for` takes for a number, where that does not depend on the layer."""
    shallow, deep = (getattr(for_stride(stride), name) for stride in (4, 16))
    return deep if shallow == deep else "by the layer"


def _parameter(name: str, kind: object, default: object = inspect.Parameter.empty):
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def objective_spec(
    net: dk.Network,
    layer: str | None = None,
    channel: int | None = None,
    logit: str | None = None,
    guide: str | None = None,
    style: str | None = None,
) -> tuple[dict, dict]:
    """The objective that the flags describe, as data, and the features of the guide by its hash."""
    if sum(flag is not None for flag in (channel, logit, guide, style)) > 1:
        raise ValueError("give one of --channel, --logit, --guide and --style")
    if layer is not None and (logit is not None or style is not None):
        raise ValueError(f"a {'--style' if logit is None else '--logit'} has no --layer")
    if logit is not None:
        return passports.entry(dk.logit(int(logit) if logit.isdigit() else logit)), {}
    if style is not None:
        return passports.entry(style_of(net, style).objective), {}
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


def usual_style(net: dk.Network) -> str | None:
    """The style that is taken where nothing is asked for; None if the network has no styles."""
    return DEFAULT_STYLE if net.base_name == styles()[DEFAULT_STYLE].network else None


def suited_settings(net: dk.Network, specs: list[dict], style: str | None) -> dk.Settings:
    """The settings of the style, or those that suit the layers of the objectives."""
    if style is not None:
        return styles()[style].settings
    return dk.settings_for(net, {term.layer for spec in specs for term in terms_of(spec)})


def weights_kind(weights: str | None) -> str:
    """How a passport names the weights: "own" (the network's), "random" or "file"."""
    return {None: "own", "random": "random"}.get(weights, "file")
