"""Class pictures of a network of large pictures: batches, sides, and a judge from outside."""

from pathlib import Path

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.published.class_pictures import class_picture, usual_side

SQUEEZENET = Path(__file__).parents[3] / "shared" / "weights" / "squeezenet1_1.safetensors"
judged = pytest.mark.skipif(not SQUEEZENET.is_file(), reason="needs the weights of squeezenet1_1")


def of_colours(side: int) -> dk.Network:
    """Three classes: how red, green and blue a picture is."""
    module = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        module[0].weight.copy_(10 * torch.eye(3).view(3, 3, 1, 1))
    labels = ("red", "green", "blue")
    return dk.as_network(module, (0, 0, 0), (1, 1, 1), labels=labels, side=side)


def test_the_side_follows_from_the_training_pictures():
    assert [usual_side(of_colours(side)) for side in (64, 96, 128, 224)] == [96, 144, 192, 192]


@pytest.mark.parametrize("side", [64, 224])
@pytest.mark.parametrize("prior", ["fourier", "blur", "none"])
def test_several_classes_in_one_batch_are_each_as_alone(side, prior):
    network = of_colours(side)
    both = class_picture(network, ["blue", 0], prior, steps=4, side=30)
    for index, (label, plane) in enumerate((("blue", 2), ("red", 0))):
        alone = class_picture(network, label, prior, steps=4, side=30)
        torch.testing.assert_close(both[index : index + 1], alone, atol=1e-3, rtol=0)
        assert alone.mean((0, 2, 3)).argmax() == plane


def test_the_recipe_of_large_networks_is_another_than_that_of_small_ones():
    small, large = (class_picture(of_colours(side), 0, steps=3, side=32) for side in (64, 224))
    assert small.shape == large.shape == (1, 3, 32, 32) and (small - large).abs().max() > 0.01


def test_messages():
    with pytest.raises(ValueError, match="at least one class; given: none"):
        class_picture(of_colours(64), [])
    with pytest.raises(KeyError, match="unknown class 'gren'; nearest: "):
        class_picture(of_colours(64), ["red", "gren"])


def named(classes: list[int], **how: int) -> int:
    """How many pictures of classes, drawn by EfficientNet-Lite0, SqueezeNet has in its first five.

    Asked once for each picture; by chance it would be one in two hundred.
    """
    judge = dk.load_network("squeezenet1_1", weights=SQUEEZENET)
    pictures = class_picture(dk.load_network("efficientnet_lite0"), classes, **how)
    seen = dk.resize(pictures, (224, 224), "bilinear")
    first = dk.capture(judge, seen, "")[""].topk(5).indices
    return sum(index in found for index, found in zip(classes, first.tolist(), strict=True))


@judged
@pytest.mark.slow
def test_another_network_names_what_was_drawn():
    """Ten easy animals at a tenth of the cost: fewer steps and pixels.

    Rounding decides about one or two of them: five here, six or more on other processors.
    """
    assert named([0, 20, 60, 70, 100, 120, 150, 230, 260, 310], steps=60, side=128) >= 4


@judged
@pytest.mark.long
def test_another_network_names_six_of_ten_classes():
    assert named([1, 94, 145, 207, 308, 417, 574, 701, 779, 954]) >= 6
