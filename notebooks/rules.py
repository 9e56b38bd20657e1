"""The rules of every lesson, as checks on an executed notebook: `rules` lists the broken ones."""

from __future__ import annotations

import ast
import json
import re
import statistics

import nbformat

LARGEST = 2_000_000  # bytes of a notebook
OPENING = ("You will do", "You will learn", "You need", "Minutes")
_IMG = re.compile(r"<img\b[^>]*>", re.IGNORECASE | re.DOTALL)
_ALT = re.compile(r"""\balt=(?:"\s*[^"\s][^"]*"|'\s*[^'\s][^']*')""", re.IGNORECASE)
_EXERCISE = re.compile(r"^### Exercise \d\d[a-z]?\.\d · .+ · \d+ minutes? · [★☆]{3}", re.MULTILINE)
_FORBIDDEN = re.compile(
    r"(^\s*[!%]|\bsys\.path\b|^[^#]*\bpip install\b|\bfrom dreamkit\b|\bimport "
    r"dreamkit\.|\bdk\.(\w+\.)*_)",
    re.MULTILINE,
)
_IMPORT = re.compile(
    r'import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install ("?)dreamkit(\[\w+\])?\1\n'
)


def rules(notebook: nbformat.NotebookNode) -> list[str]:
    """The broken rules of an executed lesson, one sentence each; empty where all hold."""
    checks = (
        _opening,
        _setup,
        _lengths,
        _code,
        _first_picture,
        _pictures,
        _predict,
        _panel,
        _exercises,
        _ending,
        _size,
        _metadata,
    )
    return [problem for check in checks for problem in check(notebook)]


def lines(cell: nbformat.NotebookNode) -> int:
    """How many lines of a code cell hold something."""
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def verdicts(notebook: nbformat.NotebookNode) -> list[str]:
    """What each exercise's check said, in order: a line that starts with ✓, ○ or ✗."""
    shown = [_text(output) for cell in exercise_cells(notebook) for output in cell.outputs]
    return [text for text in shown if text[:1] in "✓○✗"]


def exercise_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in _code_cells(notebook) if "exercise" in cell.metadata.get("tags", ())]


def _code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _markdown(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def _text(output) -> str:
    return "".join(output.get("data", {}).get("text/plain", ""))


def _opening(notebook):
    first = notebook.cells[0] if notebook.cells else None
    if (
        first is None
        or first.cell_type != "markdown"
        or not re.match(r"# \d\d[a-z]? · \S", first.source)
    ):
        return ["the first cell is the title: '# NN · Title'"]
    return [
        f"the opening says nothing of {words!r}"
        for words in OPENING
        if words.lower() not in first.source.lower()
    ]


def _setup(notebook):
    cells = _code_cells(notebook)
    if not cells or not _IMPORT.match(cells[0].source):
        return ["the first code cell imports dreamkit, and a comment says what Colab must install"]
    return [f"the set-up has {lines(cells[0])} lines; at most 3"] if lines(cells[0]) > 3 else []


def _lengths(notebook):
    lengths = {cell.id: lines(cell) for cell in _code_cells(notebook)} or {"": 0}
    median = statistics.median(lengths.values())
    problems = [
        f"cell {name} has {length} lines; at most 30"
        for name, length in lengths.items()
        if length > 30
    ]
    return problems + (
        [f"the median code cell has {median:g} lines; at most 8"] if median > 8 else []
    )


def _code(notebook):
    found = [(cell.id, _FORBIDDEN.search(cell.source)) for cell in _code_cells(notebook)]
    return [
        f"cell {name}: {match.group().strip()!r} does not belong into a lesson"
        for name, match in found
        if match
    ]


def _first_picture(notebook):
    early = _code_cells(notebook)[:3]
    found = any(_shows_picture(output) for cell in early for output in cell.outputs)
    return [] if found else ["no picture within the first three code cells"]


def _shows_picture(output) -> bool:
    data = output.get("data", {})
    return any(kind.startswith("image/") for kind in data) or "<img" in "".join(
        data.get("text/html", "")
    )


def _pictures(notebook):
    problems = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            missing = [m for m in _IMG.findall(cell.source) if not _ALT.search(m)] or re.findall(
                r"!\[\s*\]\(", cell.source
            )
            problems += [f"cell {cell.id}: a picture without alt text"] if missing else []
        for output in cell.get("outputs", ()):
            problems += [f"cell {cell.id}: {problem}" for problem in _picture_problems(output)]
    return problems


def _picture_problems(output):
    data = output.get("data", {})
    for kind in (kind for kind in data if kind.startswith("image/")):
        if kind not in ("image/jpeg", "image/webp"):
            yield f"a picture is {kind}; JPEG or WebP keep the notebook small"
        if not str(output.metadata.get(kind, {}).get("alt", "")).strip():
            yield "a picture without alt text"
    for tag in _IMG.findall("".join(data.get("text/html", ""))):
        if not _ALT.search(tag):
            yield "a picture without alt text"


def _predict(notebook):
    found = any("predict" in text.lower() and "<details>" in text for text in _markdown(notebook))
    return [] if found else ["no 'Predict, then reveal' with its answer folded in <details>"]


def _panel(notebook):
    return (
        []
        if any(re.search(r"\bdk\.widgets\.\w+\(", cell.source) for cell in _code_cells(notebook))
        else ["no panel (dk.widgets.…)"]
    )


def _exercises(notebook):
    cells = exercise_cells(notebook)
    problems = [] if 2 <= len(cells) <= 4 else [f"{len(cells)} exercises; a lesson has 2 to 4"]
    for cell in cells:
        before = notebook.cells[notebook.cells.index(cell) - 1]
        if before.cell_type != "markdown" or not _EXERCISE.search(before.source):
            problems.append(
                f"cell {cell.id}: before it stands no '### Exercise NN.k · Title · 6 minutes · ★★☆'"
            )
        elif not all(
            f"<summary>{word}</summary>" in before.source for word in ("Hint", "Solution")
        ):
            problems.append(f"cell {cell.id}: its exercise folds no Hint and no Solution")
        if not _ends_with_check(cell.source):
            problems.append(f"cell {cell.id}: its last line is not dk.exercises.check(…)")
    return problems


def _ends_with_check(source: str) -> bool:
    last = ast.parse(source).body[-1]
    return isinstance(last, ast.Expr) and ast.unparse(last).startswith("dk.exercises.check(")


def _ending(notebook):
    problems = []
    for heading in ("Recap", "Read next"):
        sections = [
            text
            for text in _markdown(notebook)
            if re.search(rf"^#+ .*{heading}", text, re.MULTILINE)
        ]
        if not any(re.search(r"^[-*] ", text, re.MULTILINE) for text in sections):
            problems.append(f"no section '{heading}' with a list")
    return problems


def _size(notebook):
    size = len(nbformat.writes(notebook).encode())
    return [f"{size:,} bytes; at most {LARGEST:,}"] if size > LARGEST else []


def _metadata(notebook):
    problems = (
        ["metadata.widgets holds the state of widgets"] if "widgets" in notebook.metadata else []
    )
    kept = [
        cell.id
        for cell in _code_cells(notebook)
        if "widget-view+json" in json.dumps(cell.get("outputs", []))
    ]
    return problems + [f"cell {name}: the view of a live widget was saved" for name in kept]
