"""The book: `uv run --group book python notebooks/book.py OUT` writes it as a static site.

It holds the lessons as they are committed (nothing is executed), pages of the package's public
names made from their docstrings, the gallery, the teacher's page, and the page that dreams in the
browser. All is staged and built in a temporary folder. Jupyter Book 1 reads _config.yml and
_toc.yml.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

import dreamkit as dk
from dreamkit.page.making import build as build_page

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))  # so that this file can be imported as well as run

from api_pages import api_pages

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

    Args:
        out: the folder.
        runtime: the folder `dist` of the npm package onnxruntime-web, for the page that dreams;
            None: from the cache, or fetched.

    Raises ValueError for a folder with anything else, and where the build warns of anything.
    """
    if importlib.util.find_spec("jupyter_book") is None:
        raise ValueError("Jupyter Book is not installed: uv run --group book python …")
    older = (out / "searchindex.js").exists()
    if out.exists() and not older and (out.is_file() or any(out.iterdir())):
        raise ValueError(f"{str(out)!r} is something else than a book; give a new folder")
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
        "index.md": readme[:first] + _AT_ONCE * with_page + readme[first:],
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
