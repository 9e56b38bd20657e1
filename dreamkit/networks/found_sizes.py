"""The size of pictures that a module takes, found by running it without values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from ..checks.out_of_memory import is_out_of_memory
from .hooks import copy_module
from .module_errors import is_about_size

_MOST = 640  # pixels
_MOST_OF_VALUES = 256  # where each pass costs its time


def found_side(module: nn.Module) -> int | None:
    """The largest side of a square picture that the module takes, up to 640; None if there is none.

    The largest, as a picture of a few pixels may pass by broadcasting.

    The module runs on the meta device, where tensors have a shape and no values, so that hundreds
    of passes cost little. A module that cannot run so (it holds tensors that are no parameters, or
    computes with values) is tried itself, with smaller pictures.
    """
    like = next(module.parameters(), torch.zeros(()))
    empty = partial(torch.zeros, dtype=like.dtype)
    side, other_error = _first(_without_values(module), partial(empty, device="meta"), _MOST)
    if side is None and other_error:
        side, _ = _first(module, partial(empty, device=like.device), _MOST_OF_VALUES)
    return side


def _first(
    module: nn.Module, empty: Callable[..., torch.Tensor], most: int
) -> tuple[int | None, bool]:
    """(the first side that works, whether there was an error that is not about sizes)."""
    other_error = False
    for side in range(most, 0, -1):
        try:
            with torch.no_grad():
                module(empty((1, 3, side, side)))
            return side, other_error
        except Exception as error:  # whatever a module raises for a picture that it does not take
            if is_out_of_memory(error):
                raise
            other_error = other_error or not is_about_size(error)
    return None, other_error


def _without_values(module: nn.Module) -> nn.Module:
    memo: dict[int, object] = {}
    for tensor in module.parameters():
        memo[id(tensor)] = nn.Parameter(tensor.detach().to("meta"), requires_grad=False)
    for tensor in module.buffers():
        memo[id(tensor)] = tensor.detach().to("meta")
    twin = copy_module(module, memo)
    for layer in twin.modules():  # hooks of the user's would see pictures that do not exist
        layer._forward_hooks.clear()
    return twin
