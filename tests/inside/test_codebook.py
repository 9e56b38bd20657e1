"""What a network loses without its parts, which channels are silent, and codes laid out as a map."""

import itertools
from pathlib import Path

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.inside import codebook, collection, lesions


def plain(*layers, labels=()) -> dk.Network:
    return dk.as_network(nn.Sequential(*layers), (0, 0, 0), (1, 1, 1), "plain", labels)


@pytest.fixture
def colours() -> dk.Network:
    """Names a picture by its strongest colour; layer "1" has a channel for each."""
    network = plain(
        nn.Conv2d(3, 3, 1, bias=False),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        labels=("red", "green", "blue"),
    )
    with torch.no_grad():
        network.module[0].weight.copy_(torch.eye(3)[:, :, None, None])
    return network


PURE = 0.1 + 0.8 * torch.eye(3)[:, :, None, None].expand(3, 3, 4, 4).contiguous()
NAMES = ("red", "green", "blue")


def test_without_a_channel_its_colour_is_lost(colours):
    assert lesions.accuracy(colours, PURE, NAMES) == 1
    assert lesions.accuracy(lesions.without(colours, "1", [0]), PURE, NAMES) == pytest.approx(2 / 3)
    assert lesions.accuracy(
        lesions.without(colours, "1", [0], fill=5.0), PURE, NAMES
    ) == pytest.approx(1 / 3)  # all is red now
    assert lesions.ablation(colours, PURE, NAMES, ["1"]) == {
        "": 1,
        "1": pytest.approx(1 / 3),
    }  # all is nothing


def test_without_leaves_the_network_as_it_is_and_keeps_the_names(colours):
    before = dk.capture(colours, PURE, ["1", ""])
    lesser = lesions.without(colours, "1", [1], fill=0.25)
    found = dk.capture(lesser, PURE, ["1", ""])
    assert (found["1"][:, 1] == 0.25).all() and (
        found["1"][:, [0, 2]] == before["1"][:, [0, 2]]
    ).all()
    assert torch.equal(dk.capture(colours, PURE, ["1"])["1"], before["1"])
    assert not any(module._forward_hooks for module in colours.module.modules())
    assert (
        dk.layer_names(lesser) == dk.layer_names(colours)
        and lesser.name == "plain-without-1"
        and lesser.digest == ""
    )


def test_the_mean_fill_is_the_mean_of_each_channel(colours):
    means = lesions.channel_means(colours, PURE, "1")
    assert torch.allclose(means, torch.full((3,), (0.9 + 0.1 + 0.1) / 3))
    lesser = lesions.without(colours, "1", fill=means)
    assert torch.allclose(
        dk.capture(lesser, PURE, "1")["1"], means.view(1, 3, 1, 1).expand(3, 3, 4, 4)
    )


def test_a_fill_for_each_channel_goes_to_its_channel_and_to_no_other_layer():
    network = plain(nn.Identity(), nn.Identity())
    lesser = lesions.without(network, "1", [2, 0], fill=torch.tensor([0.15, 0.2, 0.3]))
    found = dk.capture(lesser, PURE, ["0", "1"])
    assert found["1"][0, :, 0, 0].tolist() == pytest.approx([0.15, 0.1, 0.3]) and torch.equal(
        found["0"], PURE
    )


def test_held_at_its_mean_a_channel_still_counts():
    network = plain(nn.Identity(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    pictures = torch.tensor([[0.5, 0.9, 0.2], [0.1, 0.8, 0.2]])[:, :, None, None].expand(
        2, 3, 4, 4
    )  # green, by their means too
    assert lesions.ablation(network, pictures, [1, 1], ["0"], "mean") == {"": 1, "0": 1}
    assert lesions.ablation(network, pictures, [1, 0], ["0"], "mean")["0"] == 0.5
    assert lesions.ablation(network, pictures, [0, 0], ["0"], "mean")["0"] == 0


def test_ablation_says_what_is_wrong(colours):
    with pytest.raises(KeyError, match="unknown layer 'one'"):
        lesions.without(colours, "one")
    with pytest.raises(ValueError, match="channel 3 is out of range: layer '1' has 3"):
        lesions.without(colours, "1", [0, 3])
    with pytest.raises(ValueError, match="one for each of the 3 channels"):
        lesions.without(colours, "1", fill=torch.zeros(2))
    with pytest.raises(ValueError, match="fill must be 'zero' or 'mean'; given: 'noise'"):
        lesions.ablation(colours, PURE, NAMES, [], "noise")
    with pytest.raises(ValueError, match="3 pictures; given: 2 labels"):
        lesions.accuracy(colours, PURE, NAMES[:2])


def test_class_pictures_are_named_rightly_far_above_chance(dreamnet):
    pictures, labels = collection.class_pictures()
    assert pictures.shape == (200, 3, 64, 64) and labels == dreamnet.labels
    some = slice(0, 200, 10)
    right = lesions.accuracy(dreamnet, pictures[some], labels[some])
    assert right >= 0.5
    assert (
        lesions.accuracy(dreamnet, pictures[some], [*labels[10:], *labels[:10]][some]) < 0.2
    )  # the labels shuffled on by ten
    assert collection.class_pictures(["banana", "goldfish"])[1] == ("goldfish", "banana")


VAL = Path(__file__).parents[3] / "shared" / "data" / "tiny-imagenet"


@pytest.mark.slow
@pytest.mark.skipif(
    not (VAL / "val.zip").exists(), reason="Tiny ImageNet's validation pictures are not at hand"
)
def test_on_validation_pictures_the_one_by_ones_are_missed_most(dreamnet):
    from dreamkit.training.data import read_split

    split = read_split(VAL, "val")
    pictures, labels = split.pictures[::25].float() / 255, split.labels[::25]
    found = lesions.ablation(
        dreamnet, pictures, labels, [f"inception4c.branch{n}" for n in (1, 2, 3, 4)], "mean"
    )
    assert 0.30 < found[""] < 0.43
    assert all(
        found[""] - 0.12 < found[f"inception4c.branch{n}"] < found[""] + 0.03 for n in (2, 3, 4)
    )
    assert found["inception4c.branch1"] < found[""] / 2


# --- codes


def test_codes_are_the_means_of_maps(colours):
    pictures = torch.rand(3, 3, 4, 4, generator=torch.Generator().manual_seed(6))
    assert torch.allclose(
        codebook.codes(colours, pictures, "1", batch=2), pictures.mean((2, 3)), atol=1e-6
    )
    assert torch.allclose(codebook.codes(colours, pictures, ""), pictures.mean((2, 3)), atol=1e-6)


def test_a_code_is_no_neighbour_of_its_own():
    assert codebook.neighbours_alike(torch.tensor([[0.0], [0.1], [5.0], [5.1]]), "abab", 1) == 0


def test_silent_channels_are_those_nothing_wakes():
    network = plain(nn.Conv2d(3, 4, 1), nn.ReLU())
    with torch.no_grad():
        network.module[0].weight.zero_()
        network.module[0].bias.copy_(torch.tensor([0.1, -0.1, -0.5, 0.0]))
        network.module[0].weight[2, 0] = 1.0  # awake where there is more than half of red
    shares = codebook.activity(network, PURE, ["1"], batch=2)["1"]
    dot = PURE.clone()[1:]
    dot[0, 0, 0, 0] = 0.9  # one pixel is enough to wake a channel
    assert codebook.silent(network, dot, ["1"]) == {"1": (1, 3)}
    assert torch.allclose(shares, torch.tensor([1, 0, 1 / 3, 0]))
    assert codebook.silent(network, PURE, ["1"]) == {"1": (1, 3)}
    assert codebook.silent(network, PURE[1:], ["1"]) == {"1": (1, 2, 3)}


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
    assert page[0, 0, 3:, :2].eq(1).all()  # nobody's place is white
