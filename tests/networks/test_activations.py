"""What gives a channel before its activation: by hand, and by applying the activation again."""

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.networks.activations import before_activation, channels_before


class Branches(nn.Module):
    """Three branches, joined along channels, then a sum with a ReLU: 2 + 3 + 4 channels."""

    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(inplace=True))
        self.b = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.ReLU6())
        self.c = nn.Sequential(nn.Conv2d(3, 4, 1), nn.LeakyReLU())
        self.join, self.linear, self.end = nn.Identity(), nn.Conv2d(9, 9, 1), nn.ReLU()

    def forward(self, x):
        joined = self.join(torch.cat([self.a(x), self.b(x), self.c(x)], 1))
        return self.end(joined + self.linear(joined))


@pytest.fixture
def network() -> dk.Network:
    return dk.as_network(Branches(), (0, 0, 0), (1, 1, 1), "branches")


def test_channels_of_branches_are_counted_by_hand(network):
    found = [before_activation(network, "join", index) for index in (0, 1, 2, 4, 5, 8)]
    assert found == [("a.0", 0), ("a.0", 1), ("b.1", 0), ("b.1", 2), ("c.0", 0), ("c.0", 3)]


@pytest.mark.parametrize(
    "name, activation",
    [
        ("conv2", torch.relu),
        ("inception4c", torch.relu),
        ("inception3a.branch2", torch.relu),
        ("conv1.relu", torch.relu),
    ],
)
def test_the_activation_of_what_is_found_is_the_channel(dreamnet, name, activation):
    image = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    channels = list(range(0, dk.layer_info(dreamnet, name).channels, 23))
    for index, (source, place) in zip(
        channels, channels_before(dreamnet, name, channels), strict=True
    ):
        found = dk.capture(dreamnet, image, [name, source])
        assert source != name
        torch.testing.assert_close(activation(found[source][:, place]), found[name][:, index])


def test_the_convolutions_of_efficientnet_lite_give_the_values_before_their_relu6():
    network = dk.load_network("efficientnet_lite0", weights="random")
    for name in ("stem", "block1a.depthwise", "block5c.expand", "top"):
        assert before_activation(network, name, 3) == (f"{name}.conv", 3)


def test_messages(network):
    with pytest.raises(ValueError, match=r"'linear' does not end in an activation, .*leave out"):
        before_activation(network, "linear", 0)
    with pytest.raises(ValueError, match=r"no layer gives the values before .*'end': they are a s"):
        before_activation(network, "end", 0)
    with pytest.raises(ValueError, match="channel 9 is out of range: layer 'join' has 9"):
        before_activation(network, "join", 9)
    with pytest.raises(KeyError, match="unknown layer 'jion'; nearest: join"):
        before_activation(network, "jion", 0)
    assert channels_before(network, "linear", [2]) == [("linear", 2)]
    assert channels_before(network, "end", [2]) == [("end", 2)]
