"""Growth, movement and correspondence, against SciPy and against networks whose answers can be worked out by hand."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

import dreamkit as dk
from dreamkit.inside import collection, evolution, moving
from dreamkit.inside import correspondences as covering


def plain(*layers) -> dk.Network:
    return dk.as_network(nn.Sequential(*layers), (0, 0, 0), (1, 1, 1), "plain")


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


def test_moved_knows_down_and_against_the_clock():
    dot = torch.zeros(1, 3, 9, 9)
    dot[..., 4, 7] = 1  # right of the middle
    assert moving.moved(dot, turn=90)[0, 0, 1, 4] > 0.99  # a quarter against the clock: above it
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


def test_invariance_says_what_is_wrong(tiny_network, picture):
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


# --- correspondence


def test_masked_paints_its_boxes_and_nothing_else(picture):
    two = torch.cat([picture, picture])
    found = covering.masked(two, [(0, 3, 1, 5), (2, 4, 0, 2)], 0.25)
    assert (found[0, :, :3, 1:5] == 0.25).all() and (found[1, :, 2:4, :2] == 0.25).all()
    assert int((found != two).any(1).sum()) == 3 * 4 + 2 * 2 and (two[0] == picture[0]).all()
    with pytest.raises(ValueError, match="inside 40×48"):
        covering.masked(picture, (0, 41, 0, 4))
    with pytest.raises(ValueError, match="2 pictures; given: 1 boxes"):
        covering.masked(two, [(0, 1, 0, 1)])


def test_hamming_counts_pair_by_pair():
    signs = torch.randint(-1, 2, (4, 30), generator=torch.Generator().manual_seed(0)).double()
    by_hand = [
        float((signs[i] != signs[j]).double().mean())
        for i, j in itertools.combinations(range(4), 2)
    ]
    assert covering.hamming(signs) == pytest.approx(sum(by_hand) / len(by_hand))
    assert covering.hamming(signs[[2, 0, 3, 1]]) == pytest.approx(covering.hamming(signs))
    with pytest.raises(ValueError, match="at least two pictures"):
        covering.hamming(signs[:1])


def test_the_signs_are_those_of_what_the_covering_took_away():
    network = plain(nn.Identity())
    pictures = torch.tensor([0.9, 0.2]).view(2, 1, 1, 1).expand(2, 3, 2, 2)
    signs = covering.sign_changes(network, pictures, (0, 1, 0, 1), "0").view(2, 3, 2, 2)
    assert signs[:, 0].tolist() == [[[1, 0], [0, 0]], [[-1, 0], [0, 0]]]
    assert covering.sign_changes(network, pictures, (0, 1, 0, 1), "0", pooled=True).tolist() == [
        [1, 1, 1],
        [-1, -1, -1],
    ]
    assert covering.correspondence(network, pictures, (0, 1, 0, 1), "0") == pytest.approx(0.25)
    assert covering.correspondence(network, pictures, (0, 1, 0, 1), "0", pooled=True) == 1


def test_pooled_forgets_where_the_box_lies():
    network = plain(nn.Identity())
    pictures = torch.full((2, 3, 4, 4), 0.9)
    apart = [(0, 1, 0, 1), (3, 4, 3, 4)]
    assert covering.correspondence(network, pictures, apart, "0") > 0
    assert covering.correspondence(network, pictures, apart, "0", pooled=True) == 0


def test_faces_and_their_parts():
    faces = collection.faces(100)
    assert (
        faces.shape == (100, 3, 64, 64)
        and 0 <= faces.min() < faces.max() <= 1
        and (faces[:, 0] == faces[:, 2]).all()
    )
    mean, dark = faces.mean((0, 1)), {}
    for part, (top, bottom, left, right) in collection.FACE_PARTS.items():
        dark[part] = float(mean[top:bottom, left:right].mean())
    assert (
        max(dark["left eye"], dark["right eye"]) < dark["forehead"] - 0.02
    )  # the boxes do lie on the eyes
    with pytest.raises(ValueError, match="from 1 to 100; given: 101"):
        collection.faces(101)


# --- growth


def test_likeness_is_numpys_correlation():
    snapshots = torch.randn(4, 3, 2, 5, generator=torch.Generator().manual_seed(1))
    flat = snapshots.flatten(2).double().numpy()
    wanted = [[np.corrcoef(flat[e, c], flat[-1, c])[0, 1] for c in range(3)] for e in range(4)]
    assert np.abs(evolution.likeness(snapshots).numpy() - wanted).max() < 1e-6
    assert evolution.likeness(torch.ones(2, 1, 4)).tolist() == [[0], [0]]
    with pytest.raises(ValueError, match="epochs, channels"):
        evolution.likeness(torch.ones(3))


def test_the_first_layer_settles_before_the_deep_ones_dream_alike():
    growth = dk.inside.growth()
    first = evolution.likeness(growth.filters).mean(1)
    deep = evolution.likeness(growth.dreams["inception5a"]).mean(1)
    assert (first.diff() > 0).all() and (first[1:-1] > deep[1:-1]).all()
    assert (
        first[3:-1] > deep[3:-1] + 0.2
    ).all()  # from one pass on; before it neither is like much
    assert list(growth.accuracy) == sorted(growth.accuracy)
    pictures = evolution.filter_pictures(growth.filters)
    assert pictures.shape == growth.filters.shape and pictures.min() >= 0 and pictures.max() <= 1
