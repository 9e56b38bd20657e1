"""What `import dreamkit` costs beyond torch: `python -m benchmarks.importing [--repeats 15]`.

Fresh processes take turns, torch alone in one and both in the other; each tells the time from
before torch to the end of its imports. All have their modules compiled already (.pyc), as after the
first import of an installed package.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

WHAT = {"torch": "import torch", "torch and dreamkit": "import torch, dreamkit"}
CLOCK = "import time; start = time.perf_counter()\n{}\nprint(time.perf_counter() - start)"
INSIDE = (
    "import time, torch; start = time.perf_counter()\nimport dreamkit\n"
    "print(time.perf_counter() - start)"
)


def seconds(code: str, cache: str) -> float:
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    } | {"PYTHONPYCACHEPREFIX": cache}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return float(result.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    codes = {name: CLOCK.format(code) for name, code in WHAT.items()} | {
        "dreamkit, with torch there": INSIDE
    }
    found = {name: [] for name in codes}
    with (
        tempfile.TemporaryDirectory() as cache
    ):  # of compiled modules, as an installed package has them
        for code in codes.values():
            seconds(code, cache)
        for _ in range(repeats):
            for name, code in codes.items():
                found[name].append(1e3 * seconds(code, cache))
    print(
        f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, Python "
        f"{platform.python_version()}, {repeats} repeats\n"
    )
    print("| import | ms (median) | spread |\n|---|---|---|")
    for name, times in found.items():
        print(f"| {name} | {statistics.median(times):.0f} | {min(times):.0f} to {max(times):.0f} |")
    torch, both, _ = (statistics.median(times) for times in found.values())
    print(
        f"\nBeyond torch: {both - torch:.0f} ms as the difference of the two medians, "
        f"{statistics.median(found['dreamkit, with torch there']):.0f} ms measured in one process."
    )


if __name__ == "__main__":
    main()
