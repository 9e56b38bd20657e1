"""SIGINT and SIGTERM at random moments: every file is whole, and continuing gives the same bytes.

An eighth of the rounds runs with the slow tests;
`pytest -m long tests/cli/test_interruption.py` runs all hundred.
"""

import os
import random
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

import pytest

import dreamkit as dk
from dreamkit import cli

from ..processes import check_whole, program

pytestmark = [pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")]
SMALL = ["--network", "dreamnet", "--side", "48", "--octaves", "2", "--layer", "conv2", "--steps"]

# name: (arguments, output, how to continue, rounds). Figures start anew; the others continue.
PROGRAMS = {
    "dream": (["dream", "china", *SMALL, "40", "-o", "it.png"], "it.png", [], 46),
    "zoom": (
        ["zoom", "china", *SMALL, "2", "--seconds", "1", "--fps", "12", "-o", "it.gif"],
        "it.gif",
        ["--resume"],
        28,
    ),
    "film": (["film", "../cat.gif.mp4", *SMALL, "2", "-o", "it.mp4"], "it.mp4", ["--resume"], 10),
    "atlas": (
        [
            "atlas",
            *SMALL[:2],
            "--layer",
            "conv1",
            "--channels",
            "0,1,2,3",
            "--steps",
            "4",
            "-o",
            "it",
        ],
        "it",
        [],
        12,
    ),
    "activation-atlas": (
        [
            "activation-atlas",
            "china",
            *SMALL[:2],
            "--layer",
            "inception4c",
            "--side",
            "4",
            "-o",
            "it",
        ],
        "it",
        [],
        8,
    ),
    "figures": (["figures", "painting", "-o", "it"], "it", [], 4),
}


def contents(path: Path) -> dict[str, bytes]:
    """The bytes of every file below `path`, or of that file, by name."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(file.relative_to(path.parent)): file.read_bytes() for file in files}


def finished(arguments: list[str]) -> float:
    """The seconds that a run of the program took; it must end with the status 0."""
    begun = time.perf_counter()
    process = program(*arguments)
    _out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return time.perf_counter() - begun


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(
    "share",
    [
        pytest.param(8, marks=pytest.mark.slow, id="eighth"),
        pytest.param(1, marks=pytest.mark.long, id="all"),
    ],
)
def test_a_signal_at_any_moment(name, share, tmp_path, monkeypatch):
    arguments, output, go_on, rounds = PROGRAMS[name]
    rounds = -(-rounds // share)
    if name == "film":
        pytest.importorskip("av")
        pytest.importorskip("cv2")
        wide = dk.sample("chelsea", 120)
        dk.film.write_film(
            [wide[..., 4:68, 4 * t : 4 * t + 80] for t in range(8)], tmp_path / "cat.gif.mp4", 8
        )
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    monkeypatch.chdir(undisturbed)
    finished(arguments)  # the first one warms the caches
    expected = contents(undisturbed / output)
    taken = finished([*arguments[:-2], "-o", "again" + Path(output).suffix])
    draw, stopped = random.Random(0), 0
    for turn in range(rounds):
        folder = tmp_path / f"turn{turn}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        process = program(*arguments)
        time.sleep(draw.uniform(0, taken))
        process.send_signal(draw.choice([signal.SIGINT, signal.SIGTERM]))
        _out, err = process.communicate(timeout=300)
        assert process.returncode in (0, 130, 143, -signal.SIGINT, -signal.SIGTERM), (
            err
        )  # negative: before it began, or after its end
        assert "Traceback" not in err and err.count("stopped") <= 1, err
        stopped += process.returncode != 0
        check_whole(folder)
        if process.returncode != 0 or not os.listdir(folder):
            finished([*arguments, *(go_on if any(folder.glob("*.frames")) else [])])
        assert contents(folder / output) == expected
    print(f"{name}: {rounds} signals, {stopped} of them before its end")
    assert stopped >= rounds // 4


SCRIPT = Path(sysconfig.get_path("scripts"), "dreamkit")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("way", ["-m dreamkit", "script"])
@pytest.mark.parametrize("delay", [0.3, 1])
def test_a_signal_while_it_still_loads(way, number, delay, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(
        "PYTHONPROFILEIMPORTTIME", "1"
    )  # says on stderr what has been imported: that is when the seconds begin
    arguments = ["dream", "china", *SMALL, "4000", "-o", "it.png"]
    if way == "script":
        if not SCRIPT.exists():
            pytest.skip("dreamkit is not installed as a command here")
        process = subprocess.Popen(
            [SCRIPT, *arguments],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    else:
        process = program(*arguments, fresh=True)
    told, began = [], threading.Event()

    def read() -> None:  # all the time: a full pipe would stop the program
        for line in process.stderr:
            told.append(line)
            if line.rstrip().endswith("dreamkit.cli"):
                began.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert began.wait(60), "it ended before it began"
    time.sleep(delay)
    process.send_signal(number)
    out = process.stdout.read()
    reader.join()
    err = "".join(told)
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=60) == 128 + number, err
    said = [line for line in err.splitlines() if not line.startswith("import time:")]
    assert said[-1].startswith("dreamkit: stopped") and "Traceback" not in err and not out, said
    assert len(said) == 1 or "octave" in said[0], said  # it had begun
    assert not list(tmp_path.glob(".dreamkit-*"))


def test_who_imports_dreamkit_keeps_their_signals():
    assert cli.stop_at_once not in (
        signal.getsignal(signal.SIGINT),
        signal.getsignal(signal.SIGTERM),
    )
