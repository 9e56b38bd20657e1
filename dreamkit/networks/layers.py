"""The layers of a network by name, in the order in which they finish.

A layer's name is PyTorch's own dotted module name (`inception4c`, `features.22`, `layer3.5`). The
empty name is the network itself, and its features are the logits. The papers' names of a layer
(`relu4_3`, `inception_4c/output`) are understood as well.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable

from torch import nn

from ..checks.names import unknown
from .aliases import aliases_in
from .network import Network
from .trial import LayerInfo, trial_run

_tables: weakref.WeakKeyDictionary[nn.Module, tuple[LayerInfo, ...]] = weakref.WeakKeyDictionary()
_locks: weakref.WeakKeyDictionary[nn.Module, threading.Lock] = weakref.WeakKeyDictionary()
_locks_lock = threading.Lock()


def layer_names(network: Network) -> tuple[str, ...]:
    """The names of all layers with a tensor as output, in the order in which they finish.

    A layer that is called twice is listed once, at its last call.
    """
    return tuple(info.name for info in layer_table(network))


def layer_table(network: Network) -> tuple[LayerInfo, ...]:
    """One LayerInfo for each layer, in the order in which they finish.

    Found by one trial run, which is remembered with the module.
    """
    with _locks_lock:
        lock = _locks.setdefault(network.module, threading.Lock())
    with lock:  # threads that ask for the same module wait for one trial run
        if network.module not in _tables:
            _tables[network.module] = trial_run(network.module)
        return _tables[network.module]


def share_layers(network: Network, twin: Network) -> Network:
    """Return the twin, which has the network's layers, so that it needs no trial run of its own."""
    _tables[twin.module] = layer_table(network)
    return twin


def layer_aliases(network: Network) -> dict[str, str]:
    """{alias: layer}: the papers' names of a network's layers.

    They are understood wherever a layer is named. VGG has `relu4_3`; GoogLeNet and the embedded
    networks have Caffe's `inception_4c/output`, `inception_3b/5x5_reduce` (before its ReLU) and
    TensorFlow's `mixed4c`; Inception v3 has `mixed0` to `mixed10`; ResNets have
    `conv4_block6_out`; EfficientNet-Lite has Keras's `block5c_expand_activation` and timm's
    `blocks.4.2.bn1.act`. Such a network inside another module keeps these names. Other networks
    give an empty dictionary.

    >>> from dreamkit.networks.zoo import load_network
    >>> layer_aliases(load_network("dreamnet"))["inception_4c/output"]
    'inception4c'
    """
    listed = [(info.name, info.kind) for info in layer_table(network)]
    return aliases_in(network.module, listed)


def layer_info(network: Network, layer: str) -> LayerInfo:
    """The LayerInfo of one layer, by its name or an alias.

    Raises KeyError with the nearest names if the network has no such layer.
    """
    table = {info.name: info for info in layer_table(network)}
    if layer in table:
        return table[layer]
    aliases = layer_aliases(network)
    if layer in aliases:
        return table[aliases[layer]]
    hint = f"all: dk.layer_names(network), or dreamkit layers {network.name}".rstrip()
    raise unknown("layer", layer, [*table, *aliases], hint)


def layer_infos(network: Network, layers: Iterable[str] | str) -> dict[str, LayerInfo]:
    """{name as given: LayerInfo} of the named layers, for calls of `capture` that look up no name.

    The empty name (the network's output) is left out. The result holds for copies of the network
    too. Raises KeyError for an unknown layer.
    """
    given = (layers,) if isinstance(layers, str) else layers
    return {name: layer_info(network, name) for name in given if name}
