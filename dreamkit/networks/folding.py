"""Folding: a BatchNorm in evaluation mode becomes part of the convolution before it.

In evaluation mode a BatchNorm is a fixed scale and shift, so the convolution's weights can do its
work: half the memory traffic of the pair, and the same features to rounding.
"""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from .hooks import copy_module, hooked
from .outputs import tensors_of
from .trial import first_run


@torch.no_grad()
def fold_batchnorm(module: nn.Module) -> nn.Module:
    """The module, changed in place: each BatchNorm2d right after a convolution is folded into it.

    A trial run finds the pairs, and the folded module is compared with the original in float64. If
    they differ (a convolution's output is used twice, for example), or if anything fails, the
    module stays as it was. A folded convolution keeps its own weights as `raw_weight` and
    `raw_bias`, so that its features can still be shown.
    """
    norms = any(isinstance(layer, nn.BatchNorm2d) for layer in module.modules())
    tensors = (*module.parameters(), *module.buffers())
    dtypes = {v.dtype for v in tensors if v.is_floating_point() or v.is_complex()}
    if not norms or len(dtypes) != 1:  # float64 and back would not give several dtypes back
        return module
    originals: list[tuple[str, nn.Module]] = []
    try:
        picture, pairs = first_run(module, lambda picture: (picture, _pairs(module, picture)))
        same = not pairs or _fold_and_compare(module.double(), picture.double(), pairs, originals)
    except Exception:  # folding is optional: whatever a module cannot do, it works without
        same = False
    module.to(*dtypes)  # in place and back: exact, and memory holds the module once
    for name, layer in originals:
        layer.to(*dtypes)
        if not same:
            _put(module, name, layer)
        elif isinstance(layer, nn.Conv2d):
            _keep_raw(module.get_submodule(name), layer)
    return module


def _pairs(module: nn.Module, picture: Tensor) -> list[tuple[str, str]]:
    """The names of each convolution and the BatchNorm whose input is the convolution's output.

    In a pair, each of the two is called once, with its input as the first argument.
    """
    outputs: list[tuple[Tensor, str]] = []  # holding the tensors keeps their identities apart
    calls: Counter[str] = Counter()
    pairs: list[tuple[str, str]] = []

    def note(name: str, layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        calls[name] += 1
        if not inputs:  # called by keyword: hooks do not see the input, which `raw_weight` needs
            return
        if isinstance(layer, nn.Conv2d):
            outputs.append((output, name))
        else:
            pairs.extend((conv, name) for given, conv in outputs if given is inputs[0])

    names = [
        name
        for name, layer in module.named_modules()
        if type(layer) is nn.Conv2d or (type(layer) is nn.BatchNorm2d and layer.track_running_stats)
    ]
    with hooked(module, names, note):
        module(picture)
    return [pair for pair in pairs if calls[pair[0]] == calls[pair[1]] == 1]


def _fold_and_compare(
    module: nn.Module,
    picture: Tensor,
    pairs: list[tuple[str, str]],
    originals: list[tuple[str, nn.Module]],
) -> bool:
    """Fold the pairs in a float64 module; return whether its output is the same to rounding.

    `originals` collects (name, layer) of each layer that is replaced.
    """
    before = [tensor for _, tensor in tensors_of(module(picture))]
    for conv_name, norm_name in pairs:
        conv, norm = module.get_submodule(conv_name), module.get_submodule(norm_name)
        fused = _fused(conv, norm)
        for name, old, new in ((conv_name, conv, fused), (norm_name, norm, nn.Identity())):
            originals.append((name, old))
            _put(module, name, new)
    after = [tensor for _, tensor in tensors_of(module(picture))]
    return bool(before) and all(map(_same, before, after))


def _same(before: Tensor, after: Tensor) -> bool:
    tolerance = 1e-10 + 1e-9 * float(before.abs().max())
    return torch.allclose(before, after, rtol=1e-8, atol=tolerance)


def _fused(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    fused = copy_module(conv)
    moments = norm.running_mean, norm.running_var, norm.eps
    fused.weight, fused.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, *moments, norm.weight, norm.bias
    )
    return fused.requires_grad_(False)


def _keep_raw(folded: nn.Conv2d, conv: nn.Conv2d) -> None:
    bias = conv.weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias
    folded.register_buffer("raw_weight", conv.weight.detach(), persistent=False)
    folded.register_buffer("raw_bias", bias.detach(), persistent=False)


def _put(module: nn.Module, name: str, layer: nn.Module) -> None:
    parent, _, leaf = name.rpartition(".")
    setattr(module.get_submodule(parent), leaf, layer.eval())
