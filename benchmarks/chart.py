"""The results of `python -m benchmarks` as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from .turns import Times, ratio

OURS, THEIRS, BUSY = "#1b7837", "#9a9a9a", "#d98032"


def draw(
    found: Mapping[tuple, Mapping[str, Times]],
    beside: Mapping[tuple, Mapping[str, tuple[Times, Times]]],
    title: str,
    path: Path,
) -> None:
    """Bars: the milliseconds of a step by network and competitor, with ratios; then the busy ones.

    A competitor more than ten times slower than dreamkit is named, not drawn.
    """
    panels = len(found) + len(beside)
    figure = Figure((10, 1.6 + 1.7 * panels), layout="constrained")
    figure.suptitle(f"Milliseconds of one step\n{title}", fontsize=9)
    axes = figure.subplots(panels, squeeze=False)[:, 0]
    for axis, (job, times) in zip(axes, found.items(), strict=False):
        _network(axis, job, times)
    for axis, (job, times) in zip(axes[len(found) :], beside.items(), strict=True):
        _busy(axis, job, times)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """The figure as a picture of the path's kind, WebP too, which matplotlib does not write."""
    kept = io.BytesIO()
    figure.savefig(kept, format="png", dpi=130)
    Image.open(kept).convert("RGB").save(path, quality=90)


def _network(axis, job: tuple, times: Mapping[str, Times]) -> None:
    ours = times["dreamkit"]
    shown = {n: t for n, t in times.items() if t.median <= 10 * ours.median}
    bars = axis.barh(
        list(shown),
        [1e3 * t.median for t in shown.values()],
        xerr=[500 * t.spread * t.median for t in shown.values()],
        color=[OURS if name.startswith("dreamkit") else THEIRS for name in shown],
    )
    ratios = [ratio(t, ours) for t in shown.values()]
    axis.bar_label(bars, ["no ratio" if r is None else f"{r:.2f}×" for r in ratios], padding=6)
    slow = [f"{n} {t.median / ours.median:.0f}×" for n, t in times.items() if n not in shown]
    _finish(axis, job, f" (not drawn: {', '.join(slow)})" if slow else "")


def _busy(axis, job: tuple, times: Mapping[str, tuple[Times, Times]]) -> None:
    names = [f"{name}, {state}" for name in times for state in ("idle", "busy")]
    values = [1e3 * t.median for pair in times.values() for t in pair]
    bars = axis.barh(names, values, color=[OURS, BUSY] * len(times))
    axis.bar_label(bars, [f"{value:.0f}" for value in values], padding=6)
    _finish(axis, job, ": idle, and beside one busy process")


def _finish(axis, job: tuple, more: str) -> None:
    network, layer, (height, width) = job
    axis.set_title(f"{network}, {layer}, {height}×{width}{more}", fontsize=9, loc="left")
    axis.invert_yaxis()
    axis.margins(x=0.12)
    axis.spines[["top", "right"]].set_visible(False)
