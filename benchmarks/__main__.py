"""Speed and memory side by side: `uv run --group bench python -m benchmarks [--quick]`.

Each competitor takes whole steps (gradient and ascent) on the same torchvision architecture with
random weights, at the same layer and picture size, in a process of its own each; they take turns,
so that whatever else the machine does falls on all alike.
"""

import argparse
import ctypes
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import torch

from . import rivals

WORK = (
    ("googlenet", "inception4c", (288, 512)),
    ("vgg16", "features.22", (224, 224)),
    ("resnet50", "layer3.5", (224, 224)),
    ("inception_v3", "Mixed_6c", (288, 512)),
    ("dreamnet", "inception4c", (192, 256)),
)
QUICK = (("googlenet", "inception4c", (144, 256)), ("dreamnet", "inception4c", (96, 128)))
SIDES = (256, 512, 1024, 2048)
PATIENCE = 2.0  # seconds: what takes longer is timed once
PEAK_SHAPES = (
    (64, 64, 3, 112),
    (128, 128, 3, 56),
    (256, 256, 3, 28),
    (512, 512, 3, 14),
    (512, 256, 1, 28),
)  # in, out, kernel, side


def seconds(step, count: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - start) / count


class Competitor:
    """A competitor in a process of its own, with its own memory and threads."""

    def __init__(self, name: str, *job, **environment: str):
        command = [
            sys.executable,
            "-m",
            "benchmarks",
            "--threads",
            str(torch.get_num_threads()),
            "--serve",
            json.dumps([name, *job]),
        ]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
        self.trouble = json.loads(self.process.stdout.readline())  # why it cannot compete, if so

    def __call__(self) -> float:
        """Seconds of a step."""
        print(file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        with self.process:
            self.process.stdin.close()


def serve(name: str, network: str, layer: str, size: list[int]) -> None:
    """The other side of Competitor: for each line read, one step and its seconds."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    try:
        step, trouble = rivals.step(name, network, layer, tuple(size)), ""
    except (ImportError, ValueError) as error:
        step, trouble = None, str(error)
    print(json.dumps(trouble), file=answers, flush=True)
    for _ in sys.stdin if step else ():
        print(json.dumps(seconds(step)), file=answers, flush=True)


def turns(
    competitors: dict[str, Competitor], repeats: int, patience: float = PATIENCE
) -> dict[str, list[float]]:
    """Seconds of the steps of each competitor, which take turns.

    A first step counts only if it takes longer than `patience`.
    """
    first = {name: take() for name, take in competitors.items()}
    found = {name: [took] if took > patience else [] for name, took in first.items()}
    for _ in range(repeats):
        for name, take in competitors.items():
            if first[name] <= patience:
                take()  # after another's turn the processor's caches hold nothing of this one
                found[name].append(take())
    return found


def best_rate(dtype: torch.dtype, repeats: int, sides: tuple[int, ...] = (1024, 2048)) -> float:
    """The best rate [FLOP/s] that any one large convolution or matrix product reaches here."""
    rates = []
    for inputs, outputs, kernel, side in PEAK_SHAPES:
        picture = (
            torch.randn(1, inputs, side, side)
            .to(dtype)
            .contiguous(memory_format=torch.channels_last)
        )
        weight = (
            torch.randn(outputs, inputs, kernel, kernel)
            .to(dtype)
            .contiguous(memory_format=torch.channels_last)
        )
        work = lambda picture=picture, weight=weight, pad=kernel // 2: torch.conv2d(
            picture, weight, padding=pad
        )
        rates.append(2 * outputs * inputs * kernel**2 * side**2 / quickest(work, repeats))
    for n in sides:
        if 2 * n**3 > PATIENCE * max(
            rates
        ):  # arithmetic that this machine emulates would take minutes
            break
        a, b = torch.randn(n, n).to(dtype), torch.randn(n, n).to(dtype)
        rates.append(2 * n**3 / quickest(lambda a=a, b=b: a @ b, repeats))
        if rates[-1] < 0.1 * max(rates):
            break
    return max(rates)


def quickest(work, repeats: int) -> float:
    """Seconds of the quickest of several runs.

    A first run counts only if it takes longer than PATIENCE.
    """
    found = [seconds(work)]
    while len(found) <= repeats and found[0] < PATIENCE:
        found.append(seconds(work))
    return min(found)


def peak_memory(name: str, job: tuple) -> tuple[int, int]:
    """The peak memory of a competitor's process in MiB: (all of it, what the steps added)."""
    command = [sys.executable, "-m", "benchmarks", "--memory-of", json.dumps([name, *job])]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    whole, added = json.loads(result.stdout.splitlines()[-1])
    return whole, added


def tell_memory(name: str, network: str, layer: str, size: list[int]) -> None:
    step = rivals.step(name, network, layer, tuple(size))
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(
        0
    )  # what making the network left behind would else hide what steps take
    before, making = _memory("VmRSS"), _memory("VmHWM")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # forgets the peak so far: making the network is no step's
    for _ in range(3):
        step()
    peak = _memory("VmHWM")
    print(json.dumps([max(making, peak), peak - before]))


def _memory(field: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith(field))


def table(job: tuple, repeats: int, rates: dict[str, float], memory: bool) -> None:
    network, layer, size = job
    entered = {name: Competitor(name, *job) for name in rivals.NAMES}
    times = turns({name: one for name, one in entered.items() if not one.trouble}, repeats)
    for one in entered.values():
        one.close()
    flops = rivals.flops(network, layer, size)
    print(f"\n### {network}, `{layer}`, {size[0]}×{size[1]}: {flops / 1e9:.1f} GFLOP a step\n")
    print(
        "| | ms a step (median) | spread | times dreamkit's (float32) | share of the peak "
        "| MiB at the peak | of it the steps' |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, found in times.items():
        median = statistics.median(found)
        ratio = statistics.median(a / b for a, b in zip(found, times["dreamkit"], strict=False))
        share = flops / median / rates["bfloat16" if "bfloat16" in name else "float32"]
        whole, added = peak_memory(name, job) if memory else ("", "")
        print(
            f"| {name} | {median * 1e3:.0f} | {min(found) * 1e3:.0f} to "
            f"{max(found) * 1e3:.0f} | {ratio:.2f} | {share:.0%} | {whole} | "
            f"{added} |",
            flush=True,
        )
    for name, one in entered.items():
        if one.trouble:
            print(f"\nLeft out: {name}: {one.trouble}")


def growth(repeats: int) -> None:
    """How the time of a step grows: the power of the number of pixels.

    By least squares on logarithms, with freed memory kept and without.
    """
    print("\n### Growth: dreamnet, `inception4c`\n")
    pixels = torch.tensor([float(side) for side in SIDES]).square().log()
    for setting, keep in (("Freed memory kept", "1"), ("Not kept", "0")):
        sizes = {
            side: Competitor(
                "dreamkit", "dreamnet", "inception4c", (side, side), DREAMKIT_KEEP_MEMORY=keep
            )
            for side in SIDES
        }
        times = turns(sizes, repeats, patience=60)
        for one in sizes.values():
            one.close()
        logs = torch.tensor([statistics.median(found) for found in times.values()]).log()
        power = float(
            ((pixels - pixels.mean()) * (logs - logs.mean())).sum()
            / (pixels - pixels.mean()).square().sum()
        )
        print(
            f"{setting}: "
            + ", ".join(
                f"{side}² {statistics.median(found) * 1e3:.0f} ms" for side, found in times.items()
            )
            + f"; time grows with pixels to the power {power:.2f}\n",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5, help="timed steps of each competitor")
    parser.add_argument(
        "--quick", action="store_true", help="small pictures, no memory: to see that all runs"
    )
    parser.add_argument(
        "--only", choices=[*(job[0] for job in WORK), "growth"], help="one network, or only growth"
    )
    parser.add_argument(
        "--threads", type=int, default=0, help="torch's threads; 0: as torch chooses"
    )
    parser.add_argument("--memory-of", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--serve", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    if given.memory_of:
        return tell_memory(*given.memory_of)
    if given.serve:
        return serve(*given.serve)
    print(
        f"{time.strftime('%Y-%m-%d')}, {platform.processor() or platform.machine()}, "
        f"{torch.backends.cpu.get_cpu_capability()}, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, {given.repeats} repeats"
    )
    sides = (512,) if given.quick else (1024, 2048)
    rates = {
        name: best_rate(getattr(torch, name), given.repeats, sides)
        for name in ("float32", "bfloat16")
    }
    print(
        "best rate of one large convolution or matrix product:",
        ", ".join(f"{n} {r / 1e9:.0f} GFLOP/s" for n, r in rates.items()),
    )
    for job in QUICK if given.quick else WORK:
        if given.only in (None, job[0]):
            table(job, given.repeats, rates, memory=not given.quick)
    if given.only == "growth" or (not given.quick and not given.only):
        growth(given.repeats)


if __name__ == "__main__":
    main()
