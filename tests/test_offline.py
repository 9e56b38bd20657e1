"""Nothing opens a socket once dreamkit is installed: weights come with packages of pip."""

import os
import subprocess
import sys

import pytest

import dreamkit as dk
from dreamkit.cli import doctor

# Python's own names for these events, raised also for sockets that C code asks Python for
SOCKETS = ("socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname")
WATCHED = f"""
import os, runpy, sys

def watch(event, arguments):
    if event in {SOCKETS}:
        os.write(2, f"opened: {{event}}".encode())
        os._exit(99)

sys.addaudithook(watch)
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
_opened: list[str] | None = None  # None while nobody asks


def _note(event: str, arguments: tuple) -> None:
    if _opened is not None and event in SOCKETS:
        _opened.append(event)
        raise ConnectionError(f"a test forbids {event}")


sys.addaudithook(_note)  # for the rest of the process: Python has no way to take one away


@pytest.fixture
def opened():
    """The list of sockets that are asked for during a test; none is given."""
    global _opened
    _opened = []
    yield _opened
    _opened = None


def test_a_network_a_dream_and_the_doctor_open_no_socket(opened):
    assert "efficientnet_lite0" in dk.cached_networks()
    network = dk.load_network("efficientnet_lite0", device="cpu")
    score = dk.scorer(network, dk.layer("block3b.expand"))
    dk.dream(score, dk.sample("china", 48), dk.Settings(steps=1, octaves=1))
    found = list(doctor.examine())
    assert opened == [] and all(good for good, _ in found), found


def test_a_download_is_seen(opened, tmp_path, monkeypatch):
    """Else the test above would show nothing."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(ValueError, match="could not be fetched"):
        dk.load_network("squeezenet1_1")
    assert opened


def watched(*arguments: str, folder) -> subprocess.CompletedProcess:
    """`python -m …` in a process of its own, which ends with 99 where it opens a socket."""
    return subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_the_command_line_opens_no_socket(tmp_path):
    dk.save_image(dk.sample("china", 64), tmp_path / "a.png")
    size = ("--side", "64", "--steps", "1", "--octaves", "1")
    network = ("--network", "efficientnet_lite0")
    ended = watched("dreamkit", "dream", "a.png", *network, *size, "-o", "b.png", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert dk.load_image(tmp_path / "b.png").shape == dk.load_image(tmp_path / "a.png").shape


def test_a_process_that_opens_a_socket_is_ended(tmp_path):
    (tmp_path / "opens.py").write_text("import socket\nsocket.socket()\n")
    ended = watched("opens", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (99, "opened: socket.__new__")
