"""The sheet from which the defaults were chosen by eye: `python -m benchmarks.defaults`.

Five photos (rows), and the network's default layer under other smoothings and step sizes (columns).
"""

import argparse

import torch

import dreamkit as dk

PHOTOS = ("china", "chelsea", "clouds", "coffee", "flower")
CHOICES = (
    dk.Settings(smoothing=0.0),
    dk.Settings(smoothing=0.7),
    dk.Settings(),
    dk.Settings(smoothing=2.5),
    dk.Settings(step_size=0.02),
)
SIZE = (200, 300)


def sheet(layer: str = "inception5a", side: int = 320) -> dk.Image:
    """One picture of all: [1, 3, rows, columns]."""
    score = dk.scorer(dk.load_network(), dk.layer(layer))
    rows = []
    for name in PHOTOS:
        photo = dk.sample(name, side)
        rows.append(
            torch.cat([dk.resize(dk.dream(score, photo, choice), SIZE) for choice in CHOICES], -1)
        )
    return torch.cat(rows, -2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", default="benchmarks/defaults.webp")
    dk.save_image(sheet(), parser.parse_args().o)
