"""Channel pictures: a recipe from the receptive field, a channel each, silent channels woken."""

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.inside.channels_by_depth import channel_picture, recipe


def test_the_recipe_follows_from_the_receptive_field(dreamnet):
    """Of dreamnet's layers, 7, 13 and 33 pixels are seen; 64 * 8 / 7 pixels are an object."""
    edge, texture, object_ = (recipe(dreamnet, name) for name in ("conv1", "conv2", "inception4c"))
    assert edge.depth == 0 and object_.depth == 1
    assert texture.depth == pytest.approx(0.2194, abs=1e-3)  # ln(13 / 8) / ln(64 * 8 / 7 / 8)
    assert (edge.side, texture.side, object_.side) == (48, 59, 96)
    assert (edge.margin, object_.margin) == (8, 0)  # a sixth of the side, and nothing
    assert edge.crops.least == edge.crops.most == 0.875 and edge.crops.turn == 0
    assert edge.crops.side == round(0.875 * 64)  # edges are seen in their own size
    assert object_.crops.least == pytest.approx(0.45) and object_.crops.most == pytest.approx(1.1)
    assert edge.prior.limits == (0.5, 0.5) and object_.prior.limits[0] == pytest.approx(0.02)


def test_a_layer_that_sees_all_is_as_deep_as_can_be(dreamnet):
    assert recipe(dreamnet, "fc").depth == recipe(dreamnet, "avgpool").depth == 1


@pytest.mark.parametrize("layer", ["conv1", "conv2", "inception3a"])
def test_each_picture_excites_its_own_channel_the_most(layer, dreamnet, monkeypatch):
    monkeypatch.setattr("dreamkit.inside.channels_by_depth.Recipe.steps", 12)
    channels = [3, 20, 40]
    pictures = channel_picture(dreamnet, layer, channels)
    maps = dk.capture(dreamnet, pictures, layer)[layer][:, channels]
    excited = maps.std((2, 3)) if layer == "conv1" else maps.mean((2, 3))  # an edge has two sides
    assert excited.argmax(0).tolist() == [0, 1, 2]
    alone = channel_picture(dreamnet, layer, 20)
    torch.testing.assert_close(alone, pictures[1:2], atol=0.02, rtol=0)
    assert alone.shape[-1] == recipe(dreamnet, layer).side


def test_a_channel_that_no_noise_wakes_is_drawn():
    """Channel 0 is red minus 0.9 after its ReLU, behind a ReLU that is silent for grey noise."""
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 1, bias=False), nn.ReLU())
    with torch.no_grad():
        module[0].weight.copy_(torch.eye(2, 3).view(2, 3, 1, 1))
        module[0].bias.fill_(-0.9)
        module[2].weight.copy_(torch.eye(2).view(2, 2, 1, 1))
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    red, green = channel_picture(network, "3", [0, 1])
    assert red[0].mean() > 0.7 and green[1].mean() > 0.7  # from a half


def test_a_layer_without_an_activation_and_one_of_efficientnet_lite_are_drawn(monkeypatch):
    monkeypatch.setattr("dreamkit.inside.channels_by_depth.Recipe.steps", 2)
    network = dk.load_network("efficientnet_lite0", weights="random")
    for layer in ("block1a.project", "block2b.expand"):
        pictures = channel_picture(network, layer, [0, 5])
        assert pictures.shape[:2] == (2, 3) and pictures.isfinite().all()


def test_messages(dreamnet):
    with pytest.raises(KeyError, match="unknown layer 'conv9'"):
        channel_picture(dreamnet, "conv9", 0)
    with pytest.raises(ValueError, match="channel 48 is out of range: layer 'conv1' has 48"):
        channel_picture(dreamnet, "conv1", [0, 48])
    with pytest.raises(ValueError, match="at least one channel; given: none"):
        channel_picture(dreamnet, "conv1", [])
