"""Whether `torch.compile` makes a step faster: `python -m benchmarks.compiling [--repeats 7]`.

The network is cut off at the layer, traced and compiled; the first gradient, which compiles, is
timed too, and so is the first at another size, as a dream's octaves have them. It needs a C++
compiler.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import fx

import dreamkit as dk

from . import rivals

WORK = (("dreamnet", "inception4c", (192, 256)), ("googlenet", "inception4c", (288, 512)))


def cut(module: torch.nn.Module, layer: str) -> fx.GraphModule:
    """The network as a graph that ends at the layer."""

    class Tracer(fx.Tracer):
        def is_leaf_module(self, inner: torch.nn.Module, name: str) -> bool:
            return name == layer or super().is_leaf_module(inner, name)

    graph = Tracer().trace(module)
    last = next(node for node in graph.nodes if node.op == "call_module" and node.target == layer)
    graph.erase_node(next(node for node in graph.nodes if node.op == "output"))
    graph.output(last)
    whole = fx.GraphModule(module, graph)
    whole.graph.eliminate_dead_code()
    whole.recompile()
    return whole


def gradient_of(features: Callable, picture: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (rivals.MEAN, rivals.STD))
    picture = picture.detach().clone().requires_grad_(True)
    score = (
        features(((picture - mean) / std).contiguous(memory_format=torch.channels_last))
        .square()
        .mean()
    )
    return torch.autograd.grad(score, picture)[0]


def timed(function: Callable, *given: object) -> float:
    start = time.perf_counter()
    function(*given)
    return time.perf_counter() - start


def measure(network: str, layer: str, size: tuple[int, int], dynamic: bool, repeats: int) -> None:
    net = dk.as_network(rivals.module_of(network), rivals.MEAN, rivals.STD, device="cpu")
    large, small = (
        dk.resize(dk.sample("china"), side)
        for side in (size, (size[0] // 2 + 8, size[1] // 2 + 16))
    )
    score = dk.scorer(net, dk.layer(layer))
    torch._dynamo.reset()
    compiled = torch.compile(cut(net.module, layer), dynamic=dynamic)
    first, other = timed(gradient_of, compiled, large), timed(gradient_of, compiled, small)
    plain, fast = [], []
    dk.gradient(score, large)
    for _ in range(repeats):
        plain.append(timed(dk.gradient, score, large))
        fast.append(timed(gradient_of, compiled, large))
    ours, theirs = statistics.median(plain), statistics.median(fast)
    off = (dk.gradient(score, large) - gradient_of(compiled, large)).abs().max() / dk.gradient(
        score, large
    ).abs().max()
    pays = f"{(first + other) / (ours - theirs):.0f}" if theirs < ours else "never"
    work = f"{network}, `{layer}`, {size[0]}×{size[1]}"
    sizes = "any size" if dynamic else "each size"
    print(
        f"| {work} | {sizes} | {ours * 1e3:.0f} | {theirs * 1e3:.0f} | {first:.1f} | "
        f"{other:.1f} | {pays} | "
        f"{float(off):.0e} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", choices=[network for network, *_ in WORK])
    given = parser.parse_args()
    print(
        f"{time.strftime('%Y-%m-%d')}, {torch.backends.cpu.get_cpu_capability()}, "
        f"{torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, {given.repeats} repeats\n"
    )
    print(
        "| work | compiled for | ms a gradient | compiled | s the first | s the first of "
        "another size | pays after steps | differs by |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for job in WORK:
        for dynamic in (False, True):
            if given.only in (None, job[0]):
                measure(*job, dynamic, given.repeats)


if __name__ == "__main__":
    main()
