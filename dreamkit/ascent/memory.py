"""Memory that a step has freed is kept for the next: on Linux twice the speed for a large picture.

The features of a step are tens of megabytes each. The GNU C library asks the kernel for every piece above 32 MiB anew
(mallopt(3), M_MMAP_THRESHOLD), and the kernel hands out zeroed pages, one fault each, until most of a step's time goes
there: the time a step takes then grows faster than its pixels. `python -m benchmarks` shows both.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # mallopt's parameters, by malloc.h


@functools.cache
def _library() -> ctypes.CDLL | None:
    """The GNU C library; None elsewhere, and where DREAMKIT_KEEP_MEMORY=0 forbids it."""
    if os.environ.get("DREAMKIT_KEEP_MEMORY") == "0":
        return None
    with contextlib.suppress(AttributeError, ValueError, OSError):
        if (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc"):
            return ctypes.CDLL(None)
    return None


@functools.cache
def keep() -> bool:
    """From now on freed memory stays with this process; whether that can be had here."""
    library = _library()
    return (
        library is not None
        and bool(library.mallopt(_MMAP_MAX, 0))
        and bool(library.mallopt(_TRIM_THRESHOLD, 2**31 - 1))
    )


def hand_back() -> None:
    """Gives what is kept, and not in use, to the other programs."""
    if library := _library():
        library.malloc_trim(0)
