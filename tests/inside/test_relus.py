"""The switch for ReLUs reaches every way to call one, in its own thread only."""

import threading

import torch
from torch import nn
from torch.nn import functional as F

from dreamkit.inside.relus import Rectifiers, guided_back, rectified_back


def test_rectifiers_reach_every_relu_of_this_thread_and_no_other():
    x, other = torch.tensor([-1.0, 2.0]), []
    with Rectifiers(lambda values, relu: values * 10):
        assert all(
            torch.equal(relu(x.clone()), x * 10)
            for relu in (
                torch.relu,
                F.relu,
                nn.ReLU(),
                nn.ReLU(inplace=True),
                torch.relu_,
                torch.Tensor.relu,
                lambda v: F.relu(input=v),
                F.relu6,
                nn.ReLU6(),
                nn.ReLU6(inplace=True),
            )
        )
        inplace = x.clone()
        F.relu(inplace, inplace=True)
        assert torch.equal(inplace, x * 10)
        thread = threading.Thread(target=lambda: other.append(torch.relu(x)))
        thread.start()
        thread.join()
    assert torch.equal(other[0], torch.tensor([0.0, 2.0])) and torch.equal(torch.relu(x), other[0])


def test_the_rules_pass_positive_signals_back_at_active_places_or_everywhere():
    signal = torch.tensor([1.0, -1.0, 1.0, -1.0])
    for rule, wanted in ((guided_back, [0, 0, 1, 0]), (rectified_back, [1, 0, 1, 0])):
        x = torch.tensor([-0.1, -0.1, 1e-3, 7e5], requires_grad=True)
        result = rule(x)
        assert torch.equal(result, torch.relu(x)) and not rule(x.detach()).requires_grad
        assert torch.autograd.grad(result, x, signal)[0].tolist() == wanted


def test_relu6_is_a_relu_with_a_top():
    """Guided: back only below 6. Deconvnet: back everywhere. Other limits are another function."""
    x = torch.tensor([-1.0, 0.0, 3.0, 6.0, 7.3], requires_grad=True)
    for rule, wanted in ((guided_back, [0, 0, 1, 0, 0]), (rectified_back, [1, 1, 1, 1, 1])):
        for relu6 in (F.relu6, nn.ReLU6()):
            with Rectifiers(rule) as rectifiers:
                result = relu6(x)
                assert torch.equal(F.hardtanh(x), x.clamp(-1, 1)) and rectifiers.calls == 1
            assert torch.equal(result, x.clamp(0, 6))
            assert torch.autograd.grad(result.sum(), x)[0].tolist() == wanted
    with Rectifiers(guided_back):
        result = nn.ReLU6()(x)
    assert not torch.autograd.grad(result, x, -torch.ones(5))[0].any()


def test_a_relu6_in_place_passes_the_same_signal():
    x = torch.tensor([-1.0, 3.0, 7.3], requires_grad=True)
    for rule, wanted in ((guided_back, [0, 1, 0]), (rectified_back, [1, 1, 1])):
        with Rectifiers(rule):
            result = nn.ReLU6(inplace=True)(x * 1.0)
        assert torch.equal(result, x.clamp(0, 6))
        assert torch.autograd.grad(result.sum(), x)[0].tolist() == wanted
