"""Weights files, read as plain tensors only: a file can be wrong, but it cannot run code."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
from pathlib import Path

import torch
from torch import Tensor, nn

from .checkpoints import state_dict_in, without_prefix

_UNSUPPORTED = r"(?i:unsupported (?:global|class))(?: |[^:]*: (?:GLOBAL )?)([\w.]+\.\w+)"


def read_weights(
    path: str | os.PathLike[str], expected: str = "", damaged: str = ""
) -> tuple[dict[str, Tensor], str]:
    """(state dict, SHA-256) of a weights file, safetensors or PyTorch's own format.

    A checkpoint may hold the state dict beside other things, and with the names of wrappers.
    Numbers with a fraction are given as float32. Raises ValueError for a path that is not a file,
    and for a file that does not hold a state dict of plain tensors. `expected` is the beginning of
    its SHA-256, if known; where it differs, nothing is read, and the error's text is `damaged`.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"weights are the path of a file; given: {type(path).__name__}")
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"weights are a file, and {str(path)!r} is a folder")
    if not path.is_file():
        raise ValueError(f"no weights at {str(path)!r}")
    try:
        digest = sha256(path)
        state = _parsed(path) if digest.startswith(expected) else None
    except Exception as error:  # a broken file can raise nearly anything
        reason = _reason(error)
        raise ValueError(
            f"{str(path)!r} is not a readable weights file (safetensors, or a PyTorch state dict): "
            f"{reason}"
        ) from None
    if not digest.startswith(expected):
        raise ValueError(damaged)
    try:
        state = state_dict_in(state)
    except ValueError as error:
        raise ValueError(f"{str(path)!r} {error}") from None
    for key, value in state.items():
        if kind := _unusual(value):
            raise ValueError(f"{str(path)!r}: {key!r} is not a plain dense tensor: it {kind}")
    state = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    return state, digest


def _parsed(path: Path) -> object:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    # Training programs save their flags beside the weights: plain values under plain names.
    # `Namespace` takes any attributes and calls nothing.
    with torch.serialization.safe_globals([argparse.Namespace]):
        return torch.load(path, map_location="cpu", weights_only=True)


def _reason(error: Exception) -> str:
    """Why torch does not read a file, in one line of at most 200 characters."""
    text = " ".join(str(error).split())
    if found := re.search(_UNSUPPORTED, text):
        kind = found[1][:60]
        return (
            f"it holds an object of {kind}, and reading that could run code: save "
            "model.state_dict(), not the model"
        )
    if "TorchScript" in text:
        return "it is a TorchScript archive: save model.state_dict(), not the model"
    return text[:120]


def _unusual(values: Tensor) -> str:
    """Why these are not the numbers of a dense tensor, each of them in the file; else nothing.

    A tensor whose numbers are all in the file takes no more memory than the file.
    """
    if values.is_quantized:
        return "is quantized"
    if values.layout is not torch.strided or values.is_nested:
        return "is sparse"
    if values.is_meta:
        return "has no numbers (it is on the device meta)"
    if values.numel() * values.element_size() > values.untyped_storage().nbytes():
        return f"repeats a few numbers (expand) to {list(values.shape)}"
    return ""


def _same_kind(one: Tensor, other: Tensor) -> bool:
    """Whether both hold numbers with a fraction, or both whole numbers, or both True and False."""
    if one.is_floating_point() or other.is_floating_point():
        return one.is_floating_point() and other.is_floating_point()
    return (one.dtype == torch.bool) == (other.dtype == torch.bool)


def fill(module: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Load a state dict into the module; what is around the module in it is left out.

    Raises ValueError with the first name, shape or type that does not fit; `path` is named in it.
    """
    other = f"{str(path)!r} holds the weights of another network"
    wanted = module.state_dict()
    needed = [key for key in wanted if not key.endswith("num_batches_tracked")]
    state = without_prefix(state, needed)
    fitting = sum(key in state and state[key].shape == wanted[key].shape for key in needed)
    share = f" ({fitting} of its {len(needed)} tensors fit; the file has {len(state)})"
    for key, value in wanted.items():
        if key not in state:
            if key in needed:
                raise ValueError(f"{other}: it lacks {key!r}{share}")
        elif state[key].shape != value.shape:
            shapes = f"{list(state[key].shape)}, not {list(value.shape)}"
            raise ValueError(f"{other}: {key!r} is {shapes}{share}")
        elif not _same_kind(state[key], value):
            raise ValueError(f"{other}: {key!r} is {state[key].dtype}, not {value.dtype}")
    if extra := next((key for key in state if key not in wanted), None):
        raise ValueError(f"{other}: {extra!r} has no place in it")
    if any(not torch.isfinite(v).all() for v in state.values() if v.is_floating_point()):
        raise ValueError(f"{str(path)!r} holds NaN or infinite weights")
    module.load_state_dict(state, strict=False)


def sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
