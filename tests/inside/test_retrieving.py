"""Retrieval by codes, against NumPy, and why the mean goes first."""

import numpy as np
import pytest
import torch

import dreamkit as dk


def by_hand(left, right):
    mean = np.concatenate([left, right]).mean(0)
    hits = 0
    for i, row in enumerate(left - mean):
        cosines = [
            row @ other / np.linalg.norm(row) / np.linalg.norm(other) for other in right - mean
        ]
        hits += int(np.argmax(cosines)) == i
    return hits / len(left)


@pytest.mark.parametrize("noise", [0.0, 0.7, 2.0])
def test_retrieval_agrees_with_numpy(noise):
    generator = torch.Generator().manual_seed(3)
    left = torch.rand(9, 5, generator=generator)
    right = left + noise * torch.rand(9, 5, generator=generator)
    expected = by_hand(left.numpy().astype(float), right.numpy().astype(float))
    assert dk.inside.retrieval(left, right) == pytest.approx(expected)
    assert noise > 0 or expected == 1


def test_strength_does_not_matter_and_a_common_part_does_not_help():
    base = torch.eye(4)
    scale = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    assert dk.inside.retrieval(base + 100, base * 2 + 100) == 1
    centred = base - base.mean(0)
    assert dk.inside.retrieval(centred * scale, centred) >= 0.75


@pytest.mark.parametrize("right", [torch.ones(3, 4), torch.ones(2), torch.ones(2, 5)])
def test_wrong_shapes_are_named(right):
    with pytest.raises(ValueError, match=r"two tensors \[N, C\] of one shape"):
        dk.inside.retrieval(torch.ones(2, 4), right)
