"""The lessons: in step with their sources, and executed as shipped and with solutions."""

import os
import sys
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
if not NOTEBOOKS.exists():
    pytest.skip("the lessons' folder is not beside the tests", allow_module_level=True)
sys.path.append(str(NOTEBOOKS))

LESSONS = sorted((NOTEBOOKS / "src").glob("*.py"))
NAMES = [path.stem for path in LESSONS]
PATIENCE = float(
    os.environ.get("DREAMKIT_PATIENCE", "1")
)  # how many times slower than two idle cores this machine may be
CELL_SECONDS, COURSE_SECONDS = 30 * PATIENCE, 600 * PATIENCE

lesson = pytest.mark.parametrize("source", LESSONS, ids=NAMES)


def test_every_source_is_a_lesson(build):
    assert build.sources() == LESSONS


def shipped(build, source):
    import nbformat

    return nbformat.read(build.target(source), as_version=4)


@lesson
def test_the_notebook_is_in_step_with_its_source(build, source):
    assert build.in_step(source), f"run: python notebooks/build.py {build.number(source)}"


@lesson
def test_the_notebook_keeps_the_rules(build, source):
    assert build.rules(shipped(build, source)) == []


@lesson
def test_the_notebook_as_shipped_waits_for_the_student(build, source):
    notebook = shipped(build, source)
    verdicts = build.verdicts(notebook)
    assert len(verdicts) == sum(
        "exercise" in cell.metadata.get("tags", ()) for cell in notebook.cells
    )
    assert all(verdict.startswith("○") for verdict in verdicts), verdicts


@lesson
def test_every_cell_was_executed_in_order(build, source):
    notebook = shipped(build, source)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_ids_are_unique_over_the_course(build):
    ids = [cell.id for source in LESSONS for cell in build.read(source).cells]
    assert len(ids) == len(set(ids))
    assert ids[0] == NAMES[0].replace("_", "-", 1) + "-001"


@pytest.fixture(scope="module")
def course():
    """Seconds of each lesson as shipped, filled in as they run."""
    return {}


@pytest.mark.notebook
@lesson
def test_restart_and_run_all(build, source, course):
    run = build.execute(build.read(source))
    course[source.stem] = sum(run.seconds.values())
    assert build.rules(run.notebook) == []
    slow = {name: taken for name, taken in run.seconds.items() if taken > CELL_SECONDS}
    assert not slow, f"over {CELL_SECONDS} s: {slow}"


@pytest.mark.notebook
@lesson
def test_every_solution_is_accepted(build, source):
    verdicts = build.verdicts(build.execute(build.with_solutions(build.read(source))).notebook)
    assert verdicts and all(verdict.startswith("✓") for verdict in verdicts), verdicts


@pytest.mark.notebook
def test_the_course_fits_into_its_time(course):
    if set(course) != set(NAMES):
        pytest.skip("not every lesson was run here")
    assert sum(course.values()) < COURSE_SECONDS, course
