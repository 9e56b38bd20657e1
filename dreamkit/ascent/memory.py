"""Memory that one step frees is kept for the next: on Linux a large picture takes half the time.

The features of one layer take tens of megabytes. For each piece of memory above 32 MiB the GNU C
library asks the kernel again (mallopt(3), M_MMAP_THRESHOLD). The kernel returns zeroed pages, one
page fault each, and most of the time of a large step goes there. `python -m benchmarks` shows both.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # mallopt's parameters, by malloc.h


@functools.cache
def _library() -> ctypes.CDLL | None:
    """The GNU C library; None on other systems, and if DREAMKIT_KEEP_MEMORY is 0."""
    if os.environ.get("DREAMKIT_KEEP_MEMORY") == "0":
        return None
    with contextlib.suppress(AttributeError, ValueError, OSError):
        if (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc"):
            return ctypes.CDLL(None)
    return None


@functools.cache
def keep() -> bool:
    """Keep freed memory in this process from now on; False where this is not possible."""
    library = _library()
    return (
        library is not None
        and bool(library.mallopt(_MMAP_MAX, 0))
        and bool(library.mallopt(_TRIM_THRESHOLD, 2**31 - 1))
    )


def hand_back() -> None:
    """Return the kept memory that is not in use to the system."""
    if library := _library():
        library.malloc_trim(0)
