"""The switch for ReLUs reaches every way to call one, in its own thread only."""

import threading

import torch
from torch import nn
from torch.nn import functional as F

from dreamkit.inside.relus import Rectifiers, guided_back, rectified_back


def test_rectifiers_reach_every_relu_of_this_thread_and_no_other():
    x, other = torch.tensor([-1.0, 2.0]), []
    with Rectifiers(lambda values: values * 10):
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
