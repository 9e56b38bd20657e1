"""A switch that replaces every ReLU of a forward pass, called as a module or as a function.

Guided backpropagation and the deconvnet differ from the gradient only in what a ReLU passes down.
The switch reaches all ReLUs of a network, in this thread only, and leaves nothing behind.
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
    """A context in which each ReLU that this thread calls is computed by `rule` instead.

    A ReLU in place stays in place. `calls` counts the ReLUs.

    >>> with Rectifiers(lambda x: x + 1):
    ...     torch.nn.ReLU()(torch.tensor([-1.0, 2.0])).tolist()
    [0.0, 3.0]
    """

    def __init__(self, rule: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.rule, self.calls = rule, 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Compute one call; the mode is off in here, so `rule` may call ReLUs itself."""
        kwargs = kwargs or {}
        if func not in _RELUS:
            return func(*args, **kwargs)
        given = args[0] if args else kwargs["input"]
        result = self.rule(given)
        self.calls += 1
        inplace = func in _INPLACE or (args[1] if len(args) > 1 else kwargs.get("inplace", False))
        return given.copy_(result) if inplace else result


def guided_back(x: Tensor) -> Tensor:
    """A ReLU that, as in guided backpropagation, also passes only positive signals back."""
    return _positive_back(torch.relu(x))


def rectified_back(x: Tensor) -> Tensor:
    """A ReLU in the forward pass and, as in the deconvnet, a ReLU of the signal on the way back."""
    return _positive_back(x + (torch.relu(x) - x).detach())  # exactly relu(x), with derivative 1


def _positive_back(result: Tensor) -> Tensor:
    if result.requires_grad:
        result.register_hook(lambda signal: signal.clamp(min=0))
    return result
