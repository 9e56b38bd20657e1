"""The command line as a process of its own, without seconds of imports for each.

A parent process imports everything once and is forked for each program.
`program("dream", "--side", "64")` has pipes, signals and an exit status like `subprocess.Popen`;
without `fork` (on Windows), or with `fresh=True`, it is a Popen.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

import dreamkit as dk
from dreamkit.pictures.folder_lock import LOCK

_PARENT = """
import array, json, os, signal, socket, sys
# the slow part: done once, before any thread is started
import dreamkit.cli.again, dreamkit.cli.app, dreamkit.cli.atlas, dreamkit.cli.dream
import dreamkit.cli.films, dreamkit.cli.listings, dreamkit.cli.photo_atlas, dreamkit.cli.sheets
line = socket.socket(fileno=int(sys.argv[1]))
while True:
    message, fds, _, _ = socket.recv_fds(line, 65536, 2)
    if not message:
        break
    told = json.loads(message)
    child = os.fork()
    if child == 0:
        line.close()
        os.setsid()                                    # a Ctrl-C at the tests does not reach it
        signal.signal(signal.SIGINT, signal.SIG_DFL)   # as a shell starts it
        for fd, target in zip(fds, (1, 2)):
            os.dup2(fd, target)
        os.closerange(3, 64)
        os.chdir(told["cwd"])
        os.environ.clear()
        os.environ.update(told["env"])
        status = 1
        try:
            dreamkit.cli.main(told["arguments"])
        except SystemExit as exit:
            status = exit.code or 0
        finally:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except OSError:
                    pass
            os._exit(status)
    for fd in fds:
        os.close(fd)
    line.sendall(json.dumps(child).encode() + b"\\n")
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    line.sendall(json.dumps(ended).encode() + b"\\n")
"""

_parents: list[tuple[subprocess.Popen, socket.socket, IO[str]]] = []


class Forked:
    """What the tests need of `subprocess.Popen`, for a forked process. One runs at a time."""

    def __init__(self, arguments: tuple[str, ...]):
        _, self.line, self.answers = _open()
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        told = {
            "arguments": arguments,
            "cwd": os.getcwd(),
            "env": dict(os.environ) | {"PYTHONIOENCODING": "utf-8"},
        }
        socket.send_fds(self.line, [json.dumps(told).encode()], [out_end, err_end])
        os.close(out_end)
        os.close(err_end)
        self.stdout, self.stderr = (
            os.fdopen(out, encoding="utf-8"),
            os.fdopen(err, encoding="utf-8"),
        )
        self.pid, self.returncode = json.loads(self.answers.readline()), None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self.line.settimeout(timeout)
            self.returncode = json.loads(self.answers.readline())
            self.line.settimeout(None)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """(stdout, stderr), read one after the other: enough for a program that writes little."""
        out, err = self.stdout.read(), self.stderr.read()
        self.stdout.close()
        self.stderr.close()
        self.wait(timeout)
        return out, err


def program(*arguments: str, fresh: bool = False) -> Forked | subprocess.Popen:
    """`dreamkit …` as a process of its own, which handles Ctrl-C even if this one ignores it."""
    if hasattr(os, "fork") and not fresh:
        return Forked(arguments)
    code = (
        "import signal, os, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        "os.execv(sys.executable, sys.argv[1:])"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, sys.executable, "-m", "dreamkit", *arguments],
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )


def check_whole(folder: Path) -> None:
    """Every picture below the folder can be read to its end, and no half-written file was left."""
    for file in folder.rglob("*"):
        assert file.name == LOCK or not file.name.startswith(".dreamkit-"), file
        if file.suffix in (".png", ".webp", ".jpg"):
            dk.load_image(file)


def _open() -> tuple[subprocess.Popen, socket.socket, IO[str]]:
    """The parent process, its socket and its answers: started once, and ended with the tests."""
    if not _parents:
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [sys.executable, "-c", _PARENT, str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
        theirs.close()
        _parents.append((process, ours, ours.makefile("r")))
        atexit.register(_close)
    return _parents[0]


def _close() -> None:
    process, line, answers = _parents.pop()
    answers.close()
    line.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
