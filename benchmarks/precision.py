"""Whether a dream in bfloat16 is as good: `python -m benchmarks.precision [-o precision.webp]`.

Three photos, the style animals: the dream in float32, in bfloat16, and, as a control, in float32
with other random shifts (another seed). The table gives the agreement of the first gradients, how
far the pictures lie apart, and the seconds of the dreams, which take turns.
"""

import dreamkit as dk  # isort: skip  (before torch: it says how threads wait)
import argparse
import statistics
import time
from dataclasses import replace

import torch

from . import sheets
from .defaults import shrunk

PHOTOS = ("clouds", "china", "chelsea")
STYLE = dk.styles()["animals"]
WAYS = {"float32": ("float32", 0), "bfloat16": ("bfloat16", 0), "another seed": ("float32", 1)}


def apart(one: dk.Image, other: dk.Image) -> float:
    """The root mean square of the difference, in steps of 255."""
    return 255 * (one - other).square().mean().sqrt().item()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=512, help="of a dream, in pixels")
    parser.add_argument("-o", help="draw the dreams on this sheet (WebP)")
    given = parser.parse_args()
    networks = {p: dk.load_network(precision=p, device="cpu") for p in ("float32", "bfloat16")}
    scores = {p: dk.scorer(network, STYLE.objective) for p, network in networks.items()}
    seconds, drawn = {way: [] for way in WAYS}, {}
    print("| | gradients' cosine | bfloat16 apart by | another seed apart by |\n|---|---|---|---|")
    for name in PHOTOS:
        photo = drawn[name] = dk.sample(name, given.side)
        uphill = [dk.gradient(scores[p], photo).flatten() for p in networks]
        dreams = {}
        for way, (precision, seed) in WAYS.items():
            settings = replace(STYLE.settings, seed=seed)
            start = time.perf_counter()
            dreams[way] = dk.dream(scores[precision], photo, settings)
            seconds[way].append(time.perf_counter() - start)
        drawn |= {f"{name}: {way}": dream for way, dream in dreams.items()}
        plain, *others = dreams.values()
        cosine = torch.cosine_similarity(*uphill, dim=0).item()
        away = " | ".join(f"{apart(plain, other):.1f}" for other in others)
        print(f"| {name} | {cosine:.4f} | {away} |", flush=True)
    took = ", ".join(f"{way} {statistics.median(s):.1f} s" for way, s in seconds.items())
    print(f"\nA dream of {given.side} pixels: {took} (medians).")
    if given.o:
        pictures = {text: shrunk(picture, 432) for text, picture in drawn.items()}
        sheets.save(sheets.labelled(pictures, 1 + len(WAYS)), given.o)


if __name__ == "__main__":
    main()
