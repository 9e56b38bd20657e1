"""Where the time of a step goes, as a flame chart: `python -m benchmarks.flame -o flame.webp`.

One step of GoogLeNet and one of EfficientNet-Lite0, 288×512: time runs to the right; the first row
has the parts of a step, the second the network's blocks, the third PyTorch's operations. It is one
warm step with PyTorch's profiler on, which makes it a little slower.
"""

import dreamkit as dk  # isort: skip  (before torch: it says how threads wait)
import argparse
import contextlib
import platform
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch.profiler import ProfilerActivity, profile, record_function

from . import chart, rivals

WORK = (("googlenet", "inception4c"), ("efficientnet_lite0", "block5c.expand"))
SIZE = (288, 512)
COLORS = {
    "convolution": "#4575b4",
    "pooling": "#1b7837",
    "ReLU": "#d98032",
    "joining and copying": "#8c6bb1",
    "other": "#bdbdbd",
}
KINDS = (
    ("conv", "convolution"),
    ("pool", "pooling"),
    ("hardtanh", "ReLU"),
    ("relu", "ReLU"),
    ("threshold", "ReLU"),
    ("clamp", "ReLU"),
    ("cat", "joining and copying"),
    ("copy", "joining and copying"),
    ("pad", "joining and copying"),
    ("fill", "joining and copying"),
    ("slice", "joining and copying"),
    ("add", "joining and copying"),
)
Bar = tuple[float, float, int, str, str]  # start [ms], length [ms], row, kind, text


def kind_of(name: str) -> str:
    """The kind of one of PyTorch's operations."""
    return next((kind for part, kind in KINDS if part in name.lower()), "other")


@contextlib.contextmanager
def marked(module: torch.nn.Module) -> Iterator[None]:
    """The network's blocks appear in the profile, forward by name."""
    open_marks: dict[str, record_function] = {}

    def enter(name: str):
        def hook(*_: object) -> None:
            open_marks[name] = record_function(f"block:{name}")
            open_marks[name].__enter__()

        return hook

    def leave(name: str):
        return lambda *_: open_marks.pop(name).__exit__(None, None, None)

    handles = []
    for name, block in module.named_children():
        handles.append(block.register_forward_pre_hook(enter(name)))
        handles.append(block.register_forward_hook(leave(name)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for mark in open_marks.values():  # of a block in which the network was left
            mark.__exit__(None, None, None)


def bars(network: dk.Network, layer: str, picture: dk.Image) -> tuple[list[Bar], float]:
    """The bars of one step, and its milliseconds."""
    score = dk.scorer(network, dk.layer(layer))

    def step() -> None:
        leaf = picture.detach().requires_grad_(True)
        with record_function("part:forward"):
            value = score(leaf)
        with record_function("part:backward"):
            uphill = torch.autograd.grad(value, leaf)[0]
        with record_function("part:normalise, ascend"):
            dk.ascend(picture, dk.normalize(uphill), 0.01)

    for _ in range(4):
        step()
    with profile(activities=[ProfilerActivity.CPU]) as found, marked(network.module):
        step()
    events = sorted(found.events(), key=lambda e: e.time_range.start)
    start = next(e for e in events if e.name.startswith("part:")).time_range.start
    made = []
    block_of: dict[int, str] = {}  # the sequence number of a forward operation: its block
    for event in events:
        span = event.time_range
        at, length = (span.start - start) / 1e3, (span.end - span.start) / 1e3
        kind, _, text = event.name.partition(":")
        if kind in ("part", "block"):
            made.append((at, length, 0 if kind == "part" else 1, "other", text))
            continue
        block = _inside(event, "block:")
        if event.name.startswith("autograd::engine"):
            if name := block_of.get(event.sequence_nr):
                made.append((at, length, 1, "other", name))
        elif block and event.sequence_nr >= 0:
            block_of[event.sequence_nr] = block
        if event.name.startswith("aten::") and not any(
            child.name.startswith("aten::") and child.cpu_time_total > 0.5 * length * 1e3
            for child in event.cpu_children
        ):
            made.append((at, length, 2, kind_of(event.name), event.name[6:]))
    last = max(at + length for at, length, row, *_ in made if row == 0)
    return [bar for bar in made if bar[0] >= 0], last


def _inside(event: object, prefix: str) -> str:
    while event is not None:
        if event.name.startswith(prefix):
            return event.name[len(prefix) :]
        event = event.cpu_parent
    return ""


def merged(made: list[Bar], gap: float = 0.3) -> list[Bar]:
    """Neighbouring bars of one row with the same text become one."""
    rows: dict[int, list[Bar]] = defaultdict(list)
    for bar in sorted(made):
        row = rows[bar[2]]
        if row and row[-1][4] == bar[4] and bar[0] - (row[-1][0] + row[-1][1]) < gap:
            at, _, number, kind, text = row[-1]
            row[-1] = (at, bar[0] + bar[1] - at, number, kind, text)
        else:
            row.append(bar)
    return [bar for row in rows.values() for bar in row]


def draw(charts: dict[str, tuple[list[Bar], float]], title: str, path: Path) -> None:
    """One axis a network, three rows each; text only where it fits."""
    figure = Figure((14, 0.9 + 2.1 * len(charts)), layout="constrained")
    figure.suptitle(title, fontsize=9)
    axes = figure.subplots(len(charts), squeeze=False)[:, 0]
    for axis, (name, (made, length)) in zip(axes, charts.items(), strict=True):
        coarse = merged([bar for bar in made if bar[2] < 2])
        for at, wide, row, kind, text in (*coarse, *(bar for bar in made if bar[2] == 2)):
            color = COLORS[kind] if row == 2 else ("#e8e8e8" if row == 0 else "#d6e3f0")
            axis.add_patch(Rectangle((at, -row - 0.9), wide, 0.9, color=color, ec="white", lw=0.4))
            if row < 2 and wide > 0.0065 * length * len(text):
                axis.text(at + wide / 2, -row - 0.45, text, ha="center", va="center", fontsize=7)
        totals = defaultdict(float)
        for _, wide, row, kind, _ in made:
            totals[kind] += wide if row == 2 else 0
        shares = ", ".join(f"{k} {v / length:.0%}" for k, v in totals.items() if v > 0)
        axis.set_title(f"{name}: one step of {length:.0f} ms; {shares}", fontsize=9, loc="left")
        axis.set(xlim=(0, length), ylim=(-3, 0), yticks=[], xlabel="milliseconds")
        axis.spines[["top", "left", "right"]].set_visible(False)
    handles = [Rectangle((0, 0), 1, 1, color=color) for color in COLORS.values()]
    figure.legend(handles, list(COLORS), loc="outside lower center", ncols=5, fontsize=8)
    chart.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    picture, charts = dk.resize(dk.sample("china"), SIZE), {}
    for name, layer in WORK:
        network = rivals.our_network(name)
        charts[f"{name}, {layer}, {SIZE[0]}×{SIZE[1]}"] = bars(network, layer, picture)
    machine = f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads"
    draw(charts, f"{time.strftime('%Y-%m-%d')}, {machine}, torch {torch.__version__}", given.output)


if __name__ == "__main__":
    main()
