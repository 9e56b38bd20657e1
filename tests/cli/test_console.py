"""What the command line says: errors, odd names, signals before and after a save, loading."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import dreamkit as dk
from dreamkit.cli import console as _console
from dreamkit.cli.app import COMMANDS, call
from dreamkit.cli.progress import CountProgress

pytestmark = pytest.mark.usefixtures("loaded_once")

QUICK = [
    "--network",
    "dreamnet",
    "--side",
    "48",
    "--steps",
    "2",
    "--octaves",
    "2",
    "--layer",
    "conv1",
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dreamkit.inside.cells._ENOUGH", 400)  # an atlas of few cells, soon drawn
    monkeypatch.setattr("dreamkit.inside.channels_by_depth.Recipe.steps", 4)
    return tmp_path


def terminate():
    """SIGTERM to this process (one in the background may ignore SIGINT)."""
    signal.raise_signal(signal.SIGTERM)


# --- errors


def test_a_bug_is_said_to_be_one(monkeypatch, capsys):
    monkeypatch.setattr(dk, "samples", lambda: 1 / 0)
    monkeypatch.delenv("DREAMKIT_DEBUG", raising=False)
    assert call(["samples"]) == 1
    assert capsys.readouterr().err == (
        "dreamkit: a bug in dreamkit, ZeroDivisionError: division by zero "
        "(DREAMKIT_DEBUG=1 shows where)\n"
    )
    monkeypatch.setenv("DREAMKIT_DEBUG", "1")
    assert call(["samples"]) == 1 and "Traceback" in capsys.readouterr().err


def test_too_little_memory_is_said_plainly(monkeypatch, capsys):
    monkeypatch.setattr(dk, "samples", lambda: torch.empty(2**60, dtype=torch.uint8))
    assert call(["samples"]) == 2
    assert "not enough memory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate "
                "memory: you tried to allocate 1152921504606846976 bytes."
            ),
            True,
        ),
        (
            RuntimeError(
                "alloc_cpu.cpp: data. DefaultCPUAllocator: not enough memory: you tried to "
                "allocate 99 bytes."
            ),
            True,
        ),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (RuntimeError("Expected a memory format of channels_last"), False),
        (ValueError("DefaultCPUAllocator: can't allocate memory"), False),
    ],
)
def test_only_a_failed_allocation_is_too_little_memory(error, is_memory, monkeypatch, capsys):
    assert _console.is_out_of_memory(error) == is_memory

    def fail():
        raise error

    monkeypatch.setattr(dk, "samples", fail)
    status, told = call(["samples"]), capsys.readouterr().err
    assert ("not enough memory for a picture" in told) == is_memory
    if isinstance(error, RuntimeError) and not is_memory:
        assert status == 1 and str(error) in told


def test_a_worker_reports_too_little_memory_and_raises_other_errors(monkeypatch):
    from dreamkit.cli import album

    def fail(error):
        def replaying(*arguments):
            raise error

        monkeypatch.setattr(album.passports, "read", replaying)
        return album.dream_whole(None, None, {}, {})

    message = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
    assert fail(RuntimeError(message)) == (None, _console.TOO_LITTLE_MEMORY)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        fail(RuntimeError("CUDA error: an illegal memory access was encountered"))


def test_both_streams_get_one_line_without_escapes(capsys):
    name = "a\x1b[31m\rb\u2028c\x85d\x0be"
    _console.say(name)
    _console.print_line(name)
    shown = capsys.readouterr()
    assert shown.out == "a\\x1b[31m b c d e\n" and shown.err == f"dreamkit: {shown.out}"


NAUGHTY = [
    "\x1b]0;title\x07",
    "\x9b31m",  # an escape of one byte
    "\r",
    "\n",
    "\x0b",
    "\x1c",
    "\x85",
    "\u2028",
    "\u202e",  # text runs backwards from here on
    "\x00",
]


@pytest.mark.parametrize("naughty", NAUGHTY)
@pytest.mark.parametrize("command", ["samples", "layers", "doctor"])
def test_a_list_holds_no_control_characters_and_keeps_its_columns(
    command, naughty, monkeypatch, capsys
):
    name = f"a{naughty}b"
    if command == "samples":
        monkeypatch.setattr("dreamkit.cli.listings.sample_credit", lambda _: name)
    elif command == "layers":
        monkeypatch.setattr(dk, "layer_aliases", lambda net: {name: "conv1"})
    else:
        found = iter([(True, f"weights   of {name}")])
        monkeypatch.setattr("dreamkit.cli.doctor.examine", lambda: found)
    assert call([command, "dreamnet"] if command == "layers" else [command]) == 0
    shown = capsys.readouterr().out
    escaped = "a" + repr(naughty)[1:-1] + "b"
    assert escaped in shown and "   " in shown
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert shown.split("\n")[-1] == "" and len(shown.splitlines()) == shown.count("\n")


# --- signals


def test_a_signal_waits_while_a_picture_is_saved():
    signals = _console.Signals()
    with signals.held():
        signals.receive(signal.SIGINT, None)  # nothing happens yet
    with pytest.raises(_console.Stopped):
        signals.check()
    with pytest.raises(_console.Stopped):
        _console.Signals().receive(signal.SIGTERM, None)


SAVING = {
    "dream": ["dream", *QUICK, "-o", "out.png"],
    "features": ["features", "china", *QUICK[:4], "--layer", "conv1", "-o", "out.png"],
    "grid": ["grid", "china", *QUICK[:4], "--layer", "conv2", "--cells", "1", "-o", "out.png"],
    "again": ["again", "dreamt.png", "-o", "out.png"],
    "zoom": ["zoom", "china", *QUICK, "--seconds", "0.2", "--fps", "10", "-o", "out.gif"],
    "album": ["dream", "china", "clouds", *QUICK, "-o", "out"],
    "atlas": [
        *("atlas", "--network", "dreamnet", "--layer", "conv1", "--channels", "3,5"),
        *("--side", "16", "--steps", "1", "-o", "out"),
    ],
    "activation-atlas": [
        *("activation-atlas", "china", "--network", "dreamnet", "--layer", "conv2"),
        *("--side", "1", "-o", "out"),
    ],
    "figures": ["figures", "noise-to-banana", "--network", "dreamnet", "-o", "out"],
}


@pytest.mark.parametrize(
    "command",
    ["dream", "features", "grid", "again", "zoom", "album", "atlas", "activation-atlas"],
)
def test_a_signal_after_the_last_save_changes_nothing(command, monkeypatch, capsys):
    """The result is there, so "stopped; nothing was saved" would be false."""
    if command == "again":
        assert call(["dream", *QUICK, "-o", "dreamt.png"]) == 0
        assert capsys.readouterr().out
    real, sent = _console.print_line, []

    def interrupted(text):
        sent.append(text)
        terminate()  # after the save, before the line that tells of it
        real(text)

    for module in ("dream", "sheets", "seen", "again", "films", "album", "atlas", "photo_atlas"):
        monkeypatch.setattr(f"dreamkit.cli.{module}.print_line", interrupted)
    assert call(SAVING[command]) == 0
    shown = capsys.readouterr()
    assert sent and shown.out.strip() == sent[-1] and "stopped" not in shown.err
    assert next(Path().glob("out*")).exists()


@pytest.mark.parametrize("save", [1, 2])
@pytest.mark.parametrize("command", SAVING)
def test_whoever_stops_right_after_a_save_is_not_told_that_nothing_was_saved(
    command, save, monkeypatch, capsys
):
    if command == "again":
        assert call([*SAVING["dream"][:-1], "dreamt.png"]) == 0
    if command == "figures":
        monkeypatch.setattr(dk.figures, "write", written_by_hand)
    real, saves = os.replace, []

    def interrupted(*names):
        real(*names)
        saves.append(names)
        if len(saves) == save:
            terminate()

    monkeypatch.setattr("os.replace", interrupted)
    capsys.readouterr()
    status, shown = call(SAVING[command]), capsys.readouterr()
    assert "nothing was saved" not in shown.err and status in (0, 143)
    if status == 143:
        assert "stopped" in shown.err.splitlines()[-1]
    assert list(Path().glob("out*")) and not list(Path().rglob(".dreamkit-????????????????*"))


def written_by_hand(folder, names, network, seed):
    """As `dk.figures.write`, of flat pictures."""
    folder.mkdir()
    for name in ("a.png", "captions.md"):
        dk.pictures.files.write_whole(folder / name, lambda file: file.write(b"x"))
        yield folder / name


def test_a_signal_during_the_last_save_changes_nothing(monkeypatch, capsys):
    real = dk.save_image

    def interrupted(*arguments):
        terminate()
        real(*arguments)

    monkeypatch.setattr(dk, "save_image", interrupted)
    assert call(["dream", *QUICK]) == 0 and os.listdir() == ["dream.png"]
    assert "stopped" not in capsys.readouterr().err


def test_a_stop_says_what_was_kept_or_that_nothing_was(capsys):
    progress = CountProgress(3, "picture")
    for kept, said in (("1 of 3 is kept", "1 of 3 is kept"), ("", "stopped; nothing was saved")):

        def work(kept=kept):
            with _console.signals.listening(), progress.reporting_stop(lambda: kept):
                terminate()

        assert _console.run(work) == 143
        assert capsys.readouterr().err == f"dreamkit: {said}\n"


# --- loading


def test_help_and_version_load_no_torch():
    code = (
        "import sys\n"
        "from dreamkit.cli.app import call\n"
        "for arguments in (['--version'], ['--help'], [], ['dreem']):\n"
        "    assert call(arguments) in (0, 2)\n"
        "    assert 'dreamkit.cli.dream' not in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


def test_the_table_of_commands_agrees_with_their_own_help():
    import importlib

    for name, (module, summary) in COMMANDS.items():
        function = name.replace("-", "_")
        command = getattr(importlib.import_module(f"dreamkit.cli.{module}"), function)
        assert command.__doc__.splitlines()[0] == summary, name
