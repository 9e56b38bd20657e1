"""Retrieval by codes, and how alike two networks see, against NumPy and SciPy."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

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


def test_likeness_of_networks_agrees_with_scipy():
    left, right = (torch.rand(8, channels, dtype=torch.float64) for channels in (5, 11))
    distances = [pdist((codes - codes.mean(0)).numpy(), "cosine") for codes in (left, right)]
    expected = np.corrcoef(*distances)[0, 1]
    found = dk.inside.representational_similarity(left, right)
    assert found == pytest.approx(expected)


def test_likeness_needs_no_common_channels_and_is_low_by_chance():
    generator = torch.Generator().manual_seed(0)
    codes = torch.randn(30, 6, generator=generator)
    turned = codes @ torch.linalg.qr(torch.randn(6, 6, generator=generator)).Q
    assert dk.inside.representational_similarity(codes, 3 * turned + 5) == pytest.approx(1)
    strangers = torch.randn(30, 6, generator=generator)
    assert abs(dk.inside.representational_similarity(codes, strangers)) < 0.2


@pytest.mark.parametrize("shapes", [((4, 2), (5, 2)), ((2, 3), (2, 3)), ((4,), (4, 2))])
def test_likeness_names_wrong_shapes(shapes):
    with pytest.raises(ValueError, match=r"\[N, C\] and \[N, D\] with N at least 3"):
        dk.inside.representational_similarity(*map(torch.ones, shapes))
