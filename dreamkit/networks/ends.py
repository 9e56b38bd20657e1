"""How a network ends: in logits, or in a softmax or sigmoid of its own."""

from __future__ import annotations

import weakref
from collections import deque

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .module_errors import MODULE_ERRORS
from .network import Network
from .outputs import chosen_output
from .trial import first_run

# {module: {name of the output: whether it holds probabilities}}
_decided: weakref.WeakKeyDictionary[nn.Module, dict[str, bool]] = weakref.WeakKeyDictionary()
_RESHAPES = ("View", "Squeeze", "Unsqueeze", "Reshape", "UnsafeView", "Alias", "Slice", "Select")
_ENDS = {torch.softmax, Tensor.softmax, functional.softmax, torch.special.softmax}
_ENDS |= {torch.sigmoid, Tensor.sigmoid, functional.sigmoid, torch.special.expit}
_ENDS |= {functional.hardsigmoid}


def probabilities(network: Network, scores: Tensor) -> Tensor:
    """The probabilities [N, classes] that a Network's scores [N, classes] mean.

    If they are logits, the softmax is taken here; for a single class it is the sigmoid.
    """
    if ends_in_probabilities(network, scores):
        return scores
    return scores.softmax(1) if scores.shape[1] > 1 else scores.sigmoid()


def ends_in_probabilities(network: Network, output: Tensor) -> bool:
    """Whether a Network's output, [N, classes] or maps of classes, holds probabilities.

    It is decided once for a module. A value below 0 or above 1 decides that it does not; otherwise
    a trial run with three pictures does: rows that are not negative and add up to 1 come from a
    softmax, and what comes out of a sigmoid holds a probability for each class.
    """
    known = _decided.setdefault(network.module, {})
    if network.output not in known:
        outside = bool(((output < 0) | (output > 1.001)).any())
        known[network.output] = not outside and _holds(network.module, network.output, output)
    return known[network.output]


def may_end_in_probabilities(network: Network) -> bool | None:
    """What `ends_in_probabilities` decided for the network; None if it was not asked yet."""
    return _decided.get(network.module, {}).get(network.output)


def share_end(network: Network, twin: Network) -> Network:
    """Return the twin, which ends as the network does, so that it needs no trial run of its own."""
    if network.module in _decided:
        _decided[twin.module] = _decided[network.module]
    return twin


class BeforeTheEnd(TorchFunctionMode):
    """Inside the `with` block, the inputs of the last softmaxes and sigmoids are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: deque[tuple[Tensor, Tensor]] = deque(maxlen=8)  # (input, result)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Run the function, and remember its input if it is a softmax or a sigmoid."""
        result = func(*args, **(kwargs or {}))
        if func in _ENDS:
            given = args[0] if args else kwargs.get("input")
            if given is not result:  # not in place
                self.calls.append((given, result))
        return result

    def logits(self, output: Tensor) -> Tensor:
        """The input of the softmax or sigmoid that gave the output, in its shape.

        If none of those that ran gave it (a softmax written as exp over sum), it is the logarithm
        of the output.
        """
        for given, result in reversed(self.calls):
            if result.numel() == output.numel():
                same = result.detach().to(output).reshape(output.shape)
                if torch.equal(same, output.detach()):
                    return given.reshape(output.shape).to(output)
        return output.clamp(min=torch.finfo(output.dtype).tiny).log()


def _holds(module: nn.Module, path: str, scores: Tensor) -> bool:
    """Whether the output holds probabilities; told by `scores` if no trial picture fits."""

    def run(picture: Tensor) -> list[Tensor]:
        with torch.enable_grad():
            pictures = [(picture * contrast).requires_grad_() for contrast in (0, 1, 3)]
            return [chosen_output(module(picture), path) for picture in pictures]

    try:
        outputs = first_run(module, run)
    except MODULE_ERRORS:
        outputs = [scores]
    if any(map(_is_sigmoid, outputs)):
        return True
    rows = torch.cat([_rows(output.detach().double()) for output in outputs])
    if rows.shape[1] == 1:  # a softmax over one class would be 1 for any picture
        return False
    return bool((rows >= 0).all() and ((rows.sum(1) - 1).abs() < 1e-3).all())


def _rows(output: Tensor) -> Tensor:
    """The classes of each picture, and of each cell of a map: [rows, classes]."""
    return output.movedim(1, -1).reshape(-1, output.shape[1])


def _is_sigmoid(output: Tensor) -> bool:
    node = output.grad_fn
    while node is not None and type(node).__name__.startswith(_RESHAPES):
        node = node.next_functions[0][0]
    return type(node).__name__.startswith(("SigmoidBackward", "HardsigmoidBackward"))
