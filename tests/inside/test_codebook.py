"""Codes, silent channels, and codes laid out as a map."""

import itertools

import pytest
import torch
from torch import nn

from dreamkit.inside import codebook

from .plain import PURE, plain


def test_codes_are_the_means_of_maps(colours):
    pictures = torch.rand(3, 3, 4, 4, generator=torch.Generator().manual_seed(6))
    assert torch.allclose(
        codebook.codes(colours, pictures, "1", batch=2), pictures.mean((2, 3)), atol=1e-6
    )
    assert torch.allclose(codebook.codes(colours, pictures, ""), pictures.mean((2, 3)), atol=1e-6)


def test_a_code_is_not_its_own_neighbour():
    assert codebook.neighbours_alike(torch.tensor([[0.0], [0.1], [5.0], [5.1]]), "abab", 1) == 0


def test_silent_channels_are_those_that_no_picture_activates():
    network = plain(nn.Conv2d(3, 4, 1), nn.ReLU())
    with torch.no_grad():
        network.module[0].weight.zero_()
        network.module[0].bias.copy_(torch.tensor([0.1, -0.1, -0.5, 0.0]))
        network.module[0].weight[2, 0] = 1.0  # active where there is more than half of red
    shares = codebook.activity(network, PURE, ["1"], batch=2)["1"]
    dot = PURE.clone()[1:]
    dot[0, 0, 0, 0] = 0.9  # one pixel is enough to activate a channel
    assert codebook.silent(network, dot, ["1"]) == {"1": (1, 3)}
    assert torch.allclose(shares, torch.tensor([1, 0, 1 / 3, 0]))
    assert codebook.silent(network, PURE, ["1"]) == {"1": (1, 3)}
    assert codebook.silent(network, PURE[1:], ["1"]) == {"1": (1, 2, 3)}


@pytest.mark.slow
def test_the_map_keeps_clusters_together_whatever_their_order():
    generator = torch.Generator().manual_seed(0)
    centres = 20 * torch.randn(3, 8, generator=generator)
    groups = [index % 3 for index in range(36)]
    values = centres[groups] + torch.randn(36, 8, generator=generator)
    points = codebook.embedded(values, perplexity=6)
    assert points.shape == (36, 2) and points.min() == 0 and points.max() == 1
    assert codebook.neighbours_alike(points, groups) > 0.95
    shuffled = [groups[i] for i in torch.randperm(36, generator=generator)]
    assert codebook.neighbours_alike(points, shuffled) < 0.6
    assert torch.equal(points, codebook.embedded(values, perplexity=6))
    with pytest.raises(ValueError, match="below N"):
        codebook.embedded(values, perplexity=40)


def test_places_move_least_of_all_orders():
    points = torch.rand(6, 2, generator=torch.Generator().manual_seed(7))
    places = codebook.grid_places(points, columns=3)
    centre = lambda place: (torch.tensor([place[1], place[0]]) + 0.5) / torch.tensor([3, 2])
    cost = lambda order: sum(
        float((points[i] - centre(p)).square().sum()) for i, p in enumerate(order)
    )
    spots = list(itertools.product(range(2), range(3)))
    assert cost(places.tolist()) == pytest.approx(
        min(cost(order) for order in itertools.permutations(spots))
    )


def test_the_mosaic_shows_each_picture_at_its_place():
    pictures = torch.arange(3).view(3, 1, 1, 1).expand(3, 3, 2, 2) / 4
    page = codebook.mosaic(pictures, torch.tensor([[1, 1], [0, 0], [0, 1]]))
    assert page.shape == (1, 3, 5, 5) and page[0, 0, :, 2].eq(1).all()
    assert (
        page[0, 0, 3:, 3:].eq(0).all()
        and page[0, 0, :2, :2].eq(0.25).all()
        and page[0, 0, :2, 3:].eq(0.5).all()
    )
    assert page[0, 0, 3:, :2].eq(1).all()  # the cell without a picture is white
