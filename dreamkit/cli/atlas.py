"""`dreamkit atlas`: a picture for every channel of a network, on this machine or on many."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

import dreamkit as dk

from ..networks.zoo import DEFAULT_NETWORK
from ..pictures.files import check_target_folder
from .console import print_line, signals
from .options import Channels, Device, Network, Scheduler, Weights, Workers, channel_list
from .progress import CountProgress

DEFAULTS = dk.atlas.PictureSettings()


def atlas(
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="the folder of the atlas")
    ] = Path("atlas"),
    network: Network = DEFAULT_NETWORK,
    weights: Weights = None,
    layer: Annotated[
        list[str] | None, typer.Option(help="once for each layer; the suggested ones if not given")
    ] = None,
    channels: Channels = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    side: Annotated[int, typer.Option(help="side of each picture in pixels")] = DEFAULTS.side,
    steps: Annotated[int, typer.Option(help="steps of each picture")] = DEFAULTS.steps,
    seed: Annotated[
        int, typer.Option(help="seed of the noise that every picture starts from")
    ] = DEFAULTS.seed,
    device: Device = None,
) -> None:
    """Draw what every channel of a network responds to.

    A folder of pictures and a page to browse them. After Ctrl-C the finished pictures stay; the
    same command continues.
    """
    settings = dk.atlas.PictureSettings(side=side, steps=steps, seed=seed)
    chosen = channel_list(channels)
    check_target_folder(folder)
    net = dk.load_network(network, weights=weights, device=device)
    making = dk.atlas.making(
        net,
        layer or None,
        folder,
        channels=chosen,
        workers=workers,
        scheduler=scheduler,
        settings=settings,
    )
    with signals.held():  # it writes the manifest
        done_before, total = next(making)
    progress = CountProgress(total, "picture", done_before)
    with (
        closing(making),
        progress.reporting_stop(progress.stopped_at),
    ):
        signals.check()
        for done, _ in making:
            progress.advance(done - progress.done)
            signals.check()
    print_line(f"{folder / 'index.html'}: {total} pictures{progress.summary(done_before)}")
