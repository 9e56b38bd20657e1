"""Speed and memory side by side: `uv run --group bench python -m benchmarks [--quick]`.

Each competitor takes whole steps (gradient and ascent) on the same architecture, at the same layer
and picture size, in a process of its own each; they take turns, so that whatever else the machine
does falls on all alike. No time of a cold step counts, and where the times of a competitor spread
over more than a third of their median there is no ratio.
"""

import dreamkit  # isort: skip  (before torch: it says how threads wait)
import argparse
import functools
import json
import platform
import statistics
import time
from pathlib import Path

import torch

from . import chart, memory, peak, rivals
from .turns import Competitor, Machine, Times, a_busy_process, ratio, serve, told, turns

WORK = (
    ("googlenet", "inception4c", (288, 512)),
    ("efficientnet_lite0", "block5c.expand", (288, 512)),
    ("vgg16", "features.22", (224, 224)),
    ("resnet50", "layer3.5", (224, 224)),
    ("inception_v3", "Mixed_6c", (288, 512)),
    ("dreamnet", "inception4c", (192, 256)),
)
QUICK = (
    ("googlenet", "inception4c", (144, 256)),
    ("efficientnet_lite0", "block5c.expand", (96, 128)),
)
GROWING = (("efficientnet_lite0", "block5c.expand"), ("dreamnet", "inception4c"))
SIDES = (256, 512, 1024, 2048)
BUSY = ("dreamkit", "tutorial loop")


def competitors(job: tuple, names: tuple[str, ...]) -> dict[str, Competitor]:
    threads = torch.get_num_threads()
    return {name: Competitor(name, *job, threads=threads) for name in names}


def close(entered: dict[str, Competitor]) -> None:
    for one in entered.values():
        one.close()
    for name, one in entered.items():
        if one.trouble:
            print(f"\nLeft out: {name}: {one.trouble}")


def able(entered: dict[str, Competitor]) -> dict[str, Competitor]:
    return {name: one for name, one in entered.items() if not one.trouble}


def table(job: tuple, repeats: int, rates: dict[str, float], with_memory: bool) -> dict[str, Times]:
    """One network: the rows of its competitors."""
    network, layer, size = job
    entered, machine = competitors(job, rivals.NAMES), Machine()
    times = turns(able(entered), repeats)
    load, flops = machine.told(), rivals.flops(network, layer, size)
    print(f"\n### {network}, `{layer}`, {size[0]}×{size[1]}: {flops / 1e9:.1f} GFLOP a step\n")
    print(
        "| | ms a step (median) | spread | times dreamkit's (float32) | share of the peak "
        "| MiB at the peak | of it the steps' |\n|---|---|---|---|---|---|---|"
    )
    for name, found in times.items():
        share = flops / found.median / rates["bfloat16" if "bfloat16" in name else "float32"]
        whole, added = memory.peak(name, job) if with_memory else ("", "")
        print(
            f"| {name} | {found.median * 1e3:.0f} | {found.spread:.0%} | "
            f"{told(ratio(found, times['dreamkit']))} | {share:.0%} | {whole} | {added} |",
            flush=True,
        )
    close(entered)
    print(f"\nMeanwhile {load}.")
    return times


def busy(job: tuple, repeats: int) -> dict[str, tuple[Times, Times]]:
    """A step on a machine that is idle but for it, and beside one process that never rests."""
    network, layer, size = job
    print(f"\n### Beside one busy process: {network}, `{layer}`, {size[0]}×{size[1]}\n")
    entered = competitors(job, BUSY)
    idle, beside = {name: Times() for name in BUSY}, {name: Times() for name in BUSY}
    for _ in range(2):  # in turn, as all else
        for name, found in turns(able(entered), repeats).items():
            idle[name].seconds += found.seconds
        with a_busy_process():
            for name, found in turns(able(entered), repeats).items():
                beside[name].seconds += found.seconds
    close(entered)
    print("| | idle, ms | busy, ms | busy / idle (medians) |\n|---|---|---|---|")
    for name in able(entered):
        one, other = idle[name], beside[name]
        print(
            f"| {name} | {_range(one)} | {_range(other)} | {other.median / one.median:.1f} |",
            flush=True,
        )
    return {name: (idle[name], beside[name]) for name in able(entered)}


def _range(found: Times) -> str:
    low, high = min(found.seconds), max(found.seconds)
    return f"{1e3 * found.median:.0f} ({1e3 * low:.0f} to {1e3 * high:.0f})"


def growth(network: str, layer: str, repeats: int) -> None:
    """How the time of a step grows: the power of the number of pixels.

    By least squares on logarithms, with freed memory kept and without.
    """
    print(f"\n### Growth: {network}, `{layer}`\n")
    pixels = [2 * torch.tensor(float(side)).log().item() for side in SIDES]
    for setting, keep in (("Freed memory kept", "1"), ("Not kept", "0")):
        sizes = {
            side: Competitor(
                "dreamkit",
                network,
                layer,
                (side, side),
                threads=torch.get_num_threads(),
                DREAMKIT_KEEP_MEMORY=keep,
            )
            for side in SIDES
        }
        times = turns(sizes, repeats)
        close(sizes)
        logs = [torch.tensor(found.median).log().item() for found in times.values()]
        power = statistics.linear_regression(pixels, logs).slope
        each = ", ".join(f"{side}² {found}" for side, found in times.items())
        print(f"{setting}: {each}; time grows with pixels to the power {power:.2f}\n", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--repeats", type=int, default=9, help="timed steps of each competitor")
    add("--quick", action="store_true", help="small pictures, no memory: to see that all runs")
    add(
        "--only",
        choices=[*(job[0] for job in WORK), "busy", "growth"],
        help="one network, the busy machine, or only growth",
    )
    add("--threads", type=int, default=0, help="torch's threads; 0: as torch chooses")
    add("-o", "--output", type=Path, help="draw the results into this picture")
    add("--memory-of", type=json.loads, help=argparse.SUPPRESS)
    add("--serve", type=json.loads, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    given = arguments()
    if given.threads:
        torch.set_num_threads(given.threads)
    if given.memory_of:
        return memory.tell(rivals.step(*given.memory_of))
    if given.serve:
        return serve(functools.partial(rivals.step, *given.serve))
    machine, jobs = Machine(), QUICK if given.quick else WORK
    title = (
        f"{time.strftime('%Y-%m-%d')}, {platform.processor() or platform.machine()}, "
        f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, dreamkit {dreamkit.__version__}, {given.repeats} repeats"
    )
    print(title)
    sides = (512,) if given.quick else (1024, 2048)
    rates = {
        name: peak.best_rate(getattr(torch, name), given.repeats, sides)
        for name in ("float32", "bfloat16")
    }
    best = ", ".join(f"{n} {r / 1e9:.0f} GFLOP/s" for n, r in rates.items())
    print(f"best rate of one large convolution or matrix product: {best}")
    print(f"a copy reads and writes {peak.bandwidth(given.repeats) / 1e9:.0f} GB/s")
    wanted = lambda name: given.only in (None, name)
    found = {
        job: table(job, given.repeats, rates, not given.quick) for job in jobs if wanted(job[0])
    }
    beside = {job: busy(job, given.repeats) for job in jobs[:2] if wanted("busy")}
    if wanted("growth") and not given.quick:
        for network, layer in GROWING:
            growth(network, layer, given.repeats)
    print(f"\nIn all, {machine.told()}.")
    if given.output:
        chart.draw(found, beside, title, given.output)


if __name__ == "__main__":
    main()
