"""Lesson 08's checks turn down what only looks right: copies, ignored parameters, `dk.dream`."""

from dataclasses import replace

import torch

import dreamkit as dk
from dreamkit.exercises import all_exercises

STEP = all_exercises()["dream_step"].solution
WHOLE = all_exercises()["deepdream"].solution

FOOLS = {
    "the shift of the example": ("dream_step", lambda x, f, d, s, h: STEP(x, f, (3, -2), s, h)),
    "sigma ignored": ("dream_step", lambda x, f, d, s, h: STEP(x, f, d, 0.8, h)),
    "step size ignored": ("dream_step", lambda x, f, d, s, h: STEP(x, f, d, s, 0.02)),
    "score ignored": ("dream_step", lambda x, f, d, s, h: STEP(x, lambda p: p.mean(), d, s, h)),
    "dk.dream": ("deepdream", dk.dream),
    "dk.dream wrapped": ("deepdream", lambda score, image, s: dk.dream(score, image, s)),
    "octaves fixed": ("deepdream", lambda f, x, s: WHOLE(f, x, replace(s, octaves=3))),
    "ratio fixed": ("deepdream", lambda f, x, s: WHOLE(f, x, replace(s, octave_ratio=1.4))),
    "seed fixed": ("deepdream", lambda f, x, s: WHOLE(f, x, replace(s, seed=0))),
    "jitter fixed": ("deepdream", lambda f, x, s: WHOLE(f, x, replace(s, jitter=3))),
    "smoothing fixed": ("deepdream", lambda f, x, s: WHOLE(f, x, replace(s, smoothing=0.8))),
    "step size fixed": ("deepdream", lambda f, x, s: WHOLE(f, x, replace(s, step_size=0.02))),
    "the picture itself": ("deepdream", lambda f, x, s: x),
}


def test_the_solution_is_the_packages_dream():
    image = torch.rand(1, 3, 21, 30, generator=torch.Generator().manual_seed(1))
    settings = dk.Settings(steps=2, octaves=3, jitter=4, smoothing=0.6, seed=5)
    score = lambda x: (x.sin() * torch.linspace(0, 1, x.shape[-1])).sum()
    assert torch.equal(WHOLE(score, image, settings), dk.dream(score, image, settings))
