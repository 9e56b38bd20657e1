"""Small networks whose answers are known, shared by the tests of this folder."""

import torch
from torch import nn
from torch.nn import functional as F

import dreamkit as dk

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
PURE = (
    0.1 + 0.8 * torch.eye(3)[:, :, None, None].expand(3, 3, 4, 4).contiguous()
)  # red, green, blue


def plain(*layers, labels=()) -> dk.Network:
    """The layers one after the other, without standardising."""
    return dk.as_network(nn.Sequential(*layers), (0, 0, 0), (1, 1, 1), "plain", labels)


class Plain(nn.Module):
    """Three convolutions with a ReLU module each, none in place: captum reads it as it is."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.conv1, self.conv2, self.conv3 = (
            nn.Conv2d(3, 6, 3, padding=1),
            nn.Conv2d(6, 6, 3, padding=1),
            nn.Conv2d(6, 6, 3, padding=1),
        )
        self.relu1, self.relu2, self.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.pool, self.fc = nn.MaxPool2d(2), nn.Linear(6, 4)
        with torch.no_grad():
            for weights in self.parameters():
                weights.copy_(0.4 * torch.randn(weights.shape, generator=generator))

    def forward(self, x):
        x = self.pool(self.relu1(self.conv1(x)))
        x = self.relu2(self.conv2(x))
        return self.fc(self.relu3(self.conv3(x)).mean((2, 3)))


class OneRelu(Plain):
    """The same network with one in-place ReLU module for three calls, as in torchvision."""

    def __init__(self):
        super().__init__()
        self.relu1 = self.relu2 = self.relu3 = nn.ReLU(inplace=True)


class Functions(Plain):
    """The same network with ReLU functions, one of them in place and its result not used."""

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x), inplace=True))
        x = self.conv2(x)
        x.relu_()
        return self.fc(self.relu3(self.conv3(x)).mean((2, 3)))


class Standardised(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module.eval().requires_grad_(False)

    def forward(self, image):
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
        return self.module((image - mean) / std)


def of(module):
    return dk.as_network(module, MEAN, STD, "plain", ("a", "b", "c", "d"))


def close(one, other, within=1e-5):
    return one.shape == other.shape and float((one - other).abs().max()) <= within * max(
        1e-3, float(other.abs().max())
    )
