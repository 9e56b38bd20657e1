"""`dreamkit zoom` and `dreamkit film`: an endless zoom into a dream, and a video as a dream."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar

import typer

import dreamkit as dk

from .. import passport as passports
from ..pictures.reel import Reel
from ..pictures.video import check_film
from .console import print_line, signals
from .given_pictures import FILM_SIDE, check_not_an_input, picture_at
from .options import (
    Request,
    StyleName,
    command_with,
    objective_spec,
    side_option,
    suited_settings,
    usual_style,
    weights_kind,
)
from .progress import CountProgress

Output = Annotated[
    Path, typer.Option("-o", "--output", help="the film's file: .mp4, .gif or .webp")
]


@dataclass(frozen=True, kw_only=True)
class FilmRequest(Request):
    """What the user asks of either command."""

    # of one frame: detail adds up from frame to frame
    OWN: ClassVar[Mapping[str, object]] = {"steps": 4, "octaves": 3}
    layer: Annotated[
        list[str] | None,
        typer.Option(help="the layer to excite; several --layer come one after the other"),
    ] = None
    guide: Annotated[
        list[str] | None,
        typer.Option(help="dream towards this picture; several come one after the other"),
    ] = None
    style: StyleName = None
    side: Annotated[int | None, side_option(f"that of the source, up to {FILM_SIDE}")] = None
    resume: Annotated[bool, typer.Option("--resume", help="continue a film that was stopped")] = (
        False
    )
    keep_frames: Annotated[
        bool, typer.Option("--keep-frames", help="keep the PNG frames, in a folder beside the film")
    ] = False


@dataclass(frozen=True, kw_only=True)
class ZoomRequest(FilmRequest):
    """What the user asks of `dreamkit zoom`."""

    picture: Annotated[
        str, typer.Argument(help="a picture file, or a sample's name (dreamkit samples)")
    ] = "clouds"
    output: Output = Path("zoom.mp4")
    seconds: Annotated[float, typer.Option(help="length of the film")] = 3.0
    fps: Annotated[float, typer.Option(help="frames per second")] = 30.0
    zoom: Annotated[
        float, typer.Option(help="enlargement per second", show_default="4.66, google/deepdream's")
    ] = dk.film.NOTEBOOK_ZOOM
    turn: Annotated[float, typer.Option(help="degrees per second, anticlockwise")] = 0.0
    down: Annotated[float, typer.Option(help="movement downwards, in pixels per second")] = 0.0
    right: Annotated[float, typer.Option(help="movement to the right, in pixels per second")] = 0.0


@dataclass(frozen=True, kw_only=True)
class VideoRequest(FilmRequest):
    """What the user asks of `dreamkit film`."""

    video: Annotated[str, typer.Argument(help="a video file")]
    output: Output = Path("film.mp4")
    blend: Annotated[
        float, typer.Option(help="share of the previous dream in the start of each frame, 0 to 1")
    ] = 0.85
    flow: Annotated[
        bool, typer.Option(help="move the previous dream along with the things in the video")
    ] = True
    seconds: Annotated[
        float | None, typer.Option(help="only this much of the video, from its beginning")
    ] = None


@command_with(ZoomRequest)
def zoom(request: ZoomRequest) -> None:
    """Film an endless zoom into a dream.

    Ctrl-C keeps the frames; the same command with --resume continues.
    """
    check_film(request.output, request.fps)
    length = request.seconds * request.fps
    if not 0 < length < 10**6:
        raise ValueError(
            f"a film has from 1 to {10**6 - 1} frames; "
            f"given: {request.seconds:g} s of {request.fps:g} frames"
        )
    image, source = picture_at(request.picture, request.side, FILM_SIDE)
    check_not_an_input(request.output, request.picture, *(request.guide or ()))
    details = {
        "frames": max(1, round(length)),
        "fps": request.fps,
        "zoom": request.zoom,
        "turn": request.turn,
        "shift": (request.down, request.right),
    }

    def dreams(scores: list[dk.Score], settings: dk.Settings, reel: Reel) -> Iterator[dk.Image]:
        return dk.film.zooming(
            scores, image, settings, **details, first=reel.kept, last=reel.last()
        )

    _make(request, source, details, request.fps, dreams)


@command_with(VideoRequest)
def film(request: VideoRequest) -> None:
    """Dream a video.

    Ctrl-C keeps the frames; the same command with --resume continues. Sound is left out.
    """
    video, side = request.video, request.side
    info = dk.film.video_info(video)
    check_film(request.output, info.fps)
    check_not_an_input(request.output, video, *(request.guide or ()))
    side = min(FILM_SIDE, max(info.height, info.width)) if side is None else side
    frames = info.frames
    if request.seconds is not None:
        frames = min(frames, max(1, round(request.seconds * info.fps)))
    first = next(dk.film.read_video(video, side))
    source = passports.picture_spec(first, "file", os.path.basename(video), side)
    carry = {"blend": request.blend, "flow": request.flow}
    details = {"frames": frames, "fps": str(info.fps), **carry, "video": _file_digest(video)}

    def dreams(scores: list[dk.Score], settings: dk.Settings, reel: Reel) -> Iterator[dk.Image]:
        return dk.film.dreaming_video(
            scores,
            islice(dk.film.read_video(video, side), frames),
            settings,
            **carry,
            count=frames,
            first=reel.kept,
            last=reel.last(),
        )

    _make(request, source, details, info.fps, dreams)


def _make(
    request: FilmRequest,
    source: dict,
    details: dict,
    fps: float | Fraction,
    dreams: Callable[[list[dk.Score], dk.Settings, Reel], Iterator[dk.Image]],
) -> None:
    """Loads the network, saves each frame of `dreams` as it comes, then the film.

    `details` describe the film in passports. After a signal the frames stay.
    """
    net = request.load_network()
    style = request.style
    if style is None and not request.layer and not request.guide:
        style = usual_style(net)
    scores, specs = _objectives(net, request.layer or [], request.guide or [], style)
    settings = request.dream_settings(suited_settings(net, specs, style))
    weights = weights_kind(request.weights)
    passport = passports.make(net, specs[0], settings, source, weights=weights)
    passport |= {"made": "film", "film": details} | ({"walk": specs} if len(specs) > 1 else {})
    # Frames belong together if everything that determines their pixels is equal.
    same = passport.keys() - {"threads", "versions", "film", "dreamkit"}
    reel = Reel(request.output, {name: passport[name] for name in same} | details, request.resume)
    progress = CountProgress(details["frames"], "frame", reel.kept)

    def kept() -> str:
        resume = f"--resume goes on from {str(reel.folder)!r}"
        return reel.kept and f"stopped after frame {reel.kept} of {progress.total}; {resume}"

    with contextlib.closing(reel), progress.reporting_stop(kept):
        for picture in dreams(scores, settings, reel):
            with signals.held():
                reel.add(picture, passport | {"frame": reel.kept})
            progress.advance()
            signals.check()
        reel.develop(fps)
    if not request.keep_frames:
        reel.clear()
    print_line(
        f"{reel.output}: {reel.kept} frames, {reel.kept / float(fps):.1f} s at {float(fps):g} "
        f"a second, made in {progress.seconds:.1f} s"
    )


def _objectives(
    net: dk.Network, layers: list[str], guides: list[str], style: str | None
) -> tuple[list[dk.Score], list[dict]]:
    """The scores that a film goes through one after the other, and their objectives as data."""
    if style is not None and len(layers) + len(guides) > 1:
        raise ValueError("give one --style, or several of --layer or --guide, not both")
    if guides and len(layers) > 1:
        raise ValueError("give several of --layer or several of --guide, not both")
    layer = layers[0] if layers else None
    pairs = [(layer, guide) for guide in guides] or [(name, None) for name in layers or [None]]
    found = [objective_spec(net, layer, guide=guide, style=style) for layer, guide in pairs]
    scores = [dk.scorer(net, passports.objective(spec, features)) for spec, features in found]
    return scores, [spec for spec, _ in found]


def _file_digest(path: str) -> str:
    """The sha256 of a file, read in blocks: a video may be larger than the memory."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
