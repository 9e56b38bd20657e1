"""The gradient of each operator in a step file, against torch's autograd on tiny networks."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dreamkit as dk
from dreamkit.networks.efficientnet_lite import Block
from dreamkit.onnx.gradient_rules import RULES


class Formula(nn.Module):
    """A convolution, then a formula on its output and further modules: layer "out"."""

    def __init__(self, formula, *parts):
        super().__init__()
        torch.manual_seed(3)
        self.conv, self.formula, self.parts, self.out = (
            nn.Conv2d(3, 4, 3, padding=1),
            formula,
            nn.ModuleList(parts),
            nn.Identity(),
        )

    def forward(self, x):
        return self.out(self.formula(self.conv(4 * x), *self.parts))


def normed() -> nn.Module:
    norm = nn.BatchNorm2d(4)
    for i, values in enumerate((norm.weight, norm.bias, norm.running_mean, norm.running_var)):
        values.data.copy_(torch.linspace(0.3, 1.7, 4).roll(i))
    return norm


def network_of(formula, *parts) -> dk.Network:
    return dk.as_network(Formula(formula, *parts), (0.4, 0.5, 0.6), (0.2, 0.3, 0.4), "tiny")


torch.manual_seed(4)
NETS = {
    "average pool": lambda x: F.avg_pool2d(x, 3, 2),
    "average pool padded": lambda x: F.avg_pool2d(x, 3, 2, padding=1),
    "average pool, padding not counted": lambda x: F.avg_pool2d(
        x, (3, 2), (2, 1), padding=1, count_include_pad=False
    ),
    "average pool with a divisor": lambda x: F.avg_pool2d(x, 2, divisor_override=3),
    "max pool": lambda x: F.max_pool2d(x, 3, 2, padding=1),
    "max pool ceil": lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True),
    "max pool dilated": lambda x: F.max_pool2d(x, 2, 1, dilation=2),
    "global average": lambda x: F.adaptive_avg_pool2d(x, 1),
    "mean": lambda x: x.mean((2, 3)),
    "mean keepdim": lambda x: x * x.mean(1, keepdim=True),
    "gemm": (lambda x, m: m(x.mean((2, 3))), nn.Linear(4, 5)),
    "linear without bias": (lambda x, m: m(x.mean((2, 3))), nn.Linear(4, 5, bias=False)),
    "batch norm": (lambda x, m: m(x.relu()), normed()),
    "clip": lambda x: x.clamp(-0.4, 0.7),
    "clip below": lambda x: x.clamp(min=-0.2),
    "relu6": F.relu6,
    "hard swish": lambda x: F.hardswish(4 * x),
    "hard sigmoid": lambda x: F.hardsigmoid(4 * x),
    "silu": F.silu,
    "sigmoid": lambda x: x.sigmoid(),
    "tanh": lambda x: x.tanh(),
    "exp": lambda x: x.exp(),
    "leaky": lambda x: F.leaky_relu(x, 0.1),
    "softmax over channels": lambda x: x.softmax(1) * x,
    "softmax over width": lambda x: x.softmax(3) * x,
    "add": lambda x: x + 2 * x.relu(),
    "add spread": lambda x: x + x.mean((2, 3), keepdim=True).sigmoid(),
    "sub": lambda x: x.relu() - x.sigmoid(),
    "one less": lambda x: (1 - x) * x,
    "mul": lambda x: x * x.sigmoid(),
    "gate": lambda x: x * x.mean((2, 3), keepdim=True).sigmoid(),
    "div": lambda x: x / (2 + x.sigmoid()),
    "square": lambda x: x**2,
    "cube": lambda x: x**3,
    "cat of slices": lambda x: torch.cat([x[:, 2:], 3 * x[:, :3]], 1),
    "select": lambda x: x[:, 1].unsqueeze(1) * x,
    "pad": (lambda x, m: m(F.pad(x, (1, 2, 0, 3))), nn.Conv2d(4, 2, 3)),
    "strided convolution": (lambda x, m: m(x), nn.Conv2d(4, 4, (3, 9), (2, 3), (1, 4), groups=2)),
    "matrix product": lambda x: x.mean((2, 3)).t() @ x.mean((2, 3)),
    "dilated convolution": (lambda x, m: m(x), nn.Conv2d(4, 2, 3, 2, dilation=2)),
    "depthwise convolution": (lambda x, m: m(x), nn.Conv2d(4, 8, 5, 2, 2, groups=4)),
    "inverted residual": (lambda x, m: m(9 * x), Block(4, 4, 5, 1, 6)),
    "inverted residual with a stride": (lambda x, m: m(9 * x), Block(4, 6, 3, 2, 6)),
    "without an expansion": (lambda x, m: m(9 * x), Block(4, 6, 5, 2, 1)),
    "flatten": lambda x: x.mean((2, 3), keepdim=True).flatten(1),
}


def step_of(network, objective, folder):
    dk.onnx.export_step(network, objective, folder / "step.onnx")
    return dk.onnx.alone.Step(folder / "step.onnx", threads=1)


def assert_as_torch(network, objective, step, size):
    picture = torch.rand(size, generator=torch.Generator().manual_seed(8)).requires_grad_()
    value = dk.scorer(network, objective)(picture)
    wanted = torch.autograd.grad(value.sum(), picture)[0]
    value, picture = float(value.detach().sum()), picture.detach().numpy()
    score, uphill = step(picture)
    assert float(wanted.abs().max()) > 1e-6
    assert score == pytest.approx(value, rel=1e-4, abs=1e-6)
    np.testing.assert_allclose(uphill, wanted.numpy(), atol=1e-4 * float(wanted.abs().max()))


@pytest.mark.parametrize("name", NETS)
def test_each_gradient_is_autograds(name, tmp_path):
    network = network_of(*(NETS[name] if isinstance(NETS[name], tuple) else (NETS[name],)))
    step = step_of(network, dk.channel("out", 0) + 0.3 * dk.layer("out", power=2), tmp_path)
    for size in ((1, 3, 17, 22), (2, 3, 20, 19)):
        assert_as_torch(network, dk.channel("out", 0) + 0.3 * dk.layer("out", power=2), step, size)


def test_the_blocks_reach_both_ends_of_relu6():
    """Else the tests above would not see a wrong Clip."""
    network = network_of(*NETS["inverted residual"])
    maps = dk.capture(network, torch.rand(1, 3, 20, 20), ["parts.0.expand", "parts.0.depthwise"])
    shares = [
        (float((m == 0).float().mean()), float((m == 6).float().mean())) for m in maps.values()
    ]
    assert all(low > 0.05 for low, _ in shares) and shares[0][1] > 0.001


def test_at_zero_itself_relu6_passes_nothing(tmp_path):
    """Grey pictures through convolutions without a bias are exactly 0 after standardising."""
    torch.manual_seed(6)
    module = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU6())
    network = dk.as_network(module, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "grey")
    step = step_of(network, dk.channel("1", 0), tmp_path)
    assert not step(np.full((1, 3, 16, 16), 0.5, np.float32))[1].any()


def test_a_layer_is_climbed_by_its_alias(dreamnet, tmp_path):
    objective = dk.layer("inception_3a/output") + dk.channel("conv1/7x7_s2", 2)
    assert_as_torch(dreamnet, objective, step_of(dreamnet, objective, tmp_path), (1, 3, 64, 70))


@pytest.mark.parametrize(
    "objective",
    [dk.logit(3), dk.logit("b") + -0.5 * dk.logit("d"), dk.logit(1) + dk.channel("0.conv", 2)],
)
def test_a_class_is_climbed_as_torch_climbs_it(objective, tmp_path):
    torch.manual_seed(5)
    whole = nn.Sequential(Formula(F.relu), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4))
    network = dk.as_network(whole, (0, 0, 0), (1, 1, 1), "classes", labels="abcd")
    assert_as_torch(network, objective, step_of(network, objective, tmp_path), (1, 3, 25, 31))


def test_a_guide_is_climbed_as_torch_climbs_it(tmp_path):
    network = network_of(F.relu)
    objective = dk.guide("out", dk.capture(network, dk.sample("china", 24), "out")["out"])
    assert_as_torch(network, objective, step_of(network, objective, tmp_path), (1, 3, 18, 21))


def test_what_has_no_gradient_is_named(tmp_path):
    network = network_of(lambda x: F.avg_pool2d(x, 3, 2, ceil_mode=True))
    with pytest.raises(ValueError, match="AveragePool with ceil_mode"):
        dk.onnx.export_step(network, dk.layer("out"), tmp_path / "step.onnx")
    assert not list(tmp_path.iterdir())


def test_an_exponent_that_is_computed_is_named(tmp_path):
    network = network_of(lambda x: x.sigmoid() ** x.sigmoid())
    with pytest.raises(ValueError, match="Pow with an exponent that is computed"):
        dk.onnx.export_step(network, dk.layer("out"), tmp_path / "step.onnx")


def test_a_wrong_rule_is_found_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(RULES, "Sigmoid", RULES["Tanh"])
    network = network_of(NETS["sigmoid"])
    with pytest.raises(ValueError, match="does not give what torch gives for 'gradient'"):
        dk.onnx.export_step(network, dk.layer("out"), tmp_path / "step.onnx")
    assert not list(tmp_path.iterdir())
