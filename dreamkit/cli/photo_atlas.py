"""`dreamkit activation-atlas`: a map of what a layer sees in many photos, as a page to browse."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import dreamkit as dk

from ..atlas.cluster import Ticket, cluster, on_one_thread, ticket, weights_digest
from ..atlas.folder import PAGE
from ..inside.atlas_page import PICTURES
from ..inside.cells import Cells, atlas_squares, check_atlas, drawn_squares
from ..inside.directions import spread_pictures, vector_files
from ..networks.zoo import DEFAULT_NETWORK
from ..pictures.bank import SIDE
from ..pictures.files import check_target_folder, make_folder, write_whole
from ..pictures.folder_lock import FolderLock, check_unused
from .album import UNREADABLE
from .album_files import picture_files
from .console import print_line, say, signals
from .given_pictures import picture_at
from .options import Device, Network, Scheduler, Weights, Workers
from .progress import CountProgress
from .seen import seen_layer

MANIFEST = "activation-atlas.json"
_MAX_MANIFEST = 2**26  # bytes


def activation_atlas(
    pictures: Annotated[
        list[str] | None,
        typer.Argument(help="picture files, folders, or: samples (all the sample photos)"),
    ] = None,
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="the folder of the atlas")
    ] = Path("activation-atlas"),
    network: Network = DEFAULT_NETWORK,
    weights: Weights = None,
    layer: Annotated[
        str | None,
        typer.Option(help="the layer (dreamkit layers lists them); if not given, a deep one"),
    ] = None,
    side: Annotated[int, typer.Option(help="rows and columns of the map, 1 to 64")] = 8,
    workers: Workers = None,
    scheduler: Scheduler = None,
    seed: Annotated[
        int, typer.Option(help="seed of the choice of cells, the layout, the noise and the views")
    ] = 0,
    device: Device = None,
) -> None:
    """Draw a map of what a layer sees in many photos.

    Small parts of the photos are laid out so that what the layer finds alike lies near each other,
    with a picture for each place, grown from noise, and a page to browse them. After Ctrl-C the
    finished pictures stay; the same command continues.
    """
    photos = Photos(_photo_names(pictures or ["samples"]))
    check_target_folder(folder)
    net = dk.load_network(network, weights=weights, device=device)
    layer = layer or seen_layer(net)
    check_atlas(net, layer, side, seed)
    head = _head(net, layer, side, seed, photos)
    _check_folder(folder, head)
    with cluster(workers, scheduler) as client:
        given = ticket(net, client)
        with photos.reading():
            squares = atlas_squares(given, photos, layer, side, seed, client=client)
        done = _draw(Drawing(net, given, squares, seed, client), folder, head)
    told = f"{done.total} pictures of {len(photos.names)} photos at {layer}"
    print_line(f"{folder / PAGE}: {told}{done.summary(done.done_before)}")
    if photos.failed:
        say(f"{photos.failed} of {len(photos.given)} photos could not be read")
        raise typer.Exit(2)


class Photos:
    """The photos in order, each loaded when it is taken; one that cannot be read is left out.

    `names` holds those that were taken.
    """

    def __init__(self, given: Sequence[str]):
        self.given, self.failed, self.names = given, 0, []
        count = Counter(map(os.path.basename, given))
        self.short = [b if count[b := os.path.basename(name)] == 1 else name for name in given]

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, the photos are taken, and the progress is shown."""
        self.progress = CountProgress(len(self.given), "photo")
        with closing(self.progress):
            yield

    def __iter__(self) -> Iterator[dk.Image]:
        for name, short in zip(self.given, self.short, strict=True):
            signals.check()
            try:
                # the sample "clouds" is drawn here, and its last bits depend on the threads
                image, _ = on_one_thread(partial(picture_at, quiet=True), name, None, SIDE)
            except UNREADABLE as error:
                if len(self.given) == 1:
                    raise
                self.failed += 1
                say(f"warning: {error}; left out")
            else:
                self.names.append(short)
                yield image
            self.progress.advance()
        if not self.names:
            raise ValueError(f"none of the {len(self.given)} photos could be read")


@dataclass(frozen=True)
class Drawing:
    """The pictures that are to be drawn, and by whom."""

    network: dk.Network
    given: dk.Network | Ticket
    squares: Cells
    seed: int
    client: object

    def files(self, folder: Path) -> list[Path]:
        layer, vectors = self.squares.layer, self.squares.vectors
        return vector_files(self.network, layer, vectors, True, self.seed, folder)

    def batches(self, files: list[Path]) -> Iterator[dk.Image]:
        layer, vectors = self.squares.layer, self.squares.vectors
        return spread_pictures(
            self.network, self.given, layer, vectors, self.seed, files, self.client
        )


def _draw(drawing: Drawing, folder: Path, head: Mapping[str, object]) -> CountProgress:
    """Draws the pictures that are missing in the folder, and writes the page."""
    files, batches = drawing.files(folder / PICTURES), []
    make_folder(folder)
    progress = CountProgress(len(files), "picture", sum(map(Path.is_file, files)))
    with (
        FolderLock(folder),
        progress.reporting_stop(progress.stopped_at),
        closing(drawing.batches(files)) as drawn,
    ):
        write_whole(folder / MANIFEST, lambda file: file.write(json.dumps(head).encode()))
        for batch in drawn:
            batches.append(batch)
            if new := sum(map(Path.is_file, files)) - progress.done:
                progress.advance(new)
            signals.check()
        with signals.held():
            cells = drawn_squares(drawing.squares, batches, files)
            cells.write(folder, f"What {drawing.network.name} sees in photos")
    return progress


def _photo_names(given: Sequence[str]) -> list[str]:
    """Files, each once; "samples" stands for all the sample photos."""
    names = []
    for name in given:
        every = name == "samples" and not os.path.lexists(name)
        names += dk.samples() if every else [name]
    return picture_files(names)


def _head(net: dk.Network, layer: str, side: int, seed: int, photos: Photos) -> dict[str, object]:
    """What makes the atlas; a folder holds one."""
    return {
        "network": net.name,
        "weights": weights_digest(net),
        "layer": layer,
        "side": side,
        "seed": seed,
        "photos": list(photos.short),
    }


def _check_folder(folder: Path, head: Mapping[str, object]) -> None:
    """Raises ValueError if the folder holds another atlas or other files."""
    path = folder / MANIFEST
    if not path.is_file():
        check_unused(folder, "an activation atlas")
        return
    try:
        before = json.loads(path.read_bytes()) if path.stat().st_size < _MAX_MANIFEST else None
    except (ValueError, RecursionError):
        before = None
    if not isinstance(before, dict):
        raise ValueError(f"{str(path)!r} is broken; give another folder")
    if changed := [name for name in head if head[name] != before.get(name)]:
        raise ValueError(
            f"{str(folder)!r} holds another activation atlas, which differs in "
            f"{', '.join(changed)}; give another folder, or delete that one"
        )
