"""What the exercises of all lessons share: comparisons of answers, and random inputs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def close(given: object, wanted: Tensor, tolerance: float = 1e-5) -> bool:
    """Whether `given` is a tensor with the shape and nearly the values of `wanted`."""
    return (
        isinstance(given, Tensor)
        and given.shape == wanted.shape
        and torch.allclose(given.float(), wanted.float(), atol=tolerance)
    )


def near(given: object, wanted: object, tolerance: float = 1e-6) -> bool:
    """Whether two numbers (or tensors of one value) are nearly the same."""
    return abs(float(given) - float(wanted)) < tolerance


def on(
    *given: object, compare: Callable[[object, object], bool] = close
) -> Callable[[Callable, Callable], bool]:
    """The comparison of two functions by what they return for these arguments.

    Each call receives its own copies of the tensors, so a function may change them.
    """

    def result(function: Callable) -> object:
        return function(*(x.clone() if isinstance(x, Tensor) else x for x in given))

    return lambda answer, other: compare(result(answer), result(other))


def uniform(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Random values from [0, 1)."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Random values from the standard normal distribution."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
