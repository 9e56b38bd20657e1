"""Exercises of lesson 14c: what comes back from a layer's features, and how layers settle."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake
from .checking import close, near, normal, on

_START = normal(1, 3, 4, 5)
_MATRIX = normal(12, 60, seed=1) / 8
_TARGET = normal(1, 12, seed=2)


def _draw(parameters):
    return torch.sigmoid(parameters)


def _features(picture):
    return picture.flatten(1) @ _MATRIX.T


def _missed(found, target):
    return (found - target).square().sum() / target.square().sum()


def _steps(features, target, draw, start, steps, rate, error=_missed, fresh=True):
    """Adam on the parameters of a picture; the options make the mistakes that students make."""
    parameters = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([parameters], lr=rate)
    for _ in range(steps):
        missed = error(features(draw(parameters)), target)
        if fresh:
            optimizer.zero_grad()
        missed.backward()
        optimizer.step()
    return parameters.detach()


def _inversion(features, target, draw, start, steps, rate):
    return draw(_steps(features, target, draw, start, steps, rate))


def _towards(error):
    return lambda *given: given[2](_steps(*given, error=error))


def _alike(given, wanted) -> bool:
    return close(given, wanted, 1e-3)  # Adam forgets how an error was scaled, but for rounding


def _error(found, target):
    return float((found - target).norm() / target.norm())


_WANTED = 2 + normal(1, 4, 3, 3, seed=3)
_FOUND = _WANTED + 0.4 * normal(1, 4, 3, 3, seed=4)


def _correlations(values):
    """How like the last snapshot each one is, channel by channel, of [E, N, C, h, w]: [E, C]."""
    values = values.transpose(1, 2).flatten(2).double()  # [E, C, N × h × w]
    values = values - values.mean(2, keepdim=True)
    return torch.nn.functional.cosine_similarity(values, values[-1:], dim=2)


def _settled(snapshots):
    return _correlations(snapshots).mean(1).float()


def _uncentred(snapshots):
    values = snapshots.transpose(1, 2).flatten(2)
    return torch.nn.functional.cosine_similarity(values, values[-1:], dim=2).mean(1)


def _all_at_once(snapshots):
    values = snapshots.flatten(1) - snapshots.flatten(1).mean(1, keepdim=True)
    return torch.nn.functional.cosine_similarity(values, values[-1:], dim=1)


_SNAPSHOTS = normal(1, 6, 3, 4, 4, seed=5) + torch.linspace(1.5, 0, 4).view(4, 1, 1, 1, 1) * (
    normal(4, 6, 3, 4, 4, seed=6)
)
_SNAPSHOTS = _SNAPSHOTS + torch.tensor([0.0, 2.0, 5.0]).view(1, 1, 3, 1, 1)


EXERCISES = (
    Exercise(
        "inversion",
        "14c",
        "A picture from its features",
        12,
        3,
        _inversion,
        same=on(_features, _TARGET, _draw, _START, 6, 0.1, compare=_alike),
        checks=(
            Mistake(
                "parameters instead of the picture",
                _steps,
                "those are the parameters: return the picture that `draw` makes of them",
            ),
            Mistake(
                "no step",
                lambda features, target, draw, start, steps, rate: draw(start),
                "that is the picture of the start: no step has changed the parameters",
            ),
            Mistake(
                "uphill",
                _towards(lambda found, target: -(found - target).square().sum()),
                "the error grows from step to step: Adam walks down whatever you call backward() "
                "on",
            ),
            Mistake(
                "gradients add up",
                lambda *given: given[2](_steps(*given, fresh=False)),
                "the gradients of all steps add up: call optimizer.zero_grad() in each step",
            ),
            Mistake(
                "target forgotten",
                _towards(lambda found, target: found.square().sum()),
                "the features are driven towards 0: compare them with the target",
            ),
            Mistake(
                "one step",
                lambda features, target, draw, start, steps, rate: _inversion(
                    features, target, draw, start, 1, rate
                ),
            ),
        ),
        otherwise=(
            "close: in each step the squared distance of features(draw(parameters)) from the "
            "target, zero_grad, backward, step; at the end draw(parameters)"
        ),
        cases=(
            (
                lambda x: x.flatten(2).mean(2),
                normal(1, 3, seed=7),
                torch.tanh,
                normal(1, 3, 6, 2),
                9,
                0.03,
            ),
            (
                lambda x: x[..., 1:],
                normal(2, 3, 3, 2, seed=8),
                _draw,
                0.5 * normal(2, 3, 3, 3),
                4,
                0.2,
            ),
        ),
        compare=_alike,
        write=("invert", "inverting"),
        praise="that is inversion: a picture is changed until its features are those you asked for",
    ),
    Exercise(
        "feature_error",
        "14c",
        "How much is missed?",
        4,
        1,
        _error,
        same=on(_FOUND, _WANTED, compare=lambda a, b: near(a, b, 1e-4)),
        checks=(
            Mistake(
                "a length without a unit",
                lambda found, target: float((found - target).norm()),
                "a bare length: layers differ in size and number of features. Divide by the "
                "target's own length",
            ),
            Mistake(
                "divided by the wrong one",
                lambda found, target: float((found - target).norm() / found.norm()),
                "divided by the length of what was found: a picture with huge features would look "
                "good. Divide by the target's",
            ),
            Mistake(
                "squared",
                lambda found, target: _error(found, target) ** 2,
                "those are squared lengths: 10 % would be printed as 1 %. Use .norm()",
            ),
            Mistake(
                "only the lengths",
                lambda found, target: float((found.norm() - target.norm()).abs() / target.norm()),
                "two lengths can agree while the features differ: first subtract, then take the "
                "length",
            ),
            Mistake(
                "feature by feature",
                lambda found, target: float(((found - target) / target).abs().mean()),
            ),
        ),
        otherwise="not yet: the length of (found - target) over the length of target",
        cases=((normal(2, 7, seed=9), normal(2, 7, seed=10)), (normal(5, seed=11), normal(5) + 3)),
        compare=lambda a, b: near(a, b, 1e-4),
        praise="0: nothing is missed. 1: as wrong as no features at all",
    ),
    Exercise(
        "settled",
        "14c",
        "One measure for every layer",
        8,
        2,
        _settled,
        same=on(_SNAPSHOTS),
        checks=(
            Condition(
                lambda f: tuple(f(_SNAPSHOTS).shape) == (4,),
                "one number for each snapshot is wanted, [E]: average over the channels",
            ),
            Mistake(
                "means not subtracted",
                _uncentred,
                "cosines of features that are mostly positive are high for any two networks: "
                "subtract each channel's mean first",
            ),
            Mistake(
                "all channels at once",
                _all_at_once,
                "all channels together: a channel with a high mean decides. Correlate each "
                "channel with itself, then average",
            ),
            Mistake(
                "with the first snapshot",
                lambda snapshots: _settled(snapshots.flip(0)).flip(0),
                "that compares with the *first* snapshot: the last one is the finished network",
            ),
            Mistake(
                "distance instead of likeness",
                lambda snapshots: 1 - _settled(snapshots),
                "upside down: the last snapshot should be 1",
            ),
            Mistake("the last one only", lambda snapshots: torch.ones(len(snapshots))),
        ),
        otherwise=(
            "not yet: for each channel the correlation, over pictures and cells, with the last "
            "snapshot; then the mean over channels"
        ),
        cases=(
            (normal(3, 2, 5, 2, 3, seed=12) + 1,),
            (normal(5, 4, 2, 1, 1, seed=13) * torch.tensor([1.0, 9.0]).view(2, 1, 1),),
        ),
        praise="the same question for every layer, in the same unit: now layers can be compared",
    ),
)
