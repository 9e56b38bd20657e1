"""The one state dict in a checkpoint, and the names of its tensors without those of wrappers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch import Tensor

# Where training programs put the weights of the network, the likeliest first.
USUAL = ("state_dict", "model_state_dict", "model_state", "model", "network", "net", "module")
USUAL += ("weights", "params", "state_dict_ema", "model_ema", "ema_state_dict", "ema", "params_ema")
_OF_TRAINING = re.compile("optim|sched|scaler|callback|loop|args|config|rng|random")
_NOTES = (int, float, str, bytes, list, tuple, type(None))  # "epoch" beside the tensors
_WRAPPERS = re.compile(  # compiled, sharded and checkpointed modules, anywhere in a name
    r"(?:(?<=^)|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
)
_COUNTERS = ("n_averaged", "total_ops", "total_params")  # of averaged and profiled models


def state_dict_in(file: object) -> dict[str, Tensor]:
    """The state dict in what a weights file holds, at its top or nested up to three deep.

    Raises ValueError, which says what is in the file, if there is none, or if there are several
    under names that do not say which is the network's.
    """
    found = dict(_state_dicts(file, ()))
    for name in USUAL:  # "state_dict" before "state_dict_ema"
        under = [where for where in found if name in where]
        if under:
            return _plain_names(found[min(under, key=len)])
    if len(found) == 1:
        return _plain_names(next(iter(found.values())))
    if found:
        names = ", ".join(repr(".".join(where)) for where in found)
        raise ValueError(f"holds several state dicts ({names}): save one of them alone")
    raise ValueError("holds no state dict (names and tensors)" + _contents(file))


def _state_dicts(
    value: object, where: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Tensor]]]:
    """Each state dict with the names that lead to it; those inside before the one around them."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return
    inside = [
        pair
        for key, part in value.items()
        if len(where) < 3 and isinstance(part, dict) and not _OF_TRAINING.search(key.lower())
        for pair in _state_dicts(part, (*where, key))
    ]
    tensors = {key: part for key, part in value.items() if isinstance(part, Tensor)}
    others = [part for part in value.values() if not isinstance(part, Tensor)]
    if inside:
        yield from inside
    elif tensors and all(isinstance(part, _NOTES) for part in others):
        yield where, tensors


def _plain_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state dict without the names that wrappers put before those of the network."""
    names = {key: _WRAPPERS.sub("", key).removeprefix("module.") for key in state}
    return {
        name: state[key] for key, name in names.items() if name.rpartition(".")[2] not in _COUNTERS
    }


def without_prefix(state: dict[str, Tensor], wanted: list[str]) -> dict[str, Tensor]:
    """The tensors under the one prefix with which all the wanted names are there.

    A network inside another module (`backbone.conv1.weight`) is saved with the other's tensors;
    those are left out. If there is no such prefix, or several, the state dict is returned.
    """
    first = wanted[0] if wanted else ""
    if not first or first in state:
        return state
    prefixes = [key.removesuffix(first) for key in state if key.endswith(f".{first}")]
    whole = [p for p in prefixes if all(p + name in state for name in wanted)]
    if len(whole) != 1:
        return state
    return {k.removeprefix(whole[0]): v for k, v in state.items() if k.startswith(whole[0])}


def _contents(file: object) -> str:
    """What is in the file instead, in a few words."""
    if not isinstance(file, dict):
        return f"; it holds {type(file).__name__}"
    names = [key for key in file if isinstance(key, str)]
    if not names:
        return ""
    return f"; it holds {', '.join(map(repr, names[:5]))}{', …' if len(names) > 5 else ''}"
