"""Ctrl-C while the command line still loads: PyTorch takes seconds, and a traceback from inside it tells nobody anything.

Importing this does it, and only where this process is the command line; `_console.Signals` takes over once the command begins.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import pairwise


def is_command_line(argv: list[str], orig_argv: list[str]) -> bool:
    """Whether Python was started as `dreamkit …` or `python -m dreamkit …`, and does not merely import dreamkit.

    While `-m` looks for its module, `sys.argv[0]` is "-m". The workers of a command line inherit its `sys.argv`, not its `sys.orig_argv`.

    >>> is_command_line(["/usr/bin/dreamkit", "dream"], ["python", "/usr/bin/dreamkit", "dream"])
    True
    >>> is_command_line(["notebook.py"], ["python", "notebook.py"])
    False
    """
    if argv[:1] == ["-m"]:
        return ("-m", "dreamkit") in pairwise(orig_argv)
    name = os.path.basename(argv[0]).lower() if argv else ""
    return name in ("dreamkit", "dreamkit.exe", "dreamkit-script.py") and argv[0] in orig_argv


def stop(number: int, frame: object) -> None:
    """Ends the process at once with one line and 128 + the signal. Nothing is open yet, and no `except` on the way can swallow it."""
    os.write(2, b"dreamkit: stopped\n")
    os._exit(128 + number)


if is_command_line(getattr(sys, "argv", []), sys.orig_argv):
    for _number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(_number) is not signal.SIG_IGN:                       # a job in the background is not for Ctrl-C
            signal.signal(_number, stop)
