"""Lesson 18's checks turn down what only looks right: copies, ignored parameters, `dk` itself."""

import torch

import dreamkit as dk
from dreamkit.exercises import all_exercises
from dreamkit.objectives.formulas import of_diversity, towards

LIKENESS = all_exercises()["gram_likeness"].solution
TOWARDS = all_exercises()["towards"].solution
MEANS = all_exercises()["cell_means"].solution

FOOLS = {
    "three pictures": ("gram_likeness", lambda x: LIKENESS(x.expand(3, -1, -1, -1)[:3])),
    "always 1": ("gram_likeness", lambda x: torch.tensor(1.0)),
    "four channels": ("gram_likeness", lambda x: LIKENESS(x[:, :4])),
    "the first two": ("gram_likeness", lambda x: LIKENESS(x[:2])),
    "dk.diversity": (
        "gram_likeness",
        lambda x: 1 - dk.diversity("a").formula({"a": x}) / len(x),
    ),
    "power ignored": ("towards", lambda x, vector, power: TOWARDS(x, vector, 2)),
    "vector's length 1": ("towards", lambda x, v, power: TOWARDS(x, v / v.norm(), power)),
    "the package's own towards": ("towards", towards),
    "dk.direction": (
        "towards",
        lambda x, vector, power: dk.direction("a", vector, power).formula({"a": x}),
    ),
    "the shape of the example": ("cell_means", lambda x, rows, columns: MEANS(x, 3, 2)),
    "rows twice": ("cell_means", lambda x, rows, columns: MEANS(x, rows, rows)),
    "the whole mean": (
        "cell_means",
        lambda x, rows, columns: x.mean((1, 2)).expand(rows * columns, -1),
    ),
    "the package's own grid": (
        "cell_means",
        lambda x, rows, columns: dk.inside.grid_vectors(None, x[None], "a", (rows, columns))[1],
    ),
}


def test_the_solutions_are_the_packages():
    draw = torch.Generator().manual_seed(1)
    features, vector = torch.randn(3, 4, 5, 6, generator=draw), torch.randn(4, generator=draw)
    ours = towards(features, vector[:, None, None], 2)
    torch.testing.assert_close(TOWARDS(features, vector, 2), ours)
    diverse = of_diversity({"a": features}, "a")
    torch.testing.assert_close(3 * (1 - LIKENESS(features)), diverse)
