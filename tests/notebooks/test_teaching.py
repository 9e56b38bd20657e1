"""The teacher's page is in step with lessons, exercises and notes, and its plans add up."""

import functools
import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="module")
def teaching():
    pytest.importorskip("jupytext")
    spec = importlib.util.spec_from_file_location("teaching", FOLDER / "teaching.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["teaching"] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    for slow in ("page", "lessons"):  # they read every lesson: once for all tests
        setattr(module, slow, functools.cache(getattr(module, slow)))
    return module


def test_the_page_is_in_step(teaching):
    assert teaching.PAGE.read_text(encoding="utf-8") == teaching.page(), (
        "run: python notebooks/teaching.py"
    )
    assert teaching.main(["--check"]) == 0


def test_a_page_out_of_step_is_found(teaching, monkeypatch, tmp_path, capsys):
    (tmp_path / "TEACHING.md").write_text(teaching.page() + "more", encoding="utf-8")
    monkeypatch.setattr(teaching, "PAGE", tmp_path / "TEACHING.md")
    assert teaching.main(["--check"]) == 1 and "not in step" in capsys.readouterr().out


def test_every_lesson_has_a_plan_that_adds_up(teaching):
    written = teaching.notes(teaching.NOTES.read_text(encoding="utf-8"))
    assert teaching.lessons()
    for lesson in teaching.lessons():
        assert set(written.get(lesson.number, ())) >= set(teaching.PARTS), (
            f"teaching_notes.md lacks parts of lesson {lesson.number}"
        )
        plan = written[lesson.number]["Plan"]
        minutes = teaching.planned(plan)
        assert abs(minutes - lesson.minutes) <= 5, (
            f"lesson {lesson.number}: its plan has {minutes} of {lesson.minutes} minutes"
        )
        assert all(line.startswith(("- ", "  ")) for line in plan.splitlines())


def test_every_mistake_of_every_lesson_is_on_the_page(teaching):
    page = teaching.page()
    numbers = {lesson.number for lesson in teaching.lessons()}
    for exercise in teaching.all_exercises().values():
        if exercise.lesson in numbers:
            assert page.count(f"(#{teaching.anchor(teaching.mistakes_title(exercise))})") == 1
            for mistake in exercise.mistakes:
                message = teaching.check(exercise.name, mistake.answer).message
                assert f"| {teaching.cell(mistake.what)} | {teaching.cell(message)} |" in page


def test_notes_are_read_part_by_part(teaching):
    text = (
        "free words\n\n## course\n\nhello\n\n## 09\n\n### Plan\n- 5 · this\n- 12 · that\n\n### "
        "Ask\n- why?\n"
    )
    written = teaching.notes(text)
    assert written == {
        "course": {"": "hello"},
        "09": {"Plan": "- 5 · this\n- 12 · that", "Ask": "- why?"},
    }
    assert teaching.planned(written["09"]["Plan"]) == 17
    with pytest.raises(
        ValueError, match="notes of 09: unknown part 'Tell'; there are Plan, Show, Ask, Expect"
    ):
        teaching.notes("## 09\n### Tell\n- x\n")


def test_anchors_are_those_of_a_markdown_viewer(teaching):
    assert (
        teaching.anchor("Lesson 09: Does a dream remember its photo?")
        == "lesson-09-does-a-dream-remember-its-photo"
    )


def test_timings_are_of_lessons_there_are(teaching):
    stems = {lesson.stem for lesson in teaching.lessons()}
    for stem, time in teaching.measured().items():
        assert stem in stems and 0 < time["longest"] <= time["seconds"]
