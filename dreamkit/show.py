"""Pictures for notebooks: single, in strips and in grids, each with a text that says what is seen.

`picture`, `strip`, `grid`, `chart`, `maps` and `filters` return an `IPython.display.Image` (a JPEG
with alt text). A notebook shows it when it is the last value of a cell; a script can write its
`.data`. pyplot's global state is not used.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import matplotlib
import torch
from IPython.display import Image as Shown
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from .pictures.image import Image, to_pillow
from .pictures.scales import resize

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

    - `images`: the pictures, or {title: picture}; ValueError for none
    - `alt`: the alt text, by default the titles
    - `pixelated`: show each pixel as a square, for small pictures
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


def lines(
    series: Mapping[str, Sequence],
    x: Sequence[object],
    alt: str,
    chance: float | None = None,
    **axis,
) -> Shown:
    """A chart of lines over `x`, a legend and alt text.

    - `series`: {label: values}, one value for each of `x`; for several runs a list of such lists,
      shown by their mean and a band from the lowest to the highest
    - `chance`: a dotted line at what chance gives
    - `axis`: what matplotlib's `Axes.set` takes: xlabel, ylabel, title, ylim, yscale
    """
    figure = Figure(figsize=(8.2, 3.4), layout="constrained", dpi=110)
    plot = figure.subplots()
    for (label, values), mark in zip(series.items(), "os^Dv" * len(series), strict=False):
        runs = torch.atleast_2d(torch.as_tensor(values, dtype=torch.float64))  # [runs, x]
        (line,) = plot.plot(list(x), runs.mean(0), marker=mark, label=label)
        if len(runs) > 1:
            band = {"alpha": 0.2, "color": line.get_color()}
            plot.fill_between(list(x), runs.amin(0), runs.amax(0), **band)
    if chance is not None:
        plot.axhline(chance, color="grey", linestyle=":", label="chance")
    plot.set(**axis)
    plot.tick_params(axis="x", rotation=20 if isinstance(x[0], str) else 0)
    plot.legend(fontsize=9)
    return chart(figure, alt)


def heat(
    values: Tensor,
    size: tuple[int, int] | None = None,
    colors: str = "magma",
    low: float | None = None,
    high: float | None = None,
) -> Image:
    """A map in a colour map as a picture [1, 3, H, W].

    - `values`: the map, [h, w] or [1, C, h, w]; of several channels the largest |value| is shown
    - `size`: (height, width) of the picture, enlarged without smoothing; by default (h, w)
    - `colors`: the name of a matplotlib colour map
    - `low`, `high`: the values at the ends of the scale, by default the map's least and greatest
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

    - `values`: the map, as for `heat`; its highest cell is lit fully, 0 and less not at all
    - `dark`: the brightness of what is not lit, which is shown in grey, from 0 to 1
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

    - `images`: whole pictures, each resized to `side` × `side` pixels
    - `count`: how many tiles there are, by default one for each picture; missing ones are white
    - `gap`: pixels of white between tiles

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


def _plane(values: Tensor) -> Tensor:
    """The map [h, w] of a map [h, w] or [1, C, h, w], float32 on the CPU."""
    values = values.detach().float().cpu()
    if values.dim() == 4 and len(values) == 1:
        return values[0, 0] if values.shape[1] == 1 else values[0].abs().amax(0)
    if values.dim() != 2:
        raise ValueError(f"a map must be [h, w] or [1, C, h, w]; given: {list(values.shape)}")
    return values


def _shown(file: io.BytesIO, alt: str) -> Shown:
    return Shown(file.getvalue(), format="jpeg", alt=" ".join(alt.split()), embed=True)
