"""Builds lessons: executes notebooks/src/NN_name.py and writes notebooks/NN_name.ipynb.

python notebooks/build.py                 every lesson
python notebooks/build.py 03 05           these two
python notebooks/build.py 14a             one sitting of a lesson in several; 14: all of them
python notebooks/build.py --check         are the notebooks in step with their sources?
                                          (nothing is executed)
python notebooks/build.py --slides 03     a slide view of the built lesson, in one file:
                                          out/slides/03_one_step.html
"""

from __future__ import annotations

import argparse
import copy
import re
import sys
from itertools import takewhile
from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))  # so that this file can be imported as well as run

from rules import exercise_cells, rules, verdicts
from running import Failed, Run, execute

__all__ = [
    "Failed",
    "Run",
    "build",
    "execute",
    "in_step",
    "read",
    "rules",
    "sources",
    "verdicts",
    "with_solutions",
]

_SOURCE = re.compile(r"\d\d[a-z]?_.+\.py")
_SOLUTION = re.compile(r"<summary>Solution</summary>\s*```python\n(.*?)```", re.DOTALL)


def sources(wanted: list[str] | None = None) -> list[Path]:
    """The sources of the lessons whose numbers are wanted (all, if none are named), in order.

    ValueError for an unknown number.

    A number is two digits, and a letter for one sitting of several: "14" stands for "14a" and
    "14b".
    """
    found = sorted(path for path in (HERE / "src").glob("*.py") if _SOURCE.fullmatch(path.name))
    known = [number(path) for path in found]
    unknown = [
        given
        for given in wanted or ()
        if given not in known and given not in {name[:2] for name in known}
    ]
    if unknown:
        raise ValueError(f"no lesson {', '.join(unknown)}; there are {', '.join(known)}")
    return [
        path
        for path, name in zip(found, known, strict=True)
        if not wanted or name in wanted or name[:2] in wanted
    ]


def number(source: Path) -> str:
    """The number of a lesson: "03", or "14a" for a sitting."""
    return source.stem.partition("_")[0]


def target(source: Path) -> Path:
    """Where the notebook of a source is written."""
    return HERE / f"{source.stem}.ipynb"


def read(source: Path) -> nbformat.NotebookNode:
    """The notebook of a source, not executed, its cells with fixed ids ("03-one_step-007")."""
    parsed = jupytext.read(source, fmt="py:percent")
    cells, name = [], source.stem.replace("_", "-", 1)
    for index, cell in enumerate(parsed.cells, 1):
        make = (
            nbformat.v4.new_markdown_cell
            if cell.cell_type == "markdown"
            else nbformat.v4.new_code_cell
        )
        tags = {"tags": list(cell.metadata["tags"])} if cell.metadata.get("tags") else {}
        cells.append(make(cell.source, id=f"{name}-{index:03}", metadata=tags))
    return nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )


def with_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy in which each exercise's folded solution stands in place of its stub.

    ValueError for an exercise without one.
    """
    solved = copy.deepcopy(notebook)
    for cell in exercise_cells(solved):
        before = solved.cells[solved.cells.index(cell) - 1].source
        found = _SOLUTION.search(before)
        if not found:
            raise ValueError(f"cell {cell.id}: no solution is folded in the cell above it")
        cell.source = (
            found.group(1).rstrip()
            + "\n\n\n"
            + cell.source[cell.source.index("dk.exercises.check(") :]
        )
    return solved


def build(source: Path) -> Run:
    """The Run of a source's notebook.

    The notebook is written even if rules are broken, so that it can be read.
    """
    run = execute(read(Path(source)))
    nbformat.validate(run.notebook)
    nbformat.write(run.notebook, target(Path(source)))
    return run


def in_step(source: Path) -> bool:
    """Whether the written notebook has the cells of its source: kinds, text, tags and ids."""
    path = target(source)
    essence = lambda notebook: [
        (c.cell_type, c.id, c.source, c.metadata.get("tags")) for c in notebook.cells
    ]
    return path.exists() and essence(nbformat.read(path, as_version=4)) == essence(read(source))


def report(source: Path, run: Run) -> list[str]:
    """The broken rules of a run. Prints one line with the file written and its seconds."""
    slow = ", ".join(
        f"{name} {taken:.1f} s" + ("" if _announced(run, name) else " (say so above it)")
        for name, taken in run.seconds.items()
        if taken > 5
    )
    size = target(source).stat().st_size
    print(
        f"{target(source).name}: {len(run.seconds)} code cells, "
        f"{sum(run.seconds.values()):.1f} s, {size / 1e6:.2f} MB"
        + (f"; over 5 s: {slow}" if slow else "")
    )
    problems = rules(run.notebook)
    for problem in problems:
        print(f"  broken rule: {problem}")
    return problems


def _announced(run: Run, name: str) -> bool:
    """Whether the nearest prose above a cell speaks of seconds."""
    above = takewhile(lambda cell: cell.id != name, run.notebook.cells)
    prose = [cell.source for cell in above if cell.cell_type == "markdown"]
    return bool(prose) and "second" in prose[-1]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "numbers", nargs="*", metavar="NN", help="numbers of lessons; all if none are given"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="only say whether notebooks are in step with their sources",
    )
    parser.add_argument(
        "--slides",
        action="store_true",
        help="write a slide view of the built lessons under out/slides",
    )
    options = parser.parse_args(arguments)
    try:
        chosen = sources(options.numbers)
    except ValueError as error:
        parser.error(str(error))
    if options.check:
        late = [path.name for path in chosen if not in_step(path)]
        print(
            f"not in step: {', '.join(late)}"
            if late
            else f"{len(chosen)} notebooks in step with their sources"
        )
        return int(bool(late))
    return int(any([_slides(path) if options.slides else _build(path) for path in chosen]))


def _build(source: Path) -> bool:
    """Whether something is wrong with the lesson, which is said."""
    try:
        return bool(report(source, build(source)))
    except Failed as error:
        print(f"{source.name} failed: {error}", file=sys.stderr)
        return True


def _slides(source: Path) -> bool:
    from slides import slides

    if not in_step(source):
        print(
            f"{target(source).name} is not in step with its source; build it first", file=sys.stderr
        )
        return True
    path = HERE.parent / "out" / "slides" / f"{source.stem}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(slides(nbformat.read(target(source), as_version=4)), encoding="utf-8")
    print(f"wrote out/slides/{path.name}")
    return False


if __name__ == "__main__":
    sys.exit(main())
