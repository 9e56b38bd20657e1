"""Milliseconds of a step on a GPU: `python -m benchmarks.gpu [--device cuda]`.

dreamkit in float32 and bfloat16, the same step replayed as a CUDA graph, and the tutorials' loop,
in turn. `benchmarks/gpu.sh` runs it with all else that needs a GPU.
"""

import dreamkit as dk  # isort: skip  (before torch: it says how threads wait)
import argparse
import time
from collections.abc import Callable

import torch

from . import rivals
from .turns import WARM_UP, Times, ratio, told

WORK = (
    ("googlenet", "inception4c", (288, 512)),
    ("googlenet", "inception4c", (1080, 1920)),
    ("efficientnet_lite0", "block5c.expand", (288, 512)),
    ("efficientnet_lite0", "block5c.expand", (1080, 1920)),
)


def ours(network: str, layer: str, picture: torch.Tensor, precision: str) -> Callable:
    """One step on the picture's device."""
    net = rivals.our_network(network, precision, device=str(picture.device))
    score = dk.scorer(net, dk.layer(layer))
    return lambda: dk.ascend(picture, dk.normalize(dk.gradient(score, picture)), 0.01)


def replayed(network: str, layer: str, picture: torch.Tensor, precision: str) -> Callable:
    """The gradient as a CUDA graph. Raises ValueError if it is not that of the step."""
    net = rivals.our_network(network, precision, device=str(picture.device))
    score, leaf = dk.scorer(net, dk.layer(layer)), picture.clone().requires_grad_(True)
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(3):
            wanted = torch.autograd.grad(score(leaf), leaf)[0]
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        kept = torch.autograd.grad(score(leaf), leaf)[0]
    graph.replay()
    if torch.cosine_similarity(kept.flatten(), wanted.flatten(), dim=0) < 0.99:
        raise ValueError("the replayed gradient is another one")

    def step() -> torch.Tensor:
        graph.replay()
        return dk.ascend(picture, dk.normalize(kept), 0.01)

    return step


def tutorial(network: str, layer: str, picture: torch.Tensor) -> Callable:
    """The loop that tutorials write, on the picture's device."""
    module = rivals.module_of(network).to(picture.device)
    return rivals.tutorial_step(module, rivals.TIMM_NAMES.get(layer, layer), picture)


def seconds(step: Callable, device: torch.device) -> float:
    """Seconds of a step, the device's work with it."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    step()
    wait()
    return time.perf_counter() - start


def measure(job: tuple, device: torch.device, repeats: int) -> dict[str, Times]:
    """The times of each kind of step, which take turns."""
    network, layer, size = job
    picture = dk.resize(dk.sample("china"), size).to(device)
    steps = {
        "dreamkit": ours(network, layer, picture, "float32"),
        "dreamkit bfloat16": ours(network, layer, picture, "bfloat16"),
        "tutorial loop": tutorial(network, layer, picture),
    }
    if device.type == "cuda":
        steps["dreamkit, CUDA graph"] = replayed(network, layer, picture, "float32")
        steps["dreamkit bfloat16, CUDA graph"] = replayed(network, layer, picture, "bfloat16")
    found = {name: Times() for name in steps}
    for turn in range(WARM_UP + repeats):
        for name, step in steps.items():
            took = seconds(step, device)
            if turn >= WARM_UP:
                found[name].seconds.append(took)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", type=torch.device, default="cuda")
    parser.add_argument("--repeats", type=int, default=20)
    given = parser.parse_args()
    name = torch.cuda.get_device_name() if given.device.type == "cuda" else "CPU"
    print(f"{time.strftime('%Y-%m-%d')}, {name}, torch {torch.__version__}")
    for job in WORK:
        times = measure(job, given.device, given.repeats)
        print(f"\n### {job[0]}, `{job[1]}`, {job[2][0]}×{job[2][1]}\n")
        print("| | ms a step (median) | spread | times dreamkit's (float32) |\n|---|---|---|---|")
        for kind, found in times.items():
            times_ours = told(ratio(found, times["dreamkit"]))
            print(f"| {kind} | {found.median * 1e3:.1f} | {found.spread:.0%} | {times_ours} |")


if __name__ == "__main__":
    main()
