"""Exercises of lesson 17, large and many."""

from __future__ import annotations

from . import Condition, Exercise, Mistake


def _along(side, core, reach):
    return sum(
        min(side, start + core + reach) - max(0, start - reach) for start in range(0, side, core)
    )


def _price(side, core, reach):
    return (_along(side, core, reach) / side) ** 2


def _price_unclipped(side, core, reach):
    return (
        sum(min(side, start + core) - start + 2 * reach for start in range(0, side, core)) / side
    ) ** 2


def _price_one_axis(side, core, reach):
    return _along(side, core, reach) / side


def _price_one_side(side, core, reach):
    return (
        sum(min(side, start + core + reach) - start for start in range(0, side, core)) / side
    ) ** 2


def _price_whole_only(side, core, reach):
    starts = range(0, side - core + 1, core)
    return (
        sum(min(side, start + core + reach) - max(0, start - reach) for start in starts) / side
    ) ** 2


def _price_of_a_tile(side, core, reach):
    return ((core + 2 * reach) / core) ** 2


_CUTS = ((100, 30, 8), (64, 64, 20), (90, 20, 25), (512, 128, 0), (300, 64, 76))


def _same_price(answer, wrong) -> bool:
    return all(abs(answer(*cut) - wrong(*cut)) < 1e-6 for cut in _CUTS)


def _left(wanted, done, size):
    missing = [channel for channel in wanted if channel not in done]
    return [missing[i : i + size] for i in range(0, len(missing), size)]


def _left_again(wanted, done, size):
    return [wanted[i : i + size] for i in range(0, len(wanted), size)]


def _left_by_count(wanted, done, size):
    return _left_again(wanted[len(done) :], (), size)


def _left_whole_only(wanted, done, size):
    return [batch for batch in _left(wanted, done, size) if len(batch) == size]


def _left_ragged(wanted, done, size):
    return [
        kept
        for batch in _left_again(wanted, done, size)
        if (kept := [c for c in batch if c not in done])
    ]


def _left_batches_done(wanted, done, size):
    return [batch for batch in _left_again(wanted, done, size) if not set(batch) & set(done)]


_JOBS = [0, 2, 3, 5, 8, 9, 11, 12], {2, 5, 12}, 2


def _same_jobs(answer, wrong) -> bool:
    wanted, done, size = _JOBS
    plain = lambda found: [list(batch) for batch in found]
    return plain(answer(list(wanted), set(done), size)) == plain(
        wrong(list(wanted), set(done), size)
    )


EXERCISES = (
    Exercise(
        "price_of_overlap",
        "17",
        "The price of overlap",
        10,
        3,
        _price,
        (
            Condition(
                lambda f: not _same_price(f, _price_of_a_tile),
                "that holds for a tile in the middle; those at the border stop where the picture ends, and the last may be smaller",
            ),
            Condition(
                lambda f: not _same_price(f, _price_unclipped),
                "outside the picture nothing is computed: stop at 0 and at `side`",
            ),
            Condition(
                lambda f: not _same_price(f, _price_one_axis),
                "that is one axis; tiles overlap down and across, so square it",
            ),
            Condition(
                lambda f: not _same_price(f, _price_one_side),
                "`reach` pixels are needed on both sides of a part, also before it",
            ),
            Condition(
                lambda f: not _same_price(f, _price_whole_only),
                "the last part, smaller than `core`, is forgotten: range(0, side, core) has it",
            ),
            Condition(
                lambda f: _same_price(f, _price),
                "not yet: add up, along one axis, from max(0, start - reach) to min(side, start + core + reach); over side; squared",
            ),
        ),
        (
            Mistake("every tile as in the middle", _price_of_a_tile),
            Mistake("beyond the border", _price_unclipped),
            Mistake("one axis only", _price_one_axis),
            Mistake("one side only", _price_one_side),
            Mistake("the last part forgotten", _price_whole_only),
        ),
        "with 128 pixels a part and 76 around it, every pixel is computed about four times: large parts are cheap, memory their limit",
    ),
    Exercise(
        "what_is_left",
        "17",
        "An atlas that goes on",
        6,
        2,
        _left,
        (
            Condition(
                lambda f: not _same_jobs(f, _left_again),
                "that begins again from nothing: leave out what is done",
            ),
            Condition(
                lambda f: not _same_jobs(f, _left_by_count),
                "the first few are skipped, but workers finish in any order: look which channels are done, not how many",
            ),
            Condition(
                lambda f: not _same_jobs(f, _left_whole_only),
                "the last batch is lost where it is not full",
            ),
            Condition(
                lambda f: not _same_jobs(f, _left_batches_done),
                "a batch with one picture done is thrown away whole: its others are missing",
            ),
            Condition(
                lambda f: not _same_jobs(f, _left_ragged),
                "all there, but in batches with gaps: leave out what is done first, then cut into batches",
            ),
            Condition(
                lambda f: _same_jobs(f, _left),
                "not yet: the wanted channels that are not done, in order, in lists of `size`",
            ),
        ),
        (
            Mistake("all again", _left_again),
            Mistake("skipped by count", _left_by_count),
            Mistake("full batches only", _left_whole_only),
            Mistake("touched batches dropped", _left_batches_done),
            Mistake("batches with gaps", _left_ragged),
        ),
        "nothing twice and nothing lost: that is all that a restart needs, as long as each picture is written whole",
    ),
)
