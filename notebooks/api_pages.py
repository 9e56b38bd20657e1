"""The book's pages of public names: what is on each, and how Sphinx reads plain docstrings.

`api_pages` writes directives; Sphinx's autodoc makes the pages from the docstrings. As an extension
of Sphinx (see `setup`) this file names things as a reader does, `dk.show.strip`, and takes
docstrings as the plain text that they are.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
import types
from operator import attrgetter

import dreamkit as dk

_BLOCK = re.compile(r"^(\S.*)\n\n((?: {4}.*(?:\n|\Z)|\n(?= {4}))+)", re.MULTILINE)  # indented


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
        pages[f"api/modules/{name}.rst"] = _api_page(
            f"dk.{name}", f"dk.{name}", own + rooms.get(name, [])
        )
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
