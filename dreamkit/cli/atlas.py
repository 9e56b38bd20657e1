"""`dreamkit atlas`: a picture for every channel of a network, on this machine or on many."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Optional

import typer

import dreamkit as dk

from ..pictures.files import check_target_folder
from .console import FrameProgress, Signals, Stopped, printable, say

MaybeInt, MaybeText = Optional[int], Optional[str]  # noqa: UP045 (typer on Python 3.10 reads Optional)
Workers = Annotated[
    MaybeInt,
    typer.Option(
        "--workers", help="processes of this machine to share the work; this one alone if not given"
    ),
]
Scheduler = Annotated[
    MaybeText,
    typer.Option("--scheduler", help="a Dask scheduler to share the work by, as tcp://HOST:PORT"),
]
_DEFAULTS = dk.atlas.PictureSettings()


def register(app: typer.Typer, signals: Callable[[], Signals]) -> None:
    """Adds the command to the program; `signals` gives those of the call that is running."""

    @app.command()
    def atlas(
        folder: Annotated[
            Path, typer.Option("-o", "--output", metavar="DIR", help="the folder it goes to")
        ] = Path("atlas"),
        network: Annotated[
            str,
            typer.Option(
                "--network", help="dreamnet, dreamnet-robust, or a network of torchvision"
            ),
        ] = "dreamnet",
        weights: Annotated[
            MaybeText, typer.Option("--weights", help="a weights file of your own, or: random")
        ] = None,
        layer: Annotated[
            list[str] | None,
            typer.Option("--layer", help="once for each layer; the suggested ones if not given"),
        ] = None,
        channels: Annotated[
            MaybeText, typer.Option(help="which channels, as 3,14,15; all if not given")
        ] = None,
        workers: Workers = None,
        scheduler: Scheduler = None,
        side: Annotated[int, typer.Option(help="side of each picture in pixels")] = _DEFAULTS.side,
        steps: Annotated[int, typer.Option(help="steps of each picture")] = _DEFAULTS.steps,
        seed: Annotated[
            int, typer.Option(help="seed of the noise that all pictures grow from")
        ] = _DEFAULTS.seed,
        device: Annotated[
            MaybeText,
            typer.Option("--device", help="cpu, cuda, mps; the best at hand if not given"),
        ] = None,
    ) -> None:
        """Draw what every channel of a network looks for.

        A folder of pictures and a page to browse them by. Ctrl-C keeps what is there; the same command goes on.
        """
        settings = dk.atlas.PictureSettings(side=side, steps=steps, seed=seed)
        chosen = None if channels is None else channel_list(channels)
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
        _make(making, folder, signals())


def _make(making: object, folder: Path, signals: Signals) -> None:
    """Takes the pictures as they come; after a signal what is there stays, and is said."""
    start = time.perf_counter()
    done, total = next(making)
    before = done
    progress = FrameProgress(total, done, unit="picture")
    try:
        for done, _ in making:
            progress.advance(done - progress.done)
            signals.check()
    except Stopped as stop:
        say(f"stopped at {done} of {total} pictures; the same command goes on from there")
        stop.told = True
        raise
    finally:
        progress.close()
        making.close()
    kept = f" ({before} were there already)" if before else ""
    print(
        f"{printable(str(folder / 'index.html'))}: {total} pictures{kept}, made in {time.perf_counter() - start:.1f} s"
    )


def channel_list(text: str) -> list[int]:
    """The whole numbers of a text like 3,14,15."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(
            f"--channels are whole numbers with commas between, as 3,14,15; given: {text!r}"
        ) from None
