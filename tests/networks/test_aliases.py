"""The papers' names of layers: understood wherever a layer is named, with the same values."""

import pytest
import torch
import torchvision
from torch import nn

import dreamkit as dk
from dreamkit.networks.aliases import aliases_of


@pytest.fixture(scope="module")
def googlenet():
    return dk.load_network("googlenet", weights="random")


def listed(name):
    """(class, [(layer, type)]) of a torchvision network, built without its weights."""
    with torch.device("meta"):
        module = torchvision.models.get_model(
            name, weights=None, **({"init_weights": False} if name == "inception_v3" else {})
        )
    return type(module).__name__, [
        (layer, type(each).__name__) for layer, each in module.named_modules()
    ]


@pytest.mark.parametrize(
    "name, pairs",
    [
        # by hand from torchvision's sources and the papers' tables
        # (Simonyan & Zisserman's D and E; He et al.; Iandola et al.)
        (
            "vgg16",
            {
                "conv1_1": "features.0",
                "relu1_1": "features.1",
                "relu3_3": "features.15",
                "relu4_3": "features.22",
                "conv5_1": "features.24",
                "pool5": "features.30",
                "block4_conv3": "features.22",
                "fc6": "classifier.0",
                "relu7": "classifier.4",
                "fc8": "classifier.6",
            },
        ),
        (
            "vgg19",
            {
                "relu3_4": "features.17",
                "relu4_4": "features.26",
                "conv5_4": "features.34",
                "pool5": "features.36",
            },
        ),
        ("vgg16_bn", {"conv4_3": "features.30", "relu4_3": "features.32", "pool4": "features.33"}),
        (
            "alexnet",
            {
                "conv1": "features.0",
                "relu5": "features.11",
                "pool5": "features.12",
                "fc6": "classifier.1",
            },
        ),
        (
            "resnet18",
            {"conv2_block1_out": "layer1.0", "conv5_block2_out": "layer4.1", "res5b": "layer4.1"},
        ),
        ("squeezenet1_1", {"fire2": "features.3", "fire9/concat": "features.12"}),
    ],
)
def test_the_names_of_the_papers(name, pairs):
    kind, layers = listed(name)
    found = aliases_of(kind, layers)
    assert {alias: found.get(alias) for alias in pairs} == pairs
    names = {layer for layer, _ in layers}
    assert set(found.values()) <= names and not set(found) & names


def test_how_many_there_are():
    found = aliases_of(*listed("vgg19"))
    assert (
        sum(a.startswith("relu") and "_" in a for a in found)
        == sum(a.startswith("conv") for a in found)
        == 16
    )
    assert aliases_of(*listed("mobilenet_v3_small")) == {}


def test_googlenets_names_in_caffe_and_tensorflow(googlenet):
    found = dk.layer_aliases(googlenet)
    assert found["inception_4c/output"] == found["mixed4c"] == "inception4c"
    assert (
        found["inception_3b/5x5_reduce"]
        == found["mixed3b_5x5_bottleneck_pre_relu"]
        == "inception3b.branch3.0.bn"
    )
    assert (
        found["inception_3b/relu_5x5_reduce"]
        == found["mixed3b_5x5_bottleneck"]
        == "inception3b.branch3.0"
    )
    assert found["mixed4d_3x3_bottleneck_pre_relu"] == "inception4d.branch2.0.bn"
    assert (found["conv1/7x7_s2"], found["conv2d2"], found["pool3/3x3_s2"]) == (
        "conv1.bn",
        "conv3",
        "maxpool3",
    )
    outputs = [alias for alias in found if alias.endswith("/output")]
    assert len(outputs) == 9 and outputs[0] == "inception_3a/output"


@pytest.mark.parametrize("name", ["dreamnet", "googlenet"])
def test_the_bottleneck_is_before_its_relu_and_the_output_after(googlenet, dreamnet, name):
    net = dreamnet if name == "dreamnet" else googlenet
    asked = (
        "inception_3b/5x5_reduce",
        "inception_3b/relu_5x5_reduce",
        "inception_4c/output",
        "mixed4c",
        "conv2/3x3",
        "conv2d2",
    )
    features = dk.capture(net, dk.sample("chelsea", 64), asked)
    assert tuple(features) == asked  # by the names that were asked for
    before, after = features["inception_3b/5x5_reduce"], features["inception_3b/relu_5x5_reduce"]
    assert before.min() < 0 and torch.equal(before.clamp(min=0), after)
    assert features["conv2/3x3"].min() < 0 and torch.equal(
        features["conv2/3x3"].clamp(min=0), features["conv2d2"]
    )
    assert features["inception_4c/output"].min() >= 0 and torch.equal(
        features["inception_4c/output"], features["mixed4c"]
    )


def test_inception_v3s_names_in_keras():
    found = aliases_of(*listed("inception_v3"))
    assert [found[f"mixed{i}"] for i in (0, 2, 3, 8, 10)] == [
        "Mixed_5b",
        "Mixed_5d",
        "Mixed_6a",
        "Mixed_7a",
        "Mixed_7c",
    ]


@pytest.mark.slow
def test_inception_v3_has_the_widths_of_keras():
    net = dk.load_network("inception_v3", weights="random")
    widths = [dk.layer_info(net, f"mixed{i}").channels for i in range(11)]
    assert widths == [
        256,
        288,
        288,
        768,
        768,
        768,
        768,
        768,
        1280,
        2048,
        2048,
    ]  # Keras's documented shapes


def test_a_dream_by_an_alias_is_the_dream_by_the_name(dreamnet, picture):
    settings = dk.Settings(steps=2, octaves=1)
    first, second = (
        dk.dream(dk.scorer(dreamnet, dk.layer(name)), picture, settings)
        for name in ("inception_4a/output", "inception4a")
    )
    assert torch.equal(first, second)
    both = dk.scorer(dreamnet, dk.layer("mixed3a") + dk.channel("inception3a", 3))
    assert dk.gradient(both, picture).abs().sum() > 0
    features = dk.capture(dreamnet, picture, "inception_4a/output")
    assert dk.scorer(dreamnet, dk.guide("inception_4a/output", features))(picture) > 0


def test_an_unknown_name_is_answered_with_aliases_too(dreamnet, googlenet):
    with pytest.raises(
        KeyError, match=r"unknown layer 'inception_4f/output'; nearest: inception_4\w/output"
    ):
        dk.capture(dreamnet, torch.rand(1, 3, 64, 64), "inception_4f/output")
    with pytest.raises(KeyError, match=r"unknown layer 'mixed4g'; nearest: mixed4\w, "):
        dk.scorer(googlenet, dk.layer("mixed4g"))


class Wrapper(nn.Module):
    def __init__(self, *networks):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 1)
        self.backbones = nn.ModuleList(networks)

    def forward(self, x):
        return sum(network(self.first(x)) for network in self.backbones)


class MyVGG(torchvision.models.VGG):
    pass


def small(kind):
    """A network of torchvision's with few weights, or ours, and an alias of a layer of it."""
    models = torchvision.models
    layers = nn.Sequential(*(nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.MaxPool2d(2))))
    vgg = (models.VGG, MyVGG)[kind == "mine"](layers, num_classes=2, init_weights=False)
    vgg.avgpool, vgg.classifier = nn.AdaptiveAvgPool2d(1), nn.Sequential(nn.Linear(3, 2))
    made = {
        "vgg": (vgg, "relu1_1", "features.1"),
        "mine": (vgg, "block1_pool", "features.2"),
        "squeezenet": (models.squeezenet1_1(num_classes=2), "fire9/concat", "features.12"),
        "resnet": (models.resnet18(num_classes=2), "res4b", "layer3.1"),
    }
    return made[kind]


@pytest.mark.parametrize(
    "kind, wrap, path",
    [
        ("mine", lambda net: net, ""),
        ("vgg", lambda net: nn.Sequential(nn.Identity(), net), "1."),
        ("vgg", nn.DataParallel, "module."),
        ("squeezenet", lambda net: nn.Sequential(nn.Sequential(net), nn.Softmax(1)), "0.0."),
        ("resnet", Wrapper, "backbones.0."),
    ],
)
def test_a_wrapped_network_keeps_the_names_of_the_papers(kind, wrap, path):
    inner, alias, layer = small(kind)
    network = dk.as_network(wrap(inner), (0, 0, 0), (1, 1, 1), "wrapped")
    assert dk.layer_aliases(network)[alias] == path + layer
    picture = dk.noise(64, 64)
    by_alias, by_name = (dk.capture(network, picture, n)[n] for n in (alias, path + layer))
    assert torch.equal(by_alias, by_name)


@pytest.mark.slow
def test_two_networks_inside_have_only_the_names_that_are_clear():
    vgg, resnet = small("vgg")[0], small("resnet")[0]
    both = dk.as_network(Wrapper(vgg, resnet), (0, 0, 0), (1, 1, 1))
    assert dk.layer_aliases(both)["relu1_1"] == "backbones.0.features.1"
    assert dk.layer_aliases(both)["res4b"] == "backbones.1.layer3.1"
    twice = dk.as_network(Wrapper(vgg, small("mine")[0], resnet), (0, 0, 0), (1, 1, 1))
    assert "relu1_1" not in dk.layer_aliases(twice)
    assert dk.layer_aliases(twice)["res4b"] == "backbones.2.layer3.1"


def test_a_users_module_has_no_aliases():
    assert dk.layer_aliases(dk.as_network(nn.Conv2d(3, 2, 1), (0, 0, 0), (1, 1, 1))) == {}


def test_a_panel_takes_an_alias(dreamnet, picture):
    by_alias, by_name = (
        dk.widgets.view(dreamnet, picture, name, 3)
        for name in ("inception_3a/output", "inception3a")
    )
    assert torch.equal(by_alias.alone, by_name.alone)
    with dk.widgets.explore(dreamnet, picture, ["inception_3a/output"], channel=3) as panel:
        assert panel.error is None
