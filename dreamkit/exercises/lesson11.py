"""Exercises of lesson 11, the published programs: three of their steps, in pictures of [0, 1]."""

from __future__ import annotations

from ..ascent.steps import smooth
from . import Condition, Exercise, Mistake
from .checking import normal, on, uniform

_IMAGE = 0.3 + 0.4 * uniform(1, 3, 9, 7, seed=1)
_GRADIENT = 0.02 * normal(1, 3, 9, 7, seed=2) + 0.01
_ROUGH = normal(1, 3, 24, 20, seed=3)
_FACTORS = (0.5, 1.0, 2.0)


def _caffe(image, gradient, levels):
    return (image + levels / 255 * gradient / gradient.abs().mean()).clamp(0, 1)


def _tensorflow(image, gradient, size, correction=0):
    slope = gradient / 2
    step = size * slope / (slope.std(correction=correction) + 1e-8)
    return ((2 * image - 1 + step).clamp(-1, 1) + 1) / 2


def _three_blurs(gradient, t, steps, factors=_FACTORS):
    sigma = 0.5 + 2 * (t + 1) / steps
    return sum(smooth(gradient, factor * sigma, radius=4) for factor in factors) / 3


def _chained(gradient, t, steps):
    sigma = 0.5 + 2 * (t + 1) / steps
    for factor in _FACTORS:
        gradient = smooth(gradient, factor * sigma, radius=4)
    return gradient


EXERCISES = (
    Exercise(
        "caffe_step",
        "11",
        "The step of 2015",
        6,
        1,
        _caffe,
        same=on(_IMAGE, _GRADIENT, 1.5),
        checks=(
            Mistake(
                "in grey levels",
                lambda x, g, n: (x + n * g / g.abs().mean()).clamp(0, 1),
                "the step is far too long: here a picture lies in [0, 1], and a grey level is "
                "1/255 of that",
            ),
            Mistake(
                "the sign only",
                lambda x, g, n: (x + n / 255 * g.sign()).clamp(0, 1),
                "every value changes by the same amount: divide by the mean of the sizes, not by "
                "each value's own size",
            ),
            Mistake(
                "the mean with its signs",
                lambda x, g, n: (x + n / 255 * g / g.mean()).clamp(0, 1),
                "values of both signs cancel in your mean: take the mean of their *sizes*, |g|",
            ),
            Mistake(
                "the standard deviation",
                lambda x, g, n: (x + n / 255 * g / g.std(correction=0)).clamp(0, 1),
                "you divide by the standard deviation, as TensorFlow's tutorial does: here it is "
                "the mean of |g|",
            ),
            Condition(
                lambda f: float(f(_IMAGE, _GRADIENT, 200.0).max()) <= 1,
                "a large step leaves [0, 1]: clip the picture",
            ),
            Mistake("downhill", lambda x, g, n: _caffe(x, -g, n)),
            Mistake("not clipped", lambda x, g, n: x + n / 255 * g / g.abs().mean()),
        ),
        otherwise="close: the picture plus levels/255 times the gradient over its mean size",
        cases=(
            (uniform(1, 3, 5, 8, seed=4), normal(1, 3, 5, 8, seed=5) - 1, 30.0),
            (uniform(1, 3, 6, 6, seed=6), 1e-9 * normal(1, 3, 6, 6, seed=7), 0.5),
        ),
        write=("normalize", "ascend"),
        praise="on average each value moves by that many grey levels, whatever the gradient's size",
    ),
    Exercise(
        "tensorflow_step",
        "11",
        "The step of TensorFlow's tutorial",
        8,
        2,
        _tensorflow,
        same=on(_IMAGE, _GRADIENT, 0.01),
        checks=(
            Mistake(
                "as if [-1, 1] were [0, 1]",
                lambda x, g, s: (x + s * g / g.std(correction=0)).clamp(0, 1),
                "the step is twice too long: a length in [-1, 1] is half as long in [0, 1]",
            ),
            Mistake(
                "stays in [-1, 1]",
                lambda x, g, s: 2 * _tensorflow(x, g, s) - 1,
                "the result is a picture in [-1, 1]: bring it back to [0, 1]",
            ),
            Mistake(
                "the mean size",
                lambda x, g, s: (x + s / 2 * g / g.abs().mean()).clamp(0, 1),
                "you divide by the mean of |g|, as Caffe's and Keras's programs do: here it is the "
                "standard deviation",
            ),
            Mistake(
                "standardised",
                lambda x, g, s: (x + s / 2 * (g - g.mean()) / g.std(correction=0)).clamp(0, 1),
                "you subtract the gradient's mean, as the PyTorch program does: this one only "
                "divides",
            ),
            Mistake(
                "the unbiased standard deviation",
                lambda x, g, s: _tensorflow(x, g, s, correction=1),
                "close: TensorFlow divides the squares by their number, not by one less "
                "(`correction=0`)",
            ),
            Condition(
                lambda f: float(f(_IMAGE, _GRADIENT, 9.0).max()) <= 1,
                "a large step leaves [0, 1]: clip the picture",
            ),
            Mistake("not clipped", lambda x, g, s: x + s / 2 * g / g.std(correction=0)),
        ),
        otherwise="close: to [-1, 1] and back, and the gradient over its standard deviation",
        cases=(
            (uniform(1, 3, 5, 8, seed=8), normal(1, 3, 5, 8, seed=9) - 1, 0.3),
            (uniform(1, 3, 6, 6, seed=10), 4e-8 * normal(1, 3, 6, 6, seed=11), 0.05),
        ),
        write=("normalize", "ascend"),
        praise="half the gradient, half the step: the space is in it, and the epsilon too",
    ),
    Exercise(
        "three_blurs",
        "11",
        "Three Gaussians that grow",
        8,
        2,
        _three_blurs,
        same=on(_ROUGH, 3, 10),
        checks=(
            Condition(
                lambda f: f(_ROUGH, 3, 10).shape == _ROUGH.shape,
                "the result has the shape of the gradient, [N, 3, H, W]",
            ),
            Mistake(
                "adds them up",
                lambda g, t, n: 3 * _three_blurs(g, t, n),
                "you add the three blurs up: divide by three, so that a flat gradient stays as it "
                "is",
            ),
            Mistake(
                "one after the other",
                _chained,
                "you blur a blurred gradient: each of the three starts from the gradient itself",
            ),
            Mistake(
                "a single blur",
                lambda g, t, n: _three_blurs(g, t, n, (1, 1, 1)),
                "that is one blur with sigma: two more are wanted, with half and with twice as "
                "much",
            ),
            Mistake(
                "does not grow",
                lambda g, t, n: _three_blurs(g, 0, n),
                "your blur is the same at every step: sigma grows with t",
            ),
            Mistake(
                "counts from one",
                lambda g, t, n: _three_blurs(g, t - 1, n),
                "steps are counted from 0 here, and the first one has a sigma above 0.5 already: "
                "t + 1",
            ),
            Mistake(
                "wide kernels",
                lambda g, t, n: (
                    sum(smooth(g, factor * (0.5 + 2 * (t + 1) / n)) for factor in _FACTORS) / 3
                ),
                "close: the kernels have 9×9 pixels, which cuts the widest Gaussian off "
                "(`radius=4`)",
            ),
            Mistake("1, 2 and 3 times sigma", lambda g, t, n: _three_blurs(g, t, n, (1, 2, 3))),
        ),
        otherwise="three blurs, but not with 0.5, 1 and 2 times sigma, averaged",
        cases=((normal(2, 3, 13, 17, seed=12), 0, 4), (normal(1, 3, 16, 11, seed=13), 6, 7)),
        praise="three blurs side by side, averaged: sharp near the middle, with long soft tails",
    ),
)
