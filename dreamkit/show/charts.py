"""Charts for notebooks, with alt text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from IPython.display import Image as Shown
from matplotlib.figure import Figure

from .shown import chart


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x: str,
    y: str,
    alt: str,
    log: str = "",
    marker: str = "o",
    dashed: Sequence[str] = (),
) -> Shown:
    """Curves {name: (x values, y values)} in one chart, with a legend.

    Args:
        x, y: the labels of the axes.
        log: the axes with a logarithmic scale: "x", "y", "xy" or "".
        marker: matplotlib's mark of each value; "" for none.
        dashed: the names of the curves that are drawn as dashed lines without marks.
    """
    figure = Figure(figsize=(6.8, 3.6), layout="constrained")
    axis = figure.subplots()
    for name, (along, up) in series.items():
        line = {"ls": "--"} if name in dashed else {"marker": marker, "ms": 4}
        axis.plot(along, up, label=name, **line)
    axis.set(xlabel=x, ylabel=y)
    for name in log:  # a linear scale is not set: it would turn names of categories into numbers
        axis.set(**{f"{name}scale": "log"})
    if len(series) > 1:
        axis.legend(fontsize=8)
    return chart(figure, alt)


def bars(values: Mapping[str, Sequence[float]], x: str, alt: str) -> Shown:
    """Means as horizontal bars {name: values}, and each value as a dot, which shows the spread."""
    figure = Figure(figsize=(7.2, 0.6 + 0.34 * len(values)), layout="constrained")
    axis = figure.subplots()
    for row, group in enumerate(values.values()):
        axis.barh(row, sum(group) / len(group), color="#9ecae1")
        axis.plot(list(group), [row] * len(group), "o", color="#08519c", ms=3.5)
    axis.set_yticks(range(len(values)), list(values))
    axis.invert_yaxis()
    axis.set(xlabel=x)
    return chart(figure, alt)


def lines(
    series: Mapping[str, Sequence],
    x: Sequence[object],
    alt: str,
    chance: float | None = None,
    **axis,
) -> Shown:
    """A chart of lines over `x`, a legend and alt text.

    Args:
        series: {label: values}, one value for each of `x`; for several runs a list of such lists,
            shown by their mean and a band from the lowest to the highest.
        chance: a dotted line at what chance gives.
        axis: what matplotlib's `Axes.set` takes: xlabel, ylabel, title, ylim, yscale.
    """
    figure = Figure(figsize=(8.2, 3.4), layout="constrained", dpi=110)
    plot = figure.subplots()
    for (label, values), mark in zip(series.items(), "os^Dv" * len(series), strict=False):
        runs = torch.atleast_2d(torch.as_tensor(values, dtype=torch.float64))  # [runs, x]
        (line,) = plot.plot(list(x), runs.mean(0), marker=mark, label=label)
        if len(runs) > 1:
            band = {"alpha": 0.2, "color": line.get_color()}
            plot.fill_between(list(x), runs.amin(0), runs.amax(0), **band)
    if chance is not None:
        plot.axhline(chance, color="grey", linestyle=":", label="chance")
    plot.set(**axis)
    plot.tick_params(axis="x", rotation=20 if isinstance(x[0], str) else 0)
    plot.legend(fontsize=9)
    return chart(figure, alt)
