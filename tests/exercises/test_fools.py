"""Answers that only look right are turned down; each lesson's are in `FOOLS` of its own file."""

import importlib
from pathlib import Path

import pytest

import dreamkit as dk

FOOLS = {
    f"{file.stem.removeprefix('test_fools_')}: {fool}": answer
    for file in sorted(Path(__file__).parent.glob("test_fools_*.py"))
    for fool, answer in importlib.import_module(f".{file.stem}", __package__).FOOLS.items()
}


@pytest.mark.parametrize("fool", FOOLS)
def test_a_fool_is_turned_down(fool):
    name, answer = FOOLS[fool]
    verdict = dk.exercises.check(name, answer)
    assert verdict.ok is False, verdict
