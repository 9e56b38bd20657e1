"""A check before exact tiles: whether cells see no more than their receptive fields tell."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.network import Network
from ..networks.trial import LayerInfo

_checked: weakref.WeakKeyDictionary[object, set[tuple]] = weakref.WeakKeyDictionary()


def check_fields(network: Network, infos: Iterable[LayerInfo], shape: tuple[int, int]) -> None:
    """Raise ValueError unless a cell's value depends on its field alone: what the graph may hide.

    One period of cells is taken from a random picture, whose size leaves the remainder that `shape`
    leaves, and again from a part of it that begins one period later and leaves no remainder: that
    has other borders and another size, but the same grid.
    """
    known = _checked.setdefault(network.module, set())
    exact = network.device.type == "cpu" and network.precision != "bfloat16"
    tolerance = 1e-4 if exact else 1e-2  # of the largest value
    for info in infos:
        axes = [_Check.of(info, axis, size) for axis, size in enumerate(shape)]
        key = (info.name, *(axis.rest for axis in axes))
        if key in known:
            continue
        generator = torch.Generator().manual_seed(0)
        sides = (axis.side + axis.rest for axis in axes)
        picture = torch.rand(1, 3, *sides, generator=generator).to(network.device)
        down, across = (slice(axis.period, axis.side) for axis in axes)
        part = picture[..., down, across].clone()
        picture.zero_()[..., down, across] = part  # what lies around it has another mean
        with torch.no_grad():
            whole, part = (capture(network, p, info.name)[info.name] for p in (picture, part))
        whole = axes[0].cells(axes[1].cells(whole, 3, 1), 2, 1)
        part = axes[0].cells(axes[1].cells(part, 3, 0), 2, 0)
        same = whole.shape == part.shape and torch.allclose(
            whole, part, rtol=tolerance, atol=tolerance * float(whole.abs().max())
        )
        if not same:
            raise ValueError(
                f"layer {info.name!r} cannot be taken in exact tiles: its cells see more than its "
                "windows tell (Settings(tile=…) takes random tiles of anything)"
            )
        known.add(key)


@dataclass(frozen=True)
class _Check:
    """One axis of the picture that `check_fields` takes."""

    period: int  # in pixels
    count: int  # of cells in a period
    first: int  # the first cell that sees no padding
    side: int  # a multiple of the period: so many pixels hold what the cells see
    rest: int  # pixels after that

    @classmethod
    def of(cls, info: LayerInfo, axis: int, size: int) -> _Check:
        field = info.field
        period, stride, start = field.period[axis], field.stride[axis], field.start[axis]
        count, first = period // stride, max(0, math.ceil(-start / stride))
        end = start + (first + 2 * count - 1) * stride + field.size[axis]
        return cls(period, count, first, period * (math.ceil(end / period) + 1), size % period)

    def cells(self, maps: Tensor, dim: int, period: int) -> Tensor:
        """The cells of that period after the first cell."""
        return maps.narrow(dim, self.first + period * self.count, self.count)
