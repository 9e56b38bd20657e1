"""Lesson 14a's checks turn down what only looks right: fixed sizes and ignored arguments."""

import torch

from dreamkit.exercises import all_exercises

UNPOOL, RECTIFY, COVER, SIGNS = (
    all_exercises()[name].solution for name in ("unpool", "relu_down", "cover", "sign_distance")
)

FOOLS = {
    "a map of four rows": (
        "unpool",
        lambda v, s, h, w: UNPOOL(v, s.clamp(max=15), 4, 4),
    ),
    "always square": ("unpool", lambda v, s, h, w: UNPOOL(v, s.clamp(max=h * h - 1), h, h)),
    "switches ignored": (
        "unpool",
        lambda v, s, h, w: UNPOOL(v, torch.arange(v.numel()).view_as(s), h, w),
    ),
    "the least of both": ("relu_down", lambda up, down: torch.minimum(up, down).clamp(min=0)),
    "a list of six": ("relu_down", lambda up, down: RECTIFY(up, down).flatten()[:6]),
    "rectified twice": ("relu_down", lambda up, down: down.clamp(0, 6)),
    "always six pixels": ("cover", lambda f, x, size: COVER(f, x, 6)),
    "a score of its own": ("cover", lambda f, x, size: COVER(lambda p: float(p.sum()), x, size)),
    "only the first row": ("cover", lambda f, x, size: COVER(f, x, size)[:1]),
    "the first eight": ("sign_distance", lambda a, b: SIGNS(a.flatten()[:8], b.flatten()[:8])),
    "always a half": ("sign_distance", lambda a, b: 0.5),
}
