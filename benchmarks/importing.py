"""What `import dreamkit` costs beyond importing torch: `python -m benchmarks.importing [--repeats 15]`.

Fresh processes take turns, torch alone in one and both in the other; each tells the time from before torch to the end of its imports.
"""

import argparse
import platform
import statistics
import subprocess
import sys
import time

WHAT = {"torch": "import torch", "torch and dreamkit": "import torch, dreamkit"}
CLOCK = "import time; start = time.perf_counter()\n{}\nprint(time.perf_counter() - start)"
INSIDE = "import time, torch; start = time.perf_counter()\nimport dreamkit\nprint(time.perf_counter() - start)"


def seconds(code: str) -> float:
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    codes = {name: CLOCK.format(code) for name, code in WHAT.items()} | {"dreamkit, with torch there": INSIDE}
    for code in codes.values():
        seconds(code)                                          # writes the compiled modules, warms the disk's cache
    found = {name: [] for name in codes}
    for _ in range(repeats):
        for name, code in codes.items():
            found[name].append(1e3 * seconds(code))
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, Python {platform.python_version()}, {repeats} repeats\n")
    print("| import | ms (median) | spread |\n|---|---|---|")
    for name, times in found.items():
        print(f"| {name} | {statistics.median(times):.0f} | {min(times):.0f} to {max(times):.0f} |")
    torch, both, _ = (statistics.median(times) for times in found.values())
    print(f"\nBeyond torch: {both - torch:.0f} ms as the difference of the two medians, "
          f"{statistics.median(found['dreamkit, with torch there']):.0f} ms measured in one process.")


if __name__ == "__main__":
    main()
