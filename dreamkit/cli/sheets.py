"""`dreamkit features` and `dreamkit figures`: a layer's feature maps, and the figures of 2015."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

import dreamkit as dk

from .. import passport as passports
from ..networks.zoo import DEFAULT_NETWORK
from ..pictures.image import check_target
from .console import print_line, signals
from .given_pictures import SAMPLE_SIDE, check_not_an_input, picture_at
from .options import (
    Device,
    Network,
    Weights,
    channel_index,
    channel_list,
    side_option,
    weights_kind,
)
from .progress import Progress


def figures(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help=f"{', '.join(dk.figures.names())}; all if not given"
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="the folder of the figures")
    ] = Path("figures"),
    network: Annotated[
        str | None,
        typer.Option(help="if not given, the embedded network that shows each figure best"),
    ] = None,
    weights: Weights = None,
    seed: Annotated[int, typer.Option(help="seed of the noise and of all random shifts")] = 0,
    device: Device = None,
) -> None:
    """Make the figures of the 2015 Inceptionism post again.

    The captions say what is known of the originals and what is our guess. After Ctrl-C the finished
    pictures stay.
    """
    chosen = [dk.figures.figure(name).name for name in dict.fromkeys(names or dk.figures.names())]
    if not 0 <= seed < 2**62:
        raise ValueError(f"--seed is a whole number from 0 to {2**62 - 1}; given: {seed}")
    if network is None and (weights is not None or device is not None):
        raise ValueError("--weights and --device belong to a network: name it with --network")
    net = None if network is None else dk.load_network(network, weights=weights, device=device)
    _draw(dk.figures.write(folder, chosen, net, seed), folder, chosen)


def _draw(paths: Iterator[Path], folder: Path, chosen: list[str]) -> None:
    """Takes the files of the figures as they are written, and prints a line for each figure."""
    progress, count, total = Progress(len(chosen), "figure"), 0, 0

    def kept() -> str:
        # The signal may have come between a save and its count.
        some = total or (folder.is_dir() and any(folder.iterdir()))
        so_far = f"the pictures so far are in {str(folder)!r}" if some else ""
        return so_far and f"stopped after {progress.done} of {len(chosen)} figures; {so_far}"

    with progress.reporting_stop(kept):
        for path in paths:
            count, total = count + 1, total + 1
            if path.suffix == ".md":  # the captions are written after each figure's pictures
                print_line(f"{folder}: {chosen[progress.done]}, {count - 1} pictures")
                progress.advance()
                count = 0
            signals.check()
    print_line(
        f"{folder}: {total - len(chosen)} pictures with captions.md, "
        f"made in {progress.seconds:.1f} s"
    )


def features(
    picture: Annotated[str, typer.Argument(help="a picture file, or a sample's name")],
    layer: Annotated[str, typer.Option(help="the layer (dreamkit layers lists them)")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="the sheet's file: .png, .jpg or .webp")
    ] = Path("features.png"),
    channels: Annotated[
        str | None, typer.Option(help="which channels, as 3,14,15; the 32 strongest if not given")
    ] = None,
    network: Network = DEFAULT_NETWORK,
    weights: Weights = None,
    side: Annotated[int | None, side_option(f"the photo's own up to {SAMPLE_SIDE}")] = None,
    device: Device = None,
) -> None:
    """Draw the feature maps of one layer.

    All maps have one brightness scale, so that a silent map looks silent.
    """
    check_target(output)
    image, source = picture_at(picture, side, SAMPLE_SIDE)
    check_not_an_input(output, picture)
    net = dk.load_network(network, weights=weights, device=device)
    chosen = channel_list(channels)
    sheet, count = feature_sheet(net, image, layer, chosen)
    passport = passports.make(
        net,
        {"kind": "layer", "name": layer},
        dk.Settings(),
        source,
        made="features",
        channels=chosen,
        weights=weights_kind(weights),
    )
    signals.hold()
    dk.save_image(sheet, output, passport)
    drawn = min(32, count) if chosen is None else len(chosen)
    print_line(f"{output}: {drawn} of the {count} maps of {layer}")


def feature_sheet(
    net: dk.Network, image: dk.Image, layer: str, channels: list[int] | None
) -> tuple[dk.Image, int]:
    """The feature maps of a layer as one picture, and how many maps the layer has."""
    maps = dk.capture(net, image, layer)[layer].cpu()
    if maps.dim() != 4:
        raise ValueError(
            f"layer {layer!r} has no feature maps, only {maps.shape[1]} numbers; layers with maps: "
            f"{', '.join(dk.suggested_layers(net))}"
        )
    for channel in channels or ():
        channel_index(channel, net, layer)
    return dk.load_image(io.BytesIO(dk.show.maps(maps, channels).data)), maps.shape[1]
