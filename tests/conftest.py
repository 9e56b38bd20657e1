"""Shared by all tests: small pictures and tiny networks whose answers can be worked out by hand."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import dreamkit as dk

if TYPE_CHECKING:  # pytest-xdist's controller reads this file too; it needs no torch
    import torch
    from torch import nn


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """The number of workers: the whole fast suite is shared among the cores.

    A few files are not worth a worker's start, and slow suites choose their own number.
    """
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    fast = "not slow" in config.option.markexpr
    if not (whole and fast):
        return 0
    os.environ["OMP_NUM_THREADS"] = (
        "1"  # each worker has a core; threads of several would wait for each other
    )
    return min(4, os.cpu_count() or 1)


@pytest.fixture
def picture() -> torch.Tensor:
    """A textured picture [1, 3, 40, 48] without ties (no two values equal), well inside [0, 1]."""
    import torch

    generator = torch.Generator().manual_seed(5)
    return 0.1 + 0.8 * torch.rand(1, 3, 40, 48, generator=generator)


@pytest.fixture(scope="session")
def dreamnet() -> dk.Network:
    return dk.load_network("dreamnet")


_loaded: dict[tuple, dk.Network] = {}


@pytest.fixture
def loaded_once(monkeypatch):
    """Each embedded network is read from its file once, and shared: a network is frozen.

    For tests of what is done with networks; those of the loading itself do without it.
    """
    from dreamkit.networks import zoo

    load = zoo._embedded

    def once(name, weights, options):
        if weights is not None:
            return load(name, weights, options)
        key = (name, *sorted(options.items()))
        if key not in _loaded:
            _loaded[key] = load(name, weights, options)
        return _loaded[key]

    monkeypatch.setattr(zoo, "_embedded", once)


@pytest.fixture
def with_heif(monkeypatch):
    from . import heif

    heif.forget(monkeypatch)
    heif.install(monkeypatch)


@pytest.fixture
def without_heif(monkeypatch):
    from . import heif

    heif.forget(monkeypatch)
    heif.uninstall(monkeypatch)


def tiny(seed: int = 0, norm: bool = True) -> nn.Module:
    """Two convolutions, BatchNorms with statistics, in-place ReLUs, a pool and a classifier."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(seed)
    layers = [
        nn.Conv2d(3, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    ]
    module = nn.Sequential(
        *(layer for layer in layers if norm or not isinstance(layer, nn.BatchNorm2d))
    )
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(
                    torch.rand(tensor.shape, generator=generator) + 0.1
                    if tensor.dim() == 1
                    else 0.5 * torch.randn(tensor.shape, generator=generator)
                )
    return module.eval()


@pytest.fixture
def tiny_network() -> dk.Network:
    return dk.as_network(
        tiny(), (0.4, 0.5, 0.6), (0.2, 0.25, 0.3), "tiny", ("a", "b", "c", "d", "e")
    )
