"""`dreamkit dream` of several pictures: names, bad pictures, continuing, bytes with workers."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import dreamkit as dk
from dreamkit.cli import album as _album
from dreamkit.cli import album_files
from dreamkit.cli.app import call

pytestmark = pytest.mark.usefixtures("loaded_once")

QUICK = ["--network", "dreamnet", "--steps", "1", "--octaves", "2", "--layer", "conv2"]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Three small pictures in the folder that the commands run in, two of one stem."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("a.jpg", "a.png", "b.webp")):
        dk.save_image(dk.noise(40, 48, seed=seed), name)
    return tmp_path


def digests(folder: str = "out") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def test_each_goes_to_the_folder_under_its_own_name_as_dream_would_make_it(photos, capsys):
    assert call(["dream", "a.jpg", "a.png", "b.webp", "-o", "out", *QUICK]) == 0
    assert list(digests()) == ["a.jpg.png", "a.png.png", "b.png"]
    assert "out: 3 dreams, made in" in capsys.readouterr().out
    passport = dk.read_passport("out/b.png")
    assert passport["source"]["name"] == "b.webp" and passport["threads"] == 1
    net = dk.load_network("dreamnet")
    settings = replace(dk.settings_for(net, "conv2"), steps=1, octaves=2)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    expected = dk.dream(dk.scorer(net, dk.layer("conv2")), dk.load_image("b.webp"), settings)
    torch.set_num_threads(before)
    dk.save_image(expected, "expected.png")
    assert torch.equal(dk.load_image("expected.png"), dk.load_image("out/b.png"))
    assert call(["again", "out/a.png.png", "--source", "a.png"]) == 0
    assert "greatest difference 0 of 255" in capsys.readouterr().out


def test_a_folder_of_pictures_and_a_recipe(photos, capsys):
    os.mkdir("in")
    os.rename("b.webp", "in/b.webp")
    Path("in/notes.txt").write_text("no picture")
    assert (
        call(
            [
                "dream",
                "in",
                "-o",
                "out",
                "--network",
                "dreamnet",
                "--recipe",
                "keras",
                "--steps",
                "1",
                "--octaves",
                "1",
                "--layer",
                "conv2",
            ]
        )
        == 0
    )
    assert (
        list(digests()) == ["b.png"] and dk.read_passport("out/b.png")["recipe"]["name"] == "keras"
    )
    assert call(["again", "out/b.png", "--source", "in/b.webp"]) == 0
    assert "greatest difference 0 of 255" in capsys.readouterr().out


def test_what_is_done_is_left_alone_and_what_changed_is_made_again(photos, monkeypatch, capsys):
    command = ["dream", "a.jpg", "b.webp", "-o", "out", *QUICK]
    assert call(command) == 0
    made, first = [], digests()
    monkeypatch.setattr(
        _album, "dream_whole", lambda *job, real=_album.dream_whole: made.append(1) or real(*job)
    )
    stamps = {path: path.stat().st_mtime_ns for path in Path("out").iterdir()}
    assert call(command) == 0 and not made
    assert (
        "(2 were there already)" in capsys.readouterr().out
        and {p: p.stat().st_mtime_ns for p in stamps} == stamps
    )
    dk.save_image(dk.noise(40, 48, seed=9), "b.webp")  # another photo of the same name
    assert call(command) == 0 and len(made) == 1
    assert digests()["a.png"] == first["a.png"] and digests()["b.png"] != first["b.png"]
    assert call([*command, "--seed", "4"]) == 0 and len(made) == 3  # another recipe
    assert digests()["a.png"] != first["a.png"]


def test_bad_pictures_are_said_and_the_others_go_on(photos, capsys):
    Path("bad.jpg").write_bytes(Path("a.jpg").read_bytes()[:200])
    dk.save_image(dk.noise(1, 1), "tiny.png")
    names = ["bad.jpg", "missing.jpg", "tiny.png", "b.webp"]
    assert call(["dream", *names, "-o", "out", *QUICK]) == 2
    told = capsys.readouterr().err.splitlines()
    assert list(digests()) == ["b.png"]
    for name in names[:3]:
        assert sum(name in line for line in told) == 1, (name, told)
    assert "too small for layer" in next(line for line in told if "tiny.png" in line)
    assert told[-1] == "dreamkit: 3 of 4 pictures could not be dreamt"


def test_a_flat_picture_is_said_by_its_name_and_random_weights_once(photos, capsys):
    dk.save_image(torch.full((1, 3, 40, 48), 0.4), "flat.png")
    assert (
        call(["dream", "a.jpg", "flat.png", "b.webp", "-o", "out", "--weights", "random", *QUICK])
        == 0
    )
    told = capsys.readouterr().err
    assert (
        told.count("one flat colour") == 1
        and "dreamkit: 'flat.png' is one flat colour: whatever appears in it" in told
    )
    assert told.count("random weights: the network has learnt nothing") == 1


def test_a_folder_of_which_nothing_can_be_dreamt_leaves_no_trace(photos, capsys):
    Path("in").mkdir()
    for name in ("one.png", "two.jpg"):
        Path("in", name).write_bytes(b"no")
    assert call(["dream", "in", "-o", "new/out", *QUICK]) == 2
    told = capsys.readouterr()
    assert (
        not told.out
        and not Path("new/out").exists()
        and [line for line in told.err.splitlines() if "could not be dreamt" in line]
        == ["dreamkit: 2 of 2 pictures could not be dreamt"]
    )


def test_nothing_of_the_users_is_overwritten(photos, capsys):
    Path("out").mkdir()
    dk.save_image(dk.noise(8, 8), "out/b.png")  # a picture of the user's own
    before = Path("out/b.png").read_bytes(), Path("a.png").read_bytes()
    assert call(["dream", "b.webp", "a.jpg", "-o", "out", *QUICK]) == 2
    assert "exists but is not a dreamkit picture" in capsys.readouterr().err
    for arguments, message in (
        (["a.png", "b.webp", "-o", "."], "is one of the pictures; give the dreams another folder"),
        ([".", "-o", "."], "is the folder the pictures come from"),
        (["a.png", "b.webp", "-o", "one.png"], "several pictures go to a folder"),
        (
            ["a.png", "b.webp", "-o", "a.jpg/"],
            "several pictures go to a folder|exists and is not a folder",
        ),
        (["a.png", "out", "--workers", "0", "-o", "new"], "workers must be a whole number"),
    ):
        assert call(["dream", *arguments, *QUICK]) == 2
        error = capsys.readouterr().err
        assert any(part in error for part in message.split("|")), error
    Path("empty").mkdir()
    assert (
        call(["dream", "empty"]) == 2
        and "no pictures in the folder 'empty'" in capsys.readouterr().err
    )
    assert (Path("out/b.png").read_bytes(), Path("a.png").read_bytes()) == before


def test_a_signal_keeps_what_is_done_and_the_same_command_goes_on(photos, monkeypatch, capsys):
    import signal

    real, calls = _album.dream_whole, []

    def slow(*job):
        calls.append(1)
        if len(calls) == 2:
            os.kill(
                os.getpid(), signal.SIGTERM
            )  # a job in the background ignores SIGINT, and CI may be one
        return real(*job)

    monkeypatch.setattr(_album, "dream_whole", slow)
    command = ["dream", "a.jpg", "a.png", "b.webp", "-o", "out", *QUICK]
    assert call(command) == 143
    assert (
        "stopped at 1 of 3 pictures; the same command goes on from there" in capsys.readouterr().err
    )
    assert list(digests()) == ["a.jpg.png"]
    assert call(command) == 0 and len(digests()) == 3 and len(calls) == 4


def test_names_that_meet_are_told_apart_and_never_meet_again():
    for names in (
        ["a.jpg", "a.png", "a.jpg.jpg"],
        ["x/a.png", "y/a.png", "a.png"],
        ["x/y-a.png", "x-y/a.png"],
    ):
        found = [path.name.casefold() for path in album_files.target_files(names, Path("out"))]
        assert len(set(found)) == len(names) and all(name.endswith(".png") for name in found), found
    assert [
        path.name for path in album_files.target_files(["p/a.jpg", "q/b.jpg"], Path("out"))
    ] == [
        "a.png",
        "b.png",
    ]
    with pytest.raises(
        ValueError, match=r"'A\.jpg' and 'a\.JPG' would go to one file"
    ):  # on some disks they would
        album_files.target_files(["A.jpg", "a.JPG"], Path("out"))


@pytest.mark.slow
def test_several_pictures_in_one_process_are_told_of_the_cores(photos, capsys, monkeypatch):
    monkeypatch.setattr(_album, "worker_count", lambda asked: 16)
    monkeypatch.setattr(_album, "WORTH_WORKERS", 3)
    quick = [*QUICK, "--side", "24"]
    assert call(["dream", "a.jpg", "a.png", "b.webp", *quick, "-o", "several"]) == 0
    assert "--workers auto shares the work among 16 cores" in capsys.readouterr().err
    assert call(["dream", "a.png", "b.webp", *quick, "-o", "few"]) == 0
    assert "--workers" not in capsys.readouterr().err


@pytest.mark.slow
def test_the_same_bytes_however_many_workers(photos, capsys):
    pytest.importorskip("distributed")
    command = ["dream", "a.jpg", "a.png", "b.webp", *QUICK, "-o"]
    Path("bad.png").write_bytes(b"no picture")
    assert call([*command, "out"]) == 0
    assert call([*command, "two", "bad.png", "--workers", "2"]) == 2
    assert digests("two") == digests("out")
