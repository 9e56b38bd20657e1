"""The lessons, put into a folder of the student's: never over the student's own work."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import dreamkit as dk

from ..pictures.files import make_folder, write_whole

LESSON = "[0-9][0-9]*_*.ipynb"
_NOTE = ".dreamkit-course.json"  # {file: sha256 of what dreamkit put there}


def course_folder() -> Path:
    """Where the lessons lie: in the installed package, or beside it in a clone.

    Raises ValueError if they are in neither.
    """
    package = Path(dk.__file__).parent
    for place in (package / "course", package.parent / "notebooks"):
        if any(place.glob(LESSON)):
            return place
    raise ValueError("this installation of dreamkit has no lessons: install it again")


def put_course(folder: Path) -> list[str]:
    """Put the lessons into a folder, and return what there is to say, a line each.

    A lesson that is missing is written. One that dreamkit has put there and nobody has changed is
    replaced by that of this version. One that was changed, and runs and answers change it, stays:
    where this version's lesson is another one, it is put beside it. Raises ValueError in one line
    where the folder cannot be written.
    """
    source, told = course_folder(), []
    if folder.exists() and folder.samefile(source):
        return told
    make_folder(folder)
    note = _read_note(folder)
    for path in sorted([*source.glob(LESSON), source / "deepdream.py"]):
        data, target = path.read_bytes(), folder / path.name
        new, there = _digest(data), _digest(target.read_bytes()) if target.exists() else ""
        if new not in (there, note.get(path.name)):
            if there and there != note.get(path.name):  # the student's work
                beside = _beside(target, data)
                told.append(
                    f"{path.name} was changed by you and stays; version {dk.__version__} is "
                    f"beside it: {beside.name}"
                )
                target = beside
            write_whole(target, lambda file, data=data: file.write(data))
        elif not there:  # put there before, and deleted since
            write_whole(target, lambda file, data=data: file.write(data))
        note[path.name] = new
    _write_note(folder, note)
    return told


def _beside(target: Path, data: bytes) -> Path:
    """A name beside the lesson that is free, or that holds the same already."""
    for number in range(1, 1000):
        extra = "" if number == 1 else f"-{number}"
        path = target.with_stem(f"{target.stem}-{dk.__version__}{extra}")
        if not path.exists() or path.read_bytes() == data:
            return path
    raise ValueError(f"too many versions of {target.name} in {str(target.parent)!r}: delete some")


def _read_note(folder: Path) -> dict[str, str]:
    """What dreamkit has put there; nothing where the note is missing or damaged."""
    try:
        note = json.loads((folder / _NOTE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    whole = isinstance(note, dict) and all(
        re.fullmatch("[0-9a-f]{64}", str(v)) for v in note.values()
    )
    return note if whole else {}


def _write_note(folder: Path, note: dict[str, str]) -> None:
    text = json.dumps(note, indent=1, sort_keys=True) + "\n"
    if not (folder / _NOTE).exists() or (folder / _NOTE).read_text("utf-8") != text:
        write_whole(folder / _NOTE, lambda file: file.write(text.encode()))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
