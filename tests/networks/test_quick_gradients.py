"""Quicker gradients of convolutions: PyTorch's own is the oracle."""

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.networks.efficientnet_lite import Convolution
from dreamkit.networks.quick_gradients import (
    Conv2d,
    QuickConvolution,
    depthwise_in_float32,
    gradient_by_phases,
    quicken,
)
from dreamkit.onnx import onnx_modules

# (kernel, stride, padding, input size)
SHAPES = (
    (7, 2, 3, (20, 26)),
    (7, 2, 3, (21, 27)),
    (7, 2, 0, (22, 19)),
    (11, 4, 2, (31, 34)),
    (5, 1, 2, (9, 12)),
    (3, 2, 0, (21, 27)),
    (3, 2, 1, (16, 18)),
    (4, 4, 0, (18, 17)),
    ((5, 7), 3, (1, 4), (17, 20)),
    (6, 4, 5, (13, 13)),
)


def conv(kernel, stride, padding, channels=3) -> nn.Conv2d:
    torch.manual_seed(1)
    return nn.Conv2d(channels, 4, kernel, stride, padding).double().requires_grad_(False)


def both(layer: nn.Conv2d, size) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient by phases and PyTorch's own."""
    picture = torch.randn(2, layer.in_channels, *size, dtype=torch.float64, requires_grad=True)
    output = layer(picture)
    above = torch.randn_like(output)
    own = torch.autograd.grad(output, picture, above)[0]
    return gradient_by_phases(above, layer.weight, size, layer.stride, layer.padding), own


@pytest.mark.parametrize(("kernel", "stride", "padding", "size"), SHAPES)
def test_the_gradient_is_pytorchs(kernel, stride, padding, size):
    ours, own = both(conv(kernel, stride, padding), size)
    torch.testing.assert_close(ours, own, atol=1e-12, rtol=0)


def test_a_stem_gives_the_same_features_gradients_and_second_gradients():
    plain = conv(5, 2, 1)
    stem = quicken(nn.Sequential(conv(5, 2, 1)))[0]
    assert type(stem) is Conv2d
    picture = torch.randn(1, 3, 11, 9, dtype=torch.float64, requires_grad=True)
    assert torch.equal(stem(picture), plain(picture))
    assert torch.autograd.gradcheck(stem, picture)
    assert torch.autograd.gradgradcheck(lambda x: stem(x).square(), picture)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 4, 3),
        nn.Conv2d(3, 4, 2, 2),
        nn.Conv2d(8, 4, 7, 2),
        nn.Conv2d(8, 8, 3, 1, groups=8),
        nn.Conv2d(8, 8, 3, 2, groups=4),
        nn.Conv2d(8, 8, 3, 2, dilation=2, groups=8),
        nn.Conv2d(3, 3, 7, 2, groups=3),
        nn.Conv2d(3, 4, 7, 2, dilation=2),
        nn.Conv2d(3, 4, 7, padding="same"),
        nn.Conv2d(3, 4, 7, 2, padding=3, padding_mode="reflect"),
        nn.Conv2d(3, 4, 7, (2, 1)),
        nn.ConvTranspose2d(3, 4, 7, 2),
    ],
)
def test_other_convolutions_stay_as_they_are(layer):
    kind = type(layer)
    assert type(quicken(nn.Sequential(layer))[0]) is kind


def test_weights_that_learn_still_get_gradients():
    stem = quicken(nn.Sequential(nn.Conv2d(3, 4, 7, 2)))[0]
    picture = torch.randn(1, 3, 16, 16, requires_grad=True)
    stem(picture).sum().backward()
    assert stem.weight.grad is not None and picture.grad is not None


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "size", "outputs"),
    [(3, 2, 0, (13, 17), 8), (5, 2, 2, (12, 9), 8), (3, (2, 1), 1, (8, 8), 16)],
)
def test_a_strided_depthwise_gradient_is_pytorchs(kernel, stride, padding, size, outputs):
    torch.manual_seed(0)
    layer = nn.Conv2d(8, outputs, kernel, stride, padding, groups=8).double().requires_grad_(False)
    picture = torch.randn(2, 8, *size, dtype=torch.float64, requires_grad=True)
    output = layer(picture)
    above = torch.randn_like(output)
    own = torch.autograd.grad(output, picture, above)[0]
    ours = depthwise_in_float32(above, layer.weight, size, layer.stride, layer.padding, 8)
    torch.testing.assert_close(ours, own, atol=1e-12, rtol=0)


def test_a_strided_depthwise_gradient_is_computed_in_float32_under_autocast_only():
    torch.manual_seed(0)
    layer = quicken(nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1, groups=8)))[0].requires_grad_(False)
    assert type(layer) is Conv2d
    picture = torch.randn(1, 8, 12, 14, requires_grad=True)
    plain = layer(picture)
    assert "ConvolutionBackward" in type(plain.grad_fn).__name__
    with torch.autocast("cpu", torch.bfloat16):
        quick = layer(picture)
    assert type(quick.grad_fn).__name__ == f"{QuickConvolution.__name__}Backward"
    assert quick.dtype == torch.bfloat16
    above = torch.randn(plain.shape).bfloat16()  # exact in both
    exact = torch.autograd.grad(plain, picture, above.float())[0]
    torch.testing.assert_close(torch.autograd.grad(quick, picture, above)[0], exact)


def test_a_convolution_of_an_onnx_file_computes_as_our_own_network_does():
    """Else two dreams of one network would part: rounding grows from step to step."""
    torch.manual_seed(0)
    ours, theirs = Convolution(3, 8, 3, stride=2), onnx_modules.Conv2d(3, 8, 3, 2)
    theirs.load_state_dict(ours.conv.state_dict())
    theirs.window = onnx_modules.Window((3, 3), (2, 2), (1, 1), (0, 0, 1, 1), "NOTSET", False)
    picture, found = torch.rand(1, 3, 18, 22), []
    for module in (quicken(ours), theirs):
        x = picture.clone().requires_grad_(True)
        output = module.requires_grad_(False)(x).clamp(0, 6)
        found.append((output, torch.autograd.grad(output.square().sum(), x)[0]))
    assert all(map(torch.equal, *found))


def test_what_a_convolution_does_follows_its_attributes():
    """A lesson takes the stride of a copy away."""
    layer = quicken(nn.Sequential(conv(3, 2, 1)))[0]
    layer.stride = (1, 1)
    picture = torch.randn(1, 3, 9, 9, dtype=torch.float64, requires_grad=True)
    assert type(layer(picture).grad_fn).__name__ == "ConvolutionBackward0"


def test_a_network_in_bfloat16_gives_a_float32_gradient_that_points_the_same_way():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3), nn.ReLU())
    picture = dk.noise(32, 40, seed=1)
    found = []
    for precision in ("float32", "bfloat16"):
        network = dk.as_network(module, (0.5,) * 3, (0.2,) * 3, precision=precision)
        assert type(network.module[0]) is Conv2d
        found.append(dk.gradient(dk.scorer(network, dk.layer("1")), picture))
    assert found[1].dtype == torch.float32
    assert torch.cosine_similarity(*(g.flatten() for g in found), dim=0) > 0.99
