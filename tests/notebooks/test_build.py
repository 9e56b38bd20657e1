"""The builder of lessons: each rule and each failure, shown by a small notebook that breaks it."""

import re
import sys
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
if not NOTEBOOKS.exists():
    pytest.skip("the lessons' folder is not beside the tests", allow_module_level=True)
sys.path.append(str(NOTEBOOKS))

picture = {"image/jpeg": "/9j/"}
OPENING = (
    "# 03 · A lesson\n- **You will do:** this\n- **You will learn:** that\n- **You need:** "
    "nothing\n- **Minutes:** 5"
)
EXERCISE = """### Exercise 03.1 · Add one · 5 minutes · ★☆☆
<details><summary>Hint</summary>

plus
</details>

<details><summary>Solution</summary>

```python
def my_add(x):
    return x + 1
```
</details>"""


def nbformat():
    import nbformat  # takes seconds, so collecting the tests does not

    return nbformat


def code(source, **more):
    return nbformat().v4.new_code_cell(source, **more)


def markdown(source):
    return nbformat().v4.new_markdown_cell(source)


def shown(data, metadata=None):
    return nbformat().v4.new_output("display_data", data, metadata=metadata or {})


def stub(name):
    return code(
        f'def my_{name}(x):\n    ...\n\n\ndk.exercises.check("{name}", my_{name})',
        metadata={"tags": ["exercise"]},
    )


IMPORT = "import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit\n"


def good():
    """A small notebook that keeps every rule."""
    cells = [
        markdown(OPENING),
        code(IMPORT + 'NETWORK = "dreamnet"\nnetwork = dk.course_network(NETWORK)'),
        code(
            "dk.show.picture(photo, alt)",
            outputs=[shown(picture, {"image/jpeg": {"alt": "a photo"}})],
        ),
        markdown("Predict what comes.\n<details><summary>Open</summary>this</details>"),
        code(
            "dk.widgets.explore(network, photo)",
            outputs=[shown({"text/html": '<img alt="a map" src="data:,">'})],
        ),
        markdown(EXERCISE),
        stub("add"),
        markdown(EXERCISE.replace("03.1", "03.2")),
        stub("more"),
        markdown("## Recap\n- this\n\n## Read next\n- that"),
    ]
    for number, cell in enumerate(cells, 1):
        cell.id = f"03-a_lesson-{number:03}"
    return nbformat().v4.new_notebook(cells=cells)


def test_a_good_notebook_keeps_every_rule(build):
    assert build.rules(good()) == []


def edited(build, change):
    notebook = good()
    change(notebook)
    return build.rules(notebook)


def put(number, **changes):
    return lambda notebook: [
        setattr(notebook.cells[number], name, value) for name, value in changes.items()
    ]


def show(number, *output):
    return lambda notebook: put(number, outputs=[shown(*output)])(notebook)


BREACHES = {
    "no title": (put(0, source="Welcome"), "the title"),
    "no minutes": (put(0, source=OPENING.replace("Minutes", "Time")), "says nothing of 'Minutes'"),
    "long set-up": (
        put(1, source=IMPORT + "a = 1\nb = 2\nc = 3"),
        "set-up has 4 lines",
    ),
    "no set-up": (put(1, source="a = 1"), "the first code cell imports dreamkit"),
    "no word for Colab": (put(1, source="import dreamkit as dk\na = 1"), "what Colab must install"),
    "long cell": (
        put(4, source="dk.widgets.explore(network, photo)\n" + "a = 1\n" * 30),
        "has 31 lines; at most 30",
    ),
    "long cells": (
        lambda nb: [
            cell.update(source="x = 1\n" * 9 + cell.source)
            for cell in nb.cells[2:]
            if cell.cell_type == "code"
        ],
        "lines; at most 8",
    ),
    "an install": (put(2, source="%pip install torch"), "'%' does not belong"),
    "a patched path": (
        put(2, source="import sys\nsys.path.append('..')"),
        "'sys.path' does not belong",
    ),
    "a private name": (put(2, source="dk.show._plain('x')"), "'dk.show._' does not belong"),
    "a deep import": (
        put(2, source="from dreamkit.ascent.steps import roll"),
        "'from dreamkit' does not belong",
    ),
    "a late picture": (
        lambda nb: [cell.update(outputs=[]) for cell in nb.cells if cell.cell_type == "code"],
        "no picture within the first three code cells",
    ),
    "no alt text": (show(2, picture), "a picture without alt text"),
    "blank alt text": (
        show(4, {"text/html": '<img alt=" " src="data:,">'}),
        "a picture without alt text",
    ),
    "no alt in prose": (
        put(3, source="Predict <details></details> ![](a.png)"),
        "a picture without alt text",
    ),
    "a PNG": (
        show(2, {"image/png": "iVBO"}, {"image/png": {"alt": "x"}}),
        "a picture is image/png",
    ),
    "nothing to predict": (put(3, source="Look."), "no 'Predict, then reveal'"),
    "no panel": (put(4, source="1"), "no panel"),
    "one exercise": (
        lambda nb: [nb.cells.pop(7), nb.cells.pop(7)],
        "1 exercises; a lesson has 2 to 4",
    ),
    "no minutes for it": (
        put(5, source=EXERCISE.replace("5 minutes", "soon")),
        "before it stands no '### Exercise",
    ),
    "no solution": (
        put(5, source=EXERCISE.replace("Solution", "Answer")),
        "folds no Hint and no Solution",
    ),
    "no check": (
        put(6, source="def my_add(x):\n    ..."),
        "its last line is not dk.exercises.check",
    ),
    "no recap": (put(9, source="## Read next\n- that"), "no section 'Recap'"),
    "no sources": (put(9, source="## Recap\n- this"), "no section 'Read next'"),
    "too large": (
        put(3, source="Predict <details></details>" + "x" * 2_000_000),
        "at most 2,000,000",
    ),
    "widget state": (lambda nb: nb.metadata.update(widgets={}), "metadata.widgets"),
    "a live view": (
        show(4, {"application/vnd.jupyter.widget-view+json": {}}),
        "the view of a live widget",
    ),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_broken_rule_is_named(build, name):
    change, message = BREACHES[name]
    found = edited(build, change)
    assert any(message in problem for problem in found), found


# --- sources and solutions


def source(folder, text):
    path = folder / "03_a_lesson.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_source_becomes_cells_with_fixed_ids_and_tags(build, tmp_path):
    notebook = build.read(
        source(tmp_path, '# %% [markdown]\n# # Title\n\n# %% tags=["exercise"]\nx = 1\n')
    )
    assert [(c.cell_type, c.id, c.source) for c in notebook.cells] == [
        ("markdown", "03-a_lesson-001", "# Title"),
        ("code", "03-a_lesson-002", "x = 1"),
    ]
    assert notebook.cells[1].metadata == {"tags": ["exercise"]}
    nbformat().validate(notebook)


def test_in_step_sees_a_changed_letter(build, tmp_path, monkeypatch):
    path = source(tmp_path, "# %%\nx = 1\n")
    monkeypatch.setattr(build, "HERE", tmp_path)
    assert not build.in_step(path)
    nbformat().write(build.read(path), build.target(path))
    assert build.in_step(path)
    path.write_text("# %%\nx = 2\n", encoding="utf-8")
    assert not build.in_step(path)


def test_solutions_take_the_place_of_stubs_and_leave_the_original_alone(build):
    notebook = good()
    solved = build.with_solutions(notebook)
    assert (
        solved.cells[6].source
        == 'def my_add(x):\n    return x + 1\n\n\ndk.exercises.check("add", my_add)'
    )
    assert notebook.cells[6].source == stub("add").source
    notebook.cells[5].source = "nothing folded"
    with pytest.raises(ValueError, match="03-a_lesson-007: no solution"):
        build.with_solutions(notebook)


def test_verdicts_are_what_the_checks_said(build):
    notebook = good()
    notebook.cells[6].outputs = [shown({"text/plain": "✓ add: fine"})]
    notebook.cells[2].outputs = [shown({"text/plain": "✓ no exercise"})]
    assert build.verdicts(notebook) == ["✓ add: fine"]


def test_an_unknown_number_is_answered_with_those_there_are(build, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build, "HERE", tmp_path)
    (tmp_path / "src").mkdir()
    source(tmp_path / "src", "# %%\n1\n")
    assert [path.name for path in build.sources(["03"])] == ["03_a_lesson.py"]
    with pytest.raises(SystemExit, match="2"):
        build.main(["99"])
    assert "no lesson 99; there are 03" in capsys.readouterr().err


def test_a_lesson_of_two_sittings_has_letters(build, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "HERE", tmp_path)
    (tmp_path / "src").mkdir()
    for name in ("13_before", "14b_second", "14a_first", "15_after", "helper"):
        (tmp_path / "src" / f"{name}.py").write_text(
            "# %% [markdown]\n# # Title\n", encoding="utf-8"
        )
    names = lambda *wanted: [path.stem for path in build.sources(list(wanted))]
    assert names() == ["13_before", "14a_first", "14b_second", "15_after"]
    assert names("14a") == ["14a_first"] and names("14") == ["14a_first", "14b_second"]
    with pytest.raises(ValueError, match="no lesson 14c; there are 13, 14a, 14b, 15"):
        build.sources(["14c"])
    assert build.read(tmp_path / "src" / "14a_first.py").cells[0].id == "14a-first-001"
    assert edited(build, put(0, source=OPENING.replace("# 03", "# 14a"))) == []
    assert edited(build, put(5, source=EXERCISE.replace("03.1", "14a.1"))) == []


def test_slides_are_one_page_that_asks_the_network_for_nothing():
    from slides import slides  # imports nbconvert: seconds

    page = slides(good())
    assert page.count("<section>") == 5  # the title, two exercises, the recap, what to read
    assert '<img alt="a photo" src="data:image/jpeg;base64,' in page
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)
    assert "<link" not in page and "@import" not in page


# --- execution: one kernel for what must pass, one for each way to fail


def of(*sources):
    return nbformat().v4.new_notebook(
        cells=[code(text, id=f"c{number}") for number, text in enumerate(sources)]
    )


PANEL = """
class Panel:
    def _repr_mimebundle_(self, include=None, exclude=None):
        view = {"model_id": "0", "version_major": 2, "version_minor": 0}
        shown = {"text/html": "<b>still</b>", "text/plain": "at 0x7f"}
        return shown | {"application/vnd.jupyter.widget-view+json": view}
Panel()
"""
LOOPBACK = """
import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
"""


def test_a_sound_notebook_is_executed_the_same_way_every_time(build):
    given = of(
        "import os\nprint(os.listdir('.') == ['.ipython'] or os.listdir('.'))", LOOPBACK, PANEL
    )
    run = build.execute(given)
    outputs = [output for cell in run.notebook.cells for output in cell.outputs]
    assert outputs[0].text in ("True\n", "[]\n")  # an empty folder
    assert list(outputs[1].data) == ["text/html", "text/plain"]
    assert (
        "<b>still</b>" in outputs[1].data["text/html"]
        and "0x7f" not in outputs[1].data["text/plain"]
    )
    assert [cell.execution_count for cell in run.notebook.cells] == [1, 2, 3]
    assert [cell.metadata for cell in run.notebook.cells] == [{}, {}, {}]
    assert "widgets" not in run.notebook.metadata and run.notebook.metadata.language_info == {
        "name": "python"
    }
    assert set(run.seconds) == {"c0", "c1", "c2"} and all(
        0 <= taken < 60 for taken in run.seconds.values()
    )
    assert given.cells[0].outputs == []


FAILURES = {
    "an error inside an Output widget": (
        "import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    1 / 0",
        "inside an Output widget: an error output: ZeroDivisionError",
    ),
    "an error output of any kind": (
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    get_ipython().showtraceback()",
        "cell c0: an error output: ZeroDivisionError",
    ),
    "a thread's traceback, after its cell has ended": (
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), 1 / 0)).start()",
        "a traceback on stderr.*ZeroDivisionError",
    ),
    "the network": (
        "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=1)",
        "a lesson needs no network.*192.0.2.1",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAILURES)
def test_what_plain_execution_lets_pass_fails_the_run(build, name):
    text, message = FAILURES[name]
    with pytest.raises(build.Failed, match=f"(?s){message}"):
        build.execute(of(text))


@pytest.mark.notebook
@pytest.mark.parametrize(
    "text, message",
    [
        ("1 / 0", "a cell raised.*ZeroDivisionError"),
        (
            "import socket\nsocket.getaddrinfo('example.org', 80)",
            "a lesson needs no network.*example.org",
        ),
        (
            "import threading\nthread = threading.Thread(target=lambda: 1 / 0)\n"
            "thread.start()\nthread.join()",
            "a traceback on stderr",
        ),
        ("import time\ntime.sleep(9)", "a cell took over 2 s"),
    ],
)
def test_a_failing_cell_fails_the_run(build, text, message):
    with pytest.raises(build.Failed, match=f"(?s){message}"):
        build.execute(of(text), timeout=2)
