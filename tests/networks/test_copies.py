"""Modules that hold what `copy.deepcopy` refuses: they are copied, or one line names the part."""

import functools
import sys
import threading

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.networks.hooks import copy_module
from dreamkit.networks.network import isolated, randomized

PICTURE = torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(0))
HALF = (0.5,) * 3


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())


class Holder:
    """An object of a user's own that holds others."""

    def __init__(self, *held):
        self.held = held


class Slotted:
    __slots__ = ("lock",)

    def __init__(self):
        self.lock = threading.Lock()


def computed():
    return torch.ones(2, requires_grad=True) * 3


HELD = {
    "lock": threading.Lock,
    "condition": threading.Condition,
    "thread-local": threading.local,
    "generator": lambda: (i for i in range(3)),
    "random numbers": lambda: torch.Generator().manual_seed(3),
    "open file": lambda: sys.__stdout__,
    "imported module": lambda: torch,
    "lambda": lambda: lambda x: x,
    "partial": lambda: functools.partial(print, threading.Lock()),
    "activation": computed,
    "activations in containers": lambda: {"seen": [(computed(), {1})]},
    "an object's lock": lambda: Holder(threading.Lock(), [computed()]),
    "a slot's lock": Slotted,
}


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_what_a_layer_holds_does_not_matter(held):
    plain, holding = small(), small()
    holding[0].held = held()
    holding[2].itself = [holding, holding[0].held]
    one, other = (dk.as_network(module, HALF, HALF) for module in (plain, holding))
    for made in (other, isolated(other)):
        assert torch.equal(dk.capture(made, PICTURE, "2")["2"], dk.capture(one, PICTURE, "2")["2"])
        assert made.module[2].itself[0] is made.module  # still the same graph of objects
    assert dk.layer_names(randomized(other)) == ("0", "1", "2")


def test_a_hook_that_keeps_an_activation_keeps_it_in_the_copy_too():
    module = small()
    module[0].register_forward_hook(lambda layer, inputs, output: setattr(layer, "seen", output))
    module(PICTURE)
    network = dk.as_network(module, HALF, HALF)
    kept = module[0].seen
    assert not network.module[0].seen.requires_grad  # and none of the graph of the original
    dk.capture(network, PICTURE, "2")
    assert module[0].seen is kept  # the module itself is not changed
    assert network.module[0].seen.shape == (1, 4, 7, 9)


def norms():
    of = torch.nn.utils
    return [
        of.spectral_norm,
        of.parametrizations.weight_norm,
        of.parametrizations.spectral_norm,
        of.parametrizations.orthogonal,
    ]


@pytest.mark.parametrize("norm", norms(), ids=lambda norm: f"{norm.__module__}.{norm.__name__}")
def test_normalised_weights_are_computed_in_the_copy(norm):
    module = small()
    norm(module[0])
    module(PICTURE)
    module.eval()
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    torch.testing.assert_close(dk.capture(network, PICTURE, "")[""], module(PICTURE).detach())
    score = dk.scorer(network, dk.channel("2", 1))
    assert dk.dream(score, PICTURE, dk.Settings(steps=1, octaves=1)).shape == PICTURE.shape


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_the_old_weight_norm_follows_its_parameters_in_the_copy():
    module = small()
    torch.nn.utils.weight_norm(module[0])
    module(PICTURE)
    module.eval()
    copied = copy_module(module)
    with torch.no_grad():
        copied[0].weight_g.mul_(2)  # twice the norm: twice the output less the bias
    bias = module[0].bias.view(1, -1, 1, 1)
    torch.testing.assert_close(copied[0](PICTURE) - bias, 2 * (module[0](PICTURE) - bias))


def test_a_part_that_refuses_to_be_copied_is_named():
    class Refusing:
        def __deepcopy__(self, memo):
            raise RuntimeError("once only")

    class Hard(nn.ReLU):
        def __deepcopy__(self, memo):
            raise RuntimeError("once only")

    class Marked(torch.Tensor):
        def __deepcopy__(self, memo):
            raise NotImplementedError("marked")

    module = nn.ModuleDict({"features": nn.Sequential(nn.Conv2d(3, 2, 1), Hard())})
    with pytest.raises(ValueError, match=r"attribute 'features\.1' cannot be copied .*once only"):
        dk.as_network(module, HALF, HALF)
    with pytest.raises(ValueError, match="the module itself cannot be copied"):
        dk.as_network(Hard(), HALF, HALF)
    module = nn.ModuleDict({"features": nn.Sequential(nn.Conv2d(3, 2, 1))})
    module.features[0].seen = {"first": [torch.ones(1).as_subclass(Marked)]}
    with pytest.raises(ValueError, match=r"'features\.0\.seen\.first\.0' cannot be copied"):
        dk.as_network(module, HALF, HALF)
    plain = small()
    plain[0].held = Refusing()  # an object that is no tensor is shared
    assert dk.as_network(plain, HALF, HALF).module[0].held is plain[0].held


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*torch.jit.*")
@pytest.mark.parametrize("part", ["the module", "layer '0'"])
@pytest.mark.parametrize("how", ["script", "trace"])
def test_torchscript_gets_one_sentence(how, part):
    inner = small().eval()
    made = torch.jit.script(inner) if how == "script" else torch.jit.trace(inner, PICTURE)
    module = nn.Sequential(made) if "layer" in part else made
    with pytest.raises(ValueError, match=f"^{part} is compiled with TorchScript"):
        dk.as_network(module, HALF, HALF)


@pytest.mark.parametrize("where", ["0.weight", "1.running_mean"])
def test_weights_without_values_get_one_sentence(where):
    module = small()
    layer, _, name = where.partition(".")
    value = getattr(module[int(layer)], name)
    setattr(module[int(layer)], name, type(value)(value.to("meta")))
    with pytest.raises(ValueError, match=f"^'{where}' has no values"):
        dk.as_network(module, HALF, HALF)


def test_copies_are_sound_while_other_threads_run_the_same_module():
    network = dk.as_network(small(), HALF, HALF)
    dk.layer_names(network)
    errors, stop = [], threading.Event()

    def run():
        try:
            while not stop.is_set():
                dk.capture(network, PICTURE, ["0", "2"])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(200):
            copied = copy_module(network.module)
            errors += [layer for layer in copied.modules() if layer._forward_hooks]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors
