"""Exercises of lesson 13, inceptionism."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake
from .checking import near


def _neighbours(picture, centre=True, divide=True, down=False):
    """The correlation of neighbours; the options leave out a part of it or look down the rows."""
    picture = picture.mT if down else picture
    a, b = picture[..., :-1], picture[..., 1:]
    if centre:
        a, b = a - a.mean(), b - b.mean()
    size = (a.square().mean() * b.square().mean()).sqrt() if divide else 1
    return float((a * b).mean() / size)


def _striped(kind: str) -> torch.Tensor:
    """A picture [1, 3, 24, 24] of equal rows ("lines"), equal columns ("bars"), noise or a ramp."""
    size = {"lines": (1, 3, 24, 1), "bars": (1, 3, 1, 24), "noise": (1, 3, 24, 24)}.get(kind)
    if size is None:
        return torch.linspace(0.1, 0.4, 24).expand(1, 3, 24, 24).contiguous()
    generator = torch.Generator().manual_seed(0)
    return (0.6 + 0.3 * torch.rand(size, generator=generator)).expand(1, 3, 24, 24).contiguous()


def _agree_like(answer, other, kinds=("lines", "bars", "noise"), within=1e-4) -> bool:
    return all(near(answer(_striped(kind)), other(_striped(kind)), within) for kind in kinds)


# (how sure, top, left, name): a cat and a bird on top of the surest fox, a second fox and a fish in
# its rows, others elsewhere.
_FOUND = [
    (0.30, 40, 200, "boat"),
    (0.90, 0, 0, "fox"),
    (0.85, 10, 10, "cat"),
    (0.80, 0, 100, "fox"),
    (0.70, 5, 300, "fish"),
    (0.60, 20, 20, "bird"),
    (0.20, 200, 150, "whale"),
]


def _greedy(entries, count, least, far=max, compared=slice(None), once=True):
    """The solution; the options change how crops are compared: `far` joins both distances."""
    chosen = []
    for entry in entries:
        apart = all(
            far(abs(entry[1] - c[1]), abs(entry[2] - c[2])) >= least for c in chosen[compared]
        )
        if apart and not (once and entry[3] in [c[3] for c in chosen]):
            chosen.append(entry)
    return chosen[:count]


def _apart(found, count, least, **options):
    return _greedy(sorted(found, reverse=True), count, least, **options)


def _picks(answer, count=3):
    return [tuple(entry) for entry in answer(list(_FOUND), count, 50)]


def _sigma(step, steps, first, last):
    return first + (last - first) * step / max(steps - 1, 1)


def _schedule(answer) -> list[float]:
    return [float(answer(step, 5, 2.5, 0.5)) for step in range(5)]


def _same_schedule(answer, other) -> bool:
    return all(near(a, b) for a, b in zip(_schedule(answer), _schedule(other), strict=True))


EXERCISES = (
    Exercise(
        "neighbours",
        "13",
        "How much do neighbours agree?",
        6,
        2,
        _neighbours,
        same=_agree_like,
        checks=(
            Mistake(
                "mean difference",
                lambda picture: float((picture[..., :-1] - picture[..., 1:]).abs().mean()),
                "that is a mean difference: it shrinks with contrast. A correlation is 1 for any "
                "picture without edges",
            ),
            Mistake(
                "means not taken away",
                lambda picture: _neighbours(picture, centre=False),
                "a bright picture of noise comes out near 1: subtract each side's mean first",
            ),
            Mistake(
                "covariance",
                lambda picture: _neighbours(picture, divide=False),
                "the product is there; divide it by both standard deviations, so that contrast "
                "does not matter",
            ),
            Mistake(
                "neighbours above and below",
                lambda picture: _neighbours(picture, down=True),
                "these are neighbours above and below; take columns: the last dimension",
            ),
            Condition(
                lambda f: _agree_like(f, _neighbours, ("lines", "bars", "noise", "ramp"), 0.01),
                "not yet: the correlation of picture[..., :-1] with picture[..., 1:]",
            ),
        ),
        praise="1 where neighbours always agree, 0 for noise: the prior of the post, as one number",
    ),
    Exercise(
        "fading_blur",
        "13",
        "A prior that fades",
        4,
        1,
        _sigma,
        same=_same_schedule,
        checks=(
            Condition(
                lambda f: len(set(_schedule(f))) > 1,
                "the blur stays the same; it should weaken, so that detail may come last",
            ),
            Mistake(
                "upside down",
                lambda step, steps, first, last: _sigma(step, steps, last, first),
                "upside down: begin with `first`, the strong blur",
            ),
            Mistake(
                "one interval too many",
                lambda step, steps, first, last: _sigma(step, steps + 1, first, last),
                "the last step does not reach `last`: between 5 steps there are 4 intervals",
            ),
            Condition(
                lambda f: near(f(0, 5, 2.5, 0.5), 2.5, 1e-4) and near(f(4, 5, 2.5, 0.5), 0.5, 1e-4),
                "step 0 should have `first`, and step steps - 1 should have `last`",
            ),
            Mistake("always the first", lambda step, steps, first, last: first),
            Mistake(
                "equal factors",
                lambda step, steps, first, last: first * (last / first) ** (step / (steps - 1)),
            ),
            Mistake(
                "by step number, not share", lambda step, steps, first, last: first - 0.1 * step
            ),
        ),
        otherwise="the ends are right; between them go in equal steps",
        praise=(
            "strong at first, when shapes are found, and weak at the end, when they are drawn out"
        ),
    ),
    Exercise(
        "apart",
        "13",
        "The best crops, apart from each other",
        8,
        3,
        _apart,
        same=lambda answer, other: _picks(answer) == _picks(other),
        checks=(
            Mistake(
                "only the surest",
                lambda found, count, least: sorted(found, reverse=True)[:count],
                "these are the surest, but they overlap: skip what lies near one already chosen",
            ),
            Mistake(
                "in the order given",
                _greedy,
                "taken in the order of the list: begin with the surest",
            ),
            Mistake(
                "names twice",
                lambda *given: _apart(*given, once=False),
                "the same name twice: skip a name that is taken",
            ),
            Mistake(
                "far in both directions",
                lambda *given: _apart(*given, far=min),
                "far in *both* directions is too strict: two crops are apart where their rows *or* "
                "their columns are",
            ),
            Condition(
                lambda f: len(_picks(f)) == 3,
                "it should give `count` crops where there are as many to choose from",
            ),
            Mistake(
                "compared with the last only",
                lambda *given: _apart(*given, compared=slice(-1, None)),
                "compared with the last choice only: compare with every crop that is chosen",
            ),
            Condition(
                lambda f: all(_picks(f, count) == _picks(_apart, count) for count in (3, 2)),
                "not yet: the surest first; skip what is near a chosen one or has its name; stop "
                "at count",
            ),
        ),
        praise="greedy: the surest first, and nothing that is near or called the same",
    ),
)
