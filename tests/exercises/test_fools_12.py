"""Lesson 12's checks turn down what only looks right: copies, ignored parameters, `zooming`."""

import torch

import dreamkit as dk
from dreamkit.exercises import all_exercises

ZOOM, RATE, BEGIN, RETURNS = (
    all_exercises()[name].solution for name in ("endless_zoom", "per_frame", "begin", "returns")
)

FOOLS = {
    "zoom: factor of the notebook": ("endless_zoom", lambda d, x, f, n: ZOOM(d, x, 1 / 0.95, n)),
    "zoom: factor of the example": ("endless_zoom", lambda d, x, f, n: ZOOM(d, x, 1.2, n)),
    "zoom: always four frames": ("endless_zoom", lambda d, x, f, n: ZOOM(d, x, f, 4)),
    "zoom: the turn forgotten": ("endless_zoom", lambda d, x, f, n: ZOOM(d, x, abs(f), n)),
    "zoom: dream ignored": ("endless_zoom", lambda d, x, f, n: ZOOM(lambda p: p, x, f, n)),
    "zoom: the package's": (
        "endless_zoom",
        lambda d, x, f, n: list(
            dk.film.zooming(torch.sum, x, dk.Settings(steps=1, octaves=1), frames=n, fps=1, zoom=f)
        ),
    ),
    "rate: always 1.04": ("per_frame", lambda rate, fps: 1.04),
    "rate: at 30 frames": ("per_frame", lambda rate, fps: RATE(rate, 30)),
    "begin: blend of the example": ("begin", lambda f, c, t, blend: BEGIN(f, c, t, 0.8)),
    "begin: the dream alone": ("begin", lambda f, c, t, blend: torch.where(t, c, f)),
    "begin: one mask for all": ("begin", lambda f, c, t, blend: BEGIN(f, c, t[:1], blend)),
    "returns: always": ("returns", lambda back, forth: torch.ones_like(back[:, :1]) > 0),
    "returns: across alone": ("returns", lambda back, forth: RETURNS(back[:, :1], forth[:, :1])),
}


def test_the_zoom_is_that_of_the_package():
    """A dream is rounded to 8 bits and has its own seed in each frame there; else it is equal."""
    image, settings = dk.noise(12, 16), dk.Settings(steps=2, octaves=1, jitter=0)
    score = lambda x: (x * torch.linspace(0, 1, 16)).sum()
    dream = lambda picture: (dk.dream(score, picture, settings) * 255).round() / 255
    theirs = list(dk.film.zooming(score, image, settings, frames=3, fps=1, zoom=1.1))
    for ours, wanted in zip(ZOOM(dream, image, 1.1, 3), theirs, strict=True):
        assert torch.equal(ours, wanted)
