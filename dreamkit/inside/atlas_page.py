"""The HTML page of an activation atlas: its pictures at their places, to browse like a map."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import NamedTuple

from ..atlas.page import BROWSING, whole_page

PICTURES = "pictures"  # the folder beside the page that holds them


class Spot(NamedTuple):
    """A cell of a photo's feature map: the photo's name, its place from 0, and the map's size."""

    photo: str
    row: int
    column: int
    rows: int
    columns: int


# (row, column), the picture's file, the number of cells there, and the spots nearest to their mean
Square = tuple[Sequence[int], str, int, Sequence[Spot]]

# In the plane's own directions; an empty square is jumped over.
_PLANE = """
const WAYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const place = link => [+link.dataset.row, +link.dataset.column];
function neighbour(link, [down, right]) {
  const [row, column] = place(link);
  let found = null, least = Infinity;
  for (const other of links) {
    const rows = place(other)[0] - row, columns = place(other)[1] - column;
    const along = rows * down + columns * right, across = Math.abs(rows * right + columns * down);
    if (along > 0 && along + 3 * across < least) { found = other; least = along + 3 * across; }
  }
  return found;
}
document.addEventListener('keydown', event => {
  const link = box.open ? links[current] : document.activeElement;
  if (!WAYS[event.key] || !links.includes(link)) return;
  event.preventDefault();
  const next = neighbour(link, WAYS[event.key]);
  if (next) { if (box.open) show(next); else next.focus(); }
});
"""

_MAP = """
.plane { width: max-content; grid-template-columns: none; grid-auto-columns: var(--size) }
.plane a { overflow: hidden; white-space: nowrap; text-overflow: ellipsis }
main { overflow-x: auto }
"""


def atlas_page(title: str, layer: str, squares: Sequence[Square]) -> str:
    """The page as text. `title`, the layer and the names of photos may be any text.

    >>> nearest = [Spot("cat", 2, 4, 8, 8)]
    >>> "&lt;b&gt;" in atlas_page("<b>", "conv1", [((0, 1), "0-1.png", 3, nearest)])
    True
    """
    cells = sum(count for _, _, count, _ in squares)
    links = "\n".join(_link(*square) for square in squares)
    body = f"""<p>{cells} cells of photos, as the layer {html.escape(layer)} sees them. Each picture
was grown from noise; it shows what the layer responds to in the direction of the mean of the cells
that lie there. Neighbours are alike; far distances mean nothing, and an empty place is no gap in
what the network knows. Under a picture stands how many cells lie there, and the photo of the
nearest one. Rows and columns of photos count cells of the layer's map, from 0.
<a href="atlas.png">All in one picture</a></p>
<div class="bar needs-script" hidden>
<label>size <input id="size" type="range" min="48" max="256" step="16" value="96"></label>
<span>click, or Tab and the arrow keys</span>
</div>
<main>
<div class="grid plane">
{links}
</div>
</main>
<dialog aria-label="One square">
<img alt="">
<p aria-live="polite"></p>
<div><button id="shut" title="Escape">close</button></div>
</dialog>"""
    return whole_page(html.escape(title), body, BROWSING + _PLANE, _MAP)


def _link(place: Sequence[int], file: str, count: int, nearest: Sequence[Spot]) -> str:
    row, column = place
    spots = "; ".join(
        f"{spot.photo}, row {spot.row} of {spot.rows}, column {spot.column} of {spot.columns}"
        for spot in nearest
    )
    words = f"row {row}, column {column}: {count} cell{'s' if count > 1 else ''}"
    words = html.escape(" ".join(f"{words}{'; nearest: ' if spots else ''}{spots}".split()))
    short = html.escape(" · ".join([str(count), *(spot.photo for spot in nearest[:1])]))
    href = html.escape(f"{PICTURES}/{file}")
    return (
        f'<a id="s{row}-{column}" data-row="{row}" data-column="{column}" href="{href}" '
        f'title="{words}" style="grid-row: {row + 1}; grid-column: {column + 1}">'
        f'<img loading="lazy" src="{href}" alt="{words}">{short}</a>'
    )
