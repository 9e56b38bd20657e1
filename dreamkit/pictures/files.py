"""Files written whole or not at all, and whether one could be written, asked before the work."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def check_place(path: Path) -> None:
    """Raises ValueError where no file could be written at `path`, whatever its kind: asked before the work."""
    _check_no_folder(path)
    _check_room(path, path.parent)


def check_target_folder(folder: str | os.PathLike[str]) -> None:
    """Raises ValueError where no file could be written into the folder, or into what there is of it: asked before the work."""
    folder = Path(folder)
    _check_room(
        folder, next((place for place in (folder, *folder.parents) if place.is_dir()), Path())
    )


def _check_room(path: Path, folder: Path) -> None:
    try:
        with contextlib.suppress(FileNotFoundError):
            os.lstat(path)  # a name may be too long
        tempfile.TemporaryFile(dir=folder).close()  # the one sure way to know
    except OSError as error:
        raise ValueError(
            f"cannot write {str(path)!r}: {error.strerror or one_line(error)}"
        ) from None


def write_whole(path: Path, write) -> None:
    """Calls `write(file)` on a temporary file beside `path` and then moves it there: a reader sees all of it or nothing."""
    _check_no_folder(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=".dreamkit-", suffix=path.suffix, delete=False
        ) as file:
            temporary = file.name
            write(file)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        os.chmod(temporary, mode)  # a temporary file is private; the result is an ordinary one
        os.replace(temporary, path)
    except OSError as error:
        raise ValueError(
            f"cannot write {str(path)!r}: {error.strerror or one_line(error)}"
        ) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def make_folder(path: Path) -> None:
    """Makes the folder, and those above it, where it is not there. ValueError where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"cannot make the folder {str(path)!r}: {error.strerror}") from None


def _check_no_folder(path: Path) -> None:
    if os.path.isdir(path):
        raise ValueError(f"{str(path)!r} is a folder; give the name of a file")
    if not os.path.isdir(path.parent):
        raise ValueError(f"the folder {str(path.parent)!r} does not exist; make it first")


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
