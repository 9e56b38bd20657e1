"""`dreamkit dream` of several pictures: each with the same settings into one folder, on this machine or on many."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch
import typer

import dreamkit as dk

from .. import passport as passports
from ..atlas.cluster import Ticket, cluster, network_of, spread, ticket
from ..pictures.files import check_target_folder, make_folder
from .console import FrameProgress, Stopped, printable, say
from .options import PHOTO_SIDE, picture_at, signals

SUFFIXES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
)  # taken from a folder; others are left alone


@dataclass(frozen=True)
class Wish:
    """What is wanted of every picture: the objective as a passport says it, and the settings, or the published recipe."""

    network: dk.Network
    spec: Mapping[str, object]
    guides: Mapping[str, Mapping[str, torch.Tensor]]
    settings: dk.Settings | None
    recipe: Mapping[str, object] | None
    weights: str

    @property
    def remarks(self) -> list[str]:
        """What whoever looks at the dreams should know of them."""
        learnt_nothing = "random weights: the network has learnt nothing, so what appears is texture without meaning"
        return [learnt_nothing] if self.weights == "random" else []


def remarks_on(name: str, image: dk.Image) -> list[str]:
    """What whoever looks at this picture's dream should know of it."""
    flat = bool((image == image[..., :1, :1]).all())
    return (
        [f"{name!r} is one flat colour: whatever appears in it is the network's own"]
        if flat
        else []
    )


def several(pictures: Sequence[str]) -> bool:
    """Whether these are more than one picture: two names, or a folder."""
    return len(pictures) > 1 or any(os.path.isdir(name) for name in pictures)


def found(pictures: Sequence[str]) -> list[str]:
    """The pictures' names, each once; in place of a folder, the pictures in it. ValueError for a folder without any."""
    names: dict[str, str] = {}
    for given in pictures:
        inside = [given]
        if os.path.isdir(given):
            inside = [
                os.path.join(given, name)
                for name in sorted(os.listdir(given))
                if name.lower().endswith(SUFFIXES) and not name.startswith(".")
            ]
            if not inside:
                raise ValueError(
                    f"no pictures in the folder {given!r}; it may hold {', '.join(SUFFIXES)}"
                )
        for name in inside:
            names.setdefault(os.path.realpath(name), name)
    return list(names.values())


def targets(pictures: Sequence[str], folder: Path) -> list[Path]:
    """Where each picture's dream goes: under its own name; where two would meet, with as much of its path as tells them apart.

    >>> [path.name for path in targets(["a.jpg", "b.jpg", "b.png"], Path("dreams"))]
    ['a.png', 'b.jpg.png', 'b.png.png']
    >>> [path.name for path in targets(["rome/a.jpg", "oslo/a.jpg"], Path("dreams"))]
    ['rome-a.jpg.png', 'oslo-a.jpg.png']
    """
    parts = [Path(os.path.abspath(name)).parts[1:] for name in pictures]
    depth = [0] * len(parts)
    for _ in range(1 + max(map(len, parts), default=0)):
        names = [
            Path(path[-1]).stem if not deep else "-".join(path[-deep:])
            for path, deep in zip(parts, depth, strict=True)
        ]
        count = Counter(name.casefold() for name in names)  # on many a disk, A.png is a.png
        meeting = [i for i, name in enumerate(names) if count[name.casefold()] > 1]
        if not meeting:
            return [folder / f"{name}.png" for name in names]
        for i in meeting:
            depth[i] += 1
    raise ValueError(
        f"{pictures[meeting[0]]!r} and {pictures[meeting[1]]!r} would go to one file: dream them into two folders"
    )


def check_folder(
    folder: Path, given: Sequence[str], pictures: Sequence[str], guide: str | None = None
) -> None:
    """Raises ValueError where the dreams would not have a folder, or one would take the place of a picture it is made from."""
    if folder.suffix.lower() in SUFFIXES and not folder.is_dir():
        raise ValueError(f"several pictures go to a folder; given: -o {str(folder)!r}")
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is in the way: it is no folder")
    if any(
        os.path.isdir(name) and folder.exists() and os.path.samefile(name, folder) for name in given
    ):
        raise ValueError(
            f"{str(folder)!r} is the folder the pictures come from; give the dreams another with -o"
        )
    check_target_folder(folder)
    inputs = {os.path.realpath(name) for name in (*pictures, guide or "")}
    for target in targets(pictures, folder):
        if target.exists() and os.path.realpath(target) in inputs:
            raise ValueError(
                f"{str(target)!r} is one of the pictures; give the dreams another folder with -o"
            )


def dreamt(
    given: dk.Network | Ticket,
    image: dk.Image,
    spec: Mapping[str, object],
    guides: Mapping[str, object],
    settings: dk.Settings | None,
    recipe: Mapping[str, object] | None,
) -> tuple[dk.Image | None, str]:
    """(a picture's dream, ""), or (None, why there is none): what a worker is asked for."""
    try:
        network, picture = network_of(given), image
        score = dk.scorer(network, passports.objective(spec, guides))
        following = (
            dk.dreaming(score, image, settings)
            if recipe is None
            else passports.following(recipe, network, score.objective, image)
        )
        for picture in following:
            pass
        return passports.full_size(picture, image, settings), ""
    except (ValueError, KeyError) as error:
        return None, str(error)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or "memory" in str(error).lower():
            return (
                None,
                "there is not enough memory for a picture of this size: try a smaller --side, or --tile 512",
            )
        raise


class Album:
    """The pictures of one command: which are done, which fail, and the files that the others go to."""

    def __init__(
        self,
        names: Sequence[str],
        folder: Path,
        side: int | None,
        wish: Wish,
        tiled: Callable[[dk.Image], dk.Settings],
    ):
        self.tasks, self.folder, self.side = (
            list(zip(names, targets(names, folder), strict=True)),
            folder,
            side,
        )
        self.wish, self.tiled, self.failed = wish, tiled, 0
        self.sent: list[tuple[str, Path, dict, list[str]]] = []

    def prepared(self, name: str) -> tuple[dk.Image, dk.Settings | None, dict]:
        """The picture, the settings and the passport that its dream will carry. ValueError and the like where it cannot be read."""
        image, source = picture_at(name, self.side, PHOTO_SIDE, quiet=True)
        wish, settings, more = (
            self.wish,
            None,
            {"threads": 1},
        )  # every job has one thread, wherever it runs
        if wish.recipe is None:
            settings = self.tiled(image)
        else:
            more["recipe"] = dict(wish.recipe)
        return (
            image,
            settings,
            passports.make(
                wish.network,
                wish.spec,
                settings or dk.Settings(),
                source,
                weights=wish.weights,
                **more,
            ),
        )

    def fail(self, name: str, why: object) -> None:
        self.failed += 1
        text = str(why) or type(why).__name__
        say(text if os.path.basename(name) in text else f"{name!r}: {text}")

    def is_done(self, name: str, target: Path) -> bool:
        """Whether the file is there and is this picture's dream by this recipe. ValueError where it is none of dreamkit's."""
        if not os.path.lexists(target):
            return False
        try:
            passport = dk.read_passport(target)
        except (ValueError, OSError):
            raise ValueError(
                f"{str(target)!r} is there, and is no dream: give another folder with -o, or move it away"
            ) from None
        return passport == json.loads(json.dumps(self.prepared(name)[2]))

    def left(self) -> list[tuple[str, Path]]:
        """The pictures that are not done yet; those that cannot be read are said, and left out."""
        found = []
        for name, target in self.tasks:
            try:
                signals.check()
                if not self.is_done(name, target):
                    found.append((name, target))
            except (ValueError, KeyError, OSError) as error:
                self.fail(name, error)
        return found

    def jobs(
        self, left: list[tuple[str, Path]], given: dk.Network | Ticket, skipped: Callable[[], None]
    ) -> Iterator[tuple]:
        for name, target in left:
            try:
                image, settings, passport = self.prepared(name)
            except (ValueError, KeyError, OSError) as error:
                self.fail(name, error)
                skipped()
                continue
            self.sent.append((name, target, passport, remarks_on(name, image)))
            yield given, image, self.wish.spec, self.wish.guides, settings, self.wish.recipe

    def results(
        self, left: list[tuple[str, Path]], where: Mapping[str, object], skipped: Callable[[], None]
    ) -> Iterator[None]:
        """Nothing, once for each picture whose dream was saved, or could not be made."""
        with cluster(**where) as client:
            given = ticket(self.wish.network, client)
            with closing(spread(dreamt, self.jobs(left, given, skipped), client)) as results:
                for index, (picture, why) in results:
                    name, target, passport, remarks = self.sent[index]
                    if picture is None:
                        self.fail(name, why)
                    else:
                        with signals.held():
                            dk.save_image(picture, target, passport)
                        for remark in remarks:
                            say(remark)
                    yield


def make(album: Album, where: Mapping[str, object]) -> None:
    """Makes what is left of the album; after a signal what there is stays, and is said. Exit status 2 where a picture fails."""
    start, total = time.perf_counter(), len(album.tasks)
    left = album.left()
    unreadable = album.failed
    before = total - len(left) - unreadable
    progress = FrameProgress(total, total - len(left), unit="picture")
    new = not album.folder.exists()
    try:
        if left:
            make_folder(album.folder)
            for _ in album.results(left, where, progress.advance):
                progress.advance()
                signals.check()
            for remark in album.wish.remarks:
                say(remark)
    except Stopped as stop:
        say(
            f"stopped at {progress.done - album.failed} of {total} pictures; the same command goes on from there"
        )
        stop.told = True
        raise
    finally:
        progress.close()
        if new:
            with contextlib.suppress(OSError):
                album.folder.rmdir()  # where nothing came into it
    kept = f" ({before} were there already)" if before else ""
    if album.failed < total:
        print(
            f"{printable(str(album.folder))}: {total - album.failed} dreams{kept}, made in {time.perf_counter() - start:.1f} s"
        )
    if album.failed:
        say(f"{album.failed} of {total} pictures could not be dreamt")
        raise typer.Exit(2)
