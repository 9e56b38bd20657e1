"""The command line.

PyTorch takes seconds to import, so this module handles Ctrl-C before anything else is imported.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from .streams import repair


def main(arguments: list[str] | None = None) -> None:
    """Runs one command line (by default that of this process) and exits with its status.

    The status is 0; 1 after a failed check or a bug; 2 after a mistake of the user; 130 after
    Ctrl-C; 143 after SIGTERM. It is 0 too where a result is saved and only the line that tells of
    it could not be written (stdout or stderr is closed, full, or has no reader). A list is itself
    the result: 1 if its reader left before its end, 2 if the disk is full.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # a background job ignores Ctrl-C
            signal.signal(number, stop_at_once)
    repair()
    from .app import call

    sys.exit(call(arguments))


def stop_at_once(number: int, frame: object) -> None:
    """Ends the process with one line and the status 128 + the signal.

    Used until a command begins: no file is open yet, and no `except` in an import can swallow it.
    """
    with contextlib.suppress(OSError):
        os.write(2, b"dreamkit: stopped\n")
    os._exit(128 + number)
