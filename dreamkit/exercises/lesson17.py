"""Exercises of lesson 17, large and many."""

from __future__ import annotations

from . import Exercise, Mistake
from .checking import near, on


def _price(side, core, reach, before=True, axes=2, whole=False):
    """The solution; the options forget the part before, an axis, or the last and smaller part."""
    starts = range(0, side - core + 1 if whole else side, core)
    sizes = (min(side, start + core + reach) - max(0, start - reach * before) for start in starts)
    return (sum(sizes) / side) ** axes


def _price_unclipped(side, core, reach):
    sizes = (min(side, start + core) - start + 2 * reach for start in range(0, side, core))
    return (sum(sizes) / side) ** 2


def _same_price(answer, other) -> bool:
    cuts = ((100, 30, 8), (64, 64, 20), (90, 20, 25), (512, 128, 0), (300, 64, 76))
    return all(near(answer(*cut), other(*cut)) for cut in cuts)


def _all(wanted, done, size):
    return [wanted[i : i + size] for i in range(0, len(wanted), size)]


def _left(wanted, done, size):
    return _all([channel for channel in wanted if channel not in done], done, size)


def _with_gaps(wanted, done, size):
    found = [[c for c in batch if c not in done] for batch in _all(wanted, done, size)]
    return [batch for batch in found if batch]


def _same_batches(given, wanted) -> bool:
    return [list(batch) for batch in given] == [list(batch) for batch in wanted]


EXERCISES = (
    Exercise(
        "price_of_overlap",
        "17",
        "The price of overlap",
        10,
        3,
        _price,
        same=_same_price,
        checks=(
            Mistake(
                "every tile as in the middle",
                lambda side, core, reach: ((core + 2 * reach) / core) ** 2,
                "that holds for a tile in the middle; those at the border stop where the picture "
                "ends, and the last may be smaller",
            ),
            Mistake(
                "beyond the border",
                _price_unclipped,
                "outside the picture nothing is computed: stop at 0 and at `side`",
            ),
            Mistake(
                "one axis only",
                lambda *cut: _price(*cut, axes=1),
                "that is one axis; tiles overlap down and across, so square it",
            ),
            Mistake(
                "one side only",
                lambda *cut: _price(*cut, before=False),
                "`reach` pixels are needed on both sides of a part, also before it",
            ),
            Mistake(
                "the last part forgotten",
                lambda *cut: _price(*cut, whole=True),
                "the last part, smaller than `core`, is forgotten: range(0, side, core) has it",
            ),
        ),
        otherwise=(
            "not yet: add up, along one axis, from max(0, start - reach) to min(side, start + core "
            "+ reach); divide by side; square"
        ),
        praise=(
            "with parts of 128 pixels and 76 around each, every pixel is computed about four "
            "times: large parts are cheap, memory their limit"
        ),
    ),
    Exercise(
        "what_is_left",
        "17",
        "An atlas that goes on",
        6,
        2,
        _left,
        same=on([0, 2, 3, 5, 8, 9, 11, 12], {2, 5, 12}, 2, compare=_same_batches),
        checks=(
            Mistake(
                "all again",
                _all,
                "that begins again from the start: leave out the finished channels",
            ),
            Mistake(
                "skipped by count",
                lambda wanted, done, size: _all(wanted[len(done) :], (), size),
                "the first few are skipped, but workers finish in any order: look which channels "
                "are done, not how many",
            ),
            Mistake(
                "full batches only",
                lambda wanted, done, size: [
                    batch for batch in _left(wanted, done, size) if len(batch) == size
                ],
                "the last batch is lost where it is not full",
            ),
            Mistake(
                "touched batches dropped",
                lambda wanted, done, size: [
                    batch for batch in _all(wanted, done, size) if not set(batch) & set(done)
                ],
                "a batch with one finished picture is dropped entirely: its others are missing",
            ),
            Mistake(
                "batches with gaps",
                _with_gaps,
                "all there, but in batches with gaps: leave out the finished channels first, then "
                "cut into batches",
            ),
        ),
        otherwise="not yet: the wanted channels that are not done, in order, in lists of `size`",
        praise=(
            "nothing twice and nothing lost: a restart needs no more, as long as each picture is "
            "written completely"
        ),
    ),
)
