"""Folding: in evaluation a BatchNorm is a fixed scale and shift, so the convolution before it can do its work.

Half the memory traffic of the pair, and the same features to rounding.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batchnorm(module: nn.Module, pictures: Iterable[Tensor]) -> nn.Module:
    """The module (changed in place) with every BatchNorm2d that directly follows a convolution folded into it.

    Which ones do is seen in a trial run on the first of `pictures` that the module takes. The folded network is
    compared with the original in float64, and where they differ (a convolution's output used twice, say) the original
    comes back. A folded convolution keeps its own weights as `raw_weight`, so that its features can still be shown.
    """
    if not any(isinstance(layer, nn.BatchNorm2d) for layer in module.modules()):
        return module
    dtype = next(module.parameters()).dtype
    for picture in pictures:
        with contextlib.suppress(RuntimeError, ValueError, AssertionError):
            pairs = _pairs(module, picture)
            break
    else:
        return module                                         # it takes none of the sizes that were tried
    if not pairs:
        return module
    folded, picture = copy.deepcopy(module).double(), picture.double()
    before = folded(picture)
    for conv, norm in pairs:
        _fold(folded, conv, norm)
    after = folded(picture)
    if not (isinstance(before, Tensor) and torch.allclose(before, after, rtol=1e-8, atol=1e-10 + 1e-9 * float(before.abs().max()))):
        return module
    return folded.to(dtype)


def _pairs(module: nn.Module, picture: Tensor) -> list[tuple[str, str]]:
    """(convolution, BatchNorm) by name, where each is called once and the one's output is the other's input."""
    outputs: list[tuple[Tensor, str]] = []                    # holding the tensors keeps their identities apart
    calls: dict[str, int] = {}
    pairs, handles = [], []

    def after_conv(name: str):
        def hook(layer, inputs, output):
            calls[name] = calls.get(name, 0) + 1
            outputs.append((output, name))
        return hook

    def before_norm(name: str):
        def hook(layer, inputs):
            calls[name] = calls.get(name, 0) + 1
            pairs.extend((conv, name) for output, conv in outputs if output is inputs[0])
        return hook

    try:
        for name, layer in module.named_modules():
            if type(layer) is nn.Conv2d:
                handles.append(layer.register_forward_hook(after_conv(name)))
            elif type(layer) is nn.BatchNorm2d and layer.track_running_stats:
                handles.append(layer.register_forward_pre_hook(before_norm(name)))
        module(picture)
    finally:
        for handle in handles:
            handle.remove()
    return [(conv, norm) for conv, norm in pairs if calls[conv] == calls[norm] == 1]


def _fold(module: nn.Module, conv_name: str, norm_name: str) -> None:
    conv, norm = module.get_submodule(conv_name), module.get_submodule(norm_name)
    fused = fuse_conv_bn_eval(conv, norm).requires_grad_(False)
    fused.register_buffer("raw_weight", conv.weight.detach().clone(), persistent=False)
    fused.register_buffer("raw_bias", torch.zeros_like(fused.bias) if conv.bias is None else conv.bias.detach().clone(), persistent=False)
    _put(module, conv_name, fused)
    _put(module, norm_name, nn.Identity())


def _put(module: nn.Module, name: str, layer: nn.Module) -> None:
    parent, _, leaf = name.rpartition(".")
    setattr(module.get_submodule(parent), leaf, layer.eval())
