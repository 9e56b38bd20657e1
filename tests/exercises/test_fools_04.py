"""Lesson 04: answers that are right on the lesson's own case only, or leave the work to others."""

import torch
from torch.nn import functional as F

import dreamkit as dk
from dreamkit.exercises import check


def fine(plane, limit, frequency=torch.hypot):
    power = torch.fft.fft2(plane - plane.mean()).abs().square()
    down, across = (torch.fft.fftfreq(n) for n in plane.shape)
    grid = torch.meshgrid(down.abs(), across.abs(), indexing="ij")
    return power[frequency(*grid) > limit].sum() / power.sum()


def ascent(score, image, steps, step_size, size=torch.std):
    for _ in range(steps):
        slopes = dk.gradient(score, image)
        image = (image + step_size * slopes / size(slopes)).clamp(0, 1)
    return image


FOOLS = {
    "the limit ignored": ("fine", lambda plane, limit: fine(plane, 0.2)),
    "the greater part of the frequency": ("fine", lambda p, l: fine(p, l, torch.maximum)),
    "the sum of both parts": ("fine", lambda p, l: fine(p, l, torch.add)),
    "a square plane only": (
        "fine",
        lambda p, l: fine(p[: min(p.shape), : min(p.shape)], l),
    ),
    "the package's own share": ("fine", lambda p, l: dk.fine_share(p[None, None], l)),
    "the steps ignored": ("ascent", lambda s, x, n, size: ascent(s, x, 4 if n else 0, size)),
    "the step size ignored": ("ascent", lambda s, x, n, size: ascent(s, x, n, 0.05)),
    "divided by the mean of |g|": (
        "ascent",
        lambda s, x, n, size: ascent(s, x, n, size, lambda g: g.abs().mean()),
    ),
    "the package's own loop": (
        "ascent",
        lambda s, x, n, size: dk.dream(
            s, x, dk.Settings(steps=n, step_size=size, octaves=1, jitter=0, smoothing=0.0)
        ),
    ),
    "a step of two always": (
        "way_back",
        lambda slopes, step: F.conv_transpose2d(
            slopes, torch.ones(slopes.shape[1], 1, 1, 1), stride=2, groups=slopes.shape[1]
        ),
    ),
    "one picture only": (
        "way_back",
        lambda slopes, step: torch.zeros(1, 2, 2 * step, 3 * step).index_put((), torch.tensor(0.0)),
    ),
}


def test_other_right_answers_are_accepted():
    def by_autograd(slopes, step):
        n, c, h, w = slopes.shape
        x = torch.zeros(n, c, h * step, w * step, requires_grad=True)
        return torch.autograd.grad(x[..., ::step, ::step], x, slopes)[0]

    assert check("way_back", by_autograd).ok
    assert check("fine", fine).ok
    assert check("ascent", lambda s, x, n, size: ascent(s, x, n, size)).ok
