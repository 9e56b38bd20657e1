"""How much faster two workers are than one.

`python -m benchmarks.atlas [--network NAME] [--layers …] [-n CHANNELS] [--workers 2] [-o DIR]`.

The whole atlas of a network's suggested layers, by one worker of one thread and then by several;
both folders must hold the same bytes. Workers are started, and have torch loaded, before the clock
runs: the ratio is that of the work.
"""

import argparse
import hashlib
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import dreamkit as dk
from dreamkit.atlas.cluster import cluster
from dreamkit.networks.zoo import DEFAULT_NETWORK


def timed(network: dk.Network, folder: Path, workers: int, **which: object) -> float:
    """Seconds that the workers take for the atlas."""
    with cluster(workers) as client:
        client.run(lambda name: __import__("dreamkit").load_network(name), network.name)
        start = time.perf_counter()
        for done, total in dk.atlas.making(network, folder=folder, client=client, **which):
            print(
                f"\r{workers} worker{'s' * (workers > 1)}: {done} of {total} pictures, "
                f"{time.perf_counter() - start:.0f} s ",
                end="",
                file=sys.stderr,
                flush=True,
            )
        print(file=sys.stderr)
        return time.perf_counter() - start


def digest(folder: Path) -> str:
    """One sha256 over all files and their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(
        b"".join(str(p.relative_to(folder)).encode() + p.read_bytes() for p in files)
    ).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", default=DEFAULT_NETWORK)
    parser.add_argument("-n", type=int, help="only the first N channels of each layer")
    parser.add_argument("--layers", nargs="+", help="only these; else those that are suggested")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("-o", type=Path, help="keep the atlas here")
    options = parser.parse_args()
    network = dk.load_network(options.network, device="cpu")
    channels = None if options.n is None else list(range(options.n))
    which = {"layers": options.layers, "channels": channels}
    with tempfile.TemporaryDirectory() as place:
        one, many = Path(place) / "one", Path(place) / "many"
        alone = timed(network, one, 1, **which)
        together = timed(network, many, options.workers, **which)
        pictures = len(dk.atlas.open(one))
        if digest(one) != digest(many):
            sys.exit("the two atlases differ")
        if options.o:
            shutil.copytree(many, options.o)
    print(
        f"{pictures} pictures, {platform.processor() or platform.machine()}:\none worker "
        f"{alone:.1f} s ({alone / pictures:.2f} s each), "
        f"{options.workers} workers {together:.1f} s; {alone / together:.2f} times as "
        "fast; the same bytes"
    )


if __name__ == "__main__":
    main()
