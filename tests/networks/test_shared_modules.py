"""One module used by several threads, and copies of it: one trial run, no hook of another."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.networks.hooks import copy_module, hooked
from dreamkit.networks.network import isolated, module_for


def test_eight_threads_may_use_a_network_first(dreamnet):
    expected = dk.layer_table(dreamnet)
    picture = dk.noise(32, 32)
    features = dk.capture(dreamnet, picture, ["conv2", "inception4a"])
    for _ in range(3):
        network, start = dk.load_network("dreamnet"), threading.Barrier(8)

        def first_use(index, network=network, start=start):
            start.wait()
            if index % 2:
                return dk.capture(network, picture, ["conv2", "inception4a"])
            return dk.layer_table(network)

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(first_use, range(8)))
        assert all(table == expected for table in found[::2])
        assert all(torch.equal(f[name], features[name]) for f in found[1::2] for name in features)
        assert dk.layer_table(network) == expected


def test_the_trial_run_is_made_once_and_sees_its_own_thread_only():
    passes, inside, go_on = [], threading.Event(), threading.Event()

    class Slow(nn.Module):
        def forward(self, x):
            passes.append(threading.current_thread().name)
            if threading.current_thread().name == "trial":
                inside.set()
                go_on.wait(10)
            return x * 2

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.slow = nn.Conv2d(3, 2, 1), Slow()

        def forward(self, x):
            return self.slow(self.conv(x))

    network = dk.as_network(Twice(), (0, 0, 0), (1, 1, 1))
    passes.clear()  # as_network runs the module as well
    trial = threading.Thread(target=dk.layer_table, args=(network,), name="trial")
    trial.start()
    inside.wait(10)
    waiting = threading.Thread(target=dk.layer_table, args=(network,), name="waiting")
    waiting.start()
    with torch.no_grad():
        network.module(torch.rand(1, 3, 8, 8))  # another thread's pass through the same module
    go_on.set()
    trial.join()
    waiting.join()
    assert passes == ["trial", "MainThread"]
    assert [(info.name, info.calls) for info in dk.layer_table(network)] == [
        ("conv", 1),
        ("slow", 1),
    ]


@pytest.mark.parametrize(
    "copied",
    [
        lambda network: isolated(network).module,
        lambda network: module_for(network, torch.rand(1, 3, 8, 8).double()),
        lambda network: dk.randomized(network).module,
        lambda network: dk.as_network(network.module, (0, 0, 0), (1, 1, 1)).module,
    ],
)
def test_copies_have_no_hook_of_a_running_capture(tiny_network, copied):
    held = torch.rand(3, requires_grad=True) * 2  # what a hook holds cannot be deep-copied

    def action(name, layer, inputs, output, held=held):
        raise AssertionError("the hook of another")

    with hooked(tiny_network.module, ["0", "2", "4"], action):
        module = copied(tiny_network)
    assert module is not tiny_network.module
    assert not any(layer._forward_hooks for layer in module.modules())
    other = ThreadPoolExecutor(1).submit(module, torch.rand(1, 3, 40, 48).to(module[0].weight))
    assert other.result().shape == (1, 5)


def test_copies_keep_the_hooks_that_belong_to_the_module(tiny_network):
    class Doubling(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.factor = nn.Conv2d(3, 2, 1), nn.Parameter(torch.tensor(2.0))
            self.conv.register_forward_hook(self.double)

        def double(self, layer, inputs, output):
            return self.factor * output

        def forward(self, x):
            return self.conv(x)

    module = Doubling()
    twin = copy_module(module)
    (hook,) = twin.conv._forward_hooks.values()
    assert hook.__self__ is twin
    twin.factor.data.fill_(0.0)
    picture = torch.rand(1, 3, 4, 4)
    assert not twin(picture).any() and module(picture).any()


def test_isolated_networks_share_their_weights(tiny_network):
    twin = isolated(tiny_network)
    assert twin.module[0] is not tiny_network.module[0]
    assert twin.module[0].weight is tiny_network.module[0].weight
