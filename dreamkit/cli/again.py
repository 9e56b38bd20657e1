"""`dreamkit again`: a picture made again from its passport."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import torch
import typer

import dreamkit as dk

from .. import passport as passports
from ..pictures.image import as_saved, check_target
from .console import Progress, printable, say
from .dream import advance, counts
from .options import MAX_SHEET_PIXELS, MaybeText, Weights, handed, signals, spare
from .sheets import feature_sheet


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(again)


def again(
    picture: Annotated[Path, typer.Argument(help="a picture that dreamkit made")],
    source: Annotated[
        MaybeText,
        typer.Option("--source", help="the photo it was made from, unless that is a sample"),
    ] = None,
    guide: Annotated[MaybeText, typer.Option(help="the guide picture, where there was one")] = None,
    weights: Weights = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="keep the remade picture here")
    ] = None,
) -> None:
    """Make a picture again from its passport.

    Remakes it and says how far the two differ, in grey levels of 0 to 255; on the same machine that is 0.
    """
    if output is not None:
        check_target(output)
        spare(output, str(picture), source, guide)
    passport = dk.read_passport(picture)
    plan = _named(picture, lambda: passports.read(passport))
    saved = dk.load_image(picture)
    image = _named(picture, lambda: _source(plan, source, tuple(saved.shape[-2:])))
    if plan.weights == "file" and weights is None:
        raise ValueError(
            f"it was made with a weights file of its own (sha256 {plan.digest[:12]}…): give it with --weights FILE"
        )
    with _threads(plan.threads):
        remade = _remade(plan, image, guide, "random" if plan.weights == "random" else weights)
    remade_saved = as_saved(remade, picture)
    if remade_saved.shape != saved.shape:
        raise ValueError(
            f"{str(picture)!r} was changed since: it has {saved.shape[-1]}×{saved.shape[-2]} pixels, and made again "
            f"{remade.shape[-1]}×{remade.shape[-2]}"
        )
    difference = round(float((saved - remade_saved).abs().max()) * 255)
    if output is not None:
        dk.save_image(remade, output, passport)
    print(
        f"{printable(str(picture))}: made again, greatest difference {difference} of 255 grey levels"
        + ("" if difference == 0 else f" ({_reasons(plan)})")
    )


def _remade(
    plan: passports.Plan, image: dk.Image, guide: str | None, weights: str | None
) -> dk.Image:
    device = (
        plan.device if plan.device == "cpu" or getattr(torch, plan.device).is_available() else None
    )
    net = dk.load_network(plan.network, weights=weights, device=device, precision=plan.precision)
    if device is None:
        say(
            f"warning: it was made on {plan.device}, which is not here; small differences grow in a dream"
        )
    if net.digest != plan.digest:
        say(
            f"warning: the weights of {plan.network} are not those it was made with (sha256 {plan.digest[:12]}…, here {net.digest[:12]}…)"
        )
    if plan.made == "features":
        return feature_sheet(net, image, plan.objective["name"], plan.channels)[0]
    guides = {}
    for found in passports.guide_pictures(plan.objective):
        features = dk.capture(net, handed(found["picture"], guide, "--guide"), found["layer"])
        guides.setdefault(found["picture"]["sha256"], {}).update(features)
    score = dk.scorer(net, passports.objective(plan.objective, guides))
    picture, done = image, 0
    progress = Progress(**counts({"settings": vars(plan.settings), "recipe": plan.recipe}))
    try:
        for dreamt in passports.replaying(plan, score, image):
            before, picture, done = picture if done else dreamt, dreamt, done + 1
            advance(progress, before, picture)
            signals.check()
    finally:
        progress.close()
    return passports.full_size(picture, image, None if plan.recipe else plan.settings)


def _source(plan: passports.Plan, given: str | None, saved: tuple[int, int]) -> dk.Image:
    """The picture that a plan starts from; its size is held against that of the saved picture before anything is loaded."""
    height, width = plan.source["height"], plan.source["width"]
    if plan.made == "dream" and saved != (height, width):
        raise ValueError(
            f"it speaks of {width}×{height} pixels, and the picture has {saved[1]}×{saved[0]}: it was changed since"
        )
    if plan.made == "features" and (
        height * width > MAX_SHEET_PIXELS or plan.objective.get("kind") != "layer"
    ):
        raise ValueError(
            f"a sheet shows the maps of one layer for a picture of at most {MAX_SHEET_PIXELS // 10**6} megapixels"
        )
    return handed(plan.source, given, "--source")


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
    changed = [
        f"{name} {plan.versions[name]} then, {now} now"
        for name, now in here.items()
        if not now.startswith(plan.versions[name])
    ]
    return "; ".join(changed) or "another machine, or one of the warnings above"
