"""Every classification network of torchvision: its layers, the suggested ones, one dream step.

Five are tested in the fast suite, one of each family in the slow one, the rest by
`pytest -m long tests/networks/test_torchvision.py`.
"""

import gc
from functools import partial

import pytest
import torch

import dreamkit as dk
from dreamkit.networks.zoo import torchvision_names

HANDFUL = (
    "squeezenet1_1",
    "resnet18",
    "shufflenet_v2_x0_5",
    "mobilenet_v3_small",
    "regnet_y_400mf",
)
# Not built here, and why. The code is that of a smaller network, which is walked.
LEFT_OUT = {
    "regnet_y_128gf": "2.6 GB of weights, and four times that while BatchNorm is folded; "
    "regnet_y_32gf is built by the same lines",
    "vit_h_14": "2.5 GB of weights, three times over; vit_l_16 is built by the same lines",
}
FIXED = {"maxvit_t": 224}  # the picture size a network insists on


def walk(name: str) -> None:
    network = dk.load_network(name, weights="random")
    table = dk.layer_table(network)
    names, maps = [info.name for info in table], {info.name for info in table if info.is_map}
    assert names == list(dk.layer_names(network)) and len(names) == len(set(names)) > 15
    assert names == run_order(network, table[-1].side)
    suggested = dk.suggested_layers(network)
    assert 5 <= len(suggested) <= 8 and set(suggested) <= maps, suggested
    places = [names.index(layer) for layer in suggested]
    assert places == sorted(places)
    sizes = [dk.layer_info(network, layer).shape[2] for layer in suggested]
    assert sizes == sorted(sizes, reverse=True), sizes  # from fine to coarse
    side = FIXED.get(name, 96)
    start = dk.noise(side, side, seed=1)
    features = dk.capture(network, start, suggested)
    for layer, values in features.items():
        assert values.dim() == 4 and values.shape[1] == dk.layer_info(network, layer).channels, (
            layer
        )
    settings = dk.Settings(steps=1, octaves=1)
    dreamt = dk.dream(dk.scorer(network, dk.layer(suggested[-1])), start, settings)
    assert torch.isfinite(dreamt).all() and not torch.equal(dreamt, start)


def run_order(network: dk.Network, side: int) -> list[str]:
    """The modules with a tensor as output in the order of their last return, by plain hooks."""
    order: dict[str, None] = {}

    def returned(layer, inputs, output, name):
        if isinstance(output, torch.Tensor) and output.dim() >= 2:
            order.pop(name, None)
            order[name] = None

    handles = [
        layer.register_forward_hook(partial(returned, name=name))
        for name, layer in network.module.named_modules()
        if name
    ]
    with torch.no_grad():
        network.module(torch.rand(1, 3, side, side))
    for handle in handles:
        handle.remove()
    return list(order)


@pytest.mark.parametrize("name", HANDFUL)
@pytest.mark.slow
def test_a_handful(name):
    walk(name)


# One of each family, its smallest.
FAMILIES = (
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "googlenet",
    "inception_v3",
    "maxvit_t",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "regnet_x_400mf",
    "resnet50",
    "resnext50_32x4d",
    "swin_t",
    "swin_v2_t",
    "vgg11",
    "vgg16_bn",
    "vit_b_32",
    "wide_resnet50_2",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_one_of_each_family(name):
    walk(name)
    gc.collect()


def pytest_generate_tests(metafunc):
    """The other constructors: asking torchvision for their names takes seconds, so if wanted."""
    if metafunc.function is test_every_other_constructor:
        wanted = "not long" not in metafunc.config.option.markexpr
        names = torchvision_names() if wanted else ()
        others = [name for name in names if name not in (*FAMILIES, *LEFT_OUT)]
        metafunc.parametrize("other", others)


@pytest.mark.long
def test_every_other_constructor(other):
    walk(other)
    gc.collect()


def test_what_is_left_out_is_there_and_has_its_stand_in():
    known = torchvision_names()
    assert set(LEFT_OUT) | set(FIXED) | set(FAMILIES) <= set(known) and len(known) >= 80
    for reason in LEFT_OUT.values():
        stand_in = reason.rpartition("; ")[2].split()[0]
        assert stand_in in known and stand_in not in LEFT_OUT
