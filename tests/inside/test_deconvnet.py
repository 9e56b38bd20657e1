"""The deconvnet against a network worked out by hand, and against captum."""

import warnings

import pytest
import torch
from torch import nn

import dreamkit as dk

from .plain import OneRelu, Plain, Standardised, close, of

inside = dk.inside


def hand_made():
    """1×1 filters, a pool, 1×1 filters: small enough to go up and down on paper."""
    first, second = nn.Conv2d(3, 2, 1), nn.Conv2d(2, 2, 1)
    with torch.no_grad():
        first.weight.copy_(
            torch.tensor([[1.0, 0, 0], [-1, 1, 0]])[..., None, None]
        )  # red - 1; green - red
        first.bias.copy_(torch.tensor([-1.0, 0]))
        second.weight.copy_(
            torch.tensor([[1.0, -2], [1, 3]])[..., None, None]
        )  # a - 2 b + 10; a + 3 b
        second.bias.copy_(torch.tensor([10.0, 0]))
    return nn.Sequential(
        first, nn.ReLU(inplace=True), nn.MaxPool2d(2), second, nn.ReLU(inplace=True)
    )


def test_three_layers_worked_out_by_hand():
    network = dk.as_network(hand_made(), (0, 0, 0), (1, 1, 1))
    picture = torch.zeros(1, 3, 2, 4)
    picture[0, 0] = torch.tensor([[1.0, 5, 2, 0], [3, 4, 6, 7]])
    picture[0, 1] = torch.tensor([[0.0, 1, 9, 0], [0, 0, 0, 0]])
    # up: rectified a = [[0 4 1 .][2 3 5 6]] and b = [[. . 7 .][. . . .]],
    # pooled a = [4 6] from (0,1) (1,3) and b = [0 7] from (0,0) (0,2),
    # so the top is [14 2] and [4 27]
    features = dk.capture(network, picture, "4")["4"][0]
    assert features.tolist() == [[[14.0, 2.0]], [[4.0, 27.0]]]
    # channel 0, right cell: 2 goes to a as 2 at (1,3), and to b as -4 at (0,2), which is rectified;
    # a's filter is red
    expected = torch.zeros_like(picture)
    expected[0, 0, 1, 3] = 2
    assert torch.equal(inside.project(network, picture, "4", 0, (0, 1)), expected)
    # channel 1, left cell: 4 goes to a as 4 at (0,1), and to b as 12 at (0,0), although b is
    # inactive there
    expected = torch.zeros_like(picture)
    expected[0, 0, 0, 1], expected[0, 0, 0, 0], expected[0, 1, 0, 0] = 4, -12, 12
    assert torch.equal(inside.project(network, picture, "4", 1, (0, 0)), expected)
    gradient = dk.gradient(dk.scorer(network, dk.neuron("4", 1, 0, 0)), picture)
    assert gradient[0, 1, 0, 0] == 0  # the gradient passes only active places
    strongest, whole = (
        inside.project(network, picture, "4", 1),
        inside.project(network, picture, "4", 1, whole=True),
    )
    assert torch.equal(strongest, inside.project(network, picture, "4", 1, (0, 1)))
    assert torch.equal(whole, strongest + expected)  # they have no pixel in common, so they add up


def test_it_is_captums_deconvolution_times_the_activation(photo):
    import captum.attr  # takes seconds, so collecting the tests does not

    module = Plain()
    front = Standardised(
        nn.Sequential(module.conv1, module.relu1, module.pool, module.conv2, module.relu2)
    )
    network = of(OneRelu())
    features = dk.capture(network, photo, "conv2")["conv2"][0].clamp(min=0)
    channel = int(features.amax((1, 2)).argmax())
    y, x = divmod(int(features[channel].argmax()), features.shape[2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = captum.attr.Deconvolution(front).attribute(
            photo.clone().requires_grad_(), (channel, y, x)
        )
    assert close(inside.project(network, photo, "conv2", channel), theirs * features[channel, y, x])
    for layer in network.module.modules():
        assert not layer._forward_hooks


def test_a_projection_lies_in_the_receptive_field_and_silent_cells_give_nothing(dreamnet):
    photo = dk.sample("coffee", 64)
    field = {info.name: info.field for info in dk.layer_table(dreamnet)}["inception3b"]
    maps = dk.capture(dreamnet, photo, "inception3b")["inception3b"][0, 50]
    cell = divmod(int(maps.argmax()), maps.shape[1])
    signal = inside.project(dreamnet, photo, "inception3b", 50, cell)
    top, bottom, left, right = field.box(*cell)
    outside = torch.ones_like(signal, dtype=torch.bool)
    outside[..., max(0, top) : bottom, max(0, left) : right] = False
    assert signal.abs().max() > 0 and signal[outside].abs().max() == 0
    y, x = (maps == 0).nonzero()[0].tolist()
    assert not inside.project(dreamnet, photo, "inception3b", 50, (y, x)).any()


@pytest.mark.parametrize("layer", ["conv2", "inception3a"])
def test_projections_beside_patches_are_those_of_whole_pictures(dreamnet, layer):
    pictures = [dk.sample("coffee", 75), dk.sample("chelsea", 60)]
    found = inside.top_projections(dreamnet, layer, 17, pictures, count=3)
    assert len(found) >= 2
    for each in found:
        whole = inside.project(dreamnet, each.patch.whole(), layer, 17, each.patch.cell)
        top, bottom, left, right = each.patch.box
        assert each.signal.shape == each.patch.crop.shape
        assert close(each.signal, whole[..., top:bottom, left:right], 1e-4)
    narrow = inside.top_projections(dreamnet, layer, 17, pictures, count=1, widest=12)[0]
    assert narrow.signal.shape == (1, 3, 12, 12) and narrow.signal.any()


def test_wrong_arguments_raise_errors(photo):
    network = of(Plain())
    for call, message in (
        (lambda: inside.project(network, photo, "fc", 0), "layer 'fc' has no feature maps"),
        (lambda: inside.project(network, photo, "", 0), "the network itself has no feature maps"),
        (
            lambda: inside.project(network, photo, "relu1", 6),
            "channel 6 is out of range: layer 'relu1' has 6",
        ),
        (
            lambda: inside.project(network, photo, "relu1", 0, (24, 0)),
            "the map has 24 rows and 32 columns",
        ),
        (
            lambda: inside.project(network, photo, "relu1", 0, (2, 0), whole=True),
            "cell must be None",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
