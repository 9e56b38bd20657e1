"""Lesson 13's checks turn down what only looks right: copies, ignored parameters, `growing`."""

import torch

import dreamkit as dk
from dreamkit.exercises import all_exercises

NEIGHBOURS, WEIGHTS, ASCENT, PLACE = (
    all_exercises()[name].solution for name in ("neighbours", "one_over_f", "class_ascent", "place")
)

FOOLS = {
    "neighbours: always 0.9": ("neighbours", lambda picture: 0.9),
    "neighbours: of the first colour": ("neighbours", lambda picture: NEIGHBOURS(picture[:, :1])),
    "neighbours: of the middle rows": ("neighbours", lambda x: NEIGHBOURS(x[..., 8:9, :])),
    "weights of a square": ("one_over_f", lambda height, width: WEIGHTS(height, height)),
    "weights of 6 pixels": ("one_over_f", lambda height, width: WEIGHTS(6, 6)),
    "weights turned": ("one_over_f", lambda height, width: WEIGHTS(width, height)),
    "ascent: score ignored": ("class_ascent", lambda f, *rest: ASCENT(lambda x: x.mean(), *rest)),
    "ascent: always four steps": (
        "class_ascent",
        lambda a, b, c, d, n, r: ASCENT(a, b, c, d, 4, r),
    ),
    "ascent: rate of the example": (
        "class_ascent",
        lambda a, b, c, d, n, rate: ASCENT(a, b, c, d, n, 0.1),
    ),
    "ascent: its own paint": (
        "class_ascent",
        lambda score, held, paint, *rest: ASCENT(score, held, torch.sigmoid, *rest),
    ),
    "ascent: the package's": (
        "class_ascent",
        lambda score, held, paint, look, steps, rate: list(
            dk.fourier.growing(score, 8, 8, steps, rate)
        )[-1],
    ),
    "place: always the first": ("place", lambda logits, index: 0),
    "place: of class 0": ("place", lambda logits, index: PLACE(logits, 0)),
    "place: five views": ("place", lambda logits, index: PLACE(logits[:5], index)),
    "place: the last view": ("place", lambda logits, index: PLACE(logits[-1:], index)),
}


def test_the_weights_are_those_of_the_package():
    theirs = dk.fourier.to_image(torch.ones(1, 3, 6, 5, 2), 8)
    planes = torch.fft.irfft2(
        0.25 * (1 + 1j) * WEIGHTS(6, 8).expand(1, 3, 6, 5), s=(6, 8), norm="ortho"
    )
    ours = torch.sigmoid(torch.einsum("rc,nchw->nrhw", torch.tensor(dk.fourier.COLORS), planes))
    assert torch.allclose(theirs, ours, atol=1e-6)
