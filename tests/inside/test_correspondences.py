"""Correspondence on networks whose answers can be worked out by hand."""

import itertools

import pytest
import torch
from torch import nn

from dreamkit.inside import correspondences

from .plain import plain


def test_masked_paints_its_boxes_and_nothing_else(picture):
    two = torch.cat([picture, picture])
    found = correspondences.masked(two, [(0, 3, 1, 5), (2, 4, 0, 2)], 0.25)
    assert (found[0, :, :3, 1:5] == 0.25).all() and (found[1, :, 2:4, :2] == 0.25).all()
    assert int((found != two).any(1).sum()) == 3 * 4 + 2 * 2 and (two[0] == picture[0]).all()
    with pytest.raises(ValueError, match="inside 40×48"):
        correspondences.masked(picture, (0, 41, 0, 4))
    with pytest.raises(ValueError, match="2 pictures; given: 1 boxes"):
        correspondences.masked(two, [(0, 1, 0, 1)])


def test_hamming_counts_pair_by_pair():
    signs = torch.randint(-1, 2, (4, 30), generator=torch.Generator().manual_seed(0)).double()
    by_hand = [
        float((signs[i] != signs[j]).double().mean())
        for i, j in itertools.combinations(range(4), 2)
    ]
    assert correspondences.hamming(signs) == pytest.approx(sum(by_hand) / len(by_hand))
    assert correspondences.hamming(signs[[2, 0, 3, 1]]) == pytest.approx(
        correspondences.hamming(signs)
    )
    with pytest.raises(ValueError, match="at least two pictures"):
        correspondences.hamming(signs[:1])


def test_the_signs_are_those_of_what_the_box_hides():
    network = plain(nn.Identity())
    pictures = torch.tensor([0.9, 0.2]).view(2, 1, 1, 1).expand(2, 3, 2, 2)
    signs = correspondences.sign_changes(network, pictures, (0, 1, 0, 1), "0").view(2, 3, 2, 2)
    assert signs[:, 0].tolist() == [[[1, 0], [0, 0]], [[-1, 0], [0, 0]]]
    assert correspondences.sign_changes(
        network, pictures, (0, 1, 0, 1), "0", pooled=True
    ).tolist() == [
        [1, 1, 1],
        [-1, -1, -1],
    ]
    assert correspondences.correspondence(network, pictures, (0, 1, 0, 1), "0") == pytest.approx(
        0.25
    )
    assert correspondences.correspondence(network, pictures, (0, 1, 0, 1), "0", pooled=True) == 1


def test_pooled_forgets_where_the_box_lies():
    network = plain(nn.Identity())
    pictures = torch.full((2, 3, 4, 4), 0.9)
    apart = [(0, 1, 0, 1), (3, 4, 3, 4)]
    assert correspondences.correspondence(network, pictures, apart, "0") > 0
    assert correspondences.correspondence(network, pictures, apart, "0", pooled=True) == 0
