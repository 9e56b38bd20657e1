"""How much memory a file's graph takes, found before it runs: tensors with a shape and no values.

A file of a few hundred bytes can ask for any amount of memory: by joining a tensor with itself
again and again, or by padding it.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .onnx_modules import Filled, Function, Numbered

# Of all tensors of one run together: 2 GiB in float32, or for large pictures this many for each
# number of the picture, or for each weight: a small file cannot ask for more, a large network can.
MAX_NUMBERS, MAX_SHARE, MAX_SHARE_OF_WEIGHTS = 2**29, 4096, 32
_SMALL = 2**16  # whole numbers of more than this are no sizes and axes: only their shape is kept


class TooLargeError(ValueError):
    """A graph needs more memory than any network of pictures."""


def most_numbers(picture: int, weights: int) -> int:
    """How many numbers all tensors of one run may hold, for a picture and weights of so many."""
    return max(MAX_NUMBERS, MAX_SHARE * picture, MAX_SHARE_OF_WEIGHTS * weights)


def too_large(name: str, shape: Sequence[int]) -> TooLargeError:
    return TooLargeError(
        f"with {name!r}, {list(shape)}, the tensors hold more numbers than dreamkit computes: "
        f"at most {MAX_NUMBERS}, {MAX_SHARE} for each number of the picture, or "
        f"{MAX_SHARE_OF_WEIGHTS} for each weight"
    )


class Rehearsal:
    """The steps of a graph with layers that compute shapes only; `known`: the shapes it allows."""

    def __init__(self) -> None:
        self.steps: list[tuple[nn.Module, tuple[str, ...], str]] = []
        self.known: set[tuple[int, ...]] = set()

    def add(self, layer: nn.Module, inputs: tuple[str, ...], output: str) -> None:
        self.steps.append((twin_of(layer), inputs, output))

    def check(self, name: str, picture: Tensor, weights: int) -> None:
        """Raises TooLargeError if the graph takes too much memory for the picture (of `meta`).

        What else is wrong is left to the run itself, whose message says more.
        """
        tensors, left = {name: picture}, most_numbers(picture.numel(), weights)
        with torch.no_grad():
            for twin, inputs, output in self.steps:
                try:
                    result = _result(twin, [tensors[name] for name in inputs])
                except TooLargeError:
                    raise
                except Exception:
                    break
                left -= result.numel()
                if left < 0:
                    raise too_large(output, result.shape)
                tensors[output] = result


def _result(twin: nn.Module, values: list[Tensor]) -> Tensor:
    """What a layer gives for tensors without values; sizes and axes have values."""
    bare = list(values)
    if not isinstance(twin, Filled):
        some = slice(1 if isinstance(twin, Numbered) else None)
        bare[some] = [value.to("meta") for value in values[some]]
    result = twin(*bare)
    unknown = any(value.is_meta for value in values) or result.numel() > _SMALL
    if unknown or not isinstance(twin, (Function, nn.Identity)):
        return result
    return twin(*values)


def twin_of(layer: nn.Module, without_values: bool = False) -> nn.Module:
    """A copy of a layer that computes shapes only: its weights are on the device `meta`.

    Whole numbers, which may be sizes or axes, stay unless `without_values`.
    """
    held = (*layer.parameters(), *layer.buffers())
    bare = [tensor for tensor in held if without_values or tensor.is_floating_point()]
    bare = [] if isinstance(layer, Filled) else bare  # what it makes takes no memory yet
    return copy.deepcopy(layer, {id(tensor): tensor.detach().to("meta") for tensor in bare})
