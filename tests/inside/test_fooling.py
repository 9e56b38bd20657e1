"""Fooling pictures of linear networks, whose exact radii are known."""

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.inside import fooling


@pytest.fixture(scope="module")
def linear() -> dk.Network:
    """Three classes, linear in the pixels of a 4×4 picture."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        module[1].weight.copy_(torch.randn(3, 48, generator=generator))
        module[1].bias.copy_(torch.tensor([0.5, 0.0, -9.0]))
    return dk.as_network(module, (0.5, 0.5, 0.5), (1, 1, 1), "linear", ("a", "b", "c"))


GREY = torch.full((1, 3, 4, 4), 0.5)


@pytest.mark.parametrize("norm, dual", [("l2", 2), ("linf", 1)])
def test_the_smallest_change_of_a_linear_network_is_the_margin_over_the_slope(linear, norm, dual):
    weights = linear.module[1].weight
    exact = 0.5 / float((weights[1] - weights[0]).norm(dual))  # a leads by 0.5; c is out of reach
    found = fooling.smallest_fooling(linear, GREY, "b", norm)
    assert found.label == 1 and exact * (1 - 1e-4) < found.radius < 1.01 * exact
    assert found.radius == pytest.approx(fooling.change_size(found.image - GREY, norm))
    assert fooling.margin(linear, found.image, 1) > 0
    assert found.probability == pytest.approx(0.5, abs=0.01)  # as near as can be is half-way


@pytest.mark.parametrize("norm", fooling.NORMS)
def test_a_fooling_picture_stays_in_its_ball_and_is_a_picture(linear, norm):
    start = GREY.clone()
    start[0, 0, 0, 0] = 1.0  # at the border of what a picture may be
    before = start.clone()
    for radius in (0.0, 0.05, 0.3):
        found = fooling.fool(linear, start, 2, radius, norm)
        assert (
            fooling.change_size(found - start, norm) <= radius * (1 + 1e-5)
            and found.min() >= 0
            and found.max() <= 1
        )
    assert (
        fooling.margin(linear, found, 2) > fooling.margin(linear, start, 2)
        and (start == before).all()
    )
    assert (fooling.fool(linear, start, 2, 0.0, norm) == start).all()


def test_few_steps_are_mended_by_halving_the_way_back(linear):
    weights = linear.module[1].weight
    assert fooling.smallest_fooling(linear, GREY, "b", steps=8).radius < 1.002 * 0.5 / float(
        (weights[1] - weights[0]).norm()
    )


def test_the_whole_of_the_box_is_used(linear):
    weights, radius = linear.module[1].weight, 0.01
    gain = fooling.margin(
        linear, fooling.fool(linear, GREY, "b", radius, "linf"), 1
    ) - fooling.margin(linear, GREY, 1)
    assert gain.item() == pytest.approx(radius * float((weights[1] - weights[0]).norm(1)), rel=1e-3)


def test_what_is_named_so_already_needs_no_change_and_what_is_out_of_reach_is_none(linear):
    assert fooling.smallest_fooling(linear, GREY, "a").radius == 0
    far = dk.as_network(nn.Sequential(nn.Flatten(), nn.Linear(48, 2)), (0, 0, 0), (1, 1, 1))
    with torch.no_grad():
        far.module[1].weight.zero_()
        far.module[1].bias.copy_(torch.tensor([1.0, 0.0]))
        far.module[1].weight[1, 0] = 1e-3  # white is not enough
    assert fooling.smallest_fooling(far, GREY, 1) is None


def test_wrong_arguments_raise_errors(linear):
    with pytest.raises(ValueError, match="norm must be one of l2, linf; given: 'l1'"):
        fooling.fool(linear, GREY, "b", 0.1, "l1")
    with pytest.raises(KeyError, match="unknown class 'd'"):
        fooling.smallest_fooling(linear, GREY, "d")
    with pytest.raises(ValueError, match=r"one picture \[1, 3, H, W\] is needed"):
        fooling.fool(linear, GREY.expand(2, 3, 4, 4), "b", 0.1)
    with pytest.raises(ValueError, match="radius must be finite and 0 or more; given: -1"):
        fooling.fool(linear, GREY, "b", -1)
    with pytest.raises(ValueError, match="class 3 is out of range"):
        fooling.fool(linear, GREY, 3, 0.1)


@pytest.mark.slow
def test_the_robust_network_takes_a_larger_change():
    cup = dk.resize(dk.sample("coffee")[..., 90:490], (64, 64))
    radii = [
        fooling.smallest_fooling(dk.load_network(name), cup, "goldfish", steps=30).radius
        for name in ("dreamnet", "dreamnet-robust")
    ]
    assert 1.0 < radii[0] < 2.2 and radii[1] > 2.5 * radii[0]
