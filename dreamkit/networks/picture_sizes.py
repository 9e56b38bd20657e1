"""Clear errors for pictures of a size that a network does not take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import nn

from ..pictures.image import Image
from .hooks import Reached, hooked
from .layers import layer_table
from .module_errors import MODULE_ERRORS, is_about_size
from .network import Network
from .trial import LayerInfo

_LARGE = 512  # a side that is enough for every usual network
_STEPS = (2, 4, 7, 8, 14, 16, 28, 32, 64)  # of patches and windows


def check_least_size(image: Image, infos: Iterable[LayerInfo]) -> None:
    """Raise ValueError for a picture smaller than the stride of one of the layers."""
    for info in infos:
        if info.field and min(image.shape[-2:]) < max(info.field.stride):
            raise _too_small(image, info.name, max(info.field.stride))


def size_error(
    network: Network, image: Image, info: LayerInfo | None, error: Exception
) -> ValueError | None:
    """The ValueError that says which sizes work up to a layer; None if the size is not the fault.

    `info` is the layer that should be reached; None for the network's output. Trial runs at other
    sizes find out, but only for an `error` whose message is about sizes.
    """
    if not is_about_size(error):
        return None
    try:
        runs = partial(_runs, network, [info.name] if info else [])
        return _diagnosis(network, image, info or layer_table(network)[-1], runs)
    except Exception:  # the trial runs met another fault: then `error` is all that is known
        return None


def _diagnosis(
    network: Network, image: Image, info: LayerInfo, runs: Callable[[int], bool]
) -> ValueError | None:
    height, width = image.shape[-2:]
    if step := _step(runs, image):
        allowed = f"whose height and width are multiples of {step}"
        nearest = tuple(round(size / step) * step or step for size in (height, width))
        return _refused(network, image, info, allowed, f"The nearest: dk.resize(image, {nearest})")
    fails, works = min(height, width), _LARGE
    if fails < works and not runs(fails) and runs(works):
        while works - fails > 1:
            middle = (fails + works) // 2
            fails, works = (fails, middle) if runs(middle) else (middle, works)
        return _too_small(image, info.name, works)
    if (height, width) != (info.side, info.side) and runs(info.side):
        allowed = f"of {info.side}×{info.side} pixels only"
        advice = f"Resize it: dk.resize(image, {(info.side,) * 2}), and dream with octaves=1"
        return _refused(network, image, info, allowed, advice)
    return None


def _step(runs: Callable[[int], bool], image: Image) -> int:
    """The number whose multiples the sides must be, if this picture breaks such a rule, else 0."""
    side = max(image.shape[-2:])
    if runs(side + side % 2) and not any(size % 2 for size in image.shape[-2:]):
        return 0  # something else is wrong
    for step in _STEPS:
        least = -(-side // step) * step
        if any(size % step for size in image.shape[-2:]) and all(
            runs(multiple) for multiple in (least, least + step)
        ):
            return 0 if runs(least + 1) else step
    return 0


def _runs(network: Network, stop: list[str], side: int) -> bool:
    """Whether a square picture of that side reaches the layer, or the end if `stop` is empty."""
    picture = torch.zeros(1, 3, side, side, dtype=network.dtype, device=network.device)
    try:
        with torch.no_grad(), hooked(network.module, stop, _stop):
            network.module(picture)
    except MODULE_ERRORS as error:
        if is_about_size(error):
            return False
        raise
    return True


def _stop(name: str, layer: nn.Module, inputs: tuple, output: object) -> None:
    raise Reached


def _too_small(image: Image, layer: str, least: int) -> ValueError:
    height, width = image.shape[-2:]
    return ValueError(
        f"a picture of {height}×{width} pixels (height × width; octaves count) is too small for "
        f"layer {layer!r}: it needs at least {least}×{least}"
    )


def _refused(
    network: Network, image: Image, info: LayerInfo, allowed: str, advice: str
) -> ValueError:
    height, width = image.shape[-2:]
    return ValueError(
        f"{network.name or 'this network'} takes pictures {allowed}, up to layer {info.name!r}; "
        f"given: {height}×{width} (height × width; octaves count). {advice}"
    )
