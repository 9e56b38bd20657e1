"""Modules from which no network can be made: each gets one sentence."""

from __future__ import annotations

import torch
from torch import nn


def check_kind(module: nn.Module) -> None:
    """Raise ValueError for TorchScript and for weights on the meta device."""
    for name, layer in module.named_modules():
        if isinstance(layer, torch.jit.ScriptModule) and (
            not name or next(layer.parameters(), None) is not None
        ):
            raise ValueError(
                f"{_part(name)} is compiled with TorchScript, whose layers cannot be looked into: "
                "give the nn.Module that it was made from"
            )
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.is_meta:
            raise ValueError(
                f"{name!r} has no values (it lies on the meta device): load the weights first, "
                "with module.to_empty(device='cpu') and module.load_state_dict(…)"
            )


def _part(name: str) -> str:
    return f"layer {name!r}" if name else "the module"
