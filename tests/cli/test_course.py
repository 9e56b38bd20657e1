"""The lessons in a folder of the student's: put there, kept up to date, never over their work."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dreamkit.cli import course
from dreamkit.cli.app import call

ROOT = Path(__file__).parents[2]


@pytest.fixture
def source(tmp_path, monkeypatch):
    """The lessons of an installed version, two and the stand-alone program."""
    made = tmp_path / "installed"
    made.mkdir()
    for name in ("01_maps.ipynb", "14a_saw.ipynb", "deepdream.py"):
        (made / name).write_text(f"first {name}")
    monkeypatch.setattr(course, "course_folder", lambda: made)
    monkeypatch.setattr("dreamkit.__version__", "0.1.0")
    return made


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".json")


def test_lessons_are_put_there_and_twice_is_once(source, tmp_path):
    folder = tmp_path / "mine" / "course"
    assert course.put_course(folder) == []
    assert names(folder) == ["01_maps.ipynb", "14a_saw.ipynb", "deepdream.py"]
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert course.put_course(folder) == []
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_newer_lesson_replaces_what_nobody_changed_and_lies_beside_what_was(
    source, tmp_path, monkeypatch
):
    folder = tmp_path / "course"
    course.put_course(folder)
    (folder / "01_maps.ipynb").write_text("my answers")
    assert course.put_course(folder) == []  # nothing new: nothing to say
    for name in ("01_maps.ipynb", "14a_saw.ipynb"):
        (source / name).write_text(f"second {name}")
    monkeypatch.setattr("dreamkit.__version__", "0.2.0")
    told = course.put_course(folder)
    assert told == [
        "01_maps.ipynb was changed by you and stays; version 0.2.0 is beside it: "
        "01_maps-0.2.0.ipynb"
    ]
    assert (folder / "01_maps.ipynb").read_text() == "my answers"
    assert (folder / "01_maps-0.2.0.ipynb").read_text() == "second 01_maps.ipynb"
    assert (folder / "14a_saw.ipynb").read_text() == "second 14a_saw.ipynb"
    assert course.put_course(folder) == []


def test_work_in_the_newer_lesson_stays_too(source, tmp_path):
    folder = tmp_path / "course"
    course.put_course(folder)
    (folder / "01_maps.ipynb").write_text("my answers")
    (folder / "01_maps-0.1.0.ipynb").write_text("more of mine")
    (source / "01_maps.ipynb").write_text("second")
    (told,) = course.put_course(folder)
    assert told.endswith("01_maps-0.1.0-2.ipynb")
    assert (folder / "01_maps-0.1.0.ipynb").read_text() == "more of mine"


def test_a_deleted_lesson_comes_back(source, tmp_path):
    folder = tmp_path / "course"
    course.put_course(folder)
    (folder / "deepdream.py").unlink()
    course.put_course(folder)
    assert (folder / "deepdream.py").read_text() == "first deepdream.py"


@pytest.mark.parametrize("note", [None, "{", "[]", '{"01_maps.ipynb": 3}'])
def test_without_a_note_whatever_is_there_is_the_students(note, source, tmp_path):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "01_maps.ipynb").write_text("from elsewhere")
    if note is not None:
        (folder / ".dreamkit-course.json").write_text(note)
    (told,) = course.put_course(folder)
    assert (folder / "01_maps.ipynb").read_text() == "from elsewhere" and "stays" in told


def test_the_lessons_own_folder_is_left_alone(source):
    before = names(source)
    assert course.put_course(source) == [] and names(source) == before
    assert not (source / ".dreamkit-course.json").exists()


def test_a_clone_has_lessons_and_a_broken_installation_says_so(monkeypatch, tmp_path):
    assert course.course_folder() == ROOT / "notebooks"
    monkeypatch.setattr("dreamkit.__file__", str(tmp_path / "dreamkit" / "__init__.py"))
    with pytest.raises(ValueError, match="this installation of dreamkit has no lessons"):
        course.course_folder()


def test_a_folder_that_is_a_file_is_one_line(source, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert call(["lab", str(tmp_path / "file"), "--no-browser"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.slow
def test_the_wheel_holds_every_lesson_without_outputs(tmp_path):
    """It is built as pip builds it; hatchling comes from the package index."""
    command = [sys.executable, "-m", "uv", "build", "--wheel", "-o", str(tmp_path)]
    if subprocess.run([*command[:3], "--version"], capture_output=True).returncode:
        command = ["uv", *command[3:]]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < 20e6
    with zipfile.ZipFile(wheel) as packed:
        there = {Path(name).name: name for name in packed.namelist() if "/course/" in name}
        lessons = {path.name for path in (ROOT / "notebooks").glob(course.LESSON)}
        assert set(there) == lessons | {"deepdream.py"} and len(lessons) > 15
        for name in lessons:
            cells = json.loads(packed.read(there[name]))["cells"]
            code = [cell for cell in cells if cell["cell_type"] == "code"]
            assert code and all(not cell["outputs"] for cell in code)
