"""What a network's output means: the tensor of classes in it, their names and probabilities."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

import torch
from torch import Tensor, nn

from .module_errors import MODULE_ERRORS
from .trial import first_run

_kinds: weakref.WeakKeyDictionary[nn.Module, dict[str, bool]] = weakref.WeakKeyDictionary()
_RESHAPES = ("View", "Squeeze", "Unsqueeze", "Reshape", "UnsafeView", "Alias", "Slice", "Select")


def tensors_of(output: object, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """(path, tensor) of all tensors in a module's output: `out`, `0`, `heads.1.boxes`.

    >>> [path for path, _ in tensors_of({"out": torch.zeros(1), "more": [torch.zeros(2)]})]
    ['out', 'more.0']
    """
    if isinstance(output, Tensor):
        yield path, output
        return
    if isinstance(output, Mapping):
        parts = output.items()
    elif isinstance(output, (list, tuple)):
        parts = zip(getattr(output, "_fields", range(len(output))), output, strict=True)
    elif is_dataclass(output):
        parts = [(field.name, getattr(output, field.name)) for field in fields(output)]
    else:
        return
    for name, part in parts:
        yield from tensors_of(part, f"{path}.{name}".strip("."))


def chosen_output(output: object, path: str = "") -> Tensor:
    """The tensor at that path in a module's output; by default its only one, or the only [N, C].

    One number for each picture comes as [N, 1]. Raises ValueError with the names of all tensors if
    there is none at the path, or several without one.
    """
    if isinstance(output, Tensor) and not path:
        return output if output.dim() > 1 else output.reshape(-1, 1)
    found = dict(tensors_of(output))
    rows = [name for name, tensor in found.items() if tensor.dim() == 2]
    if path in found:
        return chosen_output(found[path])
    if not path and (len(found) == 1 or len(rows) == 1):
        return chosen_output(found[next(iter(found)) if len(found) == 1 else rows[0]])
    listed = ", ".join(f"{name!r} {list(tensor.shape)}" for name, tensor in found.items())
    if not found:
        raise ValueError(f"the network's output holds no tensor; it is a {type(output).__name__}")
    which = f"has no output {path!r}" if path else "has several outputs"
    raise ValueError(
        f"the network {which}; there are: {listed}. Name one with as_network(…, output=…), or aim "
        "at a channel of a layer"
    )


def scores_of(output: Tensor) -> Tensor:
    """The network's output as [N, classes]; maps of one cell are a row of classes too.

    Raises ValueError for maps of several cells, or tokens: there each cell has classes of its own.
    """
    if output.dim() > 2 and output[0, :, ...].numel() == output.shape[1]:
        return output.flatten(1)
    if output.dim() != 2:
        raise ValueError(
            "a network that ends in classes, [N, classes], is needed; its output here: "
            f"{list(output.shape)}. For one of its channels, give dk.logit(index) or "
            "dk.channel(layer, index)"
        )
    return output


def probabilities(network: object, scores: Tensor) -> Tensor:
    """The probabilities [N, classes] that a Network's scores [N, classes] mean.

    What the scores are is decided once for a module, by a trial run with three pictures: rows that
    are not negative and add up to 1 are the probabilities of a softmax of its own, and an output
    that comes out of a sigmoid holds a probability for each class. Otherwise they are logits, and
    the softmax is taken here; for a single class it is the sigmoid.
    """
    known = _kinds.setdefault(network.module, {})
    if network.output not in known:
        known[network.output] = _are_probabilities(network.module, network.output, scores)
    if known[network.output]:
        return scores
    return scores.softmax(1) if scores.shape[1] > 1 else scores.sigmoid()


def class_names(network: object, count: int) -> tuple[str, ...]:
    """The names of a Network's `count` classes: its labels, and "class 7" where it has none."""
    return tuple(network.labels[:count]) + tuple(
        f"class {index}" for index in range(len(network.labels), count)
    )


def _are_probabilities(module: nn.Module, path: str, scores: Tensor) -> bool:
    """Whether the scores are; decided by `scores` themselves if no trial picture fits."""

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
    rows = torch.cat([scores_of(output.detach()).double() for output in outputs])
    if rows.shape[1] == 1:  # a softmax over one class would be 1 for any picture
        return False
    return bool((rows >= 0).all() and ((rows.sum(1) - 1).abs() < 1e-3).all())


def _is_sigmoid(output: Tensor) -> bool:
    node = output.grad_fn
    while node is not None and type(node).__name__.startswith(_RESHAPES):
        node = node.next_functions[0][0]
    return type(node).__name__.startswith(("SigmoidBackward", "HardsigmoidBackward"))
