"""The book: `uv run --group book python notebooks/book.py OUT` writes it as a static site.

It holds the lessons as they are committed (nothing is executed), pages of the package's public
names made from their docstrings, the gallery, the teacher's page, and the page that dreams in the
browser. All is staged and built in a temporary folder. Jupyter Book 1 reads _config.yml and
_toc.yml; this file is also an extension of it (see `setup`).
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import inspect
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import types
from operator import attrgetter
from pathlib import Path

import nbformat

import dreamkit as dk
from dreamkit.page.making import build as build_page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PAGES = (
    "CONTRIBUTING.md",
    "SECURITY.md",
    "dreamkit/README.md",
    "dreamkit/weights/README.md",
    "dreamkit/weights/efficientnet_lite.md",
    "notebooks/GALLERY.md",
    "notebooks/TEACHING.md",
)
_LINK = re.compile(r"\]\(([^)#:]+)\)")  # of a file of the project
_BLOCK = re.compile(r"^(\S.*)\n\n((?: {4}.*(?:\n|\Z)|\n(?= {4}))+)", re.MULTILINE)  # indented
_AT_ONCE = "**At once, without an installation:** [dream in the browser](dream.md).\n\n"
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#fff" stroke="#444" '
    'd="M1 8q7-9 14 0-7 9-14 0z"/><circle cx="8" cy="8" r="3" fill="#2f5fd0"/></svg>'
)
_DREAM = """# Dream in your browser

{}

What it does step by step is [lesson 08](notebooks/08_deepdream.ipynb); what its styles are made of
is in [the gallery](notebooks/GALLERY.md).
"""
_WITH_PAGE = """Choose a photo and press *Dream*. The photo stays on this machine: nothing is sent.
<a href="page/index.html">The same page full-screen</a>

<iframe class="dream" src="page/index.html" title="DeepDream in your browser"></iframe>"""
_WITHOUT_PAGE = """This copy of the book was built without a connection, and so without the
page that dreams. `dreamkit page site` makes it."""


def book(out: Path, runtime: Path | None = None) -> None:
    """Write the book into the folder `out`, which is new, empty, or an older book.

    runtime: the folder `dist` of the npm package onnxruntime-web, for the page that dreams; None:
        from the cache, or fetched.

    Raises ValueError for a folder with anything else, and where the build warns of anything.
    """
    if importlib.util.find_spec("jupyter_book") is None:
        raise ValueError("Jupyter Book is not installed: uv run --group book python …")
    if out.exists() and not (out / "searchindex.js").exists() and any(out.iterdir()):
        raise ValueError(f"{str(out)!r} holds something else than a book; give a new folder")
    with tempfile.TemporaryDirectory() as folder:
        stage, page = Path(folder) / "stage", Path(folder) / "page"
        try:
            list(build_page(page, dk.load_network(), runtime))
        except ValueError as error:
            if runtime is not None:
                raise
            print(f"without the page that dreams: {error}")
        staged(stage, page.exists())
        html = _sphinx(stage, Path(folder))
        if page.exists():
            shutil.copytree(page, html / "page")
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(html, out)
    print(f"{out}: {sum(path.is_file() for path in out.rglob('*'))} files")


def staged(stage: Path, with_page: bool) -> None:
    """Write all sources of the book into a folder, each where it lies in the project."""
    for name in PAGES:
        _copy(name, stage)
        text = (ROOT / name).read_text(encoding="utf-8")
        for link in _LINK.findall(text):  # pictures and files of code
            _copy((Path(name).parent / link).as_posix(), stage)
    for lesson in HERE.glob("[0-9]*_*.ipynb"):
        nbformat.write(_with_alt(nbformat.read(lesson, 4)), stage / "notebooks" / lesson.name)
    for name in ("notebooks/deepdream.py", "notebooks/pictures/strip.webp"):
        _copy(name, stage)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first = readme.index("\n## ") + 1
    written = {
        "index.md": readme[:first] + _AT_ONCE + readme[first:],
        "dream.md": _DREAM.format(_WITH_PAGE if with_page else _WITHOUT_PAGE),
        "_static/eye.svg": _ICON,
        "_static/book.css": (HERE / "book.css").read_text(encoding="utf-8"),
        **api_pages(),
    }
    for name, text in written.items():
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        (stage / name).write_text(text, encoding="utf-8")


def _copy(name: str, stage: Path) -> None:
    """Copy a file of the project, if it is one, to the same place below the stage."""
    source, target = ROOT / name, stage / name
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _with_alt(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The lesson, with each picture's alt text where Jupyter Book looks for it: in the cell."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            for about in output.get("metadata", {}).values():
                if "alt" in about:
                    cell.metadata["mystnb"] = {"image": {"alt": about["alt"]}}
    return notebook


def api_pages() -> dict[str, str]:
    """The pages of the public names, {path: reStructuredText}: a room or a module on each."""
    rooms: dict[str, list[str]] = {}
    for module, names in dk._NAMES.items():
        rooms.setdefault(module.partition(".")[0], []).extend(f"dk.{name}" for name in names)
    pages = {
        f"api/{room}.rst": _api_page(f"dk · {room}", f"dreamkit.{room}", names)
        for room, names in rooms.items()
        if room not in dk._MODULES
    }
    for name in dk._MODULES:
        own = [f"dk.{name}.{each}" for each in public_names(getattr(dk, name))]
        pages[f"api/modules/{name}.rst"] = _api_page(f"dk.{name}", f"dk.{name}", own + rooms.get(name, []))
    return pages


def public_names(module: types.ModuleType) -> list[str]:
    """What a module names in `__all__`; without it, what it defines without an underscore."""
    defined = [
        name
        for name, value in vars(module).items()
        if name[0] != "_" and getattr(value, "__module__", None) == module.__name__
    ]
    return list(getattr(module, "__all__", defined))


def _api_page(title: str, module: str, names: list[str]) -> str:
    """A page in reStructuredText: what the module is, a table of the names, and each of them."""
    table = "".join(f"   ~{name}\n" for name in names)
    entries = "\n".join(map(_entry, names))
    return (
        f"{title}\n{'=' * len(title)}\n\n.. automodule:: {module}\n\n"
        f".. currentmodule:: None\n\n.. autosummary::\n   :nosignatures:\n\n{table}\n{entries}"
    )


def _entry(name: str) -> str:
    """The directive that documents one public name: "dk.inside.saliency"."""
    value = attrgetter(name.partition(".")[2])(dk)
    if isinstance(value, types.ModuleType):
        return f".. automodule:: {name}\n   :members:\n"
    if isinstance(value, type) and value.__module__.startswith("dreamkit"):
        return f".. autoclass:: {name}\n   :members:\n"
    if callable(value) and inspect.isroutine(value):
        return f".. autofunction:: {name}\n"
    return f".. autodata:: {name}\n" + ("   :no-value:\n" if len(repr(value)) > 200 else "")


def _sphinx(stage: Path, folder: Path) -> Path:
    """Build the staged book with Jupyter Book; its folder of HTML."""
    command = [
        *(sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"),
        *(stage, "--path-output", folder, "--config", HERE / "_config.yml"),
        *("--toc", HERE / "_toc.yml", "--warningiserror", "--keep-going", "-q"),
    ]
    done = subprocess.run(list(map(str, command)), cwd=folder)
    if done.returncode:
        raise ValueError("the book has warnings, see above")
    return folder / "_build" / "html"


def setup(app) -> dict[str, object]:
    """As an extension of Sphinx: names are those that a reader writes, docstrings plain text."""
    sys.modules["dk"] = dk
    for name in dk._MODULES:
        sys.modules[f"dk.{name}"] = getattr(dk, name)
    app.connect("autodoc-process-docstring", _value_comments)
    app.connect("autodoc-process-docstring", _literal_blocks)
    return {"parallel_read_safe": True}


def _value_comments(app, what, name, value, options, lines: list[str]) -> None:
    """Describe a value by its `#:` comment, which Sphinx looks for only where the value is named.

    Otherwise it would show the docstring of dict or tuple.
    """
    from sphinx.pycode import ModuleAnalyzer  # of the group `book`

    if what == "data":
        lines.clear()
        variable = name.rpartition(".")[2]
        for home, module in sorted(sys.modules.items()):
            if home.startswith("dreamkit.") and vars(module).get(variable) is value:
                lines += ModuleAnalyzer.for_module(home).find_attr_docs().get(("", variable), ())


def _literal_blocks(app, what, name, value, options, lines: list[str]) -> None:
    """Mark each indented block below a blank line as code: in a plain docstring it needs no `::`.

    Where it cannot be read as Python it is a table of words.
    """

    def marked(found: re.Match[str]) -> str:
        try:
            ast.parse(textwrap.dedent(found[2]))
            language = "python"
        except SyntaxError:
            language = "text"
        return f"{found[1]}\n\n.. code-block:: {language}\n\n{found[2]}\n"

    lines[:] = _BLOCK.sub(marked, "\n".join(lines)).split("\n")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder of the book")
    parser.add_argument(
        "--runtime",
        type=Path,
        help="the folder `dist` of the npm package onnxruntime-web; if not given, its files are "
        "fetched once",
    )
    options = parser.parse_args(arguments)
    try:
        book(options.out, options.runtime)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
