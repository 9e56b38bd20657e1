"""Feature maps through onnxruntime and torch: `python -m benchmarks.onnx [--size 192 256]`.

dreamnet as far as each of three layers, exported by `dk.onnx.export`. The two take turns, so that
whatever else the machine does falls on both alike; a ratio is that of the medians. Agreement is the
largest difference, as a share of the largest value.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

import dreamkit as dk

DEPTHS = (0.2, 0.5, 0.9)


def seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure(
    network: dk.Network, layers: list[str], picture: dk.Image, repeats: int, threads: int
) -> Iterator[tuple[str, float, float, float]]:
    """For each layer (layer, seconds of torch, seconds of onnxruntime, difference).

    Each run ends at its layer.
    """
    with tempfile.TemporaryDirectory() as folder:
        for layer in layers:
            file = Path(folder) / "layer.onnx"
            dk.onnx.export(network, [layer], file)
            session = dk.onnx.FeatureSession(file, threads=threads)
            ours, theirs = dk.capture(network, picture, layer)[layer], session(picture)[layer]
            off = float((ours - theirs).abs().max() / ours.abs().max())
            by_torch = partial(dk.capture, network, picture, layer)
            by_onnx = partial(session, picture)
            turns = [(seconds(by_torch), seconds(by_onnx)) for _ in range(repeats)]
            torchs, onnxs = (statistics.median(column) for column in zip(*turns, strict=True))
            yield layer, torchs, onnxs, off


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", default="dreamnet")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of both")
    parser.add_argument("--size", type=int, nargs=2, default=(192, 256), metavar=("H", "W"))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    network = dk.load_network(given.network)
    picture = dk.resize(dk.sample("china", 256), tuple(given.size))
    layers = list(dict.fromkeys(dk.layer_at(network, depth) for depth in DEPTHS))
    print(
        f"{network.name}, {given.size[0]}×{given.size[1]}, {given.threads} thread(s), "
        f"torch {torch.__version__}, {platform.machine()}"
    )
    print(
        "| layer | torch | onnxruntime | torch / onnxruntime | largest difference / "
        "largest value |\n|---|---|---|---|---|"
    )
    for layer, torchs, onnxs, off in measure(
        network, layers, picture, given.repeats, given.threads
    ):
        print(
            f"| `{layer}` | {1000 * torchs:.1f} ms | {1000 * onnxs:.1f} ms | "
            f"{torchs / onnxs:.2f} | {off:.1e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
