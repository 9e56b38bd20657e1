"""Shared by the tests of this folder: a small photo, and a network that names colours."""

import pytest
import torch
from torch import nn

import dreamkit as dk

from .plain import plain


@pytest.fixture(scope="session")
def photo():
    return dk.sample("coffee", 40)[..., :24, 4:36].contiguous()  # [1, 3, 24, 32]


@pytest.fixture
def colours() -> dk.Network:
    """Names a picture by its strongest colour; layer "1" has a channel for each."""
    network = plain(
        nn.Conv2d(3, 3, 1, bias=False),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        labels=("red", "green", "blue"),
    )
    with torch.no_grad():
        network.module[0].weight.copy_(torch.eye(3)[:, :, None, None])
    return network
