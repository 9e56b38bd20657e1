"""The files of an album: which pictures it is made from, and where each picture's dream goes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..pictures.files import check_target_folder
from ..pictures.formats import HEIF_HINT, HEIF_SUFFIXES, SUFFIXES, picture_suffixes
from .console import say


def is_album(pictures: Sequence[str]) -> bool:
    """Whether these are more than one picture: two names, or a folder."""
    return len(pictures) > 1 or any(os.path.isdir(name) for name in pictures)


def picture_files(given: Sequence[str]) -> list[str]:
    """The names of the pictures, each once, with each folder replaced by the pictures in it.

    Raises ValueError for a folder without pictures.
    """
    names: dict[str, str] = {}
    for name in given:
        for file in _pictures_in(name) if os.path.isdir(name) else [name]:
            names.setdefault(os.path.realpath(file), file)
    return list(names.values())


def _pictures_in(folder: str) -> list[str]:
    names = [name for name in sorted(os.listdir(folder)) if not name.startswith(".")]
    photos = [name for name in names if name.lower().endswith(HEIF_SUFFIXES)]
    suffixes, left_out = picture_suffixes(), ""
    if photos and suffixes == SUFFIXES:
        left_out = f"{len(photos)} HEIC photo{'s are' if len(photos) > 1 else ' is'} left out"
        left_out += f" ({HEIF_HINT})"
    found = [os.path.join(folder, name) for name in names if name.lower().endswith(suffixes)]
    if not found:
        reason = left_out or f"it may hold {', '.join(suffixes)}"
        raise ValueError(f"no pictures in the folder {folder!r}; {reason}")
    if left_out:
        say(f"warning: {left_out}")
    return found


def target_files(pictures: Sequence[str], folder: Path) -> list[Path]:
    """The file of each picture's dream: its own name, with as much of its path as makes it unique.

    >>> [path.name for path in target_files(["a.jpg", "b.jpg", "b.png"], Path("dreams"))]
    ['a.png', 'b.jpg.png', 'b.png.png']
    >>> [path.name for path in target_files(["rome/a.jpg", "oslo/a.jpg"], Path("dreams"))]
    ['rome-a.jpg.png', 'oslo-a.jpg.png']
    """
    parts = [Path(os.path.abspath(name)).parts[1:] for name in pictures]
    depth = [0] * len(parts)  # how many parts of its path a name has; 0: the stem alone
    for _ in range(1 + max(map(len, parts), default=0)):
        names = [
            "-".join(path[-deep:]) if deep else Path(path[-1]).stem
            for path, deep in zip(parts, depth, strict=True)
        ]
        count = Counter(name.casefold() for name in names)  # on many disks A.png is a.png
        equal = [i for i, name in enumerate(names) if count[name.casefold()] > 1]
        if not equal:
            return [folder / f"{name}.png" for name in names]
        for i in equal:
            depth[i] += 1
    raise ValueError(
        f"{pictures[equal[0]]!r} and {pictures[equal[1]]!r} would go to one file: "
        "dream them into two folders"
    )


def check_folder(
    folder: Path, given: Sequence[str], pictures: Sequence[str], guide: str | None = None
) -> None:
    """Raises ValueError if the dreams cannot go to the folder, or would overwrite an input."""
    if folder.suffix.lower() in SUFFIXES and not folder.is_dir():
        raise ValueError(f"several pictures go to a folder; given: -o {str(folder)!r}")
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{str(folder)!r} exists and is not a folder")
    if folder.exists() and any(
        os.path.isdir(name) and os.path.samefile(name, folder) for name in given
    ):
        raise ValueError(
            f"{str(folder)!r} is the folder the pictures come from; give the dreams another with -o"
        )
    check_target_folder(folder)
    inputs = {os.path.realpath(name) for name in (*pictures, guide or "")}
    for target in target_files(pictures, folder):
        if target.exists() and os.path.realpath(target) in inputs:
            raise ValueError(
                f"{str(target)!r} is one of the pictures; give the dreams another folder with -o"
            )
