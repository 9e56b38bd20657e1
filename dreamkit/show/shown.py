"""Pictures laid out for notebooks: single, in strips and in grids, each with alt text."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

from IPython.display import Image as Shown
from matplotlib.figure import Figure
from torch import Tensor

from ..pictures.image import Image, to_pillow
from .tensors import heat, signed

QUALITY = 88  # of the JPEGs


def picture(image: Image, alt: str, scale: float = 1.0) -> Shown:
    """One picture [1, 3, H, W] with alt text, pixel for pixel or `scale` times as large."""
    shown = to_pillow(image)
    if scale != 1:
        shown = shown.resize(tuple(max(1, round(length * scale)) for length in shown.size))
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=QUALITY)
    return _shown(file, alt)


def strip(images: Mapping[str, Image], alt: str = "", height: float = 2.6) -> Shown:
    """Pictures side by side, each under its title, `height` inches high."""
    return grid(images, columns=len(images), alt=alt, height=height)


def grid(
    images: Mapping[str, Image] | Sequence[Image],
    columns: int = 4,
    alt: str = "",
    height: float = 1.8,
    pixelated: bool = False,
) -> Shown:
    """Pictures [1, 3, H, W] in rows of `columns`, each `height` inches high.

    Args:
        images: the pictures, or {title: picture}; ValueError for none.
        alt: the alt text, by default the titles.
        pixelated: show each pixel as a square, for small pictures.
    """
    named = list(images.items() if isinstance(images, Mapping) else (("", i) for i in images))
    if not named:
        raise ValueError("a grid must have at least one picture; given: none")
    rows = math.ceil(len(named) / columns)
    aspect = max(image.shape[-1] / image.shape[-2] for _, image in named)
    lines = max(title.count("\n") + 1 for title, _ in named)
    head = 0.12 + 0.16 * lines if any(title for title, _ in named) else 0.06
    figure = Figure(figsize=(columns * height * aspect, rows * (height + head)), dpi=110)
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
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
    return _shown(file, alt)


def maps(
    features: Tensor, channels: Sequence[int] | None = None, columns: int = 8, alt: str = ""
) -> Shown:
    """Feature maps [1, C, h, w] as a grid, titled by channel; by default the 32 strongest.

    All maps have the same scale, so that a silent channel looks silent.
    """
    if features.dim() != 4 or len(features) != 1:
        raise ValueError(
            f"features must be those of one picture, [1, C, h, w]; given: {list(features.shape)}"
        )
    if channels is None:
        means = features[0].flatten(1).mean(1)
        channels = means.topk(min(32, len(means))).indices.sort().values.tolist()
    high = float(features[0, list(channels)].max()) or 1.0
    shown = {str(c): heat(features[0, c], low=0.0, high=high) for c in channels}
    alt = alt or f"Feature maps of channels {', '.join(shown)}"
    return grid(shown, columns, alt, height=1.1, pixelated=True)


def filters(weights: Tensor, columns: int = 12, alt: str = "") -> Shown:
    """First-layer filters [C, 3, k, k] as small colour pictures around grey, each scaled alone."""
    if weights.dim() != 4 or weights.shape[1] != 3:
        raise ValueError(f"filters must be [C, 3, k, k]; given: {list(weights.shape)}")
    pictures = [signed(filter_[None], share=1.0) for filter_ in weights]
    alt = alt or f"The {len(pictures)} filters of the first layer, in colour"
    return grid(pictures, columns, alt, height=0.7, pixelated=True)


def _shown(file: io.BytesIO, alt: str) -> Shown:
    return Shown(file.getvalue(), format="jpeg", alt=" ".join(alt.split()), embed=True)
