"""`dreamkit zoom` and `dreamkit film`: an endless zoom into a dream, a video dreamt frame by frame."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

import dreamkit as dk

from .. import passport as passports
from ..pictures.reel import Reel
from ..pictures.video import check_film
from .console import FrameProgress, Stopped, printable, say
from .options import (
    Device,
    MaybeInt,
    Network,
    Precision,
    Weights,
    objective_spec,
    picture_at,
    signals,
    spare,
    weights_kind,
    with_settings,
)

FILM_SIDE = 512  # longest side in pixels where --side does not say
Walk = Annotated[
    list[str] | None,
    typer.Option(
        "--layer", help="what to dream of; several are walked through, one after the other"
    ),
]
Guides = Annotated[
    list[str] | None,
    typer.Option("--guide", help="dream towards this picture; several are walked through"),
]
Resume = Annotated[bool, typer.Option("--resume", help="go on with a film that was stopped")]
KeepFrames = Annotated[
    bool,
    typer.Option(
        "--keep-frames", help="leave the frames, as PNG files, in a folder beside the film"
    ),
]
FILM_SETTINGS = dk.Settings(steps=4, octaves=3)  # of one frame: detail adds up from frame to frame


def register(app: typer.Typer) -> None:
    """Adds the two commands to the program."""
    for command in (zoom, film):
        app.command()(with_settings(command, FILM_SETTINGS))


def zoom(
    picture: Annotated[
        str, typer.Argument(help="a picture file, or a sample's name (dreamkit samples)")
    ] = "clouds",
    output: Annotated[
        Path, typer.Option("-o", "--output", help="where to: .mp4, .gif or .webp")
    ] = Path("zoom.mp4"),
    seconds: Annotated[float, typer.Option(help="length of the film")] = 3.0,
    fps: Annotated[float, typer.Option(help="frames a second")] = 30.0,
    zoom: Annotated[
        float,
        typer.Option(
            help="enlargement a second", show_default="4.66, google/deepdream's: 1 / 0.95 a frame"
        ),
    ] = dk.film.NOTEBOOK_ZOOM,
    turn: Annotated[float, typer.Option(help="degrees a second, against the clock")] = 0.0,
    down: Annotated[float, typer.Option(help="pixels a second that everything moves down")] = 0.0,
    right: Annotated[
        float, typer.Option(help="pixels a second that everything moves to the right")
    ] = 0.0,
    network: Network = "dreamnet",
    weights: Weights = None,
    layer: Walk = None,
    guide: Guides = None,
    side: Annotated[
        MaybeInt,
        typer.Option(
            help=f"longest side in pixels; if not given, the photo's own up to {FILM_SIDE}"
        ),
    ] = None,
    resume: Resume = False,
    keep_frames: KeepFrames = False,
    device: Device = None,
    precision: Precision = "float32",
    *,
    settings: dk.Settings,
) -> None:
    """Film an endless zoom into a dream.

    Ctrl-C keeps the frames; the same command with --resume goes on.
    """
    check_film(output, fps)
    if not 0 < seconds * fps < 10**6:
        raise ValueError(
            f"a film has from 1 to {10**6 - 1} frames; given: {seconds:g} s of {fps:g} frames"
        )
    frames = max(1, round(seconds * fps))
    image, source = picture_at(picture, side, FILM_SIDE)
    net = dk.load_network(network, weights=weights, device=device, precision=precision)
    scores, specs = _walk(net, layer, guide)
    motion = {"fps": fps, "zoom": zoom, "turn": turn, "shift": (down, right)}
    passport = _film_passport(net, specs, settings, source, weights, frames=frames, **motion)
    reel = _reel(output, passport, resume)
    dreams = dk.film.zooming(
        scores, image, settings, frames=frames, **motion, first=reel.kept, last=reel.last()
    )
    _shoot(reel, dreams, frames, fps, passport, keep_frames)


def film(
    video: Annotated[str, typer.Argument(help="a video file")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="where to: .mp4, .gif or .webp")
    ] = Path("film.mp4"),
    blend: Annotated[
        float, typer.Option(help="share of the dream before in each frame's start, 0 to 1")
    ] = 0.85,
    flow: Annotated[
        bool,
        typer.Option("--flow/--no-flow", help="carry that dream along with the things that move"),
    ] = True,
    seconds: Annotated[
        float | None, typer.Option(help="only so much of the video, from its beginning")
    ] = None,
    network: Network = "dreamnet",
    weights: Weights = None,
    layer: Walk = None,
    guide: Guides = None,
    side: Annotated[
        MaybeInt,
        typer.Option(
            help=f"longest side in pixels; if not given, the video's own up to {FILM_SIDE}"
        ),
    ] = None,
    resume: Resume = False,
    keep_frames: KeepFrames = False,
    device: Device = None,
    precision: Precision = "float32",
    *,
    settings: dk.Settings,
) -> None:
    """Dream a video.

    Ctrl-C keeps the frames; the same command with --resume goes on. Sound is left out.
    """
    info = dk.film.video_info(video)
    check_film(output, info.fps)
    spare(output, video)
    side = min(FILM_SIDE, max(info.height, info.width)) if side is None else side
    frames = info.frames if seconds is None else min(info.frames, max(1, round(seconds * info.fps)))
    source = passports.picture_spec(
        next(dk.film.read_video(video, side)), "file", os.path.basename(video), side
    )
    net = dk.load_network(network, weights=weights, device=device, precision=precision)
    scores, specs = _walk(net, layer, guide)
    passport = _film_passport(
        net,
        specs,
        settings,
        source,
        weights,
        frames=frames,
        fps=str(info.fps),
        blend=blend,
        flow=flow,
        video=hashlib.sha256(Path(video).read_bytes()).hexdigest(),
    )
    reel = _reel(output, passport, resume)
    dreams = dk.film.dreaming_video(
        scores,
        islice(dk.film.read_video(video, side), frames),
        settings,
        blend=blend,
        flow=flow,
        count=frames,
        first=reel.kept,
        last=reel.last(),
    )
    _shoot(reel, dreams, frames, info.fps, passport, keep_frames)


def _walk(
    net: dk.Network, layers: list[str] | None, guides: list[str] | None
) -> tuple[list[dk.Score], list[dict]]:
    """The scores that a film walks through, and what a passport says of each."""
    if guides and len(layers or ()) > 1:
        raise ValueError("give several of --layer or several of --guide, not both")
    pairs = (
        [(layer, None) for layer in layers or [None]]
        if not guides
        else [(layers[0] if layers else None, guide) for guide in guides]
    )
    found = [objective_spec(net, layer, None, None, guide) for layer, guide in pairs]
    return [dk.scorer(net, passports.objective(spec, features)) for spec, features in found], [
        spec for spec, _ in found
    ]


def _film_passport(
    net: dk.Network,
    specs: list[dict],
    settings: dk.Settings,
    source: dict,
    weights: str | None,
    **film: object,
) -> dict:
    passport = passports.make(net, specs[0], settings, source, weights=weights_kind(weights))
    return passport | {"made": "film", "film": film} | ({"walk": specs} if len(specs) > 1 else {})


def _reel(output: Path, passport: dict, resume: bool) -> Reel:
    """The film's frames so far; they belong together where all that makes their pixels agrees."""
    same = {
        name: value
        for name, value in passport.items()
        if name not in ("threads", "versions", "film", "dreamkit")
    }
    return Reel(output, same | passport["film"], resume)


def _shoot(
    reel: Reel,
    dreams: Iterable[dk.Image],
    frames: int,
    fps: float | Fraction,
    passport: dict,
    keep_frames: bool,
) -> None:
    """Keeps frames as they come, then writes the film; after a signal the frames stay."""
    progress, start = FrameProgress(frames, reel.kept), time.perf_counter()
    try:
        for dreamt in dreams:
            with signals.held():
                reel.add(dreamt, passport | {"frame": reel.kept})
            progress.advance()
            signals.check()
        reel.develop(fps)
    except Stopped as stop:
        if reel.kept:
            say(
                f"stopped after frame {reel.kept} of {frames}; --resume goes on from {str(reel.folder)!r}"
            )
            stop.told = True
        raise
    finally:
        progress.close()
    if not keep_frames:
        reel.clear()
    rate = float(fps)
    print(
        f"{printable(str(reel.output))}: {reel.kept} frames, {reel.kept / rate:.1f} s at {rate:g} a second, made in "
        f"{time.perf_counter() - start:.1f} s"
    )
