"""Are class pictures recognised? `python -m benchmarks.classes [-n 200] [-o sheet.webp]`.

For each class a picture is grown from noise by one embedded network, and shown to the *other* one: does it name the class
among its first five, by the mean of its probabilities over ten shifted and rescaled views?
"""

import argparse
import math
from collections.abc import Iterator

import torch

import dreamkit as dk
from dreamkit.figures import class_picture
from dreamkit.fourier import Views, random_view

VIEWS = Views(shift=8, scale=0.2, turn=0)


def named(judge: dk.Network, image: dk.Image, label: str, seed: int = 0) -> bool:
    """Whether the judge has the label among its first five, over ten views of the picture."""
    generator = torch.Generator().manual_seed(seed)
    views = torch.cat([dk.resize(random_view(image, VIEWS, generator), (64, 64)) for _ in range(10)])
    odds = dk.capture(judge, views, "")[""].softmax(1).mean(0)
    return judge.labels.index(label) in odds.topk(5).indices.tolist()


def measure(maker: dk.Network, judge: dk.Network, labels: list[str], prior: str = "fourier") -> Iterator[tuple[str, dk.Image, bool]]:
    """(label, picture, whether the judge names it), class by class."""
    for label in labels:
        image = class_picture(maker, label, prior)
        yield label, image, named(judge, image, label)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=200, help="how many classes, evenly over the 200")
    parser.add_argument("-o", help="a sheet of all pictures: .webp, .png or .jpg")
    parser.add_argument("--maker", default="dreamnet-robust")
    parser.add_argument("--judge", default="dreamnet")
    options = parser.parse_args()
    maker, judge = dk.load_network(options.maker), dk.load_network(options.judge)
    labels = list(maker.labels)[:: max(1, len(maker.labels) // options.n)][: options.n]
    pictures, hits = [], 0
    for count, (label, image, hit) in enumerate(measure(maker, judge, labels), 1):
        hits += hit
        pictures.append(image)
        print(f"{count:3} {'named ' if hit else 'missed'} {label:28} {hits / count:.0%} so far", flush=True)
        if options.o and (count % 20 == 0 or count == len(labels)):
            columns = min(20, len(pictures))
            blank = torch.ones_like(image)
            padded = pictures + [blank] * (math.ceil(len(pictures) / columns) * columns - len(pictures))
            rows = [torch.cat(padded[i:i + columns], -1) for i in range(0, len(padded), columns)]
            dk.save_image(torch.cat(rows, -2), options.o)


if __name__ == "__main__":
    main()
