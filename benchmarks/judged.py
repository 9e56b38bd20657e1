"""Class pictures judged from outside: `python -m benchmarks.judged WEIGHTS [-o sheet.webp]`.

WEIGHTS is a file for `--judge` (torchvision's name, by default squeezenet1_1). One network draws
every tenth class of ImageNet; the judge, which had no part in it, is shown each picture resized to
the size it was trained on. Is the class among its first five of 1,000: at one look, and by the mean
of its probabilities over ten shifted and rescaled views?

With `--pictures DIR` each picture is kept there as a PNG file, and made anew only where there is
none: a run that was stopped goes on.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

import dreamkit as dk
from benchmarks import sheets
from dreamkit.ascent.views import Views, random_view
from dreamkit.published.class_pictures import class_picture

VIEWS = Views(shift=8, scale=0.2, turn=0)
COLUMNS, CELL, BATCH = 10, 112, 5
NOT_SHOWN = {680}  # of a baby's bottle, but its name looks odd on a sheet for schools


def places(
    judge: dk.Network, pictures: dk.Image, classes: Sequence[int], views: int = 1, seed: int = 0
) -> list[int]:
    """The place of each picture's class among the judge's, 0 for the first.

    One view is the picture itself; of several the mean of the probabilities counts.
    """
    generator, wanted = torch.Generator().manual_seed(seed), torch.tensor(classes)
    odds = torch.zeros(())
    for _ in range(views):
        seen = random_view(pictures, VIEWS, generator) if views > 1 else pictures
        seen = dk.resize(seen, (judge.side, judge.side), "bilinear")
        odds = odds + dk.capture(judge, seen, "")[""].detach().softmax(1)
    return (odds > odds.gather(1, wanted[:, None])).sum(1).tolist()


def drawn(
    maker: dk.Network, classes: Sequence[int], folder: Path | None = None, batch: int = BATCH
) -> Iterator[tuple[int, dk.Image]]:
    """(class, picture in steps of 1 / 255), class by class; missing ones grow in batches."""
    for start in range(0, len(classes), batch):
        part = classes[start : start + batch]
        paths = [folder / f"{index:03d}.png" for index in part] if folder else []
        if paths and all(path.exists() for path in paths):
            pictures = [dk.load_image(path) for path in paths]
        else:
            grown = (class_picture(maker, part) * 255).round() / 255
            pictures = list(grown.split(1))
            for path, picture in zip(paths, pictures, strict=False):
                dk.save_image(picture, path)
        yield from zip(part, pictures, strict=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", help="a file with the judge's weights")
    parser.add_argument("--maker", default="efficientnet_lite0")
    parser.add_argument("--judge", default="squeezenet1_1")
    parser.add_argument("--classes", help="indices, separated by commas; by default 0, 10, … 990")
    parser.add_argument("-o", help="a sheet; the names of those that the judge missed are red")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="keep the pictures there")
    given = parser.parse_args()
    maker = dk.load_network(given.maker)
    judge = dk.load_network(given.judge, weights=given.weights)
    classes = [int(i) for i in given.classes.split(",")] if given.classes else range(0, 1000, 10)
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
    shown, missed, single, ten, start = {}, set(), 0, 0, time.process_time()
    count = len(classes)
    for index, picture in drawn(maker, list(classes), given.pictures):
        (one,), (mean,) = places(judge, picture, [index]), places(judge, picture, [index], 10)
        own = dk.resize(picture, (maker.side, maker.side), "bilinear")
        sure = float(dk.capture(maker, own, "")[""].softmax(1)[0, index])
        single, ten = single + (one < 5), ten + (mean < 5)
        name = maker.labels[index]
        if index not in NOT_SHOWN:
            shown[name] = dk.resize(picture, (CELL, CELL))
        missed |= {name} if mean >= 5 else set()
        print(f"{index:3} {name:24} {one:3} {mean:3}  own p {sure:.2f}  {single} {ten}", flush=True)
    seconds = (time.process_time() - start) / count
    print(f"of {count}: {single} at one look, {ten} by ten views; {seconds:.1f} CPU s a picture")
    if given.o:
        sheets.save(sheets.labelled(shown, COLUMNS, frozenset(missed), size=9), given.o, 300_000)


if __name__ == "__main__":
    main()
