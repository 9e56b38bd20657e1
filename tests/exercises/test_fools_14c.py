"""Lesson 14c's checks turn down what only looks right: ignored parameters, `dk.inside.invert`."""

import torch

import dreamkit as dk
from dreamkit.exercises import all_exercises

INVERSION, ERROR, SETTLED = (
    all_exercises()[name].solution for name in ("inversion", "feature_error", "settled")
)


def packages(features, target, draw, start, steps, rate):
    return dk.inside.inverting(features, "", target, start.shape[-2:], steps=steps, rate=rate)


FOOLS = {
    "the package's own": ("inversion", packages),
    "invert itself": ("inversion", dk.inside.invert),
    "steps fixed": ("inversion", lambda f, t, d, x, n, r: INVERSION(f, t, d, x, 6, r)),
    "rate fixed": ("inversion", lambda f, t, d, x, n, r: INVERSION(f, t, d, x, n, 0.1)),
    "start ignored": ("inversion", lambda f, t, d, x, n, r: INVERSION(f, t, d, 0 * x, n, r)),
    "always a sigmoid": (
        "inversion",
        lambda f, t, d, x, n, r: INVERSION(f, t, torch.sigmoid, x, n, r),
    ),
    "the drawing of the start": ("inversion", lambda f, t, d, x, n, r: d(x)),
    "found ignored": ("feature_error", lambda found, target: ERROR(0 * target, target)),
    "one picture's length": (
        "feature_error",
        lambda found, target: ERROR(found, target) if target.dim() == 4 else 1.0,
    ),
    "first picture only": ("settled", lambda s: SETTLED(s[:, :1])),
    "first channel only": ("settled", lambda s: SETTLED(s[:, :, :1])),
    "averaged over cells": ("settled", lambda s: SETTLED(s.mean((3, 4), keepdim=True))),
    "a straight line": ("settled", lambda s: torch.linspace(0, 1, len(s))),
}


def test_settled_agrees_with_torchs_corrcoef():
    snapshots = torch.randn(3, 4, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    wanted = [
        sum(
            torch.corrcoef(torch.stack([s[:, c].flatten(), snapshots[-1, :, c].flatten()]))[0, 1]
            for c in (0, 1)
        )
        / 2
        for s in snapshots
    ]
    assert torch.allclose(SETTLED(snapshots), torch.stack(wanted), atol=1e-6)
