"""A ReLU6 that keeps its result: torch's own is the oracle, bit by bit."""

import pytest
import torch
from torch import nn

from dreamkit.inside.relus import Rectifiers
from dreamkit.networks.clipping import Clip, ReLU6

VALUES = torch.tensor([-1.0, -0.0, 0.0, 0.5, 5.5, 6.0, 6.5, float("inf"), float("nan")])


def run(relu, values):
    x = values.clone().requires_grad_(True)
    result = relu(x * 1)
    return result, torch.autograd.grad(result, x, torch.arange(1.0, 1 + len(values)))[0]


@pytest.mark.parametrize("inplace", [True, False])
def test_values_and_gradients_are_torchs(inplace):
    ours, theirs = run(ReLU6(inplace), VALUES), run(nn.ReLU6(inplace), VALUES)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one.nan_to_num(nan=7), other.nan_to_num(nan=7))
    assert (type(ours[0].grad_fn).__name__ == "ClipBackward") is inplace


def test_it_works_in_place_and_copies_nothing():
    x = torch.randn(4, requires_grad=True)
    middle = x * 1
    result = ReLU6(inplace=True)(middle)
    assert result.data_ptr() == middle.data_ptr()
    assert result.grad_fn.saved_tensors[0].data_ptr() == middle.data_ptr()


def test_a_result_that_is_overwritten_before_the_gradient_is_an_error():
    x = torch.randn(4, requires_grad=True)
    result = ReLU6(inplace=True)(x * 1)
    result.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.sum().backward()


def test_second_gradients():
    x = (6 * torch.rand(5, dtype=torch.float64)).requires_grad_(True)
    clip = lambda x: Clip.apply(x * 1, 6)
    assert torch.autograd.gradcheck(clip, x)
    assert torch.autograd.gradgradcheck(lambda x: clip(x).pow(3), x)


def test_a_switch_of_relus_sees_it():
    x = torch.randn(4, requires_grad=True)
    with Rectifiers(lambda x, relu: relu(x) + 1) as switch:
        result = ReLU6(inplace=True)(x * 1)
    assert switch.calls == 1
    assert torch.equal(result, x.clamp(0, 6) + 1)
