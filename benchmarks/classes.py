"""Are class pictures recognised? `python -m benchmarks.classes [-n 200] [-o sheet.webp]`.

For each class a picture is grown from noise by one embedded network, and shown to the *other* one:
does it name the class among its first five, by the mean of its probabilities over ten shifted and
rescaled views?

With `--pictures DIR` each picture is kept there as a PNG file, and made anew only where there is
none: a run that was stopped goes on.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch

import dreamkit as dk
from benchmarks import sheets
from dreamkit.ascent.fourier import Views, random_view
from dreamkit.published.figures import class_picture

VIEWS = Views(shift=8, scale=0.2, turn=0)
COLUMNS = 20


def named(judge: dk.Network, image: dk.Image, label: str, seed: int = 0) -> bool:
    """Whether the judge has the label among its first five, over ten views of the picture."""
    generator = torch.Generator().manual_seed(seed)
    views = torch.cat(
        [dk.resize(random_view(image, VIEWS, generator), (64, 64)) for _ in range(10)]
    )
    odds = dk.capture(judge, views, "")[""].softmax(1).mean(0)
    return judge.labels.index(label) in odds.topk(5).indices.tolist()


def measure(
    maker: dk.Network,
    judge: dk.Network,
    labels: list[str],
    prior: str = "fourier",
    steps: int | None = None,
    side: int | None = None,
    folder: Path | None = None,
) -> Iterator[tuple[str, dk.Image, bool]]:
    """(label, picture in steps of 1 / 255, whether the judge names it), class by class."""
    for label in labels:
        path = folder / f"{maker.labels.index(label):03d}.png" if folder else None
        if path and path.exists():
            image = dk.load_image(path)
        else:
            image = (class_picture(maker, label, prior, steps, side=side) * 255).round() / 255
            if path:
                dk.save_image(image, path)
        yield label, image, named(judge, image, label)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-n", type=int, default=200, help="how many classes, evenly over the 200")
    parser.add_argument(
        "-o",
        help="a sheet of all pictures, a WebP file; the names of those that were missed are red",
    )
    parser.add_argument("--maker", default="dreamnet-robust")
    parser.add_argument("--judge", default="dreamnet")
    parser.add_argument("--prior", default="fourier")
    parser.add_argument("--steps", type=int, help="by default those of dk.figures.class_picture")
    parser.add_argument(
        "--side",
        type=int,
        help="of the pictures, in pixels; by default that of dk.figures.class_picture",
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="keep the pictures there, and take those that are there already",
    )
    given = parser.parse_args()
    maker, judge = dk.load_network(given.maker), dk.load_network(given.judge)
    labels = list(maker.labels)[:: max(1, len(maker.labels) // given.n)][: given.n]
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
    pictures, missed = {}, set()
    for label, image, hit in measure(
        maker, judge, labels, given.prior, given.steps, given.side, given.pictures
    ):
        pictures[label] = image
        missed |= set() if hit else {label}
        print(
            f"{len(pictures):3} {'named ' if hit else 'missed'} {label:28} "
            f"{1 - len(missed) / len(pictures):.1%} so far",
            flush=True,
        )
    if given.o:
        sheets.save(sheets.labelled(pictures, COLUMNS, frozenset(missed)), given.o)


if __name__ == "__main__":
    main()
