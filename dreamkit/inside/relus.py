"""Every ReLU of a forward pass, wherever it is called from: a module, one module used often, `F.relu` in place or not.

Guided backpropagation and the deconvnet differ from the gradient in one thing, what a ReLU hands back down. So one
switch is needed that reaches all of a network's ReLUs, of this thread alone, and leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_INPLACE = (torch.relu_, torch.Tensor.relu_, F.relu_)
_RELUS = (torch.relu, torch.Tensor.relu, F.relu, *_INPLACE)


class Rectifiers(TorchFunctionMode):
    """While it is on, each ReLU that this thread calls is worked out by `make` instead; what is in place stays in place.

    >>> with Rectifiers(lambda x: x + 1):
    ...     torch.nn.ReLU()(torch.tensor([-1.0, 2.0])).tolist()
    [0.0, 3.0]
    """

    def __init__(self, make: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.make = make

    def __torch_function__(
        self, func, types, args=(), kwargs=None
    ):  # the mode is off within it, so `make` may call ReLUs itself
        kwargs = kwargs or {}
        if func not in _RELUS:
            return func(*args, **kwargs)
        given = args[0] if args else kwargs["input"]
        made = self.make(given)
        inplace = func in _INPLACE or (args[1] if len(args) > 1 else kwargs.get("inplace", False))
        return given.copy_(made) if inplace else made


class _Rectified(torch.autograd.Function):
    """A ReLU whose way back is a ReLU, too: it does not ask what came up, only what comes down."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, signal: Tensor) -> Tensor:
        return signal.clamp(min=0)


def rectified_back(x: Tensor) -> Tensor:
    """ReLU upwards; downwards the signal itself is rectified, as in the deconvnet."""
    return _Rectified.apply(x)
