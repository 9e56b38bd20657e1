"""Errors inside a user's module: only those about the picture's size are explained."""

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.checks.out_of_memory import is_out_of_memory
from dreamkit.networks.module_errors import is_about_size

PICTURE = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0))
ALLOCATOR = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 140737488355328 bytes. Error code 12 (Cannot allocate memory)"
)
MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("MPS backend out of memory (MPS allocated: 9.05 GB)."),
    RuntimeError(ALLOCATOR),
    MemoryError(),
]
OWN = [
    RuntimeError("the key of this module is missing"),
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    ValueError("my own check"),
    AssertionError("my own assertion"),
    AssertionError(),
    KeyError("mine"),
]


class Faulty(nn.Module):
    """Counts its passes, and raises its error after the first layer."""

    def __init__(self, error=None):
        super().__init__()
        self.first, self.last, self.error, self.passes = nn.Conv2d(3, 4, 3), nn.ReLU(), error, []

    def forward(self, x):
        self.passes.append(tuple(x.shape[-2:]))
        x = self.first(x)
        if self.error is not None:
            raise self.error
        return self.last(x)


def faulty(error, from_the_start=False):
    network = dk.as_network(Faulty(), (0, 0, 0), (1, 1, 1), "faulty")
    if not from_the_start:
        dk.layer_names(network)
    network.module.error = error
    network.module.passes.clear()
    return network


@pytest.mark.parametrize("layer", ["last", ""])
@pytest.mark.parametrize("error", [*MEMORY, *OWN], ids=repr)
def test_other_errors_are_raised_as_they_are_after_one_pass(error, layer):
    network = faulty(error)
    with pytest.raises(type(error)) as caught:
        dk.capture(network, PICTURE, layer)
    assert caught.value is error
    assert network.module.passes == [(20, 24)]


@pytest.mark.parametrize("error", MEMORY, ids=repr)
def test_the_trial_run_ends_when_memory_does(error):
    network = faulty(error, from_the_start=True)
    with pytest.raises(type(error)) as caught:
        dk.layer_names(network)
    assert caught.value is error
    assert len(network.module.passes) == 1
    network.module.error = None  # memory is free again: nothing wrong was remembered
    assert dk.layer_names(network) == ("first", "last")


def test_a_module_that_never_runs_a_layer_tells_its_own_error():
    class Refusing(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)

        def forward(self, x):
            raise ValueError("call setup() first")

    with pytest.raises(ValueError, match=r"^call setup\(\) first$"):
        dk.as_network(Refusing(), (0, 0, 0), (1, 1, 1))


def test_a_message_about_sizes_is_explained_only_if_another_size_works():
    error = RuntimeError("Sizes of tensors must match except in dimension 1.")
    with pytest.raises(RuntimeError) as caught:
        dk.capture(faulty(error), PICTURE, "last")
    assert caught.value is error


def test_a_fault_of_another_kind_during_the_diagnosis_is_not_told_instead():
    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.full = nn.Conv2d(3, 2, 9), False

        def forward(self, x):
            if self.full and x.shape[-1] > 8:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return self.conv(x)

    network = dk.as_network(Small(), (0, 0, 0), (1, 1, 1))
    dk.layer_names(network)
    network.module.full = True
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        dk.capture(network, PICTURE[..., :8, :8], "conv")


def test_the_deepest_layer_is_the_one_that_is_explained():
    module = nn.Sequential(nn.Conv2d(3, 2, 7), nn.Conv2d(2, 2, 7))
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    for layers in (["0", "1"], ["1", "0"], ["0", ""]):
        with pytest.raises(ValueError, match="too small for layer '1': it needs at least 13×13"):
            dk.capture(network, PICTURE[..., :10, :10], layers)


def size_faults():
    x = torch.zeros(1, 3, 5, 6)
    return [
        lambda: nn.Conv2d(3, 4, 7)(x),
        lambda: nn.MaxPool2d(9)(x),
        lambda: nn.Linear(10, 3)(x),
        lambda: x + x.transpose(2, 3),
        lambda: torch.cat([x, x[..., 1:]], 1),
        lambda: torch.stack([x, x[..., 1:]], 1),
        lambda: x.view(1, 50),
        lambda: x.flatten(1).unflatten(1, (7, 11)),
        lambda: nn.ReflectionPad2d(7)(x),
        lambda: nn.LayerNorm([4, 5])(x),
        lambda: torch.bmm(x[0], x[0]),
        lambda: x[..., 1:].expand(1, 3, 5, 6),
        lambda: nn.MaxPool2d(2)(x[..., :0, :]),
        lambda: nn.functional.interpolate(x, scale_factor=0.1),
        lambda: nn.InstanceNorm2d(3)(x[..., :1, :1]),
        lambda: torch.einsum("bchw,wh->bc", x, x[0, 0]),
        lambda: x.unfold(2, 7, 1),
        lambda: nn.functional.unfold(x, 7),
        lambda: nn.functional.pixel_unshuffle(x, 2),
        lambda: x.narrow(2, 3, 6),
    ]


@pytest.mark.parametrize("fault", size_faults())
def test_torchs_messages_about_sizes_are_known(fault):
    with pytest.raises((RuntimeError, ValueError)) as caught:
        fault()
    assert is_about_size(caught.value), caught.value


@pytest.mark.parametrize("home, explained", [("timm.layers", True), ("somewhere.else", False)])
def test_assertions_of_libraries_need_no_message(home, explained):
    names = {"__name__": home, "torch": torch}
    exec("def check(x):\n    torch._assert(x.shape[-1] % 32 == 0, '')\n    return x", names)

    class Strict(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)

        def forward(self, x):
            return self.conv(names["check"](x))

    network = dk.as_network(Strict(), (0, 0, 0), (1, 1, 1))
    kind = ValueError if explained else AssertionError
    with pytest.raises(kind, match="multiples of 32" if explained else "^$"):
        dk.capture(network, PICTURE, "conv")


def test_torchs_message_about_memory_is_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**45)
    assert is_out_of_memory(caught.value) and not is_about_size(caught.value)
