"""The command line: `dreamkit dream photo.jpg`, and what goes with it. Each command is a few public calls of the library."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from fractions import Fraction
from functools import partial, wraps
from itertools import islice
from pathlib import Path
from typing import Annotated, Optional

import torch
import typer

import dreamkit as dk

from . import _atlas
from . import passport as passports
from ._atlas import channel_list
from ._console import Figures, FrameProgress, Progress, Signals, Stopped, printable, run, say
from ._video import Reel, check_film
from .image import as_saved, check_target, fit, sample_credit
from .tiles import fits_not

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, invoke_without_command=True,
                  context_settings={"help_option_names": ["-h", "--help"]})
signals = Signals()

# The layer that dreams best, where somebody has looked; for other networks a suggested layer about 70 % deep is taken.
DEFAULT_LAYERS = {"dreamnet": "inception5a", "dreamnet-robust": "inception5a", "googlenet": "inception4c", "vgg16": "features.22",
                  "resnet50": "layer3.5"}
DREAM_TILE = 512                                       # pixels a side, where a picture would not fit as a whole
MAX_SHEET_PIXELS = 2**26                               # of a picture that nobody hands over, or whose maps are drawn
# Longest sides in pixels where --side does not say; photos are never enlarged.
PHOTO_SIDE, SAMPLE_SIDE, GUIDE_SIDE, FILM_SIDE = 1024, 512, 320, 512

Network = Annotated[str, typer.Option("--network", help="dreamnet, dreamnet-robust, or a classification network of torchvision")]
Weights = Annotated[Optional[str], typer.Option("--weights", help="a weights file of your own (safetensors or state dict), or: random")]  # noqa: UP045 (typer on Python 3.10 reads Optional)
Device = Annotated[Optional[str], typer.Option("--device", help="cpu, cuda, mps; the best at hand if not given")]  # noqa: UP045
Precision = Annotated[str, typer.Option("--precision", help="float32, bfloat16, float64 or auto")]
MaybeText = Optional[str]  # noqa: UP045
MaybeInt = Optional[int]  # noqa: UP045
Walk = Annotated[Optional[list[str]], typer.Option("--layer", help="what to dream of; several are walked through, one after the other")]  # noqa: UP045
Guides = Annotated[Optional[list[str]], typer.Option("--guide", help="dream towards this picture; several are walked through")]  # noqa: UP045
Resume = Annotated[bool, typer.Option("--resume", help="go on with a film that was stopped")]
KeepFrames = Annotated[bool, typer.Option("--keep-frames", help="leave the frames, as PNG files, in a folder beside the film")]
FILM_SETTINGS = dk.Settings(steps=4, octaves=3)        # of one frame: detail adds up from frame to frame


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits: 0, or 2 after a mistake, 130 after Ctrl-C, 143 after SIGTERM, 1 where a check failed."""
    sys.exit(call(arguments))


def call(arguments: list[str] | None = None) -> int:
    """The exit status of one command line (by default the one that this process was called with)."""
    global signals
    signals = Signals()
    command = typer.main.get_command(app)

    def invoke() -> None:
        code = command.main(args=arguments, prog_name="dreamkit", standalone_mode=False)
        if isinstance(code, int) and code:
            raise SystemExit(code)

    return run(invoke, signals)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"dreamkit {dk.__version__}")
        raise typer.Exit


@app.callback()
def _program(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and end.")] = False,
) -> None:
    """See what a convolutional network sees: DeepDream and feature maps from the command line."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def with_settings(command: Callable, defaults: dk.Settings | None = None) -> Callable:
    """The command with one flag for each field of Settings, made from the field's own metadata, given to it as `settings`.

    With a --recipe, which has numbers and limits of its own, `settings` holds only what the user gave, by name.
    """
    defaults = defaults or dk.Settings()
    signature = inspect.signature(command, eval_str=True)
    kept = [p for name, p in signature.parameters.items() if name != "settings"]
    kinds = {"int": int, "float": float}
    flags = [inspect.Parameter(spec.name, inspect.Parameter.KEYWORD_ONLY, default=getattr(defaults, spec.name), annotation=Annotated[
        kinds[spec.type], typer.Option(f"--{spec.name.replace('_', '-')}", help=spec.metadata["help"])]) for spec in fields(dk.Settings)]

    @wraps(command)
    def wrapper(**given: object) -> object:
        numbers = {flag.name: given.pop(flag.name) for flag in flags}
        if given.get("recipe") is not None:
            source = given["context"].get_parameter_source
            return command(**given, settings={name: value for name, value in numbers.items() if source(name).name != "DEFAULT"})
        return command(**given, settings=dk.Settings(**numbers))

    wrapper.__signature__ = signature.replace(parameters=[p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in kept] + flags)
    wrapper.__annotations__ = {p.name: p.annotation for p in wrapper.__signature__.parameters.values()}
    del wrapper.__wrapped__                                    # so that typer reads this signature and not the first one
    return wrapper


@app.command()
@with_settings
def dream(
    context: typer.Context,
    picture: Annotated[str, typer.Argument(help="a picture file, or a sample's name (dreamkit samples)")] = "china",
    output: Annotated[Path, typer.Option("-o", "--output", help="where to: .png, .jpg or .webp")] = Path("dream.png"),
    network: Network = "dreamnet",
    weights: Weights = None,
    layer: Annotated[MaybeText, typer.Option(help="what to dream of: a layer (dreamkit layers)")] = None,
    channel: Annotated[MaybeInt, typer.Option(help="only this channel of the layer")] = None,
    logit: Annotated[MaybeText, typer.Option(help="a class instead of a layer, by label or index")] = None,
    guide: Annotated[MaybeText, typer.Option(help="dream towards this picture's features at the layer")] = None,
    side: Annotated[MaybeInt, typer.Option(help=f"longest side in pixels; if not given, the photo's own up to {PHOTO_SIDE}, "
                                                f"{SAMPLE_SIDE} for a sample")] = None,
    device: Device = None,
    precision: Precision = "float32",
    recipe: Annotated[MaybeText, typer.Option(help="dream as published: caffe, pytorch, tensorflow or keras; what is not given is its own")]
    = None,
    clip: Annotated[Optional[bool], typer.Option("--clip/--no-clip", help="of --recipe caffe: keep to what can be shown")] = None,  # noqa: UP045
    max_loss: Annotated[Optional[float], typer.Option(help="of --recipe keras: the score that ends an octave early")] = None,  # noqa: UP045
    *, settings: dk.Settings | dict[str, object],
) -> None:
    """Dream a picture.

    Ctrl-C keeps the picture so far; its passport (see again) says how far it came.
    """
    of_recipes = {name: value for name, value in (("clip", clip), ("max_loss", max_loss)) if value is not None}
    if recipe is None and of_recipes:
        raise ValueError(f"--{next(iter(of_recipes)).replace('_', '-')} is a flag of --recipe; give one of {', '.join(dk.recipes.NAMES)}")
    plan = None if recipe is None else passports.recipe_spec(recipe, settings | of_recipes)
    check_target(output)
    image, source = _picture(picture, side, PHOTO_SIDE)
    _spare(output, picture, guide)
    net = dk.load_network(network, weights=weights, device=device, precision=precision)
    spec, guides = _objective_spec(net, layer, channel, logit, guide)
    if plan is not None and spec["kind"] == "layer":
        spec = passports.recipe_objective(recipe, spec["name"])
    score = dk.scorer(net, passports.objective(spec, guides))
    if plan is None:
        settings = _in_tiles(net, score, image, settings)
        passport = passports.make(net, spec, settings, source, weights=_weights_kind(weights))
        dreams = dk.dreaming(score, image, settings)
    else:
        passport = passports.make(net, spec, dk.Settings(), source, weights=_weights_kind(weights), recipe=plan)
        dreams = passports.following(plan, net, score.objective, image)
    del image                                                  # of a poster memory holds only a few
    _dream_to(output, score, lambda: _handed(source, picture, ""), dreams, settings if plan is None else None, passport)


def _in_tiles(net: dk.Network, score: dk.Score, image: dk.Image, settings: dk.Settings) -> dk.Settings:
    """The settings; with tiles where the picture would not fit otherwise, which is said, and stands in the passport."""
    if settings.tile or not fits_not(net, score.objective.layers, image):
        return settings
    say(f"{image.shape[-1]}×{image.shape[-2]} pixels would not fit into memory as a whole: taken in tiles of {DREAM_TILE} pixels "
        "(--tile changes that)")
    return replace(settings, tile=DREAM_TILE)


def _dream_to(output: Path, score: dk.Score, photo: Callable[[], dk.Image], dreams: Iterator[dk.Image], settings: dk.Settings | None,
              passport: dict) -> None:
    """Dreams and saves; after a signal, what there is so far. Without settings the dreams are a recipe's."""
    picture, stop, done, start = None, None, 0, time.perf_counter()
    progress = Progress(**_counts(passport))
    try:
        for dreamt in dreams:
            # counted before it is said: a signal may come in between
            before, picture, done = picture if done else dreamt, dreamt, done + 1
            _advance(progress, before, picture)
            signals.check()
    except Stopped as stopped:
        stop = stopped
        if not done:
            raise
    finally:
        progress.close()
    with signals.held():
        if stop is not None:
            passport = passport | {"stopped": done}
        if picture is None:
            picture = photo()
        elif tuple(picture.shape[-2:]) != tuple(passport["source"][side] for side in ("height", "width")):
            picture = passports.whole(picture, photo(), settings)
        dk.save_image(picture, output, passport)
    height, width = picture.shape[-2:]
    if stop is not None:
        say(f"stopped at {progress.where}; saved the picture so far, {width}×{height}, as {str(output)!r}")
        stop.told = True
        raise stop
    print(f"{printable(str(output))}: {width}×{height}, {score.name} of {score.network.name}, {done} steps in "
          f"{time.perf_counter() - start:.1f} s")


def _counts(passport: dict) -> dict[str, int]:
    numbers = passport["recipe"]["numbers"] if passport.get("recipe") else passport["settings"]
    return {"octaves": numbers["octaves"], "steps": numbers["steps"]}


def _advance(progress: Progress, before: dk.Image, picture: dk.Image) -> None:
    """One step on. Keras's octaves may end early: then the picture grows before its time, and the steps left out count as done."""
    if picture.shape[-1] > before.shape[-1]:
        progress.done += -progress.done % progress.steps
    progress.advance(*picture.shape[-2:])


# --- films

@app.command()
@partial(with_settings, defaults=FILM_SETTINGS)
def zoom(
    picture: Annotated[str, typer.Argument(help="a picture file, or a sample's name (dreamkit samples)")] = "clouds",
    output: Annotated[Path, typer.Option("-o", "--output", help="where to: .mp4, .gif or .webp")] = Path("zoom.mp4"),
    seconds: Annotated[float, typer.Option(help="length of the film")] = 3.0,
    fps: Annotated[float, typer.Option(help="frames a second")] = 30.0,
    zoom: Annotated[float, typer.Option(help="enlargement a second", show_default="4.66, google/deepdream's: 1 / 0.95 a frame")]
    = dk.film.NOTEBOOK_ZOOM,
    turn: Annotated[float, typer.Option(help="degrees a second, against the clock")] = 0.0,
    down: Annotated[float, typer.Option(help="pixels a second that everything moves down")] = 0.0,
    right: Annotated[float, typer.Option(help="pixels a second that everything moves to the right")] = 0.0,
    network: Network = "dreamnet",
    weights: Weights = None,
    layer: Walk = None,
    guide: Guides = None,
    side: Annotated[MaybeInt, typer.Option(help=f"longest side in pixels; if not given, the photo's own up to {FILM_SIDE}")] = None,
    resume: Resume = False,
    keep_frames: KeepFrames = False,
    device: Device = None,
    precision: Precision = "float32",
    *, settings: dk.Settings,
) -> None:
    """Film an endless zoom into a dream.

    Ctrl-C keeps the frames; the same command with --resume goes on.
    """
    check_film(output, fps)
    if not 0 < seconds * fps < 10**6:
        raise ValueError(f"a film has from 1 to {10**6 - 1} frames; given: {seconds:g} s of {fps:g} frames")
    frames = max(1, round(seconds * fps))
    image, source = _picture(picture, side, FILM_SIDE)
    net = dk.load_network(network, weights=weights, device=device, precision=precision)
    scores, specs = _walk(net, layer, guide)
    motion = {"fps": fps, "zoom": zoom, "turn": turn, "shift": (down, right)}
    passport = _film_passport(net, specs, settings, source, weights, frames=frames, **motion)
    reel = _reel(output, passport, resume)
    dreams = dk.film.zooming(scores, image, settings, frames=frames, **motion, first=reel.kept, last=reel.last())
    _shoot(reel, dreams, frames, fps, passport, keep_frames)


@app.command()
@partial(with_settings, defaults=FILM_SETTINGS)
def film(
    video: Annotated[str, typer.Argument(help="a video file")],
    output: Annotated[Path, typer.Option("-o", "--output", help="where to: .mp4, .gif or .webp")] = Path("film.mp4"),
    blend: Annotated[float, typer.Option(help="share of the dream before in each frame's start, 0 to 1")] = 0.85,
    flow: Annotated[bool, typer.Option("--flow/--no-flow", help="carry that dream along with the things that move")] = True,
    seconds: Annotated[Optional[float], typer.Option(help="only so much of the video, from its beginning")] = None,  # noqa: UP045
    network: Network = "dreamnet",
    weights: Weights = None,
    layer: Walk = None,
    guide: Guides = None,
    side: Annotated[MaybeInt, typer.Option(help=f"longest side in pixels; if not given, the video's own up to {FILM_SIDE}")] = None,
    resume: Resume = False,
    keep_frames: KeepFrames = False,
    device: Device = None,
    precision: Precision = "float32",
    *, settings: dk.Settings,
) -> None:
    """Dream a video.

    Ctrl-C keeps the frames; the same command with --resume goes on. Sound is left out.
    """
    info = dk.film.video_info(video)
    check_film(output, info.fps)
    _spare(output, video)
    side = min(FILM_SIDE, max(info.height, info.width)) if side is None else side
    frames = info.frames if seconds is None else min(info.frames, max(1, round(seconds * info.fps)))
    source = passports.picture_spec(next(dk.film.read_video(video, side)), "file", os.path.basename(video), side)
    net = dk.load_network(network, weights=weights, device=device, precision=precision)
    scores, specs = _walk(net, layer, guide)
    passport = _film_passport(net, specs, settings, source, weights, frames=frames, fps=str(info.fps), blend=blend, flow=flow,
                              video=hashlib.sha256(Path(video).read_bytes()).hexdigest())
    reel = _reel(output, passport, resume)
    dreams = dk.film.dreaming_video(scores, islice(dk.film.read_video(video, side), frames), settings, blend=blend, flow=flow,
                                    count=frames, first=reel.kept, last=reel.last())
    _shoot(reel, dreams, frames, info.fps, passport, keep_frames)


def _walk(net: dk.Network, layers: list[str] | None, guides: list[str] | None) -> tuple[list[dk.Score], list[dict]]:
    """The scores that a film walks through, and what a passport says of each."""
    if guides and len(layers or ()) > 1:
        raise ValueError("give several of --layer or several of --guide, not both")
    pairs = [(layer, None) for layer in layers or [None]] if not guides else [(layers[0] if layers else None, guide) for guide in guides]
    found = [_objective_spec(net, layer, None, None, guide) for layer, guide in pairs]
    return [dk.scorer(net, passports.objective(spec, features)) for spec, features in found], [spec for spec, _ in found]


def _film_passport(net: dk.Network, specs: list[dict], settings: dk.Settings, source: dict, weights: str | None, **film: object) -> dict:
    passport = passports.make(net, specs[0], settings, source, weights=_weights_kind(weights))
    return passport | {"made": "film", "film": film} | ({"walk": specs} if len(specs) > 1 else {})


def _reel(output: Path, passport: dict, resume: bool) -> Reel:
    """The film's frames so far; they belong together where all that makes their pixels agrees."""
    same = {name: value for name, value in passport.items() if name not in ("threads", "versions", "film", "dreamkit")}
    return Reel(output, same | passport["film"], resume)


def _shoot(reel: Reel, dreams: Iterable[dk.Image], frames: int, fps: float | Fraction, passport: dict, keep_frames: bool) -> None:
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
            say(f"stopped after frame {reel.kept} of {frames}; --resume goes on from {str(reel.folder)!r}")
            stop.told = True
        raise
    finally:
        progress.close()
    if not keep_frames:
        reel.clear()
    rate = float(fps)
    print(f"{printable(str(reel.output))}: {reel.kept} frames, {reel.kept / rate:.1f} s at {rate:g} a second, made in "
          f"{time.perf_counter() - start:.1f} s")


@app.command()
def figures(
    names: Annotated[Optional[list[str]], typer.Argument(metavar="[NAME]...", help=f"{', '.join(dk.figures.names())}; all if not given")]  # noqa: UP045
    = None,
    folder: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="the folder they go to")] = Path("figures"),
    network: Annotated[MaybeText, typer.Option("--network", help="in place of the embedded one that shows each figure best")] = None,
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
            if path.suffix == ".md":                           # the captions are written once a figure's pictures are
                progress.advance(f"{printable(str(folder))}: {chosen[progress.done]}, {count - 1} pictures")
                count = 0
            signals.check()
    except Stopped as stop:
        if total:
            say(f"stopped after {progress.done} of {len(chosen)} figures; the pictures so far are in {str(folder)!r}")
            stop.told = True
        raise
    finally:
        progress.close()
    print(f"{printable(str(folder))}: {total - len(chosen)} pictures with captions.md, made in {time.perf_counter() - start:.1f} s")


@app.command()
def again(
    picture: Annotated[Path, typer.Argument(help="a picture that dreamkit made")],
    source: Annotated[MaybeText, typer.Option("--source", help="the photo it was made from, unless that is a sample")] = None,
    guide: Annotated[MaybeText, typer.Option(help="the guide picture, where there was one")] = None,
    weights: Weights = None,
    output: Annotated[Optional[Path], typer.Option("-o", "--output", help="keep the remade picture here")] = None,  # noqa: UP045
) -> None:
    """Make a picture again from its passport.

    Remakes it and says how far the two differ, in grey levels of 0 to 255; on the same machine that is 0.
    """
    if output is not None:
        check_target(output)
        _spare(output, str(picture), source, guide)
    passport = dk.read_passport(picture)
    plan = _named(picture, lambda: passports.read(passport))
    saved = dk.load_image(picture)
    image = _named(picture, lambda: _source(plan, source, tuple(saved.shape[-2:])))
    if plan.weights == "file" and weights is None:
        raise ValueError(f"it was made with a weights file of its own (sha256 {plan.digest[:12]}…): give it with --weights FILE")
    with _threads(plan.threads):
        remade = _remade(plan, image, guide, "random" if plan.weights == "random" else weights)
    remade_saved = as_saved(remade, picture)
    if remade_saved.shape != saved.shape:
        raise ValueError(f"{str(picture)!r} was changed since: it has {saved.shape[-1]}×{saved.shape[-2]} pixels, and made again "
                         f"{remade.shape[-1]}×{remade.shape[-2]}")
    difference = round(float((saved - remade_saved).abs().max()) * 255)
    if output is not None:
        dk.save_image(remade, output, passport)
    print(f"{printable(str(picture))}: made again, greatest difference {difference} of 255 grey levels"
          + ("" if difference == 0 else f" ({_reasons(plan)})"))


def _remade(plan: passports.Plan, image: dk.Image, guide: str | None, weights: str | None) -> dk.Image:
    device = plan.device if plan.device == "cpu" or getattr(torch, plan.device).is_available() else None
    net = dk.load_network(plan.network, weights=weights, device=device, precision=plan.precision)
    if device is None:
        say(f"warning: it was made on {plan.device}, which is not here; small differences grow in a dream")
    if net.digest != plan.digest:
        say(f"warning: the weights of {plan.network} are not those it was made with (sha256 {plan.digest[:12]}…, here {net.digest[:12]}…)")
    if plan.made == "features":
        return _sheet(net, image, plan.objective["name"], plan.channels)[0]
    guides = {}
    for found in passports.guide_pictures(plan.objective):
        features = dk.capture(net, _handed(found["picture"], guide, "--guide"), found["layer"])
        guides.setdefault(found["picture"]["sha256"], {}).update(features)
    score = dk.scorer(net, passports.objective(plan.objective, guides))
    picture, done = image, 0
    progress = Progress(**_counts({"settings": vars(plan.settings), "recipe": plan.recipe}))
    try:
        for dreamt in passports.replaying(plan, score, image):
            before, picture, done = picture if done else dreamt, dreamt, done + 1
            _advance(progress, before, picture)
            signals.check()
    finally:
        progress.close()
    return passports.whole(picture, image, None if plan.recipe else plan.settings)


@app.command()
def layers(network: Annotated[str, typer.Argument(help="the network's name")] = "dreamnet", weights: Weights = None) -> None:
    """List a network's layers as they run.

    With the papers' own names of them, where there are any: --layer understands both.
    """
    net = dk.load_network(network, weights=weights or (None if network.startswith("dreamnet") else "random"))      # names need no weights
    suggested, also = set(dk.suggested_layers(net)), {}
    for alias, name in dk.layer_aliases(net).items():
        also.setdefault(name, []).append(alias)
    rows = [("", "layer", "type", "channels", "stride", "sees (pixels)", "also called" if also else "")]
    for info in dk.layer_table(net):
        field = info.field
        stride = "" if info.stride is None else _pair(info.stride)
        rows.append(("*" if info.name in suggested else "", info.name, info.kind, str(info.channels), stride,
                     "everything" if field is None else _pair(field.size), ", ".join(also.get(info.name, ()))))
    widths = [max(len(row[i]) for row in rows) for i in range(7)]
    for row in rows:
        cells = [cell.rjust(width) if 2 < i < 6 else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))]
        print("  ".join(cells).rstrip())
    print(f"* worth dreaming: dreamkit dream --network {network} --layer {_default_layer(net)}")


@app.command()
def features(
    picture: Annotated[str, typer.Argument(help="a picture file, or a sample's name")],
    layer: Annotated[str, typer.Option(help="the layer (dreamkit layers)")],
    output: Annotated[Path, typer.Option("-o", "--output", help="where to: .png, .jpg or .webp")] = Path("features.png"),
    channels: Annotated[MaybeText, typer.Option(help="which channels, as 3,14,15; the 32 strongest if not given")] = None,
    network: Network = "dreamnet",
    weights: Weights = None,
    side: Annotated[MaybeInt, typer.Option(help=f"longest side in pixels; if not given, the photo's own up to {SAMPLE_SIDE}")] = None,
    device: Device = None,
) -> None:
    """Draw the feature maps of one layer.

    All in one scale of brightness, so that a silent map looks silent.
    """
    check_target(output)
    image, source = _picture(picture, side, SAMPLE_SIDE)
    _spare(output, picture)
    net = dk.load_network(network, weights=weights, device=device)
    chosen = None if channels is None else channel_list(channels)
    sheet, count = _sheet(net, image, layer, chosen)
    passport = passports.make(net, {"kind": "layer", "name": layer}, dk.Settings(), source, made="features", channels=chosen,
                              weights=_weights_kind(weights))
    with signals.held():
        dk.save_image(sheet, output, passport)
    print(f"{printable(str(output))}: {min(32, count) if chosen is None else len(chosen)} of the {count} maps of {layer}")


def _sheet(net: dk.Network, image: dk.Image, layer: str, channels: list[int] | None) -> tuple[dk.Image, int]:
    """The feature maps of a layer as one picture, and how many there are in all."""
    import io

    maps = dk.capture(net, image, layer)[layer].cpu()
    if maps.dim() != 4:
        raise ValueError(f"layer {layer!r} has no feature maps, only {maps.shape[1]} numbers; layers with maps: "
                         f"{', '.join(dk.suggested_layers(net))}")
    for channel in channels or ():
        _index(channel, net, layer)
    return dk.load_image(io.BytesIO(dk.show.maps(maps, channels).data)), maps.shape[1]


_atlas.register(app, lambda: signals)


@app.command()
def samples() -> None:
    """List the sample photos and their authors."""
    for name in dk.samples():
        height, width = dk.sample(name).shape[-2:]
        print(f"{name:<12}{width:>5}×{height:<6}{sample_credit(name)}")


@app.command()
def doctor() -> None:
    """Check that all that is needed is here.

    One line a need, OK or FAIL; exit status 1 where something is missing.
    """
    from . import doctor as examination

    sound = True
    for good, line in examination.examine():
        print(f"{'OK  ' if good else 'FAIL'}  {line}", flush=True)
        signals.check()
        sound = sound and good
    raise typer.Exit(0 if sound else 1)


@app.command()
def lab(
    folder: Annotated[Optional[Path], typer.Argument(help="the lessons' folder, where it is not found by itself")] = None,  # noqa: UP045
    port: Annotated[int, typer.Option(help="where JupyterLab listens, on this machine only")] = 8888,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="open it in the browser")] = True,
) -> None:
    """Open the lessons in JupyterLab.

    It can be reached from this machine only, and with a token.
    """
    import secrets

    root = _lessons(folder)
    from jupyterlab.labapp import LabApp

    token, port = secrets.token_hex(24), _free_port(port)
    print(f"Lessons in {printable(str(root))}: http://127.0.0.1:{port}/lab?token={token}  (Ctrl-C ends JupyterLab)", flush=True)
    # Given in the process and not on a command line, where other users of the machine could read the token.
    # In a container one often is root, and Jupyter then wants to be told that this is meant; it stays on loopback, with its token.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    LabApp.launch_instance(argv=[
        f"--ServerApp.root_dir={root}", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", f"--ServerApp.open_browser={browser}",
        "--ServerApp.allow_remote_access=False", f"--ServerApp.allow_root={is_root}", f"--IdentityProvider.token={token}"])


def _free_port(port: int) -> int:
    """The first free one of fifty ports from `port` on, so that the address can be told before JupyterLab starts."""
    import socket

    if not 1 <= port <= 65_535:
        raise ValueError(f"a port lies from 1 to 65535; given: {port}")
    for candidate in range(port, min(port + 50, 65_536)):
        with contextlib.suppress(OSError), socket.socket() as trial:
            trial.bind(("127.0.0.1", candidate))
            return candidate
    raise ValueError(f"no free port from {port} to {min(port + 49, 65_535)}; give another with --port")


# --- what the commands share

def _picture(name: str, side: int | None, greatest: int) -> tuple[dk.Image, dict]:
    """The picture of a file or a sample, with what a passport says of it; without `side`, shrunk to `greatest` if it is larger."""
    if not os.path.lexists(name) and name in dk.samples():
        side = min(SAMPLE_SIDE, greatest) if side is None else side
        image = dk.sample(name, side)
        return image, passports.picture_spec(image, "sample", name, side)
    if not os.path.lexists(name) and not Path(name).suffix and os.sep not in name:
        raise FileNotFoundError(f"no picture at {name!r}, and no sample of this name; samples: {', '.join(dk.samples())}")
    image = dk.load_image(name, side)
    height, width = image.shape[-2:]
    if side is None and max(height, width) > greatest:
        side, image = greatest, fit(image, greatest)
        say(f"{name!r} has {width}×{height} pixels; taken at {image.shape[-1]}×{image.shape[-2]} (--side changes that)")
    return image, passports.picture_spec(image, "file", os.path.basename(name), side)


def _source(plan: passports.Plan, given: str | None, saved: tuple[int, int]) -> dk.Image:
    """The picture that a plan starts from; its size is held against that of the saved picture before anything is loaded."""
    height, width = plan.source["height"], plan.source["width"]
    if plan.made == "dream" and saved != (height, width):
        raise ValueError(f"it speaks of {width}×{height} pixels, and the picture has {saved[1]}×{saved[0]}: it was changed since")
    if plan.made == "features" and (height * width > MAX_SHEET_PIXELS or plan.objective.get("kind") != "layer"):
        raise ValueError(f"a sheet shows the maps of one layer for a picture of at most {MAX_SHEET_PIXELS // 10**6} megapixels")
    return _handed(plan.source, given, "--source")


def _handed(wanted: dict, given: str | None, flag: str) -> dk.Image:
    """The picture that a passport speaks of: a sample by its name, anything else only as the user hands it over."""
    if given is None and wanted["kind"] == "file":
        raise ValueError(f"it was made from a picture of yours, {wanted['name']!r}: give it with {flag} PICTURE")
    if wanted["height"] * wanted["width"] > MAX_SHEET_PIXELS and wanted["kind"] == "sample":
        raise ValueError(f"no sample has {wanted['width']}×{wanted['height']} pixels")
    image = dk.sample(wanted["name"], wanted["side"]) if given is None else _picture_again(given, wanted)
    height, width = image.shape[-2:]
    if (height, width) != (wanted["height"], wanted["width"]):
        raise ValueError(f"{given or wanted['name']!r} is another picture: at this side it has {width}×{height} pixels, "
                         f"and the passport says {wanted['width']}×{wanted['height']}")
    if passports.pixels_digest(image) != wanted["sha256"]:
        say(f"warning: {given or wanted['name']!r} does not have the pixels that the passport names (sha256 {wanted['sha256'][:12]}…)")
    return image


def _picture_again(given: str, wanted: dict) -> dk.Image:
    known = given in dk.samples() and not os.path.lexists(given)
    return dk.sample(given, wanted["side"]) if known else dk.load_image(given, wanted["side"])


def _objective_spec(net: dk.Network, layer: str | None, channel: int | None, logit: str | None, guide: str | None) -> tuple[dict, dict]:
    """The objective that the flags describe, as data, and the features of the guide picture by its hash."""
    if sum(v is not None for v in (channel, logit, guide)) > 1 or (logit is not None and layer is not None):
        raise ValueError("give one of --channel, --logit and --guide; a --logit has no --layer")
    if logit is not None:
        return {"kind": "logit", "label": int(logit) if logit.isdigit() else logit}, {}
    layer = layer or _default_layer(net)
    if channel is not None:
        return {"kind": "channel", "name": layer, "index": _index(channel, net, layer)}, {}
    if guide is not None:
        image, spec = _picture(guide, None, GUIDE_SIDE)
        return {"kind": "guide", "name": layer, "picture": spec}, {spec["sha256"]: dk.capture(net, image, layer)}
    return {"kind": "layer", "name": layer}, {}


def _index(channel: int, net: dk.Network, layer: str) -> int:
    count = dk.features.layer_info(net, layer).channels
    if not 0 <= channel < count:
        raise ValueError(f"channel {channel} is out of range: {layer!r} has {count}, from 0 to {count - 1}")
    return channel


def _weights_kind(weights: str | None) -> str:
    return {None: "own", "random": "random"}.get(weights, "file")


def _default_layer(net: dk.Network) -> str:
    return DEFAULT_LAYERS.get(net.name.removesuffix("-random")) or dk.features.layer_at(net, 0.7)


def _spare(output: Path, *inputs: str | None) -> None:
    """Raises ValueError where the result would take the place of a picture it is made from."""
    for given in inputs:
        if given is not None and output.exists() and os.path.exists(given) and os.path.samefile(output, given):
            raise ValueError(f"{str(output)!r} is a picture it is made from; give the result another name with -o")


def _named(path: Path, reading: Callable[[], passports.Plan]) -> passports.Plan:
    try:
        return reading()
    except (ValueError, KeyError) as error:
        raise ValueError(f"the passport of {str(path)!r} cannot be used: {error}") from None


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    """Within, torch has as many threads as the picture was made with: another count sums in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(count, 4 * (os.cpu_count() or 1)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _reasons(plan: passports.Plan) -> str:
    here = {"torch": torch.__version__, "dreamkit": dk.__version__}
    changed = [f"{name} {plan.versions[name]} then, {now} now" for name, now in here.items() if not now.startswith(plan.versions[name])]
    return "; ".join(changed) or "another machine, or one of the warnings above"


def _pair(sizes: tuple[int, int]) -> str:
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}×{sizes[1]}"


def _lessons(folder: Path | None) -> Path:
    places = [folder] if folder is not None else [Path(dk.__file__).parent.parent / "notebooks", Path("notebooks"), Path(".")]
    for place in places:
        if any(place.glob("[0-9][0-9]_*.ipynb")):
            return place.resolve()
    raise ValueError(f"no lessons in {' or '.join(repr(str(place)) for place in places)}: they come with dreamkit's source, not with the "
                     "installed package; clone its repository and call dreamkit lab there, or name their folder: dreamkit lab FOLDER")


if __name__ == "__main__":
    main()
