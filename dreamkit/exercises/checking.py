"""What the exercises of all lessons share: comparisons of answers, and random inputs."""

from __future__ import annotations

import functools
import types
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
    return lambda answer, other: agree(answer, other, given, compare)


def agree(
    answer: Callable, other: Callable, case: tuple, compare: Callable[[object, object], bool]
) -> bool:
    """Whether two functions return the same for the arguments `case`, copied for each call."""

    def result(function: Callable) -> object:
        return function(*(x.clone() if isinstance(x, Tensor) else x for x in case))

    return compare(result(answer), result(other))


def described(case: tuple) -> str:
    """The arguments of a call in words: a tensor by its shape, a function by "a function".

    >>> described((torch.zeros(1, 3, 4, 5), 0.5))
    'a tensor of 1×3×4×5, 0.5'
    """
    return ", ".join(map(_described, case))


def _described(given: object) -> str:
    if isinstance(given, Tensor):
        return f"a tensor of {'×'.join(map(str, given.shape)) or 'one value'}"
    return "a function" if callable(given) else repr(given)


def uses(function: Callable, names: tuple[str, ...]) -> bool:
    """Whether `function` is, wraps or calls one of dreamkit's functions of these names.

    A student's own helper may bear such a name.
    """
    while isinstance(function, functools.partial):
        function = function.func
    module = getattr(function, "__module__", None) or ""
    if module.split(".")[0] == "dreamkit" and ".exercises" not in module:
        return True
    found = set(names) & _names(getattr(function, "__code__", None))
    scope = getattr(function, "__globals__", {})
    return any(_ours(scope[name]) if name in scope else True for name in found)


def _ours(value: object) -> bool:
    return (getattr(value, "__module__", None) or "").split(".")[0] == "dreamkit"


def _names(code: types.CodeType | None) -> set[str]:
    """The names of globals and attributes that code mentions, that of functions in it too."""
    if code is None:
        return set()
    inner = (_names(value) for value in code.co_consts if isinstance(value, types.CodeType))
    return set(code.co_names).union(*inner)


def uniform(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Random values from [0, 1)."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Random values from the standard normal distribution."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
