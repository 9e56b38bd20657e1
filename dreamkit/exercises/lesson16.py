"""Exercises of lesson 16, ONNX."""

from __future__ import annotations

import math

import torch

from . import Exercise, Mistake
from .checking import normal, on, uniform


def _runs(offs: tuple[float, ...], size: int = 4, seed: int = 0):
    """(ours, theirs): maps of one layer for each number, by which ours are off."""
    theirs, ours = {}, {}
    for i, share in enumerate(offs):
        maps = normal(1, 2 + i, size, size + 1, seed=seed + i) * 10.0**i
        maps[0, 0, 0, 0] = -3 * maps.abs().max()  # the largest value is negative
        theirs[f"block{i + 1}"], ours[f"block{i + 1}"] = maps, maps.clone()
        ours[f"block{i + 1}"][0, 1, 1, 2] -= share * maps.abs().max()
    return ours, theirs


_RUNS, _AGREE = _runs((1e-6, 1e-4, 0.2, 0.02, 0.9)), _runs((1e-6, 2e-6), seed=40)


def _parting(ours, theirs, tolerance, off=None):
    off = off or (lambda a, b: (a - b).abs().max() / b.abs().max())
    return next((name for name in theirs if off(ours[name], theirs[name]) > tolerance), "")


def _parts(answer, other) -> bool:
    trials = [(*_RUNS, 1e-2), (*_RUNS, 1e-5), (*_AGREE, 1e-5), (*_RUNS, 0.5)]
    return all(answer(*trial) == other(*trial) for trial in trials)


def _masked(mask, uphill):
    return torch.where(mask, uphill, torch.zeros_like(uphill))


def _backwards(x, uphill, top):
    return _masked((x > 0) & (x < top), uphill)


def _inputs(*shape: int, top: float = 6.0, seed: int = 0) -> torch.Tensor:
    """Values around 0 and the top, both of which are met exactly."""
    x = normal(*shape, seed=seed) * top
    x.view(-1)[:4] = torch.tensor([0.0, top, 0.0, top])
    return x


_X, _UPHILL = _inputs(1, 2, 4, 5), normal(1, 2, 4, 5, seed=1)


def _caffe(picture, mean):
    return 255 * picture.flip(1) - picture.new_tensor(mean).view(1, 3, 1, 1)


_MEAN = (104.0, 117.0, 123.0)


EXERCISES = (
    Exercise(
        "where_they_part",
        "16",
        "Where do two programs part?",
        7,
        2,
        _parting,
        same=_parts,
        checks=(
            Mistake(
                "not divided",
                lambda *given: _parting(*given, off=lambda a, b: (a - b).abs().max()),
                "that is a difference in the layer's own units; deep layers reach hundreds, so "
                "divide by how large `theirs` gets",
            ),
            Mistake(
                "signs kept",
                lambda *given: _parting(*given, off=lambda a, b: (a - b).max() / b.max()),
                "a value that is too small counts as well: take the size of the difference, and of "
                "the largest value",
            ),
            Mistake(
                "the mean difference",
                lambda *given: _parting(
                    *given, off=lambda a, b: (a - b).abs().mean() / b.abs().max()
                ),
                "an average hides one map that is quite wrong; take the largest difference",
            ),
            Mistake(
                "the worst layer",
                lambda ours, theirs, tolerance: max(
                    theirs,
                    key=lambda n: float((ours[n] - theirs[n]).abs().max() / theirs[n].abs().max()),
                ),
                "that is the layer with the largest difference; asked is the *first* above the "
                "tolerance, where the mistake begins",
            ),
            Mistake(
                "the last layer above",
                lambda ours, theirs, tolerance: _parting(
                    ours, dict(reversed(theirs.items())), tolerance
                ),
                "that is the last layer above the tolerance; the mistake begins at the first",
            ),
        ),
        otherwise=(
            'not yet: walk up the layers; the first whose difference is above, or "" where none is'
        ),
        cases=((*_runs((0.01, 2.0), 6, 7), 1.5), (*_runs((1e-7, 1e-6, 4e-4), 3, 9), 3e-4)),
        compare=lambda given, wanted: given == wanted,
        praise="the first tool of everybody who carries a network from one program to another",
    ),
    Exercise(
        "relu_backwards",
        "16",
        "A ReLU6, backwards",
        6,
        2,
        _backwards,
        same=on(_X, _UPHILL, 6.0),
        checks=(
            Mistake(
                "no mask",
                lambda x, uphill, top: uphill,
                "nothing is stopped: where x is below 0 a small change of x changes nothing, so "
                "the gradient there is 0",
            ),
            Mistake(
                "mask turned round",
                lambda x, uphill, top: _masked(~((x > 0) & (x < top)), uphill),
                "the mask is the wrong way round: the gradient passes where x lies *between* 0 and "
                "top",
            ),
            Mistake(
                "a plain ReLU",
                lambda x, uphill, top: _masked(x > 0, uphill),
                "above `top` the result does not change either: nothing passes there",
            ),
            Mistake(
                "zero passes",
                lambda x, uphill, top: _masked((x >= 0) & (x < top), uphill),
                "at exactly 0 nothing may pass: a network has many exact zeros, as behind another "
                "ReLU",
            ),
            Mistake(
                "the top passes",
                lambda x, uphill, top: _masked((x > 0) & (x <= top), uphill),
                "at exactly `top` nothing may pass",
            ),
            Mistake(
                "ReLU of the gradient",
                lambda x, uphill, top: uphill.clamp(min=0),
                "a ReLU of the gradient is the deconvnet's rule (lesson 14a); the true mask "
                "depends on x, and negative gradients pass",
            ),
            Mistake(
                "guided backpropagation",
                lambda x, uphill, top: _backwards(x, uphill.clamp(min=0), top),
                "negative gradients are lost: that is guided backpropagation; the mask depends on "
                "x alone",
            ),
            Mistake(
                "times x",
                lambda x, uphill, top: x.clamp(0, top) * uphill,
                "multiplied by x itself: the slope between 0 and top is 1, however large x is",
            ),
        ),
        otherwise="not yet: `uphill` where x lies between 0 and top, and 0 elsewhere",
        cases=(
            (_inputs(2, 3, 5, 2, top=1.5, seed=2), normal(2, 3, 5, 2, seed=3), 1.5),
            (_inputs(7, top=40.0, seed=4), normal(7, seed=5), math.inf),
        ),
        praise=(
            "two comparisons and a choice: the step file holds these nodes for each ReLU6 of the "
            "network"
        ),
    ),
    Exercise(
        "for_caffe",
        "16",
        "A picture as Caffe wants it",
        6,
        2,
        _caffe,
        same=on(normal(1, 3, 4, 5).sigmoid(), _MEAN),
        checks=(
            Mistake(
                "not brought to 255",
                lambda picture, mean: _caffe(picture / 255, mean),
                "the mean is on a scale to 255, the picture on one to 1: bring it to 255 first",
            ),
            Mistake(
                "red first",
                lambda picture, mean: _caffe(picture.flip(1), mean),
                "still red, green, blue: put the channels in the order blue, green, red",
            ),
            Mistake(
                "means in the wrong order",
                lambda picture, mean: _caffe(picture, mean[::-1]),
                "the first number of `mean` is that of *blue*: reverse the channels first, then "
                "subtract the means",
            ),
            Mistake(
                "upside down",
                lambda picture, mean: _caffe(picture.flip(1, 2), mean),
                "the picture is upside down: channels are dimension 1",
            ),
        ),
        otherwise="not yet: times 255, channels reversed, minus the three means",
        cases=(
            (uniform(2, 3, 6, 3, seed=3), (103.9, 116.8, 123.7)),
            (uniform(1, 3, 5, 8, seed=4), (90.0, 100.0, 140.0)),
        ),
        praise=(
            "every wrong version would have run without an error, and dreamt worse: no file says "
            "what its numbers mean"
        ),
    ),
)
