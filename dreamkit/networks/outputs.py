"""What is in a network's output: the tensor of classes, and their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from torch import Tensor


def tensors_of(output: object, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """(path, tensor) of all tensors in a module's output: `out`, `0`, `heads.1.boxes`.

    >>> import torch
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


def class_names(network: object, count: int) -> tuple[str, ...]:
    """The names of a Network's `count` classes: its labels, and "class 7" where it has none."""
    return tuple(network.labels[:count]) + tuple(
        f"class {index}" for index in range(len(network.labels), count)
    )
