"""The room's table of names."""

import re
from pathlib import Path

import pytest

from dreamkit import inside

LESSONS = Path(__file__).parents[2] / "notebooks" / "src"


def test_every_name_of_the_table_exists_and_lessons_use_no_other():
    for name in inside.__all__:
        assert getattr(inside, name) is not None
    assert set(inside.__all__) <= set(dir(inside))
    lessons = "\n".join(path.read_text(encoding="utf-8") for path in LESSONS.glob("*.py"))
    assert set(re.findall(r"dk\.inside\.(\w+)", lessons)) <= set(inside.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = inside.nothing
