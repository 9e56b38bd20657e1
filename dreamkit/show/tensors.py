"""Maps, signals and tiles as pictures [1, 3, H, W]."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib
import torch
from torch import Tensor
from torch.nn import functional as F

from ..pictures.image import Image
from ..pictures.scales import resize


def heat(
    values: Tensor,
    size: tuple[int, int] | None = None,
    colors: str = "magma",
    low: float | None = None,
    high: float | None = None,
) -> Image:
    """A map in a colour map as a picture [1, 3, H, W].

    Args:
        values: the map, [h, w] or [1, C, h, w]; of several channels the largest `|value|` is shown.
        size: (height, width) of the picture, enlarged without smoothing; by default (h, w).
        colors: the name of a matplotlib colour map.
        low, high: the values at the ends of the scale, by default the map's least and greatest.
    """
    values = _plane(values)
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    scaled = ((values - low) / (high - low) if high > low else torch.zeros_like(values)).clamp(0, 1)
    colored = torch.from_numpy(matplotlib.colormaps[colors](scaled.numpy())[..., :3]).float()
    colored = colored.movedim(-1, 0)[None].contiguous()
    return colored if size is None else F.interpolate(colored, size=size, mode="nearest")


def overlay(image: Image, values: Tensor, strength: float = 0.6, colors: str = "magma") -> Image:
    """A map over a grey version of the picture [1, 3, H, W], enlarged smoothly to its size.

    `values` and `colors` are those of `heat`; `strength` is the map's share, from 0 to 1.
    """
    values, size = _plane(values), tuple(image.shape[-2:])
    smooth = F.interpolate(values[None, None], size=size, mode="bilinear", align_corners=False)
    colored = heat(smooth, colors=colors, low=float(values.min()), high=float(values.max()))
    grey = image.detach().float().cpu().mean(1, keepdim=True)
    return ((1 - strength) * grey + strength * colored).clamp(0, 1)


def spotlight(image: Image, values: Tensor, dark: float = 0.12) -> Image:
    """The picture [1, 3, H, W] lit by a map: in colour where the map is high, dark where it is 0.

    Args:
        values: the map, as for `heat`; its highest cell is lit fully, 0 and less not at all.
        dark: the brightness of what is not lit, which is shown in grey, from 0 to 1.
    """
    values, size = _plane(values).clamp(min=0), tuple(image.shape[-2:])
    scaled = values / values.max().clamp(min=1e-9)
    light = F.interpolate(scaled[None, None], size=size, mode="bicubic", align_corners=False)
    picture = image.detach().float().cpu()
    grey = dark * picture.mean(1, keepdim=True)
    return (grey + light.clamp(0, 1) * (picture - grey)).clamp(0, 1)


def mosaic(
    images: Sequence[Image],
    columns: int = 3,
    count: int | None = None,
    side: int = 64,
    gap: int = 3,
) -> Image:
    """Pictures [1, 3, h, w] as square tiles of one picture [1, 3, H, W], white between them.

    Args:
        images: whole pictures, each resized to `side` × `side` pixels.
        count: how many tiles there are, by default one for each picture; missing ones are white.
        gap: pixels of white between tiles.

    >>> mosaic([torch.zeros(1, 3, 9, 9)] * 4, columns=2, side=8, gap=2).shape
    torch.Size([1, 3, 18, 18])
    """
    count = len(images) if count is None else count
    rows, step = math.ceil(count / columns), side + gap
    page = torch.ones(1, 3, max(1, rows * step - gap), columns * step - gap)
    for i, image in enumerate(list(images)[:count]):
        top, left = i // columns * step, i % columns * step
        page[..., top : top + side, left : left + side] = resize(image, (side, side))
    return page


def signed(values: Tensor, share: float = 0.995) -> Image:
    """A signal [1, 3, h, w] of both signs (a gradient, a projection) as a picture around grey.

    `share` is the share of its values that fit into the scale; the others are cut off.

    >>> signed(torch.tensor([-2.0, 0.0, 2.0]).reshape(1, 3, 1, 1), share=1.0).flatten().tolist()
    [0.0, 0.5, 1.0]
    """
    values = values.detach().float().cpu()
    size = float(values.abs().flatten().quantile(share)) or float(values.abs().max()) or 1.0
    return (0.5 + 0.5 * values / size).clamp(0, 1)


def _plane(values: Tensor) -> Tensor:
    """The map [h, w] of a map [h, w] or [1, C, h, w], float32 on the CPU."""
    values = values.detach().float().cpu()
    if values.dim() == 4 and len(values) == 1:
        return values[0, 0] if values.shape[1] == 1 else values[0].abs().amax(0)
    if values.dim() != 2:
        raise ValueError(f"a map must be [h, w] or [1, C, h, w]; given: {list(values.shape)}")
    return values
