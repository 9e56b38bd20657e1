"""What a network loses without its parts, worked out by hand."""

from pathlib import Path

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.inside import lesions

from .plain import PURE, plain

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


def test_wrong_arguments_raise_errors(colours):
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
