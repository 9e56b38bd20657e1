"""Forward hooks that act in one thread only, are always removed, and are left out of copies."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator

from torch import Tensor, nn

from ..checks.out_of_memory import is_out_of_memory
from .copies import memo_for, path_of_fault

Action = Callable[
    [str, nn.Module, tuple, Tensor], None
]  # of a layer's name, itself, inputs, output


class Reached(BaseException):
    """Raised by an action to end the forward pass: no later layer is needed.

    It passes a module's own `except Exception`.
    """


class _Hook:
    """A forward hook that ignores the passes of other threads through the same module."""

    def __init__(self, name: str, action: Action) -> None:
        self.name, self.action, self.thread = name, action, threading.get_ident()

    def __call__(self, layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        if threading.get_ident() == self.thread:
            self.action(self.name, layer, inputs, output)


@contextlib.contextmanager
def hooked(module: nn.Module, names: Iterable[str], action: Action) -> Iterator[None]:
    """Inside the `with` block, `action` is called after each run of a named layer.

    The hooks are removed at the end of the block, after an error too. If `action` raises `Reached`,
    the block ends there without an error.
    """
    handles = []
    try:
        for name in names:
            hook = _Hook(name, action)
            handles.append(module.get_submodule(name).register_forward_hook(hook))
        yield
    except Reached:
        pass
    finally:
        for handle in handles:
            handle.remove()


def copy_module(module: nn.Module, memo: dict[int, object] | None = None) -> nn.Module:
    """A deep copy of a module with its own forward hooks, but without those that `hooked` added.

    Another thread may be inside `hooked` with the same module: its hooks would stay in the copy for
    ever, and hold its tensors. `memo` is that of `copy.deepcopy`: tensors in it are shared. So are
    objects that cannot be copied, such as a lock; of a computed tensor only the values are copied.

    Raises ValueError that names the attribute if the module cannot be copied nevertheless.
    """
    memo = dict(memo or {})
    kept = []
    for layer in module.modules():
        own = [(i, h) for i, h in tuple(layer._forward_hooks.items()) if not isinstance(h, _Hook)]
        kept.append(OrderedDict(own))
        memo[id(layer._forward_hooks)] = kept[-1]
    clean = memo_for([module, *kept], memo)
    memo = dict(clean)
    try:
        twin = copy.deepcopy(module, memo)
        for hooks in kept:  # only now: a hook may refer to the module, whose copy is in the memo
            hooks.update({i: copy.deepcopy(hook, memo) for i, hook in hooks.items()})
    except Exception as error:  # the errors of copy protocols have no common type
        if is_out_of_memory(error):
            raise
        raise _cannot_copy(module, clean, error) from error
    return twin


def _cannot_copy(module: nn.Module, memo: dict[int, object], error: Exception) -> ValueError:
    path = path_of_fault(module, memo)
    why = f"{type(error).__name__}: {error}".partition("\n")[0]
    what = f"its attribute {path!r}" if path else "the module itself"
    return ValueError(f"a network is a copy of the module, and {what} cannot be copied ({why})")
