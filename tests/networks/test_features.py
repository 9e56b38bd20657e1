"""Layers listed in running order, features captured, hooks gone afterwards, receptive fields."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.networks import features
from dreamkit.networks.layers import layer_info, layer_infos


def hooks_on(network):
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks)
        for m in network.module.modules()
    )


def test_layers_are_listed_in_the_order_they_run_and_once():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.first, self.relu = nn.Conv2d(4, 5, 1), nn.Conv2d(3, 4, 1), nn.ReLU()

        def forward(self, x):
            return self.relu(self.last(self.relu(self.first(x))))

    network = dk.as_network(Odd(), (0, 0, 0), (1, 1, 1))
    assert dk.layer_names(network) == ("first", "last", "relu")
    image = torch.rand(1, 3, 4, 4)
    assert dk.capture(network, image, "relu")["relu"].shape[1] == 5  # its last call, of two


def test_an_in_place_relu_does_not_reach_back(tiny_network, picture):
    captured = dk.capture(tiny_network, picture, ["1", "2", "3"])
    assert captured["1"].min() < 0
    torch.testing.assert_close(captured["2"], captured["1"].clamp(min=0))


def test_the_pass_stops_after_the_last_layer_asked_for(picture):
    ran = []

    class Loud(nn.Module):
        def forward(self, x):
            ran.append(1)
            return x

    network = dk.as_network(
        nn.Sequential(nn.Conv2d(3, 2, 1), Loud(), nn.Flatten(), nn.Linear(2 * 64 * 64, 3)),
        (0, 0, 0),
        (1, 1, 1),
    )
    dk.layer_names(network)
    ran.clear()
    assert dk.capture(network, picture, "0")["0"].shape == (
        1,
        2,
        40,
        48,
    )  # a size the classifier could not take
    assert not ran
    dk.capture(network, picture, ["1", "0"])
    assert ran == [1]


def test_no_hook_is_left_after_success_error_or_early_stop(tiny_network, picture):
    dk.capture(tiny_network, picture, "4")
    dk.capture(tiny_network, picture, ["", "4"])
    with pytest.raises(KeyError):
        dk.capture(tiny_network, picture, ["4", "nothing"])
    with pytest.raises(ValueError):
        dk.capture(tiny_network, picture[:, :, :1, :1], "4")
    steps = dk.dreaming(dk.scorer(tiny_network, dk.layer("4")), picture)
    next(steps)
    steps.close()
    assert hooks_on(tiny_network) == 0


def test_two_threads_may_look_into_one_network(tiny_network, picture):
    layers = ("0", "2", "4", "6")
    expected = {name: dk.capture(tiny_network, picture, name)[name] for name in layers}

    def look(index: int) -> bool:
        name = layers[index % 4]
        return torch.equal(dk.capture(tiny_network, picture, name)[name], expected[name])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(look, range(200)))


def test_features_carry_the_pictures_gradient_but_no_parameters(tiny_network, picture):
    assert not dk.capture(tiny_network, picture, "4")["4"].requires_grad
    leaf = picture.clone().requires_grad_()
    dk.capture(tiny_network, leaf, "4")["4"].sum().backward()
    assert leaf.grad.abs().sum() > 0
    assert all(p.grad is None for p in tiny_network.module.parameters())


def test_a_float64_picture_is_seen_in_float64(dreamnet):
    image = dk.sample("chelsea", 64)
    single, double = (
        dk.capture(dreamnet, i, "inception4c")["inception4c"] for i in (image, image.double())
    )
    assert double.dtype == torch.float64 and single.dtype == torch.float32
    assert 0 < float((single - double).abs().max()) < 1e-3


def test_an_unknown_layer_is_answered_with_the_three_nearest(dreamnet):
    message = (
        r"unknown layer 'inception4f'; nearest: inception4\w, inception\w+, inception\w+; "
        r"all: dk.layer_names"
    )
    with pytest.raises(KeyError, match=message):
        dk.capture(dreamnet, torch.rand(1, 3, 64, 64), "inception4f")


@pytest.mark.parametrize(
    "shape, layer, least",
    [((15, 40), "inception5b", 16), ((40, 7), "inception4c", 8), ((1, 1), "pool1", 2)],
)
def test_a_picture_too_small_is_told_the_least_size(dreamnet, shape, layer, least):
    message = (
        rf"a picture of {shape[0]}×{shape[1]} pixels .* too small for layer '{layer}': "
        rf"it needs at least {least}×{least}"
    )
    with pytest.raises(ValueError, match=message):
        dk.capture(dreamnet, torch.rand(1, 3, *shape), layer)


def test_a_network_without_padding_is_told_too():
    network = dk.as_network(
        nn.Sequential(nn.Conv2d(3, 2, 7), nn.Conv2d(2, 2, 7)), (0, 0, 0), (1, 1, 1)
    )
    with pytest.raises(ValueError, match=r"too small for layer '1': it needs at least 13×13"):
        dk.capture(network, torch.rand(1, 3, 10, 10), "1")


@pytest.mark.parametrize(
    "bad, message",
    [
        ("photo.jpg", r"a picture is a tensor \[N, 3, H, W\]; given: str"),
        (torch.rand(3, 8, 8), r"given: \[3, 8, 8\]"),
        (torch.rand(1, 1, 8, 8), r"given: \[1, 1, 8, 8\]"),
        (torch.rand(1, 3, 0, 8), r"given: \[1, 3, 0, 8\]"),
        (
            torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
            r"floating-point values in \[0, 1\]; given: torch.uint8",
        ),
    ],
)
def test_what_is_no_picture(tiny_network, bad, message):
    with pytest.raises(ValueError, match=message):
        dk.capture(tiny_network, bad, "0")


def brute_force_field(module, side):
    """(top, bottom) of the rows that the middle cell depends on, by its gradient, and its index.

    All weights are positive, so no gradient is 0 by chance.
    """
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(0.1)
    image = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    output = module.double()(image)
    middle = output.shape[-1] // 2
    output[0, :, middle, middle].sum().backward()
    rows = torch.nonzero(image.grad[0].abs().sum((0, 2))).flatten()
    return int(rows[0]), int(rows[-1]) + 1, middle


def test_receptive_fields_agree_with_brute_force():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.AvgPool2d(3, 2, 1),
        nn.Conv2d(4, 4, 3, dilation=2),
        nn.ReLU(),
    )
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    top, bottom, middle = brute_force_field(module, 64)
    assert layer_info(network, "4").field.box(middle, middle)[:2] == (top, bottom)
    assert layer_info(network, "0").field.size == (5, 5) and layer_info(
        network, "4"
    ).field.stride == (4, 4)


def test_receptive_fields_of_branches_and_heads(dreamnet):
    field = layer_info(dreamnet, "inception3a").field
    # by hand: 1 + 6 (conv1) + 2 (pool) + 2·2 (conv2's 3×3) + 2·2 (pool) + 4·4 (the 5×5 branch)
    assert field.size == (33, 33) and field.stride == (4, 4) and field.start == (-16, -16)
    assert layer_info(dreamnet, "fc").field is None


def test_suggested_layers_go_from_shallow_to_deep(dreamnet):
    layers = dk.suggested_layers(dreamnet)
    names = dk.layer_names(dreamnet)
    assert 5 <= len(layers) <= 8 and [names.index(n) for n in layers] == sorted(
        names.index(n) for n in layers
    )
    assert (dk.layer_at(dreamnet, 0), dk.layer_at(dreamnet, 1)) == (layers[0], layers[-1])
    with pytest.raises(ValueError, match="depth lies from 0"):
        dk.layer_at(dreamnet, 1.5)


def test_heads_are_told_by_whole_parts_of_names():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.header = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
            self.fcn_head = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU())
            self.head = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU())

        def forward(self, x):
            return self.head(self.fcn_head(self.header(x)))

    network = dk.as_network(Named(), (0, 0, 0), (1, 1, 1))
    assert dk.suggested_layers(network) == ("header.1", "fcn_head.1")


def test_names_that_were_looked_up_are_not_looked_up_again(dreamnet, picture, monkeypatch):
    layers = ["inception_3a/output", "inception3a", "conv2", ""]
    infos = layer_infos(dreamnet, layers)
    assert list(infos) == layers[:3] and infos["inception_3a/output"].name == "inception3a"
    assert [info.place for info in dk.layer_table(dreamnet)] == list(
        range(len(dk.layer_names(dreamnet)))
    )
    expected = dk.capture(dreamnet, picture, layers)
    monkeypatch.setattr(features, "layer_infos", lambda *given: pytest.fail("looked up"))
    found = dk.capture(dreamnet, picture, layers, infos)
    assert list(found) == layers
    assert all(torch.equal(found[name], expected[name]) for name in layers)
    with pytest.raises(KeyError, match="unknown layer 'conv99'"):
        layer_infos(dreamnet, ["conv2", "conv99"])
