"""`dreamkit dream`, step by step: ask, load, plan, run, save."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dreamkit as dk

from .. import passport as passports
from ..atlas.cluster import on_one_thread
from ..objectives.tiles import exceeds_memory
from ..pictures.image import check_target
from .album import Album, make_album
from .album_files import check_folder, is_album, picture_files
from .console import Stopped, print_line, say, signals
from .given_pictures import PHOTO_SIDE, check_not_an_input, picture_at
from .job import DreamRequest, Job, Run, load, remarks_on
from .options import command_with, weights_kind

DREAM_TILE = 512  # pixels a side, where a picture would not fit into memory as a whole


@command_with(DreamRequest)
def dream(request: DreamRequest) -> None:
    """Dream a picture, or several.

    Ctrl-C saves the picture so far; its passport (see again) holds the step it came to. Of several
    pictures the finished ones stay, and the same command continues with the others.
    """
    pictures = request.pictures or ["china"]
    if is_album(pictures) or request.names_workers:
        _dream_several(request, pictures)
    else:
        _dream_one(request, pictures[0])


def plan(job: Job, image: dk.Image, source: dict, **more: object) -> dict[str, object]:
    """The passport that a picture's dream will carry: it says how the dream is made."""
    settings, recipe = job.settings, job.request.recipe_spec()
    if recipe is not None:
        more["recipe"] = recipe
    elif not settings.tile and exceeds_memory(job.network, job.score.objective.layers, image):
        settings = replace(settings, tile=DREAM_TILE)
        say(
            f"{image.shape[-1]}×{image.shape[-2]} pixels would not fit into memory as a whole: "
            f"taken in tiles of {DREAM_TILE} pixels (--tile changes that)"
        )
    weights = weights_kind(job.request.weights)
    return passports.make(
        job.network, job.objective_spec, settings, source, weights=weights, **more
    )


def _dream_several(request: DreamRequest, pictures: list[str]) -> None:
    names, folder = picture_files(pictures), request.output or Path("dreams")
    check_folder(folder, pictures, names, request.guide)
    job = on_one_thread(load, request)  # the guide's features too, as `again` takes them

    def planned(name: str) -> tuple[dk.Image, dict[str, object]]:
        image, source = picture_at(name, request.side, PHOTO_SIDE, quiet=True)
        return image, plan(job, image, source, threads=1)  # each job has one thread everywhere

    make_album(Album(job, names, folder, planned))


def _dream_one(request: DreamRequest, name: str) -> None:
    output = request.output or Path("dream.png")
    check_target(output)
    photo, source = picture_at(name, request.side, PHOTO_SIDE)
    check_not_an_input(output, name, request.guide)
    job = load(request)
    passport = plan(job, photo, source)
    remarks = [*remarks_on(name, photo), *job.remarks]
    run = Run(passports.read(passport), job.score, photo)
    del photo  # `run` drops it as soon as it can: a poster leaves little memory
    _take_and_save(run, passport, output, f"{job.what} of {job.network.name}")
    for remark in remarks:
        say(remark)


def _take_and_save(run: Run, passport: dict, output: Path, what: str) -> None:
    """Takes all steps and saves; after a signal, saves the picture so far and raises Stopped."""
    stop = None
    try:
        run.take()
    except Stopped as stopped:
        if not run.done:
            raise
        stop, passport = stopped, passport | {"stopped": run.done}
    signals.hold()
    picture = run.result()
    dk.save_image(picture, output, passport)
    size = f"{picture.shape[-1]}×{picture.shape[-2]}"
    if stop is not None:
        stop.report(
            f"stopped at {run.progress.last_step}; saved the picture so far, {size}, "
            f"as {str(output)!r}"
        )
        raise stop
    print_line(f"{output}: {size}, {what}, {run.done} steps in {run.progress.seconds:.1f} s")
