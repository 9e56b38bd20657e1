"""A module must run with a picture: if it does not, the cause in one line."""

from __future__ import annotations

import inspect
import traceback

import torch
from torch import Tensor, nn

from ..checks.out_of_memory import is_out_of_memory
from .module_errors import MODULE_ERRORS, is_about_size
from .trial import first_run, trial_pictures

_HALF = (torch.float16, torch.bfloat16)


def check_runs(module: nn.Module) -> None:
    """Raise an error if the module runs with no trial picture.

    The cause is looked for first, and is told by a ValueError of one line: the number of inputs or
    of channels, a hook, volumes, quantisation. Otherwise the error is the module's own. If it is
    about sizes, nothing is raised: a module may take only pictures that are not square.
    """
    try:
        with torch.no_grad():
            first_run(module, module)
    except Exception as error:  # whatever a user's module raises
        if is_out_of_memory(error):
            raise
        if cause := _cause(module, error):
            raise ValueError(cause) from error
        if not is_about_size(error) and not _varies_with_size(module):
            raise


def _varies_with_size(module: nn.Module) -> bool:
    """Whether the module's errors say something else for pictures of other sizes."""
    said = set()
    for picture in trial_pictures(module, (64, 96, 224)):
        try:
            with torch.no_grad():
                module(picture)
        except Exception as error:  # whatever a user's module raises
            said.add(str(error))
    return len(said) > 1


def in_full_precision(module: nn.Module) -> nn.Module:
    """The module, changed in place: float16 and bfloat16 weights become float32.

    Pictures are float32, which such weights do not take. A module that takes them stays as it is.
    """
    if not any(tensor.dtype in _HALF for tensor in (*module.parameters(), *module.buffers())):
        return module
    try:
        with torch.no_grad():
            first_run(module, lambda picture: module(picture.float()))
    except MODULE_ERRORS:
        module._apply(lambda tensor: tensor.float() if tensor.dtype in _HALF else tensor)
    return module


def _cause(module: nn.Module, error: Exception) -> str:
    """Why the module does not run, or "" if that is not known."""
    if place := _failing_hook(module, error):
        said = f"{type(error).__name__}: {error}".partition("\n")[0]
        return f"a hook of {place} fails ({said}): remove it, or make the network without it"
    inputs = _needed_inputs(module)
    if isinstance(error, TypeError) and len(inputs) != 1:
        named = f" ({', '.join(inputs)})" if inputs else ""
        return (
            f"a network takes one picture; the module's forward needs {len(inputs)} inputs{named}: "
            "wrap it in a module whose forward takes the picture and gives the others"
        )
    if channels := _channels(module):
        how = "nn.Sequential(torchvision.transforms.Grayscale(), module)"
        given = f", {how}" if channels == 1 else ""
        return (
            f"the module takes pictures of {channels} channel{'s' * (channels > 1)}; those of a "
            "network have 3 (R, G, B): wrap it in a module that makes the one from the other"
            f"{given}"
        )
    return _unfit_layer(module, error)


def _failing_hook(module: nn.Module, error: Exception) -> str:
    """The layer in one of whose hooks the error was raised, or ""."""
    codes = {frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)}
    for name, layer in module.named_modules():
        for hook in (*layer._forward_pre_hooks.values(), *layer._forward_hooks.values()):
            call = hook if hasattr(hook, "__code__") else type(hook).__call__
            call = getattr(hook, "__func__", call)
            if getattr(call, "__code__", None) in codes:
                return f"layer {name!r}" if name else "the module"
    return ""


def _needed_inputs(module: nn.Module) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given = inspect.signature(module.forward).parameters.values()
    variable = [p.name for p in given if p.kind is inspect.Parameter.VAR_POSITIONAL]
    needed = [p.name for p in given if p.kind in kinds and p.default is p.empty]
    return needed or variable


def _channels(module: nn.Module) -> int:
    """A number of channels with which the module runs, 0 if there is none."""
    convolutions = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    for channels in dict.fromkeys([*(c.in_channels for c in convolutions[:3]), 1, 2, 4]):

        def run(picture: Tensor, channels: int = channels) -> None:
            module(picture[:, :1].expand(-1, channels, -1, -1))

        try:
            with torch.no_grad():
                first_run(module, run, search=False)
        except Exception:  # also none of this number
            continue
        return channels if channels != 3 else 0
    return 0


def _unfit_layer(module: nn.Module, error: Exception) -> str:
    for name, layer in module.named_modules():
        quantised = type(layer).__module__.startswith("torch.ao.nn.quantized")
        if quantised and "quantized::" in str(error):  # "Could not run 'quantized::conv2d' …"
            return (
                "the module is quantised and does not take float pictures: give the float module "
                "that it was made from, which has gradients as well"
            )
        if isinstance(layer, (nn.Conv3d, nn.Conv1d)):
            what = "volumes or clips" if isinstance(layer, nn.Conv3d) else "sequences"
            return (
                f"the module takes {what} (layer {name!r} is a {type(layer).__name__}); a network "
                "takes pictures [N, 3, H, W]: wrap it in a module that makes the one from the other"
            )
    return ""
