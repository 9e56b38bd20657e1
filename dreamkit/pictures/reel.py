"""The frames of a film in the making are kept in a folder, so that a stopped film can continue."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from .files import make_folder, write_whole
from .folder_lock import FolderLock
from .image import Image, load_image, save_image
from .video import write_film


class Reel:
    """The frames of an unfinished film, as numbered PNG files in the folder `FILM.frames`.

    `settings` (plain data) say which film they belong to: a stopped film continues only with the
    same settings. ValueError if the folder exists and `resume` is False, if it holds the frames of
    another film, or if another process works on it. `kept` is the number of frames so far.
    `close` lets other processes continue the film.
    """

    def __init__(self, output: Path, settings: Mapping[str, object], resume: bool = False):
        self.output, self.settings = output, json.loads(json.dumps(settings))
        self.folder = output.with_name(output.name + ".frames")
        self._manifest = self.folder / "film.json"
        self.kept = 0
        self._lock: FolderLock | None = None
        if self.folder.exists():
            self._check_manifest(resume)
            self._lock = FolderLock(self.folder)
            while self._file(self.kept).is_file():
                self.kept += 1

    def _check_manifest(self, resume: bool) -> None:
        """Raise ValueError unless the folder holds frames of this film, and `resume` is True."""
        folder = repr(str(self.folder))
        if not self._manifest.is_file():
            raise ValueError(f"{folder} is in the way: the frames would go there")
        if not resume:
            raise ValueError(
                f"{folder} holds the frames of a film that was stopped: --resume goes on with it; "
                "to begin again, remove that folder"
            )
        try:
            begun = json.loads(self._manifest.read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            begun = None
        if not isinstance(begun, dict):
            raise ValueError(
                f"{str(self._manifest)!r} is broken; remove the folder and begin again"
            )
        names = sorted(begun.keys() | self.settings.keys())
        changed = [name for name in names if begun.get(name) != self.settings.get(name)]
        if changed:
            raise ValueError(
                f"{folder} holds another film, which differs in its {', '.join(changed)}: "
                "give the same flags again, or remove that folder"
            )

    def _file(self, index: int) -> Path:
        return self.folder / f"{index + 1:06}.png"

    def last(self) -> Image | None:
        """The last frame that was kept, or None."""
        return load_image(self._file(self.kept - 1)) if self.kept else None

    def add(self, picture: Image, passport: Mapping[str, object] | None = None) -> None:
        """Keep one more frame.

        ValueError if it cannot be written; if it is the first, no folder is left behind.
        """
        if self._lock is None:
            self._begin()
        try:
            if not self.kept:
                manifest = json.dumps(self.settings, indent=1, sort_keys=True).encode()
                write_whole(self._manifest, lambda file: file.write(manifest))
            save_image(picture, self._file(self.kept), passport)
        except ValueError:
            if not self.kept:
                self.clear()
            raise
        self.kept += 1

    def _begin(self) -> None:
        """Make the folder and lock it. ValueError if another process has made it meanwhile."""
        if self.folder.exists():
            raise ValueError(f"another process has begun the film {str(self.output)!r}")
        make_folder(self.folder)
        self._lock = FolderLock(self.folder)

    def develop(self, fps: float) -> None:
        """Write the film of all kept frames."""
        write_film((load_image(self._file(index)) for index in range(self.kept)), self.output, fps)

    def clear(self) -> None:
        """Remove the frames, and the folder unless it holds files of others."""
        self.close()
        frames = [self._file(index) for index in range(self.kept)]
        for file in [*frames, self._manifest, *self.folder.glob(".dreamkit-*")]:
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def close(self) -> None:
        """Let other processes continue the film."""
        if self._lock is not None:
            self._lock.release()
