"""Folding: in evaluation a BatchNorm is a fixed scale and shift, so the convolution before it can do its work.

Half the memory traffic of the pair, and the same features to rounding.
"""

from __future__ import annotations

import contextlib
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
        return module  # it takes none of the sizes that were tried
    if not pairs:
        return module
    module, picture = (
        module.double(),
        picture.double(),
    )  # in place, and back: no digit is lost, and memory holds one
    before = module(picture)
    originals = [(pair, _fold(module, *pair, dtype)) for pair in pairs]
    after = module(picture)
    same = isinstance(before, Tensor) and torch.allclose(
        before, after, rtol=1e-8, atol=1e-10 + 1e-9 * float(before.abs().max())
    )
    for (conv_name, norm_name), (conv, norm) in originals:
        if same:
            _keep_raw(module.get_submodule(conv_name), conv)
        else:
            _put(module, conv_name, conv)
            _put(module, norm_name, norm)
    return module.to(dtype)


def _pairs(module: nn.Module, picture: Tensor) -> list[tuple[str, str]]:
    """(convolution, BatchNorm) by name, where each is called once and the one's output is the other's input."""
    outputs: list[tuple[Tensor, str]] = []  # holding the tensors keeps their identities apart
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


def _fold(
    module: nn.Module, conv_name: str, norm_name: str, dtype: torch.dtype
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """The two layers whose place a folded convolution takes, back in `dtype`."""
    conv, norm = module.get_submodule(conv_name), module.get_submodule(norm_name)
    _put(module, conv_name, fuse_conv_bn_eval(conv, norm).requires_grad_(False))
    _put(module, norm_name, nn.Identity())
    return conv.to(dtype), norm.to(dtype)


def _keep_raw(folded: nn.Conv2d, conv: nn.Conv2d) -> None:
    bias = torch.zeros_like(conv.weight[:, 0, 0, 0]) if conv.bias is None else conv.bias.detach()
    folded.register_buffer("raw_weight", conv.weight.detach(), persistent=False)
    folded.register_buffer("raw_bias", bias, persistent=False)


def _put(module: nn.Module, name: str, layer: nn.Module) -> None:
    parent, _, leaf = name.rpartition(".")
    setattr(module.get_submodule(parent), leaf, layer.eval())
