"""Pictures for people: single, in strips and in grids, each with a text that says what is seen.

Everything here returns an `IPython.display.Image` (JPEG, with alt text), which a notebook shows when it is the last
value of a cell, and which a script can write with `.data`. Nothing touches pyplot's global state.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import torch
from IPython.display import Image as Shown
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from .pictures.image import Image, to_pillow

QUALITY = 88


def picture(image: Image, alt: str, scale: float = 1.0) -> Shown:
    """One picture [1, 3, H, W], pixel for pixel (or `scale` times as large), with alt text."""
    file = io.BytesIO()
    shown = to_pillow(image)
    if scale != 1:
        shown = shown.resize(
            (max(1, round(shown.width * scale)), max(1, round(shown.height * scale)))
        )
    shown.save(file, "JPEG", quality=QUALITY)
    return Shown(file.getvalue(), format="jpeg", alt=_plain(alt), embed=True)


def strip(images: Mapping[str, Image], alt: str = "", height: float = 2.6) -> Shown:
    """Pictures side by side, each under its title; `height` is that of the pictures in inches."""
    return grid(images, columns=len(images), alt=alt, height=height)


def grid(
    images: Mapping[str, Image] | Sequence[Image],
    columns: int = 4,
    alt: str = "",
    height: float = 1.8,
    pixelated: bool = False,
) -> Shown:
    """Pictures in rows of `columns`, titled by their keys. `pixelated` shows every pixel as a square (for small pictures).

    Without `alt` the titles are the text.
    """
    named = (
        list(images.items()) if isinstance(images, Mapping) else [("", image) for image in images]
    )
    if not named:
        raise ValueError("a grid needs at least one picture")
    rows = math.ceil(len(named) / columns)
    aspect = max(image.shape[-1] / image.shape[-2] for _, image in named)
    lines = max(title.count("\n") + 1 for title, _ in named)
    head = 0.12 + 0.16 * lines if any(title for title, _ in named) else 0.06
    figure = Figure(figsize=(columns * height * aspect, rows * (height + head)), dpi=110)
    axes = list(
        figure.subplots(rows, columns, squeeze=False).flat
    )  # a list: a flat iterator runs only once
    for axis in axes:
        axis.axis("off")
    for axis, (title, image) in zip(axes, named, strict=False):
        axis.imshow(to_pillow(image), interpolation="nearest" if pixelated else "antialiased")
        axis.set_title(title, fontsize=9, pad=3)
    figure.subplots_adjust(
        0.004, 0.004, 0.996, 1 - head / (rows * (height + head)), wspace=0.03, hspace=head / height
    )
    return chart(figure, alt or "Pictures: " + ", ".join(title for title, _ in named if title))


def chart(figure: Figure, alt: str) -> Shown:
    """A matplotlib Figure as a JPEG with alt text."""
    file = io.BytesIO()
    figure.savefig(file, format="jpg", facecolor="white", pil_kwargs={"quality": QUALITY})
    return Shown(file.getvalue(), format="jpeg", alt=_plain(alt), embed=True)


def heat(
    values: Tensor,
    size: tuple[int, int] | None = None,
    colors: str = "magma",
    low: float | None = None,
    high: float | None = None,
) -> Image:
    """A map [h, w] or [1, C, h, w] in a perceptually uniform colour map as a picture [1, 3, H, W], nearest-neighbour enlarged to `size`.

    Of several channels the largest |value| is shown.

    `low` and `high` are the values at the ends of the scale; by default the map's own least and greatest.
    """
    import matplotlib

    values = _plane(values).detach().float().cpu()
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    scaled = ((values - low) / (high - low) if high > low else torch.zeros_like(values)).clamp(0, 1)
    colored = (
        torch.from_numpy(matplotlib.colormaps[colors](scaled.numpy())[..., :3].copy())
        .float()
        .permute(2, 0, 1)[None]
    )
    return colored if size is None else F.interpolate(colored, size=size, mode="nearest")


def overlay(image: Image, values: Tensor, strength: float = 0.6, colors: str = "magma") -> Image:
    """A map [h, w] or [1, C, h, w] laid over a grey version of the picture [1, 3, H, W], brought smoothly to its size."""
    values = _plane(values)
    low, high = float(values.min()), float(values.max())
    smooth = F.interpolate(
        values.detach().float().cpu()[None, None],
        size=tuple(image.shape[-2:]),
        mode="bilinear",
        align_corners=False,
    )
    grey = image.detach().float().cpu().mean(1, keepdim=True).expand(-1, 3, -1, -1)
    return (
        (1 - strength) * grey + strength * heat(smooth[0, 0], colors=colors, low=low, high=high)
    ).clamp(0, 1)


def signed(values: Tensor, share: float = 0.995) -> Image:
    """A signal [1, 3, h, w] of both signs (a gradient, a projection) as a picture about grey; `share` of its values fit into the scale.

    >>> signed(torch.tensor([-2.0, 0.0, 2.0]).reshape(1, 3, 1, 1), share=1.0).flatten().tolist()
    [0.0, 0.5, 1.0]
    """
    values = values.detach().float().cpu()
    size = float(values.abs().flatten().quantile(share)) or float(values.abs().max()) or 1.0
    return (0.5 + 0.5 * values / size).clamp(0, 1)


def maps(
    features: Tensor, channels: Sequence[int] | None = None, columns: int = 8, alt: str = ""
) -> Shown:
    """Feature maps [1, C, h, w] as a grid in one common scale, titled by channel; by default the 32 strongest.

    One scale for all, so that a silent channel looks silent.
    """
    if features.dim() != 4 or len(features) != 1:
        raise ValueError(
            f"maps takes the features of one picture, [1, C, h, w]; given: {list(features.shape)}"
        )
    if channels is None:
        channels = (
            features[0]
            .flatten(1)
            .mean(1)
            .topk(min(32, features.shape[1]))
            .indices.sort()
            .values.tolist()
        )
    high = float(features[0, list(channels)].max())
    shown = {str(c): heat(features[0, c], low=0.0, high=high or 1.0) for c in channels}
    return grid(
        shown,
        columns,
        alt or f"Feature maps of channels {', '.join(map(str, channels))}",
        height=1.1,
        pixelated=True,
    )


def filters(weights: Tensor, columns: int = 12, alt: str = "") -> Shown:
    """First-layer filters [C, 3, k, k] as small colour pictures, each scaled to its own range about grey."""
    if weights.dim() != 4 or weights.shape[1] != 3:
        raise ValueError(
            f"filters are [C, 3, k, k], as in a first layer; given: {list(weights.shape)}"
        )
    size = weights.detach().abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
    pictures = (0.5 + 0.5 * weights.detach() / size).cpu()
    return grid(
        [p[None] for p in pictures],
        columns,
        alt or f"The {len(pictures)} filters of the first layer, in colour",
        height=0.7,
        pixelated=True,
    )


def _plane(values: Tensor) -> Tensor:
    """[h, w] of a map [h, w] or [1, C, h, w]."""
    if values.dim() == 4 and len(values) == 1:
        return values[0, 0] if values.shape[1] == 1 else values[0].abs().amax(0)
    if values.dim() != 2:
        raise ValueError(f"a map is [h, w] or [1, C, h, w]; given: {list(values.shape)}")
    return values


def _plain(text: str) -> str:
    return " ".join(text.split())
