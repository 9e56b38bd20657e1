"""`dreamkit grid`, `groups` and `caricature`: what a layer sees in a photo, drawn in three ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import torch
import typer

import dreamkit as dk

from .. import passport as passports
from ..inside.caricatures import growing_caricature
from ..inside.cells import grid_vectors
from ..inside.codebook import mosaic
from ..inside.directions import vector_pictures
from ..inside.neuron_group import factorised
from ..networks.zoo import DEFAULT_NETWORK
from ..passport.reading import MAX_COUNT
from ..pictures.image import check_target
from .console import print_line, signals
from .given_pictures import check_not_an_input, picture_at
from .options import Device, Network, Weights, command_with, side_option, weights_kind
from .progress import Progress

STEPS = 120  # of a caricature
_GAP = 8  # pixels of white between the parts of a sheet
# The usual layers have no activation: there the features below 0 tell something too.
_LAYERS = {"efficientnet_lite0": "block5c", "efficientnet_lite1": "block5c"}


@dataclass(frozen=True, kw_only=True)
class SeenRequest:
    """What the user asks of any of the three commands."""

    SIDE: ClassVar[int] = 384  # of the photo, in pixels, if none is given
    count: ClassVar[int | None] = None
    picture: Annotated[str, typer.Argument(help="a picture file, or a sample's name")]
    layer: Annotated[
        str | None,
        typer.Option(help="the layer (dreamkit layers lists them); if not given, a deep one"),
    ] = None
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="the sheet's file: .png, .jpg or .webp")
    ] = None
    network: Network = DEFAULT_NETWORK
    weights: Weights = None
    side: Annotated[int | None, side_option("the photo's own, up to a few hundred")] = None
    seed: Annotated[int, typer.Option(help="seed of the noise and of all random views")] = 0
    device: Device = None


@dataclass(frozen=True, kw_only=True)
class GridRequest(SeenRequest):
    cells: Annotated[
        int, typer.Option(help=f"pictures along the photo's longest side, 1 to {MAX_COUNT}")
    ] = 6

    @property
    def count(self) -> int:
        return _counted("--cells", self.cells)


@dataclass(frozen=True, kw_only=True)
class GroupsRequest(SeenRequest):
    groups: Annotated[int, typer.Option(help=f"number of groups, 1 to {MAX_COUNT}")] = 6

    @property
    def count(self) -> int:
        return _counted("--groups", self.groups)


@dataclass(frozen=True, kw_only=True)
class CaricatureRequest(SeenRequest):
    SIDE: ClassVar[int] = 288


@dataclass(frozen=True)
class Drawn:
    """What a sheet shows: one of passport.reading.SEEN, at a layer; `count` of cells or groups."""

    made: str
    layer: str
    count: int | None
    seed: int


@command_with(GridRequest)
def grid(request: GridRequest) -> None:
    """Draw what a layer sees in each part of a photo.

    Beside the photo stands a picture for each of its parts, grown from noise: what the layer's
    features there respond to.
    """
    _draw(request, "grid")


@command_with(GroupsRequest)
def groups(request: GroupsRequest) -> None:
    """Draw the groups of channels that act together in a photo.

    Above is where each group is active, below what it responds to.
    """
    _draw(request, "groups")


@command_with(CaricatureRequest)
def caricature(request: CaricatureRequest) -> None:
    """Draw what a layer keeps of a photo, exaggerated.

    The picture beside the photo is grown from noise.
    """
    _draw(request, "caricature")


def seen_layer(net: dk.Network) -> str:
    """The layer that is looked into if none is named."""
    return _LAYERS.get(net.base_name) or dk.layer_at(net, 0.75)


def _draw(request: SeenRequest, made: str) -> None:
    output = request.output or Path(f"{made}.png")
    check_target(output)
    count, settings = request.count, dk.Settings(seed=request.seed)
    image, source = picture_at(request.picture, request.side, request.SIDE)
    check_not_an_input(output, request.picture)
    net = dk.load_network(request.network, weights=request.weights, device=request.device)
    layer = request.layer or seen_layer(net)
    passport = passports.make(
        net,
        {"kind": "layer", "name": layer},
        settings,
        source,
        made=made,
        weights=weights_kind(request.weights),
        **({} if count is None else {"count": count}),
    )
    work = Work.of(net, image, Drawn(made, layer, count, request.seed))
    progress = Progress(work.total, "step" if made == "caricature" else "picture")
    with progress.reporting_stop(lambda: None):
        sheet = work.done(progress.advance)
    dk.save_image(sheet, output, passport)
    print_line(f"{output}: {made} of {request.picture} at {layer}, {progress.seconds:.1f} s")


@dataclass(frozen=True)
class Work:
    """What is left to draw, and how the sheet is put together of it."""

    total: int
    batches: Iterator[dk.Image]
    finish: Callable[[list[dk.Image]], dk.Image]

    @classmethod
    def of(cls, net: dk.Network, image: dk.Image, drawn: Drawn) -> Work:
        return {"grid": _grid, "groups": _groups, "caricature": _caricature}[drawn.made](
            net, image, drawn
        )

    def done(self, advance: Callable[[int], None] = lambda count: None) -> dk.Image:
        """The sheet; `advance` is told how many pictures are new."""
        found = []
        for batch in self.batches:
            found.append(batch)
            advance(len(batch))
            signals.check()
        return self.finish(found)


def _caricature(net: dk.Network, image: dk.Image, drawn: Drawn) -> Work:
    steps = growing_caricature(net, image, drawn.layer, STEPS, seed=drawn.seed)
    return Work(STEPS, steps, lambda found: _row([image, found[-1]]))


def _grid(net: dk.Network, image: dk.Image, drawn: Drawn) -> Work:
    """The photo beside its grid, whose rows are as many as keep the parts square."""
    size = image.shape[-2:]
    rows, columns = (max(1, round(drawn.count * length / max(size))) for length in size)
    places, vectors, _ = grid_vectors(net, image, drawn.layer, (rows, columns))

    def finish(found: list[dk.Image]) -> dk.Image:
        page = mosaic(torch.cat(found), places, 0)
        return _row([dk.resize(image, tuple(page.shape[-2:]), "bicubic").clamp(0, 1), page])

    return Work(len(places), vector_pictures(net, drawn.layer, vectors, True, drawn.seed), finish)


def _groups(net: dk.Network, image: dk.Image, drawn: Drawn) -> Work:
    """Two rows: the photo lit where each group is active, and the group's picture."""
    maps, directions, _ = factorised(net, image, drawn.layer, drawn.count, drawn.seed)

    def finish(found: list[dk.Image]) -> dk.Image:
        pictures = torch.cat(found)
        side = pictures.shape[-1]
        height = round(side * image.shape[-2] / image.shape[-1])
        lights = [dk.show.spotlight(image, each.sqrt(), dark=0.3) for each in maps]
        lit = [dk.resize(light, (height, side)) for light in lights]
        pairs = zip(lit, pictures.split(1), strict=True)
        return _row([_column(list(pair)) for pair in pairs])

    return Work(len(maps), vector_pictures(net, drawn.layer, directions, seed=drawn.seed), finish)


def _row(parts: list[dk.Image]) -> dk.Image:
    """Pictures of one height side by side, with white between them."""
    gap = parts[0].new_ones(1, 3, parts[0].shape[-2], _GAP)
    return torch.cat([each for part in parts for each in (part, gap)][:-1], -1)


def _column(parts: list[dk.Image]) -> dk.Image:
    return _row([part.mT for part in parts]).mT


def _counted(flag: str, count: int) -> int:
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"{flag} is a whole number from 1 to {MAX_COUNT}; given: {count}")
    return count
