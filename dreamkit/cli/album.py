"""`dreamkit dream` of several pictures: one dream each into one folder, on one machine or many."""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import typer

import dreamkit as dk

from .. import passport as passports
from ..atlas.cluster import Ticket, cluster, network_of, spread, ticket, worker_count
from ..checks.out_of_memory import is_out_of_memory
from ..pictures.files import make_folder
from .album_files import target_files
from .console import TOO_LITTLE_MEMORY, print_line, say, signals
from .job import DreamRequest, Job, remarks_on
from .progress import CountProgress

UNREADABLE = (ValueError, KeyError, OSError)  # what a picture that cannot be dreamt raises
WORTH_WORKERS = 5  # pictures: of fewer, starting processes takes as long as it saves
Planned = tuple[dk.Image, dict[str, object]]  # a picture, and the passport of its dream


def dream_whole(
    given: dk.Network | Ticket,
    image: dk.Image,
    passport: Mapping[str, object],
    guides: Mapping[str, object],
) -> tuple[dk.Image | None, str]:
    """(the dream that the passport describes, ""), or (None, why not): the work of one worker."""
    try:
        plan = passports.read(passport)
        score = dk.scorer(network_of(given), passports.objective(plan.objective, guides))
        last = deque(passports.replaying(plan, score, image), maxlen=1) or [image]
        return passports.full_size(last[0], image, None if plan.recipe else plan.settings), ""
    except (ValueError, KeyError) as error:
        return None, str(error)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return None, TOO_LITTLE_MEMORY


class Album:
    """The pictures of one request: which are done, which failed, and the files of the others.

    `plan` gives the picture of a name and the passport that its dream will carry.
    """

    def __init__(
        self, job: Job, names: Sequence[str], folder: Path, plan: Callable[[str], Planned]
    ):
        self.job, self.folder, self.plan = job, folder, plan
        self.tasks = list(zip(names, target_files(names, folder), strict=True))
        self.failed = 0
        self.sent: list[tuple[str, Path, dict, list[str]]] = []  # one for each job, in order

    def fail(self, name: str, reason: object) -> None:
        self.failed += 1
        text = str(reason) or type(reason).__name__
        say(text if os.path.basename(name) in text else f"{name!r}: {text}")

    def left(self) -> list[tuple[str, Path]]:
        """The pictures that are not done yet, without those that cannot be read."""
        found = []
        for name, target in self.tasks:
            signals.check()
            try:
                if not self._is_done(name, target):
                    found.append((name, target))
            except UNREADABLE as error:
                self.fail(name, error)
        return found

    def _is_done(self, name: str, target: Path) -> bool:
        """Whether the file is this picture's dream with these settings.

        Raises ValueError if it exists and dreamkit did not make it.
        """
        if not os.path.lexists(target):
            return False
        try:
            passport = dk.read_passport(target)
        except (ValueError, OSError):
            raise ValueError(
                f"{str(target)!r} exists but is not a dreamkit picture: "
                "give another folder with -o, or move it away"
            ) from None
        return passport == json.loads(json.dumps(self.plan(name)[1]))

    def results(self, left: list[tuple[str, Path]], skipped: Callable[[], None]) -> Iterator[None]:
        """Nothing, once for each picture whose dream was saved or failed."""
        request = self.job.request
        with cluster(workers=request.workers, scheduler=request.scheduler) as client:
            given = ticket(self.job.network, client)
            jobs = self._jobs(left, given, skipped)
            with closing(spread(dream_whole, jobs, client)) as results:
                for index, (picture, reason) in results:
                    name, target, passport, remarks = self.sent[index]
                    if picture is None:
                        self.fail(name, reason)
                    else:
                        with signals.held():
                            dk.save_image(picture, target, passport)
                        for remark in remarks:
                            say(remark)
                    yield

    def _jobs(
        self, left: list[tuple[str, Path]], given: dk.Network | Ticket, skipped: Callable[[], None]
    ) -> Iterator[tuple]:
        for name, target in left:
            try:
                image, passport = self.plan(name)
            except UNREADABLE as error:
                self.fail(name, error)
                skipped()
                continue
            self.sent.append((name, target, passport, remarks_on(name, image)))
            yield given, image, passport, self.job.guides


def make_album(album: Album) -> None:
    """Dreams what is left of the album. After a signal the finished dreams stay.

    Ends with the status 2 if a picture failed.
    """
    total, left = len(album.tasks), album.left()
    progress = CountProgress(total, "picture", total - len(left))
    done_before = progress.done - album.failed
    is_new = not album.folder.exists()
    try:
        with progress.reporting_stop(lambda: progress.stopped_at(album.failed)):
            if left:
                _suggest_workers(album.job.request, len(left))
                make_folder(album.folder)
                for _ in album.results(left, progress.advance):
                    progress.advance()
                    signals.check()
    finally:
        if is_new:
            with contextlib.suppress(OSError):
                album.folder.rmdir()  # if it is empty
    for remark in album.job.remarks if left else ():
        say(remark)
    if album.failed < total:
        print_line(f"{album.folder}: {total - album.failed} dreams{progress.summary(done_before)}")
    if album.failed:
        say(f"{album.failed} of {total} pictures could not be dreamt")
        raise typer.Exit(2)


def _suggest_workers(request: DreamRequest, pictures: int) -> None:
    cores = worker_count("auto")
    if not request.names_workers and pictures >= WORTH_WORKERS and cores > 1:
        say(f"one process with one thread; --workers auto shares the work among {cores} cores")
