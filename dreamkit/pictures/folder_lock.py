"""One process at a time works in a folder."""

from __future__ import annotations

from pathlib import Path

import filelock

LOCK = ".dreamkit-lock"


def check_unused(folder: Path, kind: str) -> None:
    """Raise ValueError, which names the kind, unless the folder is missing or holds only a lock."""
    if folder.exists() and (
        not folder.is_dir() or any(file.name != LOCK for file in folder.iterdir())
    ):
        raise ValueError(f"{str(folder)!r} exists and is not {kind}; give a new or an empty folder")


class FolderLock:
    """Keep other processes out of a folder, which must exist, until `release`.

    The lock is a file in the folder; the system drops it when the process ends, however it ends.
    Raises ValueError if another process holds it. Where the folder's file system knows no locks,
    nothing is locked.
    """

    def __init__(self, folder: Path):
        self._lock = filelock.FileLock(folder / LOCK, timeout=0)
        try:
            self._lock.acquire()
        except filelock.Timeout:
            raise ValueError(
                f"another process is at work in {str(folder)!r}; wait until it has ended, "
                "or give another place"
            ) from None
        except (OSError, NotImplementedError):
            pass

    def release(self) -> None:
        """Let others in; a second call changes nothing."""
        self._lock.release()

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
