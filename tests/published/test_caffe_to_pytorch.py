"""The recipes between Caffe's and PyTorch's: both ends bit by bit, and each part by itself."""

from itertools import pairwise

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.published.recipes import PARTS, caffe, morph, pytorch

WANTED = dk.layer("2")


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Conv2d(3, 6, 5, 2, 2), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.ReLU())
    return dk.as_network(module, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))


def photo(height=128, width=90):
    """128 to 91 is one of the lengths at which SciPy's zoom fills the border."""
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    ("parts", "recipe"), [((), caffe), (PARTS, pytorch), (PARTS[::-1], pytorch)]
)
def test_the_ends_are_the_recipes_bit_by_bit(network, parts, recipe):
    ours = morph(network, WANTED, photo(), *parts, steps=3, seed=2)
    theirs = recipe(network, WANTED, photo(), steps=3, seed=2)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)


def test_the_step_of_pytorch_can_be_chosen(network):
    ours = morph(network, WANTED, photo(), *PARTS, steps=1, step_size=0.02)
    theirs = pytorch(network, WANTED, photo(), steps=1, step_size=0.02)
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_each_part_changes_the_picture(network):
    ends = []
    for count in range(len(PARTS) + 1):
        *_, picture = morph(network, WANTED, photo(), *PARTS[:count], steps=2)
        ends.append(picture)
    assert all((one - other).abs().mean() > 1e-3 for one, other in pairwise(ends))


def test_a_whole_picture_forgets_the_photos_fine_detail(network):
    """Without steps that matter, enlarging the smallest picture loses what the photo had."""
    flat = dk.Objective(("2",), lambda features: 0 * features["2"].sum(), "nothing")
    with pytest.warns(UserWarning, match="gradient"):
        *_, kept = morph(network, flat, photo(), steps=1)
    with pytest.warns(UserWarning, match="gradient"):
        *_, lost = morph(network, flat, photo(), "whole", steps=1)
    assert torch.allclose(kept, photo()) and (lost - photo()).abs().mean() > 0.1


def test_an_unknown_part_is_answered_with_the_nearest(network):
    with pytest.raises(KeyError, match=r"unknown part 'size'.*sizes"):
        morph(network, WANTED, photo(), "size")
    with pytest.raises(ValueError, match=r"jitter of the .* recipe must be"):
        morph(network, WANTED, photo(), jitter=-1)
