"""Receptive fields against the support of the gradient, layer by layer."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dreamkit.networks.receptive import Field, field_of


class Do(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def down(stride, kernel=3):
    return nn.Conv2d(3, 4, kernel, stride, 1)


def four_phases(x):
    return torch.cat([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1)


def channels_last(x):
    x = F.linear(F.layer_norm(x.permute(0, 2, 3, 1), (4,)), torch.rand(4, 4), torch.rand(4))
    return x.permute(0, 3, 1, 2)


LOCAL = {
    "transposed": [down(2), nn.ConvTranspose2d(4, 4, 4, 2, 1)],
    "transposed, unlike sides": [down(4), nn.ConvTranspose2d(4, 4, (2, 5), (2, 4), (0, 1))],
    "transposed, dilated": [down(6), nn.ConvTranspose2d(4, 4, 3, 3, 2, dilation=2)],
    "autoencoder": [
        down(2, 4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 4, 2, 1),
        *(nn.ConvTranspose2d(4, 4, 4, 2, 1) for _ in (0, 1)),
    ],
    "nearest": [down(2), nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3)],
    "nearest-exact": [down(3), nn.Upsample(scale_factor=3, mode="nearest-exact")],
    "bilinear": [down(4), nn.Upsample(scale_factor=2, mode="bilinear")],
    "bicubic": [down(2), nn.Upsample(scale_factor=2, mode="bicubic")],
    "finer than the picture and back": [nn.Upsample(scale_factor=2), nn.AvgPool2d(2)],
    "pixel shuffle": [down(2), nn.PixelShuffle(2)],
    "pixel unshuffle": [nn.PixelUnshuffle(2), nn.Conv2d(12, 4, 3, padding=1)],
    "four phases": [Do(four_phases)],
    "each third row": [Do(lambda x: x[..., ::3, ::2])],
    "last row cut off": [down(1), Do(lambda x: x[..., :-1, :-1])],
    "unlike padding": [nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(3, 4, 3, 2)],
    "channels last": [nn.Conv2d(3, 4, 4, 4), Do(channels_last), nn.Conv2d(4, 4, 3, padding=1)],
    "channel shuffle by views": [
        down(1),
        Do(lambda x: x.unflatten(1, (2, 2)).transpose(1, 2).flatten(1, 2)),
    ],
    "einsum over channels": [
        down(2),
        Do(lambda x: torch.einsum("bchw,cd->bdhw", x, torch.rand(4, 4))),
    ],
    "over channels": [nn.LocalResponseNorm(3), nn.Softmax(1), Do(lambda x: F.normalize(x, dim=1))],
    "ceiling": [nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.LPPool2d(2, 2)],
    "branches": [
        down(2),
        Do(lambda x: x + F.interpolate(F.avg_pool2d(x, 2), scale_factor=2)),
    ],
}


@pytest.mark.parametrize("name", LOCAL)
def test_the_field_is_the_support_of_the_gradient(name):
    torch.manual_seed(0)
    module = nn.Sequential(*LOCAL[name]).eval()
    for parameter in module.parameters():
        nn.init.constant_(parameter.requires_grad_(False), 0.1)
    picture = torch.rand(1, 3, 24, 24, dtype=torch.float32, requires_grad=True)
    features = module(picture)
    field = field_of(features, {})
    reached = set()
    for y in range(features.shape[2]):
        for x in (features.shape[3] // 2, features.shape[3] // 2 + y % 4):
            cell = features[0, :, y, min(x, features.shape[3] - 1)].sum()
            (gradient,) = torch.autograd.grad(cell, picture, retain_graph=True)
            seen = gradient[0].abs().sum(0)
            box = field.box(y, min(x, features.shape[3] - 1))
            for axis in (0, 1):
                places = seen.sum(1 - axis).nonzero().flatten().tolist() or [box[2 * axis]]
                first, end = places[0], places[-1] + 1
                assert box[2 * axis] <= first and end <= box[2 * axis + 1]
                if places[1:] or field.size[axis] == 1:
                    reached |= {(axis, 0)} if first == box[2 * axis] else set()
                    reached |= {(axis, 1)} if end == box[2 * axis + 1] else set()
    assert len(reached) == 4, reached  # no smaller box would do


UNKNOWN = {
    "crop": lambda x: x[..., 3:, 3:],
    "fixed crop": lambda x: x[..., :20, :20],
    "crop by padding": lambda x: F.pad(x, (-2, 0, -2, 0)),
    "interpolation to a size": lambda x: F.interpolate(x, size=(48, 48)),
    "interpolation from corner to corner": lambda x: F.interpolate(
        x, scale_factor=2, mode="bilinear", align_corners=True
    ),
    "interpolation to half": lambda x: F.interpolate(x, scale_factor=0.5),
    "finer than the picture": lambda x: F.interpolate(x, scale_factor=2),
    "reflection": lambda x: F.pad(x, (1, 1, 1, 1), "reflect"),
    "wrapping": lambda x: F.pad(x, (1, 1, 1, 1), "circular"),
    "roll": lambda x: x.roll(2, 3),
    "flip": lambda x: x.flip(3),
    "transposed picture": lambda x: x.transpose(2, 3),
    "rotation": lambda x: torch.rot90(x, 1, (2, 3)),
    "cumulative sum": lambda x: x.cumsum(3),
    "softmax over columns": lambda x: x.softmax(3),
    "instance norm": F.instance_norm,
    "layer norm over a row": lambda x: F.layer_norm(x, (24,)),
    "batch norm in training": lambda x: F.batch_norm(x, None, None, training=True),
    "squeeze and excitation": lambda x: x * x.mean((2, 3), keepdim=True),
    "largest value": lambda x: x / x.max(),
    "adaptive pool": lambda x: F.adaptive_avg_pool2d(x, 8),
    "matrix over columns": lambda x: x @ torch.ones(24, 24),
    "matrix over rows": lambda x: torch.ones(24, 24) @ x,
    "attention": lambda x: (x @ x.transpose(2, 3)).softmax(3) @ x,
    "tokens mixed": lambda x: F.linear(x.flatten(2), torch.ones(576, 576)).unflatten(2, (24, 24)),
    "rows as channels": lambda x: x.reshape(1, 24, 3, 24).transpose(1, 2).contiguous(),
    "rows shuffled by views": lambda x: x.unflatten(2, (12, 2)).transpose(2, 3).flatten(2, 3),
    "joined columns": lambda x: torch.cat([x, x], 3),
    "halves changed": lambda x: torch.cat(x.chunk(2, 3)[::-1], 3),
    "columns by index": lambda x: x[..., list(range(23, -1, -1))],
    "sampled": lambda x: F.grid_sample(
        x, F.affine_grid(torch.eye(2, 3)[None], list(x.shape), False), align_corners=False
    ),
    "fourier": lambda x: torch.fft.ifft2(torch.fft.fft2(x)).real,
    "unfolded": lambda x: F.fold(F.unfold(x, 2, stride=2), (24, 24), 2, stride=2),
    "weights from the picture": lambda x: F.conv2d(x, x[..., :3, :3]),
    "detached": lambda x: x.detach(),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_of_any_other_operation_the_field_is_not_known(name):
    picture = torch.rand(1, 3, 24, 24, requires_grad=True)
    changed = UNKNOWN[name](picture)
    assert field_of(changed, {}, (-2, -1)) is None
    assert field_of(F.relu(changed), {}, (-2, -1)) is None


def test_the_period_is_the_largest_stride_on_the_way():
    picture = torch.rand(1, 3, 24, 24, requires_grad=True)
    up = F.interpolate(F.max_pool2d(picture, 4), scale_factor=4)
    assert field_of(up, {}) == Field((7, 7), (1, 1), (-3, -3), (4, 4))
    assert field_of(F.max_pool2d(picture, 4), {}).period == (4, 4)
