"""The book: what it is made of, and, built once, its links, pictures, names and search."""

import json
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from filelock import FileLock

import dreamkit as dk

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
sys.path.append(str(NOTEBOOKS))

import api_pages
import book as book_of

LESSONS = sorted(NOTEBOOKS.glob("[0-9]*_*.ipynb"))


def plain(text):
    lines = text.split("\n")
    api_pages._literal_blocks(None, "function", "f", None, None, lines)
    return "\n".join(lines)


def test_an_indented_block_of_a_docstring_is_code_or_a_table_of_words():
    assert plain("A fact:\n\n    a = f(1)\n\n    b = 2\n\nMore.") == (
        "A fact:\n\n.. code-block:: python\n\n    a = f(1)\n\n    b = 2\n\n\nMore."
    )
    assert ".. code-block:: text\n\n    load   reads it" in plain("A fact.\n\n    load   reads it")


@pytest.mark.parametrize("text", ["A fact.\nMore.", ":param x: this\n    and that", "- a\n\n  b"])
def test_other_docstrings_stay_as_they_are(text):
    assert plain(text) == text


def test_a_name_is_documented_as_what_it_is():
    kinds = {"dk.dream": "function", "dk.Settings": "class", "dk.Image": "data",
             "dk.onnx.alone": "module", "dk.recipes.caffe": "function"}  # fmt: skip
    for name, kind in kinds.items():
        assert api_pages._entry(name).startswith(f".. auto{kind}:: {name}\n")


def test_every_lesson_keeps_its_alt_texts():
    for lesson in LESSONS:
        for cell in book_of._with_alt(nbformat.read(lesson, 4)).cells:
            for output in cell.get("outputs", ()):
                if "image/jpeg" in output.get("data", {}):
                    assert cell.metadata.mystnb["image"]["alt"]


def test_a_folder_with_something_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(book_of.importlib.util, "find_spec", lambda name: True)
    (tmp_path / "thesis.txt").write_text("mine")
    for given in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(ValueError, match="something else than a book"):
            book_of.book(given)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_without_jupyter_book_one_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(book_of.importlib.util, "find_spec", lambda name: None)
    assert book_of.main([str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: Jupyter Book is not installed: uv run")


class Page(HTMLParser):
    """A page's ids, headings, links (tag, address) and pictures (address, alt)."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.pictures, self.titles, self._title = set(), [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids |= {given.get("id"), given.get("name")} - {None}
        self.links += [(tag, given[key]) for key in ("href", "src") if given.get(key)]
        self._title = tag == "h1" or (self._title and tag != "a")
        if tag == "h1":
            self.titles.append("")
        if tag == "img":
            self.pictures.append((given.get("src"), given.get("alt")))

    def handle_endtag(self, tag):
        self._title = self._title and tag != "h1"

    def handle_data(self, data):
        if self._title:
            self.titles[-1] += data


@cache
def page(path):
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built(tmp_path_factory, worker_id):
    """The folder of the book, and what building it said; it is built once for all workers."""
    pytest.importorskip("jupyter_book", reason="needs uv run --group book pytest -m slow")
    folder = tmp_path_factory.getbasetemp()
    folder = folder if worker_id == "master" else folder.parent  # which the workers share
    out, told = folder / "book", folder / "book.json"
    with FileLock(folder / "book.lock"):
        if not told.exists():
            command = [sys.executable, NOTEBOOKS / "book.py", out]
            done = subprocess.run(command, capture_output=True, text=True)
            told.write_text(json.dumps([done.returncode, done.stdout, done.stderr]))
    status, said, complaint = json.loads(told.read_text())
    assert status == 0, said + complaint
    return out, said


@pytest.fixture(scope="module")
def pages(built):
    site, _ = built
    others = {site / "page", site / "_static"}  # the page that dreams, and templates of the theme
    return {path: page(path) for path in site.rglob("*.html") if not others & set(path.parents)}


@pytest.mark.slow
def test_every_link_leads_somewhere(built, pages):
    dead = []
    for path, found in pages.items():
        for tag, address in found.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (
                anchor and target.suffix == ".html" and anchor not in page(target).ids
            ):
                dead.append(f"{path.name}: <{tag}> {address}")
    assert not dead, dead


@pytest.mark.slow
def test_nothing_comes_from_elsewhere(built, pages):
    site, _ = built
    foreign = [
        f"{path.name}: <{tag}> {address}"
        for path, found in pages.items()
        for tag, address in found.links
        if tag != "a" and (urlsplit(address).netloc or urlsplit(address).scheme not in ("", "data"))
    ]
    assert not foreign, foreign
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"(@import\s+|url\()\s*[\"']?(https?:)?//", text), style


@pytest.mark.slow
def test_every_picture_has_a_file_and_an_alt_text(pages):
    for path, found in pages.items():
        for address, alt in found.pictures:
            assert alt and alt.strip(), (path.name, address)
            assert address.startswith("data:") or (path.parent / unquote(address)).is_file()


@pytest.mark.slow
def test_every_lesson_is_there_with_its_pictures(built):
    site, _ = built
    for lesson in LESSONS:
        notebook, path = nbformat.read(lesson, 4), site / "notebooks" / f"{lesson.stem}.html"
        (title,) = re.findall(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)
        assert title in page(path).titles[0]
        held = [each.get("data", {}) for cell in notebook.cells for each in cell.get("outputs", ())]
        in_html = sum(data.get("text/html", "").count("<img") for data in held)
        pictures = sum("image/jpeg" in data for data in held) + in_html
        assert len(page(path).pictures) == pictures, lesson.name
        text = path.read_text(encoding="utf-8")
        assert "widget-view" not in text and "Traceback (most recent" not in text


@pytest.mark.slow
def test_every_public_name_is_documented(built):
    site, _ = built
    anchors = set().union(*(page(path).ids for path in (site / "api").rglob("*.html")))
    names = [f"dk.{name}" for name in dk.__all__]
    for name in dk._MODULES:
        names += [f"dk.{name}.{each}" for each in getattr(getattr(dk, name), "__all__", ())]
    missing = [name for name in names if not anchors & {name, f"module-{name}"}]
    assert not missing, missing


@pytest.mark.slow
def test_the_search_knows_words_and_names(built):
    site, _ = built
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert "octav" in index["terms"]  # the stem of octave
    assert "channel_picture" in [name for *_, name in index["objects"]["dk.figures"]]


@pytest.mark.slow
def test_the_page_that_dreams_is_there_or_one_line_says_why_not(built):
    site, said = built
    shown = "<iframe" in (site / "dream.html").read_text(encoding="utf-8")
    assert (site / "page" / "index.html").is_file() is shown
    assert shown is ("without the page that dreams: " not in said)
