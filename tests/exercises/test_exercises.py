"""Every exercise accepts its solution and tells at least three mistakes apart."""

from dataclasses import replace

import pytest

import dreamkit as dk
from dreamkit.exercises import all_exercises, by_name, check

NAMES = sorted(all_exercises())


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_is_accepted(name):
    verdict = check(name, all_exercises()[name].solution)
    assert verdict.ok is True, verdict


@pytest.mark.parametrize("name", NAMES)
def test_each_mistake_is_named_by_a_message_of_its_own(name):
    exercise = all_exercises()[name]
    verdicts = [check(name, mistake.answer) for mistake in exercise.mistakes]
    assert all(verdict.ok is False for verdict in verdicts), verdicts
    assert len(verdicts) >= 3
    assert len({verdict.message for verdict in verdicts}) == len(verdicts), verdicts
    for mistake, verdict in zip(exercise.mistakes, verdicts, strict=True):
        assert not mistake.hint or verdict.message == mistake.hint, mistake.what


@pytest.mark.parametrize("name", NAMES)
def test_a_stub_is_not_a_failure(name):
    assert check(name, ...).ok is None
    assert check(name, None).ok is None
    if callable(all_exercises()[name].solution):
        assert check(name, lambda *args, **kwargs: ...).ok is None


def test_an_exception_becomes_one_line():
    name = next(n for n in NAMES if callable(all_exercises()[n].solution))

    def broken(*args, **kwargs):
        raise IndexError("two\nlines")

    assert check(name, broken).ok is False
    assert "IndexError: two lines" in repr(check(name, broken))


def test_an_unknown_exercise_is_answered_with_the_nearest():
    with pytest.raises(KeyError, match=r"unknown exercise 'nothing'; nearest: "):
        check("nothing", 1)


def test_two_exercises_of_one_name_are_an_error():
    one, other = list(all_exercises().values())[:2]
    assert list(by_name([one, other])) == [one.name, other.name]
    with pytest.raises(
        ValueError,
        match=f"two exercises are named '{one.name}': one in lesson {one.lesson}, one in lesson 99",
    ):
        by_name([one, other, replace(one, lesson="99")])


def test_an_answer_that_knows_one_case_only_fails_on_another():
    """The lesson's own case alone is right; the verdict says for which arguments it is not."""
    blur = all_exercises()["smooth"].solution
    verdict = check("smooth", lambda gradient, sigma: blur(gradient, 1.0))
    assert verdict.ok is False and "a tensor of 2×1×23×17, 0.6" in verdict.message


def test_where_writing_it_is_the_task_the_packages_own_is_no_answer():
    verdict = check("smooth", dk.smooth)
    assert verdict.ok is False and "the package's own smooth" in verdict.message
