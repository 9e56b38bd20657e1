"""The HTML page of an atlas: one file beside the pictures. All names in it are escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

Cell = tuple[int, str, str, bool]  # channel, file, description, silent

_STYLE = """
:root { color-scheme: light dark; --edge: #8886; --size: 96px }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1280px;
  padding: 0 16px 48px }
h1 { margin: 16px 0 4px; font-size: 26px } h2 { margin: 28px 0 4px; font-size: 20px }
p { margin: 4px 0; max-width: 75ch }
.bar { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 6px 18px;
  align-items: center; padding: 8px 0; background: Canvas; border-bottom: 1px solid var(--edge) }
.bar input, .bar select, .bar button { font: inherit } .bar input[type=number] { width: 6em }
.grid { display: grid; gap: 6px; padding: 0; margin: 8px 0;
  grid-template-columns: repeat(auto-fill, minmax(var(--size), 1fr)) }
.grid a { display: block; text-align: center; font-size: 12px; line-height: 1.3; color: inherit;
  text-decoration: none; padding: 2px }
.grid img { width: 100%; aspect-ratio: 1; display: block; background: #8883 }
.grid a:hover { background: #8883 }
a:focus-visible, button:focus-visible, select:focus-visible, input:focus-visible {
  outline: 3px solid #1a73e8; outline-offset: 1px }
.silent { opacity: .45 } section[hidden] { display: none }
dialog { border: 1px solid var(--edge); border-radius: 6px; max-width: min(92vw, 620px);
  background: Canvas; color: CanvasText }
dialog::backdrop { background: #000a }
dialog img { width: min(80vw, 512px); height: auto; aspect-ratio: 1; display: block;
  margin: 0 auto 8px }
dialog div { display: flex; gap: 8px; justify-content: center; margin-top: 8px }
dialog button { font: inherit; padding: 4px 12px }
"""

_POLICY = (
    "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)

# A page of links with pictures, one of which is shown large. Without a script the page still shows
# everything: each picture is a link to its file.
BROWSING = """
const all = selector => document.querySelectorAll(selector);
const one = selector => document.querySelector(selector);
const links = [...all('.grid a')], box = one('dialog');
const large = box.querySelector('img'), words = box.querySelector('p');
let current = -1;
all('.needs-script').forEach(part => { part.hidden = false; });
function show(link) {
  current = links.indexOf(link);
  const small = link.querySelector('img');
  large.src = small.src; large.alt = small.alt; words.textContent = small.alt;
  if (!box.open) box.showModal();
  try { history.replaceState(null, '', '#' + link.id); } catch (error) { }
}
links.forEach(link => link.addEventListener('click', event => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault(); show(link);
}));
box.addEventListener('close', () => links[current] && links[current].focus());
one('#shut').addEventListener('click', () => box.close());
one('#size').addEventListener('input', event =>
  document.documentElement.style.setProperty('--size', event.target.value + 'px'));
const first = location.hash && document.getElementById(location.hash.slice(1));
if (links.includes(first)) show(first);
"""

_CHANNELS = """
const layer = one('#layer'), channel = one('#channel'), told = one('#told');
const seen = () => links.filter(link => !link.closest('section').hidden);
function choose() {
  all('section').forEach(part => { part.hidden = layer.value !== '' && part.id !== layer.value; });
  told.textContent = seen().length + ' channels shown';
}
function move(step) {
  const shown = seen(), place = shown.indexOf(links[current]) + step;
  if (shown[place]) show(shown[place]);
}
box.addEventListener('keydown', event => {
  if (event.key === 'ArrowLeft') move(-1);
  else if (event.key === 'ArrowRight') move(1);
  else return;
  event.preventDefault();
});
one('#before').addEventListener('click', () => move(-1));
one('#after').addEventListener('click', () => move(1));
layer.addEventListener('change', choose);
one('#find').addEventListener('submit', event => {
  event.preventDefault();
  const found = seen().find(link => link.dataset.channel === channel.value.trim());
  if (found) show(found); else told.textContent = 'no channel ' + channel.value + ' here';
});
choose();
"""


def html_page(
    head: Mapping[str, Mapping[str, object]],
    layers: Mapping[str, Mapping[str, object]],
    cells: Mapping[str, Sequence[Cell]],
) -> str:
    """The page as text; `head` and `layers` are those of an Atlas, `cells` the pictures by layer.

    >>> settings = {"side": 64, "steps": 32}
    >>> "&lt;b&gt;" in html_page({"network": {"name": "<b>"}, "settings": settings}, {}, {})
    True
    """
    name = html.escape(str(head["network"]["name"] or "a network"))
    side, steps = int(head["settings"]["side"]), int(head["settings"]["steps"])
    total = sum(len(row) for row in cells.values())
    options = "".join(
        f'<option value="layer-{i}">{html.escape(layer)} ({len(row)})</option>'
        for i, (layer, row) in enumerate(cells.items())
    )
    sections = "\n".join(
        _section(i, layer, layers[layer], row) for i, (layer, row) in enumerate(cells.items())
    )
    return whole_page(
        f"Atlas of {name}",
        f"""<p>{total} channels in {len(cells)} layers, from shallow to deep. Each picture started
from the same faint noise, {side} pixels wide. {steps} steps of gradient ascent then raised the
activation of one channel. The picture shows what that channel responds to most, not what it means.
Edges and colours come first, then textures, then parts and whole objects.</p>
<div class="bar needs-script" hidden>
<label>layer <select id="layer"><option value="">all</option>{options}</select></label>
<form id="find">
<label>channel <input id="channel" type="number" min="0" inputmode="numeric"></label>
<button>show</button></form>
<label>size <input id="size" type="range" min="48" max="256" step="16" value="96"></label>
<span id="told" role="status" aria-live="polite"></span>
</div>
<main>
{sections}
</main>
<dialog aria-label="One channel">
<img alt="" width="{side}" height="{side}">
<p aria-live="polite"></p>
<div><button id="before" title="left arrow">previous</button>
<button id="after" title="right arrow">next</button>
<button id="shut" title="Escape">close</button></div>
</dialog>""",
        BROWSING + _CHANNELS,
    )


def whole_page(title: str, body: str, script: str, style: str = "") -> str:
    """A page that fetches nothing, with the style of an atlas. The texts are escaped already."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{title}</title>
<style>{_STYLE}{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
<script>{script}</script>
</body>
</html>
"""


def _section(number: int, layer: str, info: Mapping[str, object], row: Sequence[Cell]) -> str:
    field = f"{info['field']} × {info['field']} pixels" if info["field"] else "the whole picture"
    part = "" if len(row) == info["channels"] else f"{len(row)} of "
    links = "\n".join(_link(number, cell, info["labels"]) for cell in row)
    return (
        f'<section id="layer-{number}" aria-labelledby="name-{number}">\n'
        f'<h2 id="name-{number}">{html.escape(layer)}</h2>\n'
        f"<p>{part}{info['channels']} channels; a cell sees {field}</p>\n"
        f'<div class="grid">\n{links}\n</div>\n</section>'
    )


def _link(number: int, cell: Cell, labels: Sequence[str]) -> str:
    channel, file, words, silent = cell
    label = labels[channel] if channel < len(labels) else channel
    mark = ' class="silent"' if silent else ""
    alt = html.escape(" ".join(words.split()))
    return (
        f'<a id="c{number}-{channel}" data-channel="{channel}" href="{html.escape(file)}"{mark}>'
        f'<img loading="lazy" src="{html.escape(file)}" alt="{alt}">{html.escape(str(label))}</a>'
    )
