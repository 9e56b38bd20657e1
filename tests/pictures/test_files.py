"""Files reach the disk before their names do, and what a killed process left is tidied away."""

import os
import stat
import sys
import time

import pytest

from dreamkit.pictures import files
from dreamkit.pictures.files import write_whole

LEFT = ".dreamkit-0123456789abcdef.png"  # as a killed process leaves it
DAY = 24 * 60 * 60


@pytest.fixture(autouse=True)
def _each_folder_is_new():
    files._tidy.cache_clear()


@pytest.mark.parametrize("name", ["a.png", "a.mp4", "captions.md", "manifest.json", "a.onnx", "a"])
def test_the_bytes_are_on_the_disk_before_the_name_is_and_the_name_before_we_return(
    name, tmp_path, monkeypatch
):
    done, sync, replace = [], os.fsync, os.replace

    def synced(number):
        kind = "folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file"
        done.append((kind, os.fstat(number).st_size if kind == "file" else name in _names()))
        sync(number)

    def _names():
        return os.listdir(tmp_path)

    def replaced(*names):
        done.append(("name", True))
        replace(*names)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_whole(tmp_path / name, lambda file: file.write(b"12345"))
    after = [] if sys.platform == "win32" else [("folder", True)]
    assert done == [("file", 5), ("name", True), *after]
    assert os.listdir(tmp_path) == [name]


def test_a_disk_that_fails_at_the_sync_is_one_line_and_the_old_file_stays(tmp_path, monkeypatch):
    def full(number):
        raise OSError(28, "No space left on device")

    (tmp_path / "a.png").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ValueError, match=r"cannot write .*a\.png': No space left on device$"):
        write_whole(tmp_path / "a.png", lambda file: file.write(b"new"))
    assert (tmp_path / "a.png").read_bytes() == b"old" and len(os.listdir(tmp_path)) == 1


def write_at(path, days: float) -> None:
    path.write_bytes(b"half of it")
    os.utime(path, (time.time() - days * DAY,) * 2)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".mp4", ".json", ".onnx", ""])
def test_what_a_killed_process_left_yesterday_is_removed_by_the_next_write(suffix, tmp_path):
    old, new = (
        tmp_path / f".dreamkit-{'1' * 16}{suffix}",
        tmp_path / f".dreamkit-{'2' * 16}{suffix}",
    )
    write_at(old, 1.1)
    write_at(new, 0.9)  # perhaps it is still being written
    write_whole(tmp_path / "a.png", lambda file: file.write(b"x"))
    assert sorted(os.listdir(tmp_path)) == sorted([new.name, "a.png"])


def test_nothing_else_is_removed(tmp_path):
    others = ["dreamkit-0123456789abcdef.png", ".dreamkit-0123.png", ".dreamkit-lock", "b.png"]
    others += [".dreamkit-0123456789ABCDEF.png", f"{LEFT}.bak.png", f"my{LEFT}"]
    for name in others:
        write_at(tmp_path / name, 9)
    folder, link, target = tmp_path / LEFT, tmp_path / LEFT.replace("0", "1"), tmp_path / "target"
    folder.mkdir()
    os.utime(folder, (1, 1))
    write_at(target, 9)
    if sys.platform != "win32":
        link.symlink_to(target)
    before = os.listdir(tmp_path)
    write_whole(tmp_path / "a.png", lambda file: file.write(b"x"))
    assert sorted(os.listdir(tmp_path)) == sorted([*before, "a.png"])


def test_a_folder_is_looked_through_once(tmp_path, monkeypatch):
    looked, scan = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: looked.append(folder) or scan(folder))
    for _ in range(5):
        write_whole(tmp_path / "a.png", lambda file: file.write(b"x"))
    assert looked == [str(tmp_path)]
