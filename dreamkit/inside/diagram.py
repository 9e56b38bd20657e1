"""The diagram of a deconvnet: one stage on the way up, and the same stage on the way down.

After figure 1 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013).
"""

from __future__ import annotations

from itertools import pairwise

from IPython.display import Image as Shown
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ..show import chart

# (height, what happens on the way up, what happens on the way down), from the pixels on
STEPS = (
    (1.0, "convolve with the filters", "filter with the same\nfilters, transposed"),
    (2.2, "ReLU:\nnegative values become 0", "ReLU of the signal:\nnegative values become 0"),
    (
        3.4,
        "max-pool: keep the largest\nvalue of each window",
        "unpool: each value goes\nback to its maximum",
    ),
)
ENDS = (
    (0.0, "pixels, or the layer below", "signal for the layer below"),
    (4.6, "the layer above", "one activation is kept,\nall others are 0"),
)
UP, DOWN, WIDTH, HEIGHT = 0.0, 4.6, 2.7, 0.7
COLORS = {UP: "#d6e6f4", DOWN: "#fde0c5"}


def deconvnet_diagram() -> Shown:
    """The two ways through one stage of a network, as a JPEG with alt text."""
    figure = Figure(figsize=(9.6, 5.2), layout="constrained", dpi=110)
    axis = figure.subplots()
    for height, up, down in STEPS:
        _box(axis, UP, height, up)
        _box(axis, DOWN, height, down)
    for height, up, down in ENDS:
        for x, text in ((UP, up), (DOWN, down)):
            axis.text(x + WIDTH / 2, height + HEIGHT / 2, text, ha="center", va="center", size=10)
    for (low, *_), (top, *_) in pairwise((ENDS[0], *STEPS, ENDS[1])):
        _arrow(axis, (WIDTH / 2, low + HEIGHT), (WIDTH / 2, top), "#2b6ca3")
        _arrow(axis, (DOWN + WIDTH / 2, top), (DOWN + WIDTH / 2, low + HEIGHT), "#b85c12")
    _arrow(axis, (WIDTH, 3.75), (DOWN, 3.75), "#444444", dashed=True)
    axis.text((WIDTH + DOWN) / 2, 3.83, "switches: where\neach maximum was", ha="center", size=9)
    axis.text(
        (WIDTH + DOWN) / 2, 2.47, "nothing goes\nacross here", ha="center", size=9, color="#888888"
    )
    axis.set(xlim=(-0.2, DOWN + WIDTH + 0.2), ylim=(-0.1, 5.4))
    axis.axis("off")
    return chart(
        figure,
        "Two columns. On the way up: convolution, ReLU, max-pool. On the way down, from one kept "
        "activation: unpooling, ReLU, transposed filters. Only the switches of the max-pool go "
        "across from the way up to the way down.",
    )


def _box(axis: Axes, x: float, y: float, text: str) -> None:
    style = {"boxstyle": "round,pad=0,rounding_size=0.12", "ec": "#555555", "fc": COLORS[x]}
    axis.add_patch(FancyBboxPatch((x, y), WIDTH, HEIGHT, **style))
    axis.text(x + WIDTH / 2, y + HEIGHT / 2, text, ha="center", va="center", size=10)


def _arrow(
    axis: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    color: str,
    dashed: bool = False,
) -> None:
    line = {"arrowstyle": "->", "color": color, "lw": 1.8, "ls": "--" if dashed else "-"}
    axis.annotate("", end, start, arrowprops=line)
