"""Lesson 08's loop and the package's are the same statements."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from dreamkit.ascent import loop, steps

DRAW = "torch.randint(-{0}jitter, {0}jitter + 1, (2,), generator=generator).tolist()"
SHIFT = "draw_shift(settings.jitter, generator)"  # which is DRAW: see below
LESSON = Path(__file__).parents[2] / "notebooks" / "src" / "08_deepdream.py"


def octave_loop(source: str, name: str) -> list[str]:
    """The lines of the outermost loop of a function, comments and spaces aside."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    function = next(node for node in found if node.name == name)
    (outer,) = (node for node in function.body if isinstance(node, ast.For))
    return ast.unparse(outer).splitlines()


def test_the_lesson_writes_the_packages_loop():
    if not LESSON.is_file():
        pytest.skip("the lessons are not beside the tests")
    package = octave_loop(inspect.getsource(loop), "_dream_steps")
    lesson = octave_loop(LESSON.read_text(encoding="utf-8"), "my_dream")
    plain = [re.sub(r"\bdk\.", "", re.sub(r"\bs\.", "settings.", line)) for line in lesson]
    plain = [line.replace(DRAW.format("settings."), SHIFT) for line in plain]
    # The lesson has all the statements but three: tiles, the warning, and `yield` for return.
    extra = [
        "        if settings.tile:",
        "            uphill = tiled_gradient(score, picture, settings.tile, draw_seed(generator))",
        "        else:",
        "        silent = silent or warn_if_silent(uphill, score)",
        "        yield picture",
    ]
    kept = [line for line in package if line not in extra]
    whole = "            uphill = gradient(score, picture)"  # without tiles it needs no else
    kept[kept.index(whole)] = whole[4:]
    assert set(extra) <= set(package)
    assert kept == plain
    assert DRAW.format("") in inspect.getsource(steps.draw_shift)
