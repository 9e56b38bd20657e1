"""What of a module cannot be deep-copied as it is: found before the copy is made.

`copy.deepcopy` stops at tensors that were computed (an activation that a hook keeps, the weight of
`weight_norm`) and at objects that belong to the running process (locks, open files, generators). A
module that holds one can still be copied: the copy gets the values of the tensor, and shares the
object.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

_PLAIN = (
    *(bool, int, float, complex, str, bytes, range, type, type(None), type(...)),
    *(types.FunctionType, types.BuiltinFunctionType, torch.dtype, torch.device, torch.Size),
)


def memo_for(things: Iterable[object], memo: Mapping[int, object]) -> dict[int, object]:
    """The memo, with an entry for each object in the things that `copy.deepcopy` would refuse.

    A computed tensor stands for its values, without its graph. Any other object stands for itself:
    the copy shares it.
    """
    memo, open_ends = dict(memo), list(things)
    seen = dict.fromkeys(memo)  # holding what was seen keeps identities apart
    while open_ends:
        thing = open_ends.pop()
        if id(thing) in seen or isinstance(thing, _PLAIN):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, Tensor):
            if thing.grad_fn is not None:
                memo[id(thing)] = thing.detach().clone()
            continue
        try:
            open_ends += [part for _, part in _parts(thing)]
        except Exception:  # the errors of copy protocols have no common type
            memo[id(thing)] = thing
    return memo


def path_of_fault(module: nn.Module, memo: Mapping[int, object]) -> str:
    """The path of what cannot be copied, `features.3.seen`; "" if it is the module itself."""
    place, thing, seen = "", module, set()
    while id(thing) not in seen:
        seen.add(id(thing))
        try:
            bad = next(part for part in _parts(thing) if _fails(part[1], memo))
        except Exception:  # no part of it fails
            break
        place, thing = f"{place}.{bad[0]}".strip("."), bad[1]
    return place


def _fails(thing: object, memo: Mapping[int, object]) -> bool:
    try:
        copy.deepcopy(thing, dict(memo))
    except Exception:
        return True
    return False


def _parts(thing: object) -> Iterator[tuple[str, object]]:
    """(name, object) of all that a deep copy of the object would copy as well.

    Raises what the object's copy protocol raises.
    """
    if isinstance(thing, nn.Module):
        held = ("_parameters", "_buffers", "_modules")
        yield from ((name, v) for name, v in vars(thing).items() if name not in held)
        for name in held:
            yield from vars(thing)[name].items()
    elif isinstance(thing, dict):
        yield from ((str(key), value) for key, value in tuple(thing.items()))
    elif isinstance(thing, (list, tuple, set, frozenset)):
        yield from ((str(index), value) for index, value in enumerate(tuple(thing)))
    elif isinstance(thing, types.MethodType):
        yield "", thing.__self__
    elif hasattr(type(thing), "__deepcopy__"):
        copy.deepcopy(thing)
    else:
        yield from _reduced(thing)


def _reduced(thing: object) -> Iterator[tuple[str, object]]:
    reduced = thing.__reduce_ex__(4)
    if isinstance(reduced, str):
        return
    _, arguments, state, elements, pairs = (*reduced, None, None, None, None)[:5]
    yield from (("", value) for value in arguments or ())
    slots = state if isinstance(state, tuple) else (state,)
    for part in slots:
        values = part.items() if isinstance(part, dict) else [("", part)]
        yield from ((str(name), value) for name, value in values)
    yield from (("", value) for value in elements or ())
    yield from ((str(key), value) for key, value in pairs or ())
