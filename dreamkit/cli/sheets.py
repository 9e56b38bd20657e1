"""`dreamkit layers`, `features` and `figures`: what a network has, what it sees, what it once was shown with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

import dreamkit as dk

from .. import passport as passports
from ..pictures.image import check_target
from .atlas import channel_list
from .console import Figures, Stopped, printable, say
from .options import (
    SAMPLE_SIDE,
    Device,
    MaybeInt,
    MaybeText,
    Network,
    Weights,
    channel_index,
    default_layer,
    picture_at,
    signals,
    spare,
    weights_kind,
)


def register(app: typer.Typer) -> None:
    """Adds the three commands to the program."""
    for command in (figures, layers, features):
        app.command()(command)


def figures(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help=f"{', '.join(dk.figures.names())}; all if not given"
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="the folder they go to")
    ] = Path("figures"),
    network: Annotated[
        MaybeText,
        typer.Option("--network", help="in place of the embedded one that shows each figure best"),
    ] = None,
    weights: Weights = None,
    seed: Annotated[int, typer.Option(help="seed of the noise and of all random shifts")] = 0,
    device: Device = None,
) -> None:
    """Make the figures of the 2015 Inceptionism post again.

    With captions that say what is known and what is our guess. Ctrl-C keeps the pictures that are whole.
    """
    chosen = [dk.figures.figure(name).name for name in dict.fromkeys(names or dk.figures.names())]
    if not 0 <= seed < 2**62:
        raise ValueError(f"--seed is a whole number from 0 to {2**62 - 1}; given: {seed}")
    if network is None and (weights is not None or device is not None):
        raise ValueError("--weights and --device belong to a network: name it with --network")
    net = None if network is None else dk.load_network(network, weights=weights, device=device)
    _draw(dk.figures.write(folder, chosen, net, seed), folder, chosen)


def _draw(paths: Iterator[Path], folder: Path, chosen: list[str]) -> None:
    """Takes the figures' files as they come, and says a line on stdout for each figure that is finished."""
    progress, count, total, start = Figures(len(chosen)), 0, 0, time.perf_counter()
    try:
        for path in paths:
            count, total = count + 1, total + 1
            if path.suffix == ".md":  # the captions are written once a figure's pictures are
                progress.advance(
                    f"{printable(str(folder))}: {chosen[progress.done]}, {count - 1} pictures"
                )
                count = 0
            signals.check()
    except Stopped as stop:
        if total:
            say(
                f"stopped after {progress.done} of {len(chosen)} figures; the pictures so far are in {str(folder)!r}"
            )
            stop.told = True
        raise
    finally:
        progress.close()
    print(
        f"{printable(str(folder))}: {total - len(chosen)} pictures with captions.md, made in {time.perf_counter() - start:.1f} s"
    )


def layers(
    network: Annotated[str, typer.Argument(help="the network's name")] = "dreamnet",
    weights: Weights = None,
) -> None:
    """List a network's layers as they run.

    With the papers' own names of them, where there are any: --layer understands both.
    """
    net = dk.load_network(
        network, weights=weights or (None if network.startswith("dreamnet") else "random")
    )  # names need no weights
    suggested, also = set(dk.suggested_layers(net)), {}
    for alias, name in dk.layer_aliases(net).items():
        also.setdefault(name, []).append(alias)
    rows = [
        ("", "layer", "type", "channels", "stride", "sees (pixels)", "also called" if also else "")
    ]
    for info in dk.layer_table(net):
        field = info.field
        stride = "" if info.stride is None else _pair(info.stride)
        rows.append(
            (
                "*" if info.name in suggested else "",
                info.name,
                info.kind,
                str(info.channels),
                stride,
                "everything" if field is None else _pair(field.size),
                ", ".join(also.get(info.name, ())),
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(7)]
    for row in rows:
        cells = [
            cell.rjust(width) if 2 < i < 6 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    print(f"* worth dreaming: dreamkit dream --network {network} --layer {default_layer(net)}")


def _pair(sizes: tuple[int, int]) -> str:
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}×{sizes[1]}"


def features(
    picture: Annotated[str, typer.Argument(help="a picture file, or a sample's name")],
    layer: Annotated[str, typer.Option(help="the layer (dreamkit layers)")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="where to: .png, .jpg or .webp")
    ] = Path("features.png"),
    channels: Annotated[
        MaybeText, typer.Option(help="which channels, as 3,14,15; the 32 strongest if not given")
    ] = None,
    network: Network = "dreamnet",
    weights: Weights = None,
    side: Annotated[
        MaybeInt,
        typer.Option(
            help=f"longest side in pixels; if not given, the photo's own up to {SAMPLE_SIDE}"
        ),
    ] = None,
    device: Device = None,
) -> None:
    """Draw the feature maps of one layer.

    All in one scale of brightness, so that a silent map looks silent.
    """
    check_target(output)
    image, source = picture_at(picture, side, SAMPLE_SIDE)
    spare(output, picture)
    net = dk.load_network(network, weights=weights, device=device)
    chosen = None if channels is None else channel_list(channels)
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
    with signals.held():
        dk.save_image(sheet, output, passport)
    print(
        f"{printable(str(output))}: {min(32, count) if chosen is None else len(chosen)} of the {count} maps of {layer}"
    )


def feature_sheet(
    net: dk.Network, image: dk.Image, layer: str, channels: list[int] | None
) -> tuple[dk.Image, int]:
    """The feature maps of a layer as one picture, and how many there are in all."""
    import io

    maps = dk.capture(net, image, layer)[layer].cpu()
    if maps.dim() != 4:
        raise ValueError(
            f"layer {layer!r} has no feature maps, only {maps.shape[1]} numbers; layers with maps: "
            f"{', '.join(dk.suggested_layers(net))}"
        )
    for channel in channels or ():
        channel_index(channel, net, layer)
    return dk.load_image(io.BytesIO(dk.show.maps(maps, channels).data)), maps.shape[1]
