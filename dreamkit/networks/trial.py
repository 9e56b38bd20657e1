"""A trial run of a module: its layers in the order in which they finish, and what each gives."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..checks.out_of_memory import is_out_of_memory
from .found_sizes import found_side
from .hooks import hooked
from .layouts import Layout, layout_of
from .module_errors import MODULE_ERRORS, is_about_size
from .receptive import Field, field_of

Result = TypeVar("Result")
# Sides to try, for modules that take only some: the usual one of small networks first.
_SIDES = (64, 224, 299, 32, 28, 96, 128, 256, 384, 512, 160, 192, 240, 448, 518)
# {module: the side of the pictures that it takes}, if that is none of the usual ones
_found: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class LayerInfo:
    """What one trial run with a square picture tells of a layer."""

    name: str
    kind: str  # the module's type, "Conv2d" for example
    calls: int  # in one pass
    shape: tuple[int, ...]  # of its features: [N, C, h, w], [N, C] or [N, tokens, C]
    field: Field | None  # None if not known: a cell may see the whole picture
    layout: Layout
    side: int  # of the trial picture, in pixels
    place: int = 0  # its index in the order in which layers finish

    @property
    def channels(self) -> int:
        return self.shape[-1] if len(self.shape) == 3 else self.shape[1]

    @property
    def is_map(self) -> bool:
        return self.layout.kind != "numbers"

    @property
    def stride(self) -> tuple[int, int] | None:
        """The distance (down, across) in pixels between neighbouring cells; None without a map."""
        if not self.is_map:
            return None
        if self.field:
            return self.field.stride
        return tuple(max(1, round(self.side / cells)) for cells in self.shape[2:])


def trial_pictures(module: nn.Module, sides: Iterable[int] = _SIDES) -> Iterator[Tensor]:
    """Standardised noise [1, 3, side, side] of usual sides, with the module's dtype and device."""
    like = next(module.parameters(), torch.zeros(()))
    for side in sides:
        generator = torch.Generator().manual_seed(0)
        yield torch.randn(1, 3, side, side, generator=generator).to(like.device, like.dtype)


def first_run(module: nn.Module, run: Callable[[Tensor], Result], search: bool = True) -> Result:
    """What `run` returns for the first trial picture for which it raises no MODULE_ERRORS.

    If it takes none of the usual sizes, the size that the module takes is searched for (unless
    `search` is False). Raises the last error if there is no such picture, one that is not about
    sizes first, and an error of memory at once.
    """
    errors: list[Exception] = []
    for picture in _pictures(module, errors, search):
        try:
            return run(picture)
        except MODULE_ERRORS as error:  # perhaps not a size that the module takes
            if is_out_of_memory(error):
                raise
            errors.append(error)
    raise next((error for error in reversed(errors) if not is_about_size(error)), errors[-1])


def _pictures(module: nn.Module, errors: list[Exception], search: bool) -> Iterator[Tensor]:
    if module in _found:
        yield from trial_pictures(module, [_found[module]])
    yield from trial_pictures(module)
    if search and module not in _found and any(_may_be_size(error) for error in errors):
        side = found_side(module)
        if side:
            _found[module] = side
            yield from trial_pictures(module, [side])


def _may_be_size(error: Exception) -> bool:
    return is_about_size(error) or isinstance(error, (AssertionError, ValueError))


def trial_run(module: nn.Module) -> tuple[LayerInfo, ...]:
    """The module's layers with a tensor as output, from the first trial picture that it takes.

    If it takes none, the layers of the attempt that got furthest; if no layer ran, its error.
    """
    names, trials = [name for name, _ in module.named_modules() if name], []

    def run(picture: Tensor) -> None:
        trials.append(_Trial(picture.shape[-1]))
        with torch.enable_grad(), hooked(module, names, trials[-1].note):
            module(picture.requires_grad_(True))

    try:
        first_run(module, run)
        seen = trials[-1].seen
    except MODULE_ERRORS as error:
        seen = max((trial.seen for trial in trials), key=len)
        if is_out_of_memory(error) or not seen:
            raise
    return tuple(replace(info, place=place) for place, info in enumerate(seen.values()))


class _Trial:
    """Collects `seen`, {name: LayerInfo} in the order of the last calls, in one forward pass."""

    def __init__(self, side: int) -> None:
        self.side, self.seen = side, {}
        self.memory: dict[object, object] = {}
        self.grids: dict[str, tuple[int, int]] = {}  # of maps whose channels come first, by layer

    def note(self, name: str, layer: nn.Module, inputs: tuple, output: object) -> None:
        if not isinstance(output, Tensor) or output.dim() < 2:
            return
        before = self.seen.pop(name, None)  # put back at the end: the order is that of last calls
        calls = before.calls + 1 if before else 1
        slides = hasattr(layer, "kernel_size")
        layout = layout_of(output, reversed(self.grids.items()), slides)
        if layout.kind == "map":
            self.grids.pop(name, None)
            self.grids[name] = tuple(output.shape[-2:])
        shape = tuple(layout.lay(output, self.grids.get(layout.grid)).shape)
        field = field_of(output, self.memory, layout.axes) if layout.axes else None
        kind = type(layer).__name__
        self.seen[name] = LayerInfo(name, kind, calls, shape, field, layout, self.side)
