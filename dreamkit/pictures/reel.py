"""The frames of a film in the making are kept in a folder, so that a stopped film can continue."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from .files import make_folder, write_whole
from .image import Image, load_image, save_image
from .video import write_film


class Reel:
    """The frames of an unfinished film, as numbered PNG files in the folder `FILM.frames`.

    `settings` (plain data) say which film they belong to: a stopped film continues only with the
    same settings. ValueError if the folder exists and `resume` is False, or if it holds the
    frames of another film. `kept` is the number of frames so far.
    """

    def __init__(self, output: Path, settings: Mapping[str, object], resume: bool = False):
        self.output, self.settings = output, json.loads(json.dumps(settings))
        self.folder = output.with_name(output.name + ".frames")
        self._manifest = self.folder / "film.json"
        self.kept = 0
        if self.folder.exists():
            self._check_manifest(resume)
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
        except ValueError:
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
        try:
            if not self.kept:
                make_folder(self.folder)
                manifest = json.dumps(self.settings, indent=1, sort_keys=True).encode()
                write_whole(self._manifest, lambda file: file.write(manifest))
            save_image(picture, self._file(self.kept), passport)
        except ValueError:
            if not self.kept:
                self.clear()
            raise
        self.kept += 1

    def develop(self, fps: float) -> None:
        """Write the film of all kept frames."""
        write_film((load_image(self._file(index)) for index in range(self.kept)), self.output, fps)

    def clear(self) -> None:
        """Remove the frames, and the folder unless it holds files of others."""
        frames = [self._file(index) for index in range(self.kept)]
        for file in [*frames, self._manifest, *self.folder.glob(".dreamkit-*")]:
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()
