"""Lesson 01: answers that fit the lesson's own case, and nothing else, are turned down."""

import torch
from torch.nn import functional as F

import dreamkit as dk


def three_by_three(grey, kernel):
    result = torch.zeros(grey.shape[0] - 2, grey.shape[1] - 2)
    for y in range(result.shape[0]):
        for x in range(result.shape[1]):
            result[y, x] = (grey[y : y + 3, x : x + 3] * kernel[:3, :3]).sum()
    return result


def square_only(grey, kernel):
    side, k = grey.shape[0] - kernel.shape[0] + 1, kernel.shape[0]
    windows = F.conv2d(grey[None, None], kernel[None, None])[0, 0]
    return windows[:side, : 4 - k + 1]


def per_picture(left, right):
    """Each half's own mean instead of the mean of all rows."""
    unit = lambda codes: F.normalize(codes - codes.mean(0), dim=1)
    return float(((unit(left) @ unit(right).T).argmax(1) == torch.arange(len(left))).float().mean())


def nine_rows(left, right):
    return dk_like(left[:9], right[:9])


def dk_like(left, right):
    mean = torch.cat([left, right]).mean(0)
    unit = lambda codes: F.normalize(codes - mean, dim=1)
    return float(((unit(left) @ unit(right).T).argmax(1) == torch.arange(len(left))).float().mean())


FOOLS = {
    "a kernel of three": ("slide_filter", three_by_three),
    "the picture of the check": ("slide_filter", square_only),
    "no kernel": ("slide_filter", lambda grey, kernel: grey[2:, 2:]),
    "a map of six cells": ("quiet", lambda maps: (maps[0] == 0).float().sum((1, 2)) / 6),
    "three channels": ("quiet", lambda maps: (maps[0, :3] == 0).float().mean((1, 2))),
    "one cell": ("peak", lambda feature_map: (1, 3)),
    "a width of four": ("peak", lambda feature_map: divmod(int(feature_map.argmax()), 4)),
    "magnitudes": (
        "peak",
        lambda feature_map: divmod(int(feature_map.abs().argmax()), feature_map.shape[1]),
    ),
    "the package's own": ("retrieval", dk.inside.retrieval),
    "calls the package's own": ("retrieval", lambda l, r: dk.inside.retrieval(l, r)),
    "each side's own mean": ("retrieval", per_picture),
    "nine rows": ("retrieval", nine_rows),
    "a constant": ("retrieval", lambda left, right: 3 / 9),
}


def test_answers_written_otherwise_are_accepted():
    unfold = lambda g, k: F.conv2d(g[None, None], k[None, None])[0, 0]
    assert dk.exercises.check("slide_filter", unfold).ok
    assert dk.exercises.check("quiet", lambda m: 1 - m[0].sign().mean((1, 2))).ok
    where = lambda m: tuple(torch.nonzero(m == m.max())[0])
    assert dk.exercises.check("peak", where).ok
    assert dk.exercises.check("retrieval", dk_like).ok
