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
from ..checks.fields import short
from ..passport.cost import (
    MAX_PIXEL_STEPS,
    MAX_PIXELS_OF_A_REPLAY,
    MAX_WEIGHTS,
    check_cost,
    check_no_download,
)
from ..passport.reading import SEEN
from ..pictures.image import as_saved, check_target
from .console import print_line, say, signals
from .given_pictures import MAX_SHEET_PIXELS, check_not_an_input, picture_for
from .job import Run
from .options import Weights
from .seen import Drawn, Work
from .sheets import feature_sheet


def again(
    picture: Annotated[Path, typer.Argument(help="a picture that dreamkit made")],
    source: Annotated[
        str | None, typer.Option(help="the photo it was made from, if that is not a sample")
    ] = None,
    guide: Annotated[str | None, typer.Option(help="its guide picture, if there was one")] = None,
    weights: Weights = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="save the remade picture here")
    ] = None,
    fetch: Annotated[
        bool,
        typer.Option("--fetch", help="download the weights of its network if they are missing"),
    ] = False,
    large: Annotated[
        bool,
        typer.Option(
            "--large",
            help=f"also if it takes more than {MAX_PIXELS_OF_A_REPLAY // 10**6} megapixels, "
            f"{MAX_PIXEL_STEPS / 1e6:,.0f} megapixels × steps or {MAX_WEIGHTS / 1e6:.0f} million "
            "weights",
        ),
    ] = False,
) -> None:
    """Make a picture again from its passport.

    Remakes it and says how far the two differ, in grey levels of 0 to 255; on the same machine
    that is 0. A passport may come from a stranger: a download or a large work needs your flag.
    """
    if output is not None:
        check_target(output)
        check_not_an_input(output, str(picture), source, guide)
    passport = dk.read_passport(picture)
    plan = _named(picture, lambda: passports.read(passport))
    if not large:
        _named(picture, lambda: check_cost(plan))
    if not fetch and weights is None and plan.weights == "own":
        _named(picture, lambda: check_no_download(plan.network))
    saved = dk.load_image(picture)
    image = _named(picture, lambda: _source(plan, source, tuple(saved.shape[-2:])))
    if plan.weights == "file" and weights is None:
        raise ValueError(
            f"it was made with a weights file of its own (sha256 {plan.digest[:12]}…): "
            "give it with --weights FILE"
        )
    with _threads(plan.threads):
        remade = _remade(plan, image, guide, "random" if plan.weights == "random" else weights)
    difference = _difference(picture, saved, remade)
    signals.hold()
    if output is not None:
        dk.save_image(remade, output, passport)
    reasons = "" if difference == 0 else f" ({_reasons(plan)})"
    print_line(
        f"{picture}: made again, greatest difference {difference} of 255 grey levels{reasons}"
    )


def _remade(
    plan: passports.Plan, image: dk.Image, guide: str | None, weights: str | None
) -> dk.Image:
    net = _network(plan, weights)
    if plan.made == "features":
        return feature_sheet(net, image, plan.objective["name"], plan.channels)[0]
    if plan.made in SEEN:
        drawn = Drawn(plan.made, plan.objective["name"], plan.count, plan.settings.seed)
        return Work.of(net, image, drawn).done()
    guides: dict[str, dict[str, torch.Tensor]] = {}
    for wanted in passports.guide_pictures(plan.objective):
        picture = picture_for(wanted["picture"], guide, "--guide")
        features = dk.capture(net, picture, wanted["layer"])
        guides.setdefault(wanted["picture"]["sha256"], {}).update(features)
    score = dk.scorer(net, passports.objective(plan.objective, guides))
    run = Run(plan, score, image)
    run.take()
    return run.result()


def _network(plan: passports.Plan, weights: str | None) -> dk.Network:
    """The plan's network, with warnings where its device or its weights are not those of then."""
    there = plan.device == "cpu" or getattr(torch, plan.device).is_available()
    try:
        net = dk.load_network(
            plan.network,
            weights=weights,
            device=plan.device if there else None,
            precision=plan.precision,
        )
    except KeyError:
        raise ValueError(
            f"unknown network {short(plan.network)}: it was made with a network of one's own, "
            "which a command cannot load; in Python, dk.dream makes it again with that network and "
            "the settings in dk.read_passport(path)"
        ) from None
    if not there:
        say(
            f"warning: it was made on {plan.device}, which is not available here; "
            "small differences grow in a dream"
        )
    if net.digest != plan.digest:
        say(
            f"warning: the weights of {plan.network} are not those it was made with "
            f"(sha256 {plan.digest[:12]}…, here {net.digest[:12]}…)"
        )
    return net


def _source(plan: passports.Plan, given: str | None, saved: tuple[int, int]) -> dk.Image:
    """The picture that the plan starts from; sizes are checked before anything is loaded."""
    height, width = plan.source["height"], plan.source["width"]
    if plan.made == "dream" and saved != (height, width):
        raise ValueError(
            f"it speaks of {width}×{height} pixels, and the picture has {saved[1]}×{saved[0]}: "
            "it was changed since"
        )
    if plan.made != "dream" and (
        height * width > MAX_SHEET_PIXELS or plan.objective.get("kind") != "layer"
    ):
        raise ValueError(
            "a sheet shows what one layer sees in a picture of at most "
            f"{MAX_SHEET_PIXELS // 10**6} megapixels"
        )
    return picture_for(plan.source, given, "--source")


def _difference(path: Path, saved: dk.Image, remade: dk.Image) -> int:
    """The greatest difference in grey levels between a file's picture and the remade one in it."""
    expected = as_saved(remade, path)
    if expected.shape != saved.shape:
        raise ValueError(
            f"{str(path)!r} was changed since: it has {saved.shape[-1]}×{saved.shape[-2]} pixels, "
            f"and made again {remade.shape[-1]}×{remade.shape[-2]}"
        )
    return round(float((saved - expected).abs().max()) * 255)


def _named(path: Path, reading: Callable[[], object]) -> object:
    try:
        return reading()
    except (ValueError, KeyError) as error:
        raise ValueError(f"the passport of {str(path)!r} cannot be used: {error}") from None


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    """Inside, torch has the picture's number of threads: another number sums in another order."""
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
