"""Lesson 10: answers that are right on the lesson's own case only, or leave the work to others."""

import torch

import dreamkit as dk
from dreamkit.exercises import all_exercises, check

GUIDED = all_exercises()["guided"].solution
LIKENESS = all_exercises()["likeness"].solution
SPOIL = all_exercises()["spoil"].solution


def packages_own(features, guide):
    return dk.guide("x", guide).formula({"x": features})


FOOLS = {
    "the mean over positions": ("guided", lambda x, y: GUIDED(x, y) / x[0, 0].numel()),
    "new random numbers": (
        "spoil",
        lambda f, seed: torch.rand(f.shape, generator=torch.Generator().manual_seed(seed)),
    ),
    "the guide itself": ("spoil", lambda f, seed: f.clone()),
    "the package's objective": ("guided", packages_own),
    "the first five channels": ("guided", lambda x, y: GUIDED(x[:, :5], y[:, :5])),
    "twenty positions": ("guided", lambda x, y: GUIDED(x.flatten(2)[..., :20, None], y)),
    "never negative": ("guided", lambda x, y: GUIDED(x.relu(), y)),
    "the first five channels' means": (
        "likeness",
        lambda a, b: LIKENESS(a[:, :5], b[:, :5]),
    ),
    "one size of map": (
        "likeness",
        lambda a, b: LIKENESS(a[..., :2, :2], b[..., :2, :2]),
    ),
    "only positive likeness": (
        "likeness",
        lambda a, b: abs(LIKENESS(a, b)) if a.shape == b.shape else 0.0,
    ),
    "the channels reversed, seed ignored": ("spoil", lambda f, seed: f.flip(1)),
    "one fixed seed": ("spoil", lambda f, seed: SPOIL(f, 0)),
    "reversed for even seeds": ("spoil", lambda f, seed: f.flip(1) if seed % 2 else f),
    "rolled by the seed": ("spoil", lambda f, seed: f.roll(seed, 1)),
    "five channels shuffled": (
        "spoil",
        lambda f, seed: torch.cat([SPOIL(f[:, :5], seed), f[:, 5:]], 1),
    ),
}


def test_the_solution_is_the_packages_objective():
    features, guide = torch.rand(2, 1, 7, 4, 6, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(GUIDED(features, guide), packages_own(features, guide))


def test_other_right_answers_are_accepted():
    def in_a_loop(features, guide):
        best = [
            max(cell @ column for column in guide[0].flatten(1).T)
            for cell in features[0].flatten(1).T
        ]
        return torch.stack(best).sum()

    assert check("guided", in_a_loop).ok

    def by_hand(a, b):
        a, b = a.mean((0, 2, 3)), b.mean((0, 2, 3))
        a, b = a - a.mean(), b - b.mean()
        return a @ b / (a.norm() * b.norm())

    assert check("likeness", by_hand).ok
