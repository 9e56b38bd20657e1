"""A switch that replaces every ReLU and ReLU6 of a forward pass, called as module or as function.

Guided backpropagation and the deconvnet differ from the gradient only in what a ReLU passes down.
The switch reaches all ReLUs of a network, in this thread only, and leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_INPLACE = (torch.relu_, torch.Tensor.relu_, F.relu_)
_RELUS = (torch.relu, torch.Tensor.relu, F.relu, *_INPLACE)

Function = Callable[[Tensor], Tensor]
Rule = Callable[[Tensor, Function], Tensor]  # (input, the plain ReLU or ReLU6) -> result


class Rectifiers(TorchFunctionMode):
    """A context in which each ReLU or ReLU6 that this thread calls is computed by `rule` instead.

    One in place stays in place. `calls` counts them.

    >>> with Rectifiers(lambda x, relu: relu(x) + 1):
    ...     torch.nn.ReLU6()(torch.tensor([-1.0, 2.0, 9.0])).tolist()
    [1.0, 3.0, 7.0]
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule, self.calls = rule, 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Compute one call; the mode is off in here, so `rule` may call ReLUs itself."""
        kwargs = kwargs or {}
        relu = _relu(func, kwargs)
        if relu is None:
            return func(*args, **kwargs)
        given = args[0] if args else kwargs["input"]
        inplace = func in _INPLACE or (args[1] if len(args) > 1 else kwargs.get("inplace", False))
        # the derivative of ReLU6 needs its input, which one in place overwrites
        result = self.rule(given.clone() if inplace else given, relu)
        self.calls += 1
        return given.copy_(result) if inplace else result


def _relu(func: Callable, kwargs: Mapping) -> Function | None:
    """The plain ReLU or ReLU6 that a call of torch computes; None for any other function."""
    if func in _RELUS:
        return torch.relu
    if func is F.relu6 or (func is F.hardtanh and kwargs["min_val"] == 0):  # nn.ReLU6 calls that
        return partial(F.hardtanh, min_val=0.0, max_val=kwargs.get("max_val", 6.0))
    return None


def guided_back(x: Tensor, relu: Function = torch.relu) -> Tensor:
    """A ReLU that, as in guided backpropagation, also passes only positive signals back."""
    return _positive_back(relu(x))


def rectified_back(x: Tensor, relu: Function = torch.relu) -> Tensor:
    """A ReLU in the forward pass and, as in the deconvnet, a ReLU of the signal on the way back."""
    return _positive_back(relu(x).detach() + (x - x.detach()))  # exactly relu(x), with derivative 1


def _positive_back(result: Tensor) -> Tensor:
    if result.requires_grad:
        result.register_hook(lambda signal: signal.clamp(min=0))
    return result
