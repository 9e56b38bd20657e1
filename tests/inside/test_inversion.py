"""Pictures reconstructed from features: invertible layers give everything back."""

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.inside import inversion


def test_an_invertible_layer_gives_the_picture_back():
    network = dk.as_network(
        nn.Sequential(nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(2)),
        (0.5, 0.5, 0.5),
        (0.25, 0.25, 0.25),
    )
    with torch.no_grad():
        network.module[0].weight.copy_(torch.eye(3)[:, :, None, None])
        network.module[0].bias.zero_()
    smooth = 0.2 + 0.6 * dk.resize(dk.noise(4, 4, seed=3), (16, 16), "bicubic")
    exact = inversion.invert(network, smooth, "0", steps=150, rate=0.5, variation=0.0)
    pooled = inversion.invert(network, smooth, "1", steps=150, rate=0.5, variation=0.0)
    apart = lambda found: float((found.image - smooth).square().mean().sqrt())
    assert exact.error < 0.05 and apart(exact) < 0.02
    assert pooled.error < 0.05 and apart(pooled) > 3 * apart(
        exact
    )  # its four cells are met, and the rest is free


def test_the_error_falls_and_the_same_seed_gives_the_same_picture(tiny_network, picture):
    with torch.no_grad():
        features = dk.capture(tiny_network, picture, "2")["2"]
    found = list(inversion.inverting(tiny_network, "2", features, (40, 48), steps=12, seed=4))
    again = list(inversion.inverting(tiny_network, "2", features, (40, 48), steps=12, seed=4))
    other = next(inversion.inverting(tiny_network, "2", features, (40, 48), steps=1, seed=5))
    assert len(found) == 12 and found[-1].error < found[0].error
    assert torch.equal(found[-1].image, again[-1].image) and not torch.equal(
        found[0].image, other.image
    )
    with torch.no_grad():  # the error is that of the picture beside it
        seen = dk.capture(tiny_network, found[-1].image, "2")["2"]
    assert found[-1].error == pytest.approx(
        float((seen - features).norm() / features.norm()), rel=1e-4
    )


def test_variation_makes_smoother_pictures(tiny_network, picture):
    rough, calm = (
        inversion.invert(tiny_network, picture, "2", steps=25, variation=v).image
        for v in (0.0, 2.0)
    )
    assert inversion.total_variation(calm) < 0.7 * inversion.total_variation(rough)


def test_closest_reaches_its_goal_where_adam_does_not():
    network = dk.as_network(nn.Conv2d(3, 4, 3, bias=False), (0.5,) * 3, (0.25,) * 3)
    with torch.no_grad():
        network.module.weight.copy_(
            torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0))
        )
    photo = 0.2 + 0.6 * dk.resize(dk.noise(4, 4, seed=3), (12, 14), "bicubic")
    features = dk.capture(network, photo, "")[""]
    found = inversion.closest(network, "", features, (12, 14), goal=0.02, evaluations=200, seed=1)
    seen = dk.capture(network, found.image, "")[""]
    assert found.error < 0.05 and 1 < found.evaluations <= 200
    assert found.error == pytest.approx(float((seen - features).norm() / features.norm()), rel=1e-4)
    assert not found.image.requires_grad and not features.requires_grad
    adam = inversion.invert(network, photo, "", steps=found.evaluations, variation=0.0, seed=1)
    assert adam.error > 2 * found.error
    short = inversion.closest(network, "", features, (12, 14), goal=1e-9, evaluations=10, seed=1)
    assert short.evaluations <= 18 and short.error > found.error
    with pytest.raises(ValueError, match="goal above 0; given: 10, 0"):
        inversion.closest(network, "", features, (12, 14), goal=0, evaluations=10)


def test_wrong_arguments_raise_errors(tiny_network, picture):
    with pytest.raises(ValueError, match="steps must be at least 1"):
        inversion.inverting(tiny_network, "2", torch.zeros(1, 6, 4, 4), (4, 4), steps=0)
    with pytest.raises(
        ValueError, match=r"have features \[1, 6, 8, 8\] at '2'; given: \[1, 6, 4, 4\]"
    ):
        next(inversion.inverting(tiny_network, "2", torch.zeros(1, 6, 4, 4), (8, 8)))
    with pytest.raises(ValueError, match=r"one picture \[1, 3, H, W\] is needed"):
        inversion.invert(tiny_network, torch.cat([picture, picture]), "2")


@pytest.mark.slow
def test_deeper_layers_remember_less():
    network, cup = (
        dk.load_network("dreamnet"),
        dk.resize(dk.sample("coffee")[..., 90:490], (64, 64)),
    )
    lost = []
    for layer in ("conv1", "inception3b", "inception5b"):
        found = inversion.invert(network, cup, layer, steps=60)
        lost.append(float((found.image - cup).square().mean().sqrt()))
    assert lost == sorted(lost) and lost[-1] > 1.4 * lost[0]
