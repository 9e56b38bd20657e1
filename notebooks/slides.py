"""A lesson as slides: one HTML file that needs no network, moved by the arrow keys.

nbconvert's own slides load reveal.js from the network, so the page here brings its few lines of
style and script along.
"""

from __future__ import annotations

import base64
import html
import re

import nbformat
from nbconvert.filters import Highlight2HTML, markdown2html
from pygments.formatters import HtmlFormatter

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
{colours}
html {{ font: clamp(16px, 1.7vw, 26px)/1.45 system-ui, sans-serif; color: #1c2128; background: #fff }}
body {{ margin: 0 }}
section {{ box-sizing: border-box; min-height: 100vh; max-width: 62rem; margin: 0 auto; padding: 2.2rem 2rem 3.5rem; display: none }}
section.now {{ display: block }}
h1, h2, h3 {{ line-height: 1.2; color: #22313f }}
a {{ color: #0b5cad }}
pre {{ font-size: .72em; line-height: 1.4; padding: .7em 1em; background: #f6f8fa; border-radius: 6px; overflow-x: auto; margin: .6em 0 }}
pre.said {{ background: none; border-left: 3px solid #c8d1da; border-radius: 0 }}
img {{ max-width: 100%; height: auto; max-height: 78vh; display: block; margin: .5em auto }}
table {{ border-collapse: collapse; font-size: .85em }} td, th {{ padding: .2em .7em; border-bottom: 1px solid #d0d7de }}
nav {{ position: fixed; right: 1rem; bottom: .6rem; font-size: 14px; background: #fffd; padding: .2em .5em; border-radius: 6px }}
nav button {{ font: inherit; padding: .1em .7em }}
.anchor-link {{ display: none }}
@media print {{ section {{ display: block; break-after: page }} nav {{ display: none }} }}
</style></head><body>
{sections}
<nav aria-label="slides"><button id="back" aria-label="previous slide">←</button>
<span id="where" role="status" aria-live="polite"></span> <button id="on" aria-label="next slide">→</button></nav>
<script>
const slides = [...document.querySelectorAll("section")];
let at = Math.min(Math.max(0, (parseInt(location.hash.slice(1)) || 1) - 1), slides.length - 1);
function show(n) {{
  at = Math.min(Math.max(0, n), slides.length - 1);
  slides.forEach((slide, i) => slide.classList.toggle("now", i === at));
  document.getElementById("where").textContent = `${{at + 1}} / ${{slides.length}}`;
  history.replaceState(null, "", "#" + (at + 1));
  scrollTo(0, 0);
}}
const moves = {{ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1, Home: -1e9, End: 1e9}};
addEventListener("keydown", e => {{ if (e.key in moves) {{ e.preventDefault(); show(at + moves[e.key]); }} }});
addEventListener("hashchange", () => show((parseInt(location.hash.slice(1)) || 1) - 1));
document.getElementById("back").onclick = () => show(at - 1);
document.getElementById("on").onclick = () => show(at + 1);
show(at);
</script></body></html>
"""


def slides(notebook: nbformat.NotebookNode) -> str:
    """The page: a slide for each heading and each exercise; code with its output below it."""
    groups: list[list[str]] = []
    for cell in notebook.cells:
        parts = _at_headings(cell.source) if cell.cell_type == "markdown" else [None]
        for part in parts:
            if not groups or (part is not None and re.match(r"#{1,3} ", part)):
                groups.append([])
            groups[-1].append(_code(cell) if part is None else markdown2html(part))
    title = re.match(r"# (.*)", notebook.cells[0].source)
    sections = "\n".join(f"<section>{''.join(group)}</section>" for group in groups)
    return _PAGE.format(
        title=html.escape(title.group(1) if title else "Lesson"),
        sections=sections,
        colours=HtmlFormatter().get_style_defs(".highlight"),
    )


def _at_headings(text: str) -> list[str]:
    """Markdown cut before each heading, fenced code left whole."""
    parts, fenced = [[]], False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if not fenced and re.match(r"#{1,3} ", line) and any(parts[-1]):
            parts.append([])
        parts[-1].append(line)
    return ["\n".join(part) for part in parts]


def _code(cell: nbformat.NotebookNode) -> str:
    return Highlight2HTML()(cell.source, language="python") + "".join(map(_shown, cell.outputs))


def _shown(output: nbformat.NotebookNode) -> str:
    if output.output_type == "stream":
        return f'<pre class="said">{html.escape(output.text)}</pre>'
    data = output.get("data", {})
    for kind in ("image/webp", "image/jpeg"):
        if kind in data:
            picture = base64.b64encode(
                base64.b64decode(data[kind])
            ).decode()  # without the line breaks a notebook may hold
            return f'<img alt="{html.escape(output.metadata.get(kind, {}).get("alt", ""))}" src="data:{kind};base64,{picture}">'
    return (
        data.get("text/html")
        or f'<pre class="said">{html.escape(data.get("text/plain", ""))}</pre>'
    )
