"""Lesson 15's checks turn down fixed numbers, ignored parameters, and the package's functions."""

import torch

import dreamkit as dk
from dreamkit.exercises import all_exercises

SIMILAR, WEIGHTS, FOLD = (
    all_exercises()[name].solution for name in ("network_similarity", "block_weights", "fold_norm")
)

FOOLS = {
    "similarity: the package's": ("network_similarity", dk.inside.representational_similarity),
    "similarity: the package's, wrapped": (
        "network_similarity",
        lambda left, right: dk.inside.representational_similarity(left, right),
    ),
    "similarity: right ignored": ("network_similarity", lambda left, right: SIMILAR(left, left)),
    "similarity: seven pictures": (
        "network_similarity",
        lambda left, right: SIMILAR(left[:7], right[:7]),
    ),
    "similarity: five channels": (
        "network_similarity",
        lambda left, right: SIMILAR(left[:, :5], right[:, :5]),
    ),
    "similarity: retrieval": ("network_similarity", lambda left, right: 1 / len(left)),
    "weights: kernel of 3": ("block_weights", lambda i, o, k, e: WEIGHTS(i, o, 3, e)),
    "weights: expansion of 6": ("block_weights", lambda i, o, k, e: WEIGHTS(i, o, k, 6)),
    "weights: the praised block": ("block_weights", lambda i, o, k, e: 221_088),
    "weights: outputs ignored": ("block_weights", lambda i, o, k, e: WEIGHTS(i, 24, k, e)),
    "fold: eps of the example": ("fold_norm", lambda *given: FOLD(*given[:-1], 1e-2)),
    "fold: three inputs": (
        "fold_norm",
        lambda weight, *rest: FOLD(torch.cat([weight] * 3, 1)[:, :3], *rest),
    ),
    "fold: a kernel of 3": (
        "fold_norm",
        lambda weight, *rest: FOLD(torch.nn.functional.interpolate(weight, (3, 3)), *rest),
    ),
    "fold: the old layer": ("fold_norm", lambda weight, bias, *rest: (weight, bias)),
}
