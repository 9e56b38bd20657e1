"""Exercises of lesson 13, inceptionism."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake

KINDS = ("lines", "bars", "noise", "ramp")


def _correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).mean() / (a.square().mean() * b.square().mean()).sqrt())


def _neighbours(picture):
    return _correlation(picture[..., :-1], picture[..., 1:])


def _products(picture):
    """Forgot to take the means away: a bright picture seems smooth."""
    a, b = picture[..., :-1], picture[..., 1:]
    return float((a * b).mean() / (a.square().mean() * b.square().mean()).sqrt())


def _covariance(picture):
    a, b = picture[..., :-1], picture[..., 1:]
    return float(((a - a.mean()) * (b - b.mean())).mean())


def _difference(picture):
    return float((picture[..., :-1] - picture[..., 1:]).abs().mean())


def _below(picture):
    return _correlation(picture[..., :-1, :], picture[..., 1:, :])


def _across(kind: str) -> torch.Tensor:
    """A picture [1, 3, 24, 24] of which rows ("lines"), columns ("bars") or nothing ("noise") hold together, or all does ("ramp")."""
    generator = torch.Generator().manual_seed(0)
    size = {"lines": (1, 3, 24, 1), "bars": (1, 3, 1, 24), "noise": (1, 3, 24, 24)}.get(kind)
    if size is None:
        return torch.linspace(0.1, 0.4, 24).expand(1, 3, 24, 24).contiguous()
    return (0.6 + 0.3 * torch.rand(size, generator=generator)).expand(1, 3, 24, 24).contiguous()


def _near(value: float, wanted: float, within: float = 1e-4) -> bool:
    return abs(float(value) - wanted) < within


def _alike(answer, wrong, kinds=("lines", "bars", "noise")) -> bool:
    return all(_near(answer(_across(kind)), wrong(_across(kind))) for kind in kinds)


def _apart(found, count, least):
    chosen = []
    for entry in sorted(found, reverse=True):
        far = all(max(abs(entry[1] - c[1]), abs(entry[2] - c[2])) >= least for c in chosen)
        if far and entry[3] not in [c[3] for c in chosen]:
            chosen.append(entry)
    return chosen[:count]


def _just_best(found, count, least):
    return sorted(found, reverse=True)[:count]


def _as_they_come(found, count, least):
    return _apart_of(
        found,
        count,
        least,
        lambda entry, c: max(abs(entry[1] - c[1]), abs(entry[2] - c[2])) >= least,
    )


def _both_far(found, count, least):
    return _apart_of(
        sorted(found, reverse=True),
        count,
        least,
        lambda entry, c: min(abs(entry[1] - c[1]), abs(entry[2] - c[2])) >= least,
    )


def _same_names(found, count, least):
    chosen = []
    for entry in sorted(found, reverse=True):
        if all(max(abs(entry[1] - c[1]), abs(entry[2] - c[2])) >= least for c in chosen):
            chosen.append(entry)
    return chosen[:count]


def _from_last(found, count, least):
    chosen = []
    for entry in sorted(found, reverse=True):
        last = chosen[-1:]
        far = all(max(abs(entry[1] - c[1]), abs(entry[2] - c[2])) >= least for c in last)
        if far and entry[3] not in [c[3] for c in chosen]:
            chosen.append(entry)
    return chosen[:count]


def _apart_of(entries, count, least, far):
    chosen = []
    for entry in entries:
        if all(far(entry, c) for c in chosen) and entry[3] not in [c[3] for c in chosen]:
            chosen.append(entry)
    return chosen[:count]


# (how sure, top, left, name): a cat and a bird on top of the surest fox, a second fox and a fish in its rows, others elsewhere.
_FOUND = [
    (0.30, 40, 200, "boat"),
    (0.90, 0, 0, "fox"),
    (0.85, 10, 10, "cat"),
    (0.80, 0, 100, "fox"),
    (0.70, 5, 300, "fish"),
    (0.60, 20, 20, "bird"),
    (0.20, 200, 150, "whale"),
]


def _picks(answer, count=3, least=50):
    return [tuple(entry) for entry in answer(list(_FOUND), count, least)]


def _sigma(step, steps, first, last):
    return first + (last - first) * step / max(steps - 1, 1)


def _sigma_unfinished(step, steps, first, last):
    return first + (last - first) * step / steps


def _schedule(answer) -> list[float]:
    return [float(answer(step, 5, 2.5, 0.5)) for step in range(5)]


def _close(a, b) -> bool:
    return len(a) == len(b) and all(_near(x, y, 1e-6) for x, y in zip(a, b, strict=True))


EXERCISES = (
    Exercise(
        "neighbours",
        "13",
        "How much do neighbours agree?",
        6,
        2,
        _neighbours,
        (
            Condition(
                lambda f: not _alike(f, _difference),
                "that is a mean difference: it shrinks with contrast. A correlation is 1 for any picture without edges",
            ),
            Condition(
                lambda f: not _alike(f, _products),
                "a bright picture of noise comes out near 1: take each side's mean away first",
            ),
            Condition(
                lambda f: not _alike(f, _covariance),
                "the product is there; divide it by both deviations, so that contrast does not matter",
            ),
            Condition(
                lambda f: not _alike(f, _below),
                "these are neighbours above and below; take columns: the last dimension",
            ),
            Condition(
                lambda f: all(
                    _near(f(_across(kind)), _neighbours(_across(kind)), 0.01) for kind in KINDS
                ),
                "not yet: the correlation of picture[..., :-1] with picture[..., 1:]",
            ),
        ),
        (
            Mistake("mean difference", _difference),
            Mistake("means not taken away", _products),
            Mistake("covariance", _covariance),
            Mistake("neighbours above and below", _below),
        ),
        "1 where neighbours always agree, 0 for noise: the prior of the post, as one number",
    ),
    Exercise(
        "fading_blur",
        "13",
        "A prior that fades",
        4,
        1,
        _sigma,
        (
            Condition(
                lambda f: len(set(_schedule(f))) > 1,
                "the blur stays the same; it should weaken, so that detail may come last",
            ),
            Condition(
                lambda f: not _close(_schedule(f), _schedule(_sigma)[::-1]),
                "upside down: begin with `first`, the strong blur",
            ),
            Condition(
                lambda f: not _close(_schedule(f), _schedule(_sigma_unfinished)),
                "the last step stops short of `last`: between 5 steps there are 4 intervals",
            ),
            Condition(
                lambda f: _near(f(0, 5, 2.5, 0.5), 2.5) and _near(f(4, 5, 2.5, 0.5), 0.5),
                "step 0 should have `first`, and step steps - 1 should have `last`",
            ),
            Condition(
                lambda f: _close(_schedule(f), _schedule(_sigma)),
                "the ends are right; between them go in equal steps",
            ),
        ),
        (
            Mistake("always the first", lambda step, steps, first, last: first),
            Mistake(
                "upside down",
                lambda step, steps, first, last: last + (first - last) * step / (steps - 1),
            ),
            Mistake("one interval too many", _sigma_unfinished),
            Mistake(
                "equal factors",
                lambda step, steps, first, last: first * (last / first) ** (step / (steps - 1)),
            ),
            Mistake(
                "by step number, not share", lambda step, steps, first, last: first - 0.1 * step
            ),
        ),
        "strong at first, when shapes are found, and weak at the end, when they are drawn out",
    ),
    Exercise(
        "apart",
        "13",
        "The best crops, apart from each other",
        8,
        3,
        _apart,
        (
            Condition(
                lambda f: _picks(f) != _picks(_just_best),
                "these are the surest, but they overlap: skip what lies near one already chosen",
            ),
            Condition(
                lambda f: _picks(f) != _picks(_as_they_come),
                "taken in the order of the list: begin with the surest",
            ),
            Condition(
                lambda f: _picks(f) != _picks(_same_names),
                "the same name twice: skip a name that is taken",
            ),
            Condition(
                lambda f: _picks(f) != _picks(_both_far),
                "far in *both* directions is asked too much: two crops are apart where their rows *or* their columns are",
            ),
            Condition(
                lambda f: len(_picks(f)) == 3,
                "it should give `count` crops where there are as many to choose from",
            ),
            Condition(
                lambda f: _picks(f) != _picks(_from_last),
                "compared with the last choice only: compare with every crop that is chosen",
            ),
            Condition(
                lambda f: _picks(f) == _picks(_apart) and _picks(f, 2) == _picks(_apart, 2),
                "not yet: the surest first; skip what is near a chosen one or has its name; stop at count",
            ),
        ),
        (
            Mistake("only the surest", _just_best),
            Mistake("in the order given", _as_they_come),
            Mistake("names twice", _same_names),
            Mistake("far in both directions", _both_far),
            Mistake("compared with the last only", _from_last),
        ),
        "greedy: the surest first, and nothing that is near or called the same",
    ),
)
