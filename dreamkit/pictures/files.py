"""Files are written whole or not at all; a path can be checked before the work starts."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

_TEMPORARY, _DAY = re.compile(r"\.dreamkit-[0-9a-f]{16}(\.\w+)?"), 86_400  # seconds


def check_source(path: str | os.PathLike[str], what: str) -> None:
    """Raise FileNotFoundError or ValueError unless `path` is a file; `what` should be in it."""
    # os.path answers False where Path raises: for names that are too long, for circles of links.
    name = repr(str(path))
    if os.path.isdir(path):
        raise ValueError(f"{name} is a folder, not a {what}")
    if not os.path.exists(path):
        raise FileNotFoundError(f"no {what} at {name}")
    if not os.path.isfile(path):
        raise ValueError(f"{name} is not a regular file")


def check_place(path: Path) -> None:
    """Raise ValueError if no file can be written at `path`; call it before the work starts."""
    _check_parent(path)
    _check_writable(path, path.parent)


def check_target_folder(folder: str | os.PathLike[str]) -> None:
    """Raise ValueError if no file can be written into `folder`, which need not exist yet."""
    folder = Path(folder)
    existing = next((place for place in (folder, *folder.parents) if place.is_dir()), Path())
    _check_writable(folder, existing)


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call `write(file)` on a temporary file beside `path`, then move that file to `path`.

    A reader sees the whole file or none of it, after a power cut too: the bytes are on the disk
    before the name is. A file that is replaced passes its mode on. Raises ValueError if the file
    cannot be written; an older file then stays as it was.
    """
    _check_parent(path)
    _tidy(str(path.parent.absolute()))
    temporary = str(path.with_name(f".dreamkit-{secrets.token_hex(8)}{path.suffix}"))
    try:
        with _one_line_error(path):
            # `tempfile` makes private files; `open` leaves the mode of a new file to the umask.
            with open(temporary, "x+b") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                os.chmod(temporary, path.stat().st_mode & 0o777)
            os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _sync_folder(folder: Path) -> None:
    """Puts the names in the folder on the disk, where the system can do that (not Windows)."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@functools.lru_cache(maxsize=1024)  # once for each folder: it may hold thousands of pictures
def _tidy(folder: str) -> None:
    """Removes the temporary files that a killed process left in the folder over a day ago."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in (each for each in entries if _TEMPORARY.fullmatch(each.name)):
            with contextlib.suppress(OSError):
                # Whoever still writes to it has changed it since.
                age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                if age > _DAY and entry.is_file(follow_symlinks=False):
                    os.unlink(entry.path)


def make_folder(path: Path) -> None:
    """Make the folder, and the folders above it, unless it exists. ValueError if it cannot."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"cannot make the folder {str(path)!r}: {error.strerror}") from None


def one_line(error: BaseException) -> str:
    """The message of an error in one line of at most 300 characters; without one, its class."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _check_parent(path: Path) -> None:
    if os.path.isdir(path):
        raise ValueError(f"{str(path)!r} is a folder; give the name of a file")
    if not os.path.isdir(path.parent):
        raise ValueError(f"the folder {str(path.parent)!r} does not exist; make it first")


def _check_writable(path: Path, folder: Path) -> None:
    with _one_line_error(path):
        with contextlib.suppress(FileNotFoundError):
            os.lstat(path)  # raises OSError for a name that is too long
        tempfile.TemporaryFile(dir=folder).close()  # the one sure way to know


@contextlib.contextmanager
def _one_line_error(path: Path) -> Iterator[None]:
    """Turn an OSError into a ValueError that says in one line that `path` cannot be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or one_line(error)
        raise ValueError(f"cannot write {str(path)!r}: {reason}") from None
