"""Answers that only look right are turned down; each lesson's are in `FOOLS` of its own file."""

import importlib

import pytest

import dreamkit as dk

FOOLS = {
    f"{number:02}: {fool}": answer
    for number in range(1, 12)
    for fool, answer in importlib.import_module(
        f".test_fools_{number:02}", __package__
    ).FOOLS.items()
}


@pytest.mark.parametrize("fool", FOOLS)
def test_a_fool_is_turned_down(fool):
    name, answer = FOOLS[fool]
    verdict = dk.exercises.check(name, answer)
    assert verdict.ok is False, verdict
