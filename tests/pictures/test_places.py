"""Full disks, folders without permission, closed pipes: one line, and older files stay."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import dreamkit as dk
from dreamkit.cli.app import call

from ..processes import check_whole, program

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform == "win32", reason="mounts, limits and pipes are other things on Windows"
    ),
]

QUICK = [
    "--network",
    "dreamnet",
    "--side",
    "64",
    "--steps",
    "1",
    "--octaves",
    "1",
    "--layer",
    "conv1",
]
COMMANDS = {
    "dream": ["dream", "china", *QUICK, "-o", "disk/dream.png"],
    "dream webp": ["dream", "china", *QUICK, "-o", "disk/dream.webp"],
    "album": ["dream", "china", "clouds", *QUICK, "-o", "disk/album"],
    "features": ["features", "china", *QUICK[:4], "--layer", "conv1", "-o", "disk/maps.png"],
    "zoom": ["zoom", "china", *QUICK, "--seconds", "0.2", "--fps", "10", "-o", "disk/film.gif"],
    "atlas": [
        "atlas",
        *QUICK[:2],
        "--layer",
        "conv1",
        "--channels",
        "0,1",
        "--side",
        "32",
        "--steps",
        "1",
        "-o",
        "disk/atlas",
    ],
    "figures": ["figures", "strokes", "-o", "disk/figures"],
}


def mount(*arguments: str) -> bool:
    return (
        os.geteuid() == 0
        and subprocess.run(["mount", *arguments], capture_output=True).returncode == 0
    )


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A separate disk of 400 KiB at ./disk, with a file on it."""
    monkeypatch.chdir(tmp_path)
    Path("disk").mkdir()
    if not mount("-t", "tmpfs", "-o", "size=400k", "tmpfs", "disk"):
        pytest.skip("mounting a disk takes root's rights")
    Path("disk/mine.txt").write_text("mine")
    yield Path("disk")
    subprocess.run(["umount", "-l", tmp_path / "disk"], check=True)


def told(capsys) -> list[str]:
    """The lines with errors, without the lines that only show progress."""
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("dreamkit: ") for line in lines), lines
    return [
        line
        for line in lines
        if not any(
            word in line
            for word in ("octave ", " s left", "drawing", "could not be dreamt", "goes on")
        )
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_is_one_line(name, disk, capsys):
    size = os.statvfs("disk")
    Path("disk/ballast").write_bytes(bytes(size.f_bavail * size.f_frsize))
    assert call(COMMANDS[name]) == 2
    lines = told(capsys)
    assert len(lines) == 1 and "No space left on device" in lines[0], lines
    assert Path("disk/mine.txt").read_text() == "mine"
    check_whole(Path("disk"))
    Path("disk/ballast").unlink()  # with room again, the same command does it
    if name in ("dream", "dream webp", "album", "zoom"):
        assert call(COMMANDS[name]) == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_cannot_be_written_is_one_line_before_any_work(
    name, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("disk").mkdir()
    Path("disk/mine.txt").write_text("mine")
    mounted = mount("--bind", "-o", "ro", "disk", "disk")
    if not mounted:
        if os.geteuid() == 0:
            pytest.skip("root may write anywhere, and may not mount here")
        Path("disk").chmod(0o555)
    monkeypatch.setattr(
        dk, "load_network", lambda *_, **__: pytest.fail("the network was loaded first")
    )
    try:
        assert call(COMMANDS[name]) == 2
        lines = told(capsys)
        assert (
            len(lines) == 1
            and "disk" in lines[0]
            and ("Read-only" in lines[0] or "denied" in lines[0])
        ), lines
        assert os.listdir("disk") == ["mine.txt"]
    finally:
        if mounted:
            subprocess.run(["umount", "-l", tmp_path / "disk"], check=True)
        Path("disk").chmod(0o755)


def test_a_file_that_may_not_grow_is_one_line_and_the_old_one_stays(tmp_path, monkeypatch):
    """A limit on the size of files stops the writing in its middle, for every user."""
    import resource

    monkeypatch.chdir(tmp_path)
    dk.save_image(torch.full((1, 3, 8, 8), 0.5), "dream.png")
    before = Path("dream.png").read_bytes()
    limits = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
    result = subprocess.run(
        [sys.executable, "-m", "dreamkit", "dream", "china", *QUICK],
        capture_output=True,
        text=True,
        preexec_fn=limits,
    )
    assert (
        result.returncode == 2
        and result.stderr.splitlines()[-1] == "dreamkit: cannot write 'dream.png': File too large"
    )
    assert Path("dream.png").read_bytes() == before and os.listdir() == ["dream.png"]


@pytest.mark.parametrize(
    "arguments",
    [["layers"], ["samples"], ["--help"], ["dream", "china", *QUICK], ["--version"]],
    ids=lambda a: a[0],
)
def test_a_pipe_that_nobody_reads_is_no_traceback(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    process = program(*arguments)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    lines = [line for line in err.splitlines() if "octave " not in line]
    assert not lines and process.returncode in (0, 1), err
    if arguments[0] == "dream":
        dk.load_image("dream.png")  # was saved before anything was said of it


def test_an_output_that_is_full_is_one_line(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "dreamkit", "layers"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert result.returncode == 2 and result.stderr == "dreamkit: No space left on device\n"
