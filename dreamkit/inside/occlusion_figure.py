"""The chart of OcclusionPanels: figure 7 of Zeiler & Fergus (2013) for one picture."""

from __future__ import annotations

import matplotlib
import torch
from IPython.display import Image as Shown
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..pictures.image import Image, to_pillow
from ..show import chart, signed
from .occluder import OcclusionPanels, covered


def occlusion_chart(image: Image, panels: OcclusionPanels, alt: str = "") -> Shown:
    """The picture beside its OcclusionPanels, as a JPEG with alt text.

    The charts show (a) the picture and the square, (b) the map's activity, (c) the map's
    projection, (d) the probability of the class and (e) the most probable label.
    """
    figure = Figure(figsize=(11, 2.6), layout="constrained", dpi=110)
    axes, name = figure.subplots(1, 5), panels.name(panels.index)
    axes[0].imshow(to_pillow(covered(image, panels.size / 2, panels.size / 2, panels.size)))
    axes[0].set_title(f"(a) the picture, and the square,\n{panels.size} pixels a side", fontsize=8)
    for axis, values, title in (
        (axes[1], panels.activity, f"(b) activity of map {panels.channel}\nof {panels.layer}"),
        (axes[3], panels.probability, f"(d) probability of\n{name}"),
    ):
        shown = axis.imshow(values[0, 0].cpu().numpy(), cmap="magma", vmin=0, extent=_extent(image))
        axis.set_title(title, fontsize=8)
        figure.colorbar(shown, ax=axis, shrink=0.7).ax.tick_params(labelsize=6)
    axes[2].imshow(to_pillow(signed(panels.projection)))
    axes[2].set_title("(c) what that map\nsaw in the picture", fontsize=8)
    _draw_labels(axes[4], image, panels)
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    low, whole = float(panels.probability.min()), panels.uncovered[1]
    return chart(
        figure,
        alt
        or f"A grey square slides over the picture: the probability of {name}, {whole:.2f} "
        f"uncovered, falls to {low:.2f}; the activity of map {panels.channel} of {panels.layer}, "
        "its projection, and the best labels",
    )


def _draw_labels(axis: Axes, image: Image, panels: OcclusionPanels) -> None:
    """Draw the best label for each place of the square, the six most frequent in colour."""
    found, count = panels.best.flatten().unique(return_counts=True)
    common = found[count.argsort(descending=True)][:6].tolist()
    colors = matplotlib.colormaps["cividis"](torch.linspace(0, 1, len(common)).numpy())[:, :3]
    picture = torch.full((*panels.best.shape[2:], 3), 0.8)
    for index, color in zip(common, colors, strict=True):
        picture[panels.best[0, 0].cpu() == index] = torch.tensor(color, dtype=picture.dtype)
        axis.plot([], [], "s", color=color, label=panels.name(index))
    axis.imshow(picture.numpy(), extent=_extent(image))
    axis.set_title("(e) most probable label", fontsize=8)
    axis.legend(fontsize=6, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2, frameon=False)


def _extent(image: Image) -> tuple[int, int, int, int]:
    return 0, image.shape[3], image.shape[2], 0
