"""Exercises of lesson 13, inceptionism."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake
from .checking import near, normal, on, uniform
from .variants13 import (
    TRIAL,
    agree_like,
    alike,
    ascent,
    neighbours,
    place,
    places,
    rolled,
    tilted,
    variant,
    views,
    weights,
)

EXERCISES = (
    Exercise(
        "neighbours",
        "13",
        "How much do neighbours agree?",
        6,
        2,
        neighbours,
        same=agree_like,
        checks=(
            Mistake(
                "mean difference",
                lambda picture: float((picture[..., :-1] - picture[..., 1:]).abs().mean()),
                "that is a mean difference: it shrinks with contrast. A correlation is 1 for any "
                "picture without edges",
            ),
            Mistake(
                "means not taken away",
                lambda picture: neighbours(picture, centre=False),
                "a bright picture of noise comes out near 1: subtract each side's mean first",
            ),
            Mistake(
                "covariance",
                lambda picture: neighbours(picture, divide=False),
                "the product is there; divide it by both standard deviations, so that contrast "
                "does not matter",
            ),
            Mistake(
                "neighbours above and below",
                lambda picture: neighbours(picture, down=True),
                "these are neighbours above and below; take columns: the last dimension",
            ),
            Condition(
                lambda f: agree_like(f, neighbours, ("lines", "bars", "noise", "ramp"), 0.01),
                "not yet: the correlation of picture[..., :-1] with picture[..., 1:]",
            ),
        ),
        cases=((uniform(1, 3, 9, 30, seed=4),), (uniform(2, 3, 17, 8, seed=5).cumsum(3) / 20,)),
        compare=lambda given, wanted: near(given, wanted, 1e-3),
        praise="1 where neighbours always agree, 0 for noise: the prior of the post, as one number",
    ),
    Exercise(
        "one_over_f",
        "13",
        "Loud and quiet waves",
        6,
        2,
        weights,
        same=on(6, 6, compare=alike),
        checks=(
            Mistake(
                "both halves of the spectrum",
                lambda height, width: weights(height, width, whole=True),
                "a column for each frequency from -0.5 to 0.5: rfft2 keeps only width // 2 + 1 of "
                "them; take torch.fft.rfftfreq(width) for the columns",
            ),
            Condition(
                lambda f: tuple(f(6, 6).shape) == (6, 4),
                "the result should be [height, width // 2 + 1]: fftfreq(height) down the rows, "
                "rfftfreq(width) along the columns",
            ),
            Condition(
                lambda f: bool(torch.isfinite(f(6, 6)).all()),
                "the mean of the picture has frequency 0, and 1 / 0 is infinite: use the lowest "
                "frequency there is, 1 / max(height, width), in its place",
            ),
            Mistake(
                "1 / f²",
                lambda height, width: weights(height, width, power=2.0),
                "that is 1 / f²: take the root of the sum of the two squares",
            ),
            Mistake(
                "no root",
                lambda height, width: weights(height, width, squared=False),
                "the frequency is the root of the sum of the two squares",
            ),
            Mistake(
                "loud high frequencies",
                lambda height, width: 1 / weights(height, width),
                "upside down: slow waves should be loud, fast ones quiet",
            ),
            Mistake("mean left at infinity", lambda h, w: weights(h, w, floor=False)),
        ),
        cases=((8, 5), (4, 11)),
        compare=alike,
        otherwise="not yet: 1 / f, f at least 1 / max(height, width), in cycles a pixel",
        praise="a slow wave is loud, a fast one quiet: the prior of the post, as one table",
    ),
    Exercise(
        "class_ascent",
        "13",
        "Class ascent",
        10,
        3,
        ascent,
        same=on(*TRIAL),
        checks=(
            Mistake(
                "downhill",
                variant(uphill=1),
                "the score goes down: an optimizer walks downhill, so give it minus the score",
            ),
            Mistake(
                "coefficients returned",
                variant(end=lambda picture, held: held),
                "these are the coefficients: return the picture, paint(held)",
            ),
            Mistake(
                "never looked",
                variant(view=lambda picture, step: picture),
                "the score sees the picture itself: give it look(picture, step)",
            ),
            Mistake(
                "always the same view",
                lambda score, held, paint, look, *rest: ascent(
                    score, held, paint, lambda picture, _: look(picture, 0), *rest
                ),
                "each step has a view of its own: look(picture, step), step from 0 on",
            ),
            Mistake(
                "gradients add up",
                variant(clear=False),
                "gradients of earlier steps are added to the new one: call zero_grad before each "
                "backward",
            ),
            Mistake(
                "the view returned",
                lambda score, held, paint, look, steps, rate: look(
                    ascent(score, held, paint, look, steps, rate), steps
                ),
                "return the whole picture, not a view of it",
            ),
            Mistake(
                "plain ascent on pixels",
                lambda score, held, paint, look, steps, rate: paint(held),
            ),
        ),
        cases=(
            (tilted, normal(2, 3, 7, 4, seed=5), torch.tanh, rolled, 3, 0.3),
            (
                lambda x: x.pow(3).mean(),
                normal(1, 2, 4, 4, seed=6),
                torch.cos,
                lambda x, step: x + step,
                6,
                0.02,
            ),
        ),
        write=("growing", "class_picture"),
        otherwise="close: paint, look, minus the score, backward, step; `steps` times, Adam(rate)",
        praise="paint, look, score, step: what you hand it decides whether a banana comes out",
    ),
    Exercise(
        "place",
        "13",
        "The place of a class",
        5,
        2,
        place,
        same=lambda answer, other: places(answer) == places(other),
        checks=(
            Mistake(
                "counted from 1",
                lambda logits, index: place(logits, index, first=1),
                "one too many: the first of all has place 0",
            ),
            Mistake(
                "means of logits",
                lambda logits, index: place(logits, index, lambda x: x.mean(0)),
                "these are means of logits, in which one loud view decides: take the softmax of "
                "each view first",
            ),
            Mistake(
                "the first view only",
                lambda logits, index: place(logits, index, lambda x: x[0]),
                "that is the opinion of the first view: average over all",
            ),
            Mistake(
                "softmax over the views",
                lambda logits, index: place(logits, index, lambda x: x.softmax(0).mean(0)),
                "the probabilities of one view should sum to 1: softmax over the classes, "
                "dimension 1",
            ),
            Mistake(
                "from the end",
                lambda logits, index: logits.shape[1] - 1 - place(logits, index),
                "counted from the least probable class: count those that are more probable",
            ),
            Mistake(
                "the class at that place",
                lambda logits, index: int(
                    logits.softmax(1).mean(0).argsort(descending=True)[index]
                ),
            ),
        ),
        otherwise="not yet: mean probability over the views; then how many classes have more",
        cases=((views(30, 2, 8), 29), (views(5, 7, 9), 0)),
        compare=lambda given, wanted: int(given) == wanted,
        praise="0 of 1,000 would be first: a judge's verdict as one number",
    ),
)
