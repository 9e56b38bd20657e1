"""Movement against SciPy, and invariance of networks worked out by hand."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

import dreamkit as dk
from dreamkit.inside import moving

from .plain import plain


def scipy_moved(image, shift=0.0, scale=1.0, turn=0.0):
    """The same movement by SciPy: each new pixel looks up where it was."""
    angle = math.radians(turn)
    matrix = (
        np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) / scale
    )
    middle = (np.array(image.shape[-2:]) - 1) / 2
    offset = middle - matrix @ (middle + np.array([shift, 0]))
    return np.stack(
        [
            ndimage.affine_transform(plane, matrix, offset, order=1, mode="reflect")
            for plane in image[0].numpy()
        ]
    )[None]


@pytest.mark.parametrize(
    "how",
    [
        {"shift": 3},
        {"shift": -2.5},
        {"scale": 1.3},
        {"scale": 0.7},
        {"turn": 25},
        {"turn": -90},
        {"shift": 2, "scale": 1.2, "turn": 40},
    ],
    ids=str,
)
def test_moved_is_scipys_transform(picture, how):
    found = moving.moved(picture.double(), **how).numpy()
    assert np.abs(found - scipy_moved(picture.double(), **how)).max() < 1e-9


def test_moved_shifts_down_and_rotates_counterclockwise():
    dot = torch.zeros(1, 3, 9, 9)
    dot[..., 4, 7] = 1  # right of the middle
    assert moving.moved(dot, turn=90)[0, 0, 1, 4] > 0.99  # 90° counterclockwise: above the middle
    assert moving.moved(dot, shift=2)[0, 0, 6, 7] > 0.99
    assert moving.moved(dot) is dot
    with pytest.raises(ValueError, match="scale above 0; given"):
        moving.moved(dot, scale=0)


def test_a_network_that_averages_does_not_mind_a_turn_and_one_that_looks_does(picture):
    square = picture[..., :40, :40]
    network = plain(nn.Identity(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    found = moving.invariance(network, square, "turn", (0, 90), ["0", "1", ""], labels=[2])
    assert found.distances["0"][0, 0] == 0 and found.distances["0"][0, 1] > 0.3
    assert found.distances["1"][0, 1] < 1e-5 and found.probability.shape == (1, 2)
    by_hand = square.mean((2, 3)).softmax(1)[0, 2]
    assert torch.allclose(found.probability, by_hand.expand(1, 2), atol=1e-6)


def test_the_distance_is_in_lengths_of_the_first():
    network = plain(nn.Identity())
    one, other = torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 2, 2), 0.75)
    assert moving.distance(network, one, other, "0")["0"].item() == pytest.approx(0.5)
    assert moving.distance(network, other, one, "0")["0"].item() == pytest.approx(1 / 3)


def test_wrong_arguments_raise_errors(tiny_network, picture):
    with pytest.raises(ValueError, match="kind must be one of shift, scale, turn; given: 'flip'"):
        moving.invariance(tiny_network, picture, "flip", [1], "2")
    with pytest.raises(ValueError, match="there are 1 pictures; given: 2 labels"):
        moving.invariance(tiny_network, picture, "turn", [1], "2", labels=["a", "b"])
    with pytest.raises(KeyError, match="unknown class 'z'"):
        moving.invariance(tiny_network, picture, "turn", [1], "2", labels="z")
    with pytest.raises(ValueError, match="amounts must have at least one value"):
        moving.invariance(tiny_network, picture, "turn", [], "2")


def test_deep_layers_mind_a_small_shift_less_than_shallow_ones(dreamnet):
    cup = dk.resize(dk.sample("coffee")[..., 90:490], (64, 64))
    found = moving.invariance(dreamnet, cup, "shift", [2], ["conv1", "inception5b", ""], "espresso")
    assert found.distances["conv1"] > 3 * found.distances["inception5b"] > found.distances[""] > 0
    assert found.probability[0, 0] > 0.8
