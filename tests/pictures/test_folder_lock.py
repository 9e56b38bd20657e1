"""One process at a time in a folder: an atlas, a film."""

import os
import subprocess
import sys

import pytest

import dreamkit as dk
from dreamkit.pictures.folder_lock import FolderLock
from dreamkit.pictures.reel import Reel

QUICK = dk.atlas.PictureSettings(side=16, steps=1, batch=1)
HOLDING = """
import pathlib, sys
from dreamkit.pictures.folder_lock import FolderLock
lock = FolderLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_folder_is_locked_until_the_other_process_ends_however_it_ends(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match="another process is at work in"):
            FolderLock(tmp_path)
        other.kill()
    with FolderLock(tmp_path):
        pass


def test_two_atlases_at_a_time_in_one_folder_are_refused_and_nothing_is_lost(dreamnet, tmp_path):
    steps = dk.atlas.making(dreamnet, "conv1", tmp_path, channels=[0, 1], settings=QUICK)
    assert next(steps) == (0, 2) and next(steps) == (1, 2)
    with pytest.raises(ValueError, match="another process"):
        dk.atlas(dreamnet, "conv1", tmp_path, channels=[2], settings=QUICK)
    assert list(steps) == [(2, 2)] and dk.atlas.open(tmp_path).channels("conv1") == (0, 1)
    assert dk.atlas(dreamnet, "conv1", tmp_path, channels=[2], settings=QUICK).channels(
        "conv1"
    ) == (0, 1, 2)


def test_an_atlas_that_is_stopped_before_its_first_picture_can_go_on(dreamnet, tmp_path):
    steps = dk.atlas.making(dreamnet, "conv1", tmp_path, channels=[0], settings=QUICK)
    next(steps)
    (tmp_path / "conv1").mkdir()  # where SIGKILL comes between the folder and the picture
    steps.close()
    assert dk.atlas(dreamnet, "conv1", tmp_path, channels=[0], settings=QUICK).channels("conv1")


def test_an_atlas_writes_through_no_link_and_waits_for_no_pipe(dreamnet, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    made = dk.atlas(dreamnet, "conv1", tmp_path / "atlas", channels=[0], settings=QUICK)
    picture = made.file("conv1", 0)
    picture.unlink()
    os.mkfifo(picture)  # counts as damaged, and the picture is made again
    again = dk.atlas(dreamnet, "conv1", tmp_path / "atlas", channels=[0], settings=QUICK)
    assert again.picture("conv1", 0).shape == (1, 3, 16, 16)
    (tmp_path / "atlas" / "conv2").symlink_to(outside)
    with pytest.raises(ValueError, match="is a link"):
        dk.atlas(dreamnet, "conv2", tmp_path / "atlas", channels=[0], settings=QUICK)
    assert not list(outside.iterdir())


def test_two_films_at_a_time_under_one_name_are_refused(tmp_path):
    picture = dk.sample("china", 16)
    first, second = (Reel(tmp_path / "a.mp4", {"zoom": 2.0}) for _ in range(2))
    first.add(picture)
    with pytest.raises(ValueError, match="another process has begun the film"):
        second.add(picture)
    with pytest.raises(ValueError, match="another process is at work in"):
        Reel(tmp_path / "a.mp4", {"zoom": 2.0}, resume=True)
    first.close()
    third = Reel(tmp_path / "a.mp4", {"zoom": 2.0}, resume=True)
    assert third.kept == 1
    third.clear()
    assert not list(tmp_path.iterdir())


def test_a_deep_film_json_is_broken_and_said_to_be(tmp_path):
    (tmp_path / "a.mp4.frames").mkdir()
    (tmp_path / "a.mp4.frames" / "film.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="is broken"):
        Reel(tmp_path / "a.mp4", {}, resume=True)
