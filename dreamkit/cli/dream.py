"""`dreamkit dream`: one picture, or many."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import dreamkit as dk

from .. import passport as passports
from ..atlas.cluster import on_one_thread
from ..objectives.tiles import exceeds_memory
from ..pictures.image import check_target
from .album import Album, Wish, check_folder, found, make, remarks_on, several
from .atlas import Scheduler, Workers
from .console import Progress, Stopped, printable, say
from .options import (
    PHOTO_SIDE,
    SAMPLE_SIDE,
    Device,
    MaybeInt,
    MaybeText,
    Network,
    Precision,
    Weights,
    handed,
    objective_spec,
    picture_at,
    signals,
    spare,
    weights_kind,
    with_settings,
)

DREAM_TILE = 512  # pixels a side, where a picture would not fit as a whole


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(with_settings(dream))


def dream(
    context: typer.Context,
    pictures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PICTURE]...",
            show_default="china",
            help="a picture file, or a sample's name (dreamkit samples); several, or a folder of them, go to a folder",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            show_default="dream.png; of several: the folder dreams",
            help="where to: .png, .jpg or .webp; of several, a folder",
        ),
    ] = None,
    network: Network = "dreamnet",
    weights: Weights = None,
    layer: Annotated[
        MaybeText, typer.Option(help="what to dream of: a layer (dreamkit layers)")
    ] = None,
    channel: Annotated[MaybeInt, typer.Option(help="only this channel of the layer")] = None,
    logit: Annotated[
        MaybeText, typer.Option(help="a class instead of a layer, by label or index")
    ] = None,
    guide: Annotated[
        MaybeText, typer.Option(help="dream towards this picture's features at the layer")
    ] = None,
    side: Annotated[
        MaybeInt,
        typer.Option(
            help=f"longest side in pixels; if not given, the photo's own up to {PHOTO_SIDE}, "
            f"{SAMPLE_SIDE} for a sample"
        ),
    ] = None,
    device: Device = None,
    precision: Precision = "float32",
    recipe: Annotated[
        MaybeText,
        typer.Option(
            help="dream as published: caffe, pytorch, tensorflow or keras; what is not given is its own"
        ),
    ] = None,
    clip: Annotated[
        bool | None,
        typer.Option("--clip/--no-clip", help="of --recipe caffe: keep to what can be shown"),
    ] = None,
    max_loss: Annotated[
        float | None, typer.Option(help="of --recipe keras: the score that ends an octave early")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    *,
    settings: dk.Settings | dict[str, object],
) -> None:
    """Dream a picture, or several.

    Ctrl-C keeps the picture so far; its passport (see again) says how far it came. Of several pictures those that are done stay,
    and the same command goes on with the others.
    """
    of_recipes = {
        name: value for name, value in (("clip", clip), ("max_loss", max_loss)) if value is not None
    }
    if recipe is None and of_recipes:
        raise ValueError(
            f"--{next(iter(of_recipes)).replace('_', '-')} is a flag of --recipe; give one of {', '.join(dk.recipes.NAMES)}"
        )
    plan = None if recipe is None else passports.recipe_spec(recipe, settings | of_recipes)
    wanted = partial(
        _wanted, plan, settings, network, weights, device, precision, (layer, channel, logit, guide)
    )
    pictures = pictures or ["china"]
    if several(pictures) or workers is not None or scheduler is not None:
        _dream_many(
            pictures,
            output or Path("dreams"),
            side,
            guide,
            wanted,
            {"workers": workers, "scheduler": scheduler},
        )
    else:
        _dream_one(pictures[0], output or Path("dream.png"), side, guide, wanted)


def _wanted(
    plan: dict | None,
    settings: dk.Settings,
    network: str,
    weights: str | None,
    device: str | None,
    precision: str,
    flags: tuple,
) -> Wish:
    net = dk.load_network(network, weights=weights, device=device, precision=precision)
    spec, guides = objective_spec(net, *flags)
    if plan is not None and spec["kind"] == "layer":
        spec = passports.recipe_objective(plan["name"], spec["name"])
    return Wish(net, spec, guides, settings if plan is None else None, plan, weights_kind(weights))


def _dream_many(
    pictures: list[str],
    folder: Path,
    side: int | None,
    guide: str | None,
    wanted: Callable[[], Wish],
    where: dict,
) -> None:
    names = found(pictures)
    check_folder(folder, pictures, names, guide)
    wish = on_one_thread(wanted)  # a guide's features too, as `again` takes them
    score = dk.scorer(wish.network, passports.objective(wish.spec, wish.guides))
    make(
        Album(
            names,
            folder,
            side,
            wish,
            lambda image: _in_tiles(wish.network, score, image, wish.settings),
        ),
        where,
    )


def _dream_one(
    picture: str, output: Path, side: int | None, guide: str | None, wanted: Callable[[], Wish]
) -> None:
    check_target(output)
    image, source = picture_at(picture, side, PHOTO_SIDE)
    spare(output, picture, guide)
    wish = wanted()
    net, settings = wish.network, wish.settings
    score = dk.scorer(net, passports.objective(wish.spec, wish.guides))
    if wish.recipe is None:
        settings = _in_tiles(net, score, image, settings)
        passport = passports.make(net, wish.spec, settings, source, weights=wish.weights)
        dreams = dk.dreaming(score, image, settings)
    else:
        passport = passports.make(
            net, wish.spec, dk.Settings(), source, weights=wish.weights, recipe=wish.recipe
        )
        dreams = passports.following(wish.recipe, net, score.objective, image)
    remarks = [*remarks_on(picture, image), *wish.remarks]
    del image  # of a poster memory holds only a few
    _dream_to(output, score, lambda: handed(source, picture, ""), dreams, settings, passport)
    for remark in remarks:
        say(remark)


def _in_tiles(
    net: dk.Network, score: dk.Score, image: dk.Image, settings: dk.Settings
) -> dk.Settings:
    """The settings; with tiles where the picture would not fit otherwise, which is said, and stands in the passport."""
    if settings.tile or not exceeds_memory(net, score.objective.layers, image):
        return settings
    say(
        f"{image.shape[-1]}×{image.shape[-2]} pixels would not fit into memory as a whole: taken in tiles of {DREAM_TILE} pixels "
        "(--tile changes that)"
    )
    return replace(settings, tile=DREAM_TILE)


def _dream_to(
    output: Path,
    score: dk.Score,
    photo: Callable[[], dk.Image],
    dreams: Iterator[dk.Image],
    settings: dk.Settings | None,
    passport: dict,
) -> None:
    """Dreams and saves; after a signal, what there is so far. Without settings the dreams are a recipe's."""
    picture, stop, done, start = None, None, 0, time.perf_counter()
    progress = Progress(**counts(passport))
    try:
        for dreamt in dreams:
            # counted before it is said: a signal may come in between
            before, picture, done = picture if done else dreamt, dreamt, done + 1
            advance(progress, before, picture)
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
        elif tuple(picture.shape[-2:]) != tuple(
            passport["source"][side] for side in ("height", "width")
        ):
            picture = passports.full_size(picture, photo(), settings)
        dk.save_image(picture, output, passport)
    height, width = picture.shape[-2:]
    if stop is not None:
        say(
            f"stopped at {progress.where}; saved the picture so far, {width}×{height}, as {str(output)!r}"
        )
        stop.told = True
        raise stop
    print(
        f"{printable(str(output))}: {width}×{height}, {score.name} of {score.network.name}, {done} steps in "
        f"{time.perf_counter() - start:.1f} s"
    )


def counts(passport: dict) -> dict[str, int]:
    numbers = passport["recipe"]["numbers"] if passport.get("recipe") else passport["settings"]
    return {"octaves": numbers["octaves"], "steps": numbers["steps"]}


def advance(progress: Progress, before: dk.Image, picture: dk.Image) -> None:
    """One step on. Keras's octaves may end early: then the picture grows before its time, and the steps left out count as done."""
    if picture.shape[-1] > before.shape[-1]:
        progress.done += -progress.done % progress.steps
    progress.advance(*picture.shape[-2:])
