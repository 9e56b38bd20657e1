"""`dreamkit activation-atlas`: photos by name, progress, stopping and continuing, bad requests."""

import json
import re
import signal
from pathlib import Path

import pytest

import dreamkit as dk
from dreamkit.cli import console, photo_atlas
from dreamkit.cli.app import call

pytestmark = pytest.mark.usefixtures("loaded_once")

SMALL = ["--network", "dreamnet", "--layer", "inception4c", "--side", "6", "-o", "map"]


@pytest.fixture(autouse=True)
def _quick(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dreamkit.inside.cells._ENOUGH", 400)
    if "slow" not in request.keywords:  # workers would not know of it
        monkeypatch.setattr("dreamkit.inside.channels_by_depth.Recipe.steps", 4)


def photo(name: str, seed: int = 0) -> str:
    Path(name).parent.mkdir(exist_ok=True)
    dk.save_image(dk.noise(250, 250, seed), Path(name))
    return name


def files(folder: str) -> dict[str, bytes]:
    found = (path for path in Path(folder).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_photos_are_files_folders_and_samples():
    photo("trip/b.png"), photo("trip/a.jpg"), photo("c.png")
    names = photo_atlas._photo_names(["c.png", "trip", "china", "./c.png"])
    assert names == ["c.png", "trip/a.jpg", "trip/b.png", "china"]
    assert photo_atlas._photo_names(["samples"]) == list(dk.samples())
    Path("trip").rename("samples")  # what lies here is meant
    assert photo_atlas._photo_names(["samples"]) == ["samples/a.jpg", "samples/b.png"]


def test_a_photo_has_its_short_name_where_that_is_its_own():
    photos = photo_atlas.Photos(["rome/a.jpg", "oslo/a.jpg", "oslo/b.jpg"])
    assert photos.short == ["rome/a.jpg", "oslo/a.jpg", "b.jpg"]


def test_the_command_makes_a_page_and_goes_on(capsys):
    command = ["activation-atlas", "china", "clouds", *SMALL]
    assert call(command) == 0
    out, err = capsys.readouterr()
    told = re.fullmatch(
        r"map/index\.html: (\d+) pictures of 2 photos at inception4c, made in [\d.]+ s\n", out
    )
    made = int(told[1])
    assert "dreamkit: photo 2 of 2, 0 s left\n" in err and f"picture {made} of {made}, " in err
    first = files("map")
    assert {"index.html", "atlas.png", "activation-atlas.json"} < set(first)
    assert sum(name.startswith("pictures/") for name in first) == made > 12
    text = first["index.html"].decode()
    assert text.count('<a id="s') == made and "nearest: china, row " in text
    for gone in ("index.html", sorted(first)[-1]):
        (Path("map") / gone).unlink()
    assert call(command) == 0 and files("map") == first
    assert f"({made - 1} were there already)" in capsys.readouterr().out


def test_whoever_stops_keeps_what_is_done(monkeypatch, capsys):
    command = ["activation-atlas", "china", "clouds", *SMALL]
    assert call([*command[:-1], "whole"]) == 0
    capsys.readouterr()
    check, turns = console.Signals.check, []

    def stop(self):
        turns.append(self)
        if len(turns) == 3:  # two photos, then after the first batch
            self.received = signal.SIGINT
        check(self)

    monkeypatch.setattr(console.Signals, "check", stop)
    assert call(command) == 130
    err = capsys.readouterr().err
    assert re.search(r"stopped at 12 of \d+ pictures; the same command goes on from there\n$", err)
    assert len(list(Path("map/pictures").iterdir())) == 12 and not Path("map/index.html").exists()
    assert call(command) == 0 and "(12 were there already)" in capsys.readouterr().out
    assert files("map") == files("whole")


def test_whoever_stops_among_the_photos_leaves_no_folder(monkeypatch, capsys):
    monkeypatch.setattr(
        photo_atlas,
        "picture_at",
        lambda *given, **how: console.signals.receive(signal.SIGINT, None),
    )
    assert call(["activation-atlas", "china", "clouds", *SMALL]) == 130
    assert "stopped; nothing was saved" in capsys.readouterr().err and not list(Path().iterdir())


def test_photos_that_cannot_be_read_are_left_out_and_said(capsys):
    Path("bad.png").write_bytes(b"no")
    assert call(["activation-atlas", "china", "bad.png", "clouds", *SMALL]) == 2
    out, err = capsys.readouterr()
    assert "of 3 photos" not in out and "of 2 photos at" in out
    assert re.search("warning: 'bad.png' is not a picture that .*; left out\n", err)
    assert err.endswith("dreamkit: 1 of 3 photos could not be read\n")
    text = Path("map/index.html").read_text("utf-8")
    assert "nearest: clouds, row" in text and "bad.png" not in text


def test_photos_of_which_none_can_be_read_make_no_atlas(capsys):
    Path("bad.png").write_bytes(b"no")
    assert call(["activation-atlas", "bad.png", "gone.png", *SMALL]) == 2
    assert capsys.readouterr().err.endswith("dreamkit: none of the 2 photos could be read\n")
    assert [path.name for path in Path().iterdir()] == ["bad.png"]


def test_a_folder_holds_one_atlas(capsys):
    assert call(["activation-atlas", "china", "clouds", *SMALL]) == 0
    before = files("map")
    for words, what in (
        (["china", "clouds", *SMALL, "--seed", "1"], "seed"),
        (["china", "clouds", *SMALL, "--side", "5"], "side"),
        (["china", "coffee", *SMALL], "photos"),
    ):
        assert call(["activation-atlas", *words]) == 2
        assert f"holds another activation atlas, which differs in {what}; " in (
            capsys.readouterr().err
        )
    for broken in (b"", b"[]", b"[" * 100_000, json.dumps({"layer": 1}).encode()):
        Path("map/activation-atlas.json").write_bytes(broken)
        assert call(["activation-atlas", "china", "clouds", *SMALL]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    Path("map/activation-atlas.json").write_bytes(before["activation-atlas.json"])
    assert files("map") == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--side", "0"], "side is a whole number from 1 to 64"),
        (["--seed", "-1"], "seed is a whole number from 0 to 4294967295; given: -1"),
        (["--layer", "fc"], "layer 'fc' has no feature map"),
        (["--layer", "conv9"], "unknown layer 'conv9'"),
        (["--workers", "0"], "workers must be a whole number"),
        (["-o", "trip"], "'trip' exists and is not an activation atlas"),
        (["-o", "c.png"], "'c.png' exists and is not an activation atlas"),
        (["missing.jpg"], "no file at 'missing.jpg'|no picture at 'missing.jpg'"),
        (["empty"], "no pictures in the folder 'empty'"),
        (["tiny.png"], "the photos have only 1 cells at 'inception4c'; 100 are needed"),
    ],
)
def test_bad_requests_end_with_one_line_and_status_2(words, message, capsys):
    photo("trip/b.png"), photo("c.png"), Path("empty").mkdir()
    dk.save_image(dk.noise(8, 8), Path("tiny.png"))
    before = files(".")
    assert call(["activation-atlas", *SMALL, *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    wrong = [line for line in lines if not line.startswith("dreamkit: photo ")]
    assert len(wrong) == 1 and re.search(message, wrong[0]) and files(".") == before


@pytest.mark.slow
def test_workers_change_no_byte():
    words = ["china", "clouds", *SMALL[:4], "--side", "4"]
    for folder, more in (("alone", []), ("two", ["--workers", "2"])):
        assert call(["activation-atlas", *words, *more, "-o", folder]) == 0
    assert len(files("alone")) > 10 and files("two") == files("alone")
