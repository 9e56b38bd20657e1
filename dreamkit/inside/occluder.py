"""Covering: what becomes of a map, of the right class and of the best label while a grey square covers each place in turn.

Figure 7 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013): the picture, (b) the activity
of the strongest map of a high layer, (c) what that map saw in it and sees in other pictures, (d) the probability of the
right class, (e) the most probable label; (b), (d) and (e) each as a function of where the square lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.layers import layer_info
from ..networks.network import Network
from ..networks.suggestions import layer_at
from ..objectives.kinds import class_index
from ..pictures.image import Image, check_image, to_pillow
from .deconvnet import project

if TYPE_CHECKING:
    from IPython.display import Image as Shown
    from matplotlib.axes import Axes

_BATCH = 32  # covered pictures that go through the network together


@dataclass(frozen=True)
class OcclusionPanels:
    """Maps [1, 1, rows, columns], one value for each place of the square; row r, column c: its middle is on cell (r, c) of a grid.

    `activity` is the sum over the map of `channel` of `layer`; `probability` that of the class `index`; `best` the index of
    the most probable class; `names` says what classes are called. `uncovered` holds (activity, probability) of the whole
    picture. `projection` [1, 3, H, W] is the map's, `others` those of other pictures, each beside its picture.
    """

    layer: str
    channel: int
    index: int
    activity: Tensor
    probability: Tensor
    best: Tensor
    uncovered: tuple[float, float]
    projection: Tensor = field(repr=False)
    others: tuple[tuple[Image, Tensor], ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    size: int = 0
    stride: int = 0

    def name(self, index: int) -> str:
        return self.names[index] if self.names else f"class {index}"


def occlusion_panels(
    network: Network,
    image: Image,
    target: int | str | None = None,
    layer: str = "",
    channel: int | None = None,
    *,
    size: int = 16,
    stride: int = 4,
    grey: float = 0.5,
    others: Sequence[Image] = (),
) -> OcclusionPanels:
    """The OcclusionPanels of one picture [1, 3, H, W]; `size` of the square and its `stride` are in pixels.

    `target` is the right class (by default the most probable one), `layer` a high layer (by default the fifth sixth of the
    way up), `channel` the one whose map is strongest there. The square's middle visits the middle of every cell of a grid of
    `stride` pixels, so that borders and corners are covered as well; `grey` is its colour. All places go through the network in
    batches, as far as the answer, once. KeyError for an unknown layer or label, ValueError for a picture that is not one.

    >>> from dreamkit.networks.network import as_network
    >>> module = torch.nn.Sequential(
    ...     torch.nn.Conv2d(3, 4, 3),
    ...     torch.nn.ReLU(),
    ...     torch.nn.AdaptiveAvgPool2d(1),
    ...     torch.nn.Flatten(),
    ... )
    >>> panels = occlusion_panels(
    ...     as_network(module, (0, 0, 0), (1, 1, 1)), torch.rand(1, 3, 16, 24), layer="1", stride=8
    ... )
    >>> panels.probability.shape
    torch.Size([1, 1, 2, 3])
    """
    check_image(image)
    if len(image) != 1:
        raise ValueError(f"one picture [1, 3, H, W] is looked at; given: {list(image.shape)}")
    places = _places(image, size, stride)
    layer = layer or layer_at(network, 0.85)
    if not layer_info(network, layer).is_map:
        raise ValueError(f"layer {layer!r} has no feature maps whose activity could be seen")
    with torch.no_grad():
        maps, logits = _look(network, image, layer)
        index = _index(network, logits, target)
        channel = int(maps[0].sum((1, 2)).argmax()) if channel is None else channel
        project_of = lambda picture: project(
            network, picture, layer, channel
        )  # also says so if there is no such channel
        projection = project_of(image)
        seen = [
            _look(
                network,
                torch.cat([covered(image, y, x, size, grey) for y, x in places[i : i + _BATCH]]),
                layer,
            )
            for i in range(0, len(places), _BATCH)
        ]
    activity = torch.cat([maps[:, channel].sum((1, 2)) for maps, _ in seen])
    scores = torch.cat([logits for _, logits in seen]).softmax(1)
    shape = (1, 1, -(-image.shape[2] // stride), -(-image.shape[3] // stride))
    whole = float(maps[0, channel].sum()), float(logits.softmax(1)[0, index])
    return OcclusionPanels(
        layer,
        channel,
        index,
        activity.reshape(shape),
        scores[:, index].reshape(shape),
        scores.argmax(1).reshape(shape),
        whole,
        projection,
        tuple((other, project_of(other)) for other in others),
        network.labels,
        size,
        stride,
    )


def covered(image: Image, y: float, x: float, size: int, grey: float = 0.5) -> Image:
    """The picture with a grey square of `size` pixels a side whose middle is at row `y`, column `x`; cut off at the picture's edge.

    >>> covered(torch.zeros(1, 3, 4, 4), 1, 1, 2)[0, 0].sum().item()
    2.0
    """
    top, left = round(y - size / 2), round(x - size / 2)
    result = image.detach().clone()
    result[..., max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)] = grey
    return result


def _places(image: Image, size: int, stride: int) -> list[tuple[float, float]]:
    """Where the square's middle goes: the middles of the cells of a grid, row by row."""
    for what, given in (("size", size), ("stride", stride)):
        if (
            isinstance(given, bool)
            or not isinstance(given, int)
            or not 1 <= given <= min(image.shape[-2:])
        ):
            raise ValueError(
                f"{what} is a whole number of pixels from 1 to {min(image.shape[-2:])}, the picture's shorter side; "
                f"given: {given!r}"
            )
    rows, columns = (range(0, length, stride) for length in image.shape[-2:])
    return [(y + stride / 2, x + stride / 2) for y in rows for x in columns]


def _look(network: Network, pictures: Image, layer: str) -> tuple[Tensor, Tensor]:
    """Maps [N, C, h, w] and logits [N, classes]."""
    features = capture(network, pictures, (layer, ""))
    if features[""].dim() != 2:
        raise ValueError(
            f"a network that ends in classes is needed; its output here: {list(features[''].shape)}"
        )
    return features[layer].float(), features[""].float()


def _index(network: Network, logits: Tensor, target: int | str | None) -> int:
    if target is None:
        return int(logits.argmax())
    index = class_index(network.labels, target) if isinstance(target, str) else target
    if not 0 <= index < logits.shape[1]:
        raise ValueError(
            f"class {target!r} is out of range: the network has {logits.shape[1]}, from 0 to {logits.shape[1] - 1}"
        )
    return index


def occlusion_chart(image: Image, panels: OcclusionPanels, alt: str = "") -> Shown:
    """Figure 7 of Zeiler & Fergus: the picture, what each place of the grey square does to map, class and label, and what the map sees."""
    from matplotlib.figure import Figure

    from ..show import chart, signed

    figure = Figure(figsize=(11, 2.6), layout="constrained", dpi=110)
    axes, name = figure.subplots(1, 5), panels.name(panels.index)
    covered = image.detach().clone()
    covered[..., : panels.size, : panels.size] = 0.5
    axes[0].imshow(to_pillow(covered))
    axes[0].set_title(f"(a) the picture, and the square,\n{panels.size} pixels a side", fontsize=8)
    for axis, values, title in (
        (axes[1], panels.activity, f"(b) activity of map {panels.channel}\nof {panels.layer}"),
        (axes[3], panels.probability, f"(d) probability of\n{name}"),
    ):
        shown = axis.imshow(
            values[0, 0].cpu().numpy(),
            cmap="magma",
            vmin=0,
            extent=(0, image.shape[3], image.shape[2], 0),
        )
        axis.set_title(title, fontsize=8)
        figure.colorbar(shown, ax=axis, shrink=0.7).ax.tick_params(labelsize=6)
    axes[2].imshow(to_pillow(signed(panels.projection)))
    axes[2].set_title("(c) what that map\nsaw in the picture", fontsize=8)
    _labels(axes[4], image, panels)
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    low, whole = float(panels.probability.min()), panels.uncovered[1]
    return chart(
        figure,
        alt
        or f"A grey square slides over the picture: the probability of {name}, {whole:.2f} uncovered, falls to "
        f"{low:.2f}; the activity of map {panels.channel} of {panels.layer}, its projection, and the best labels",
    )


def _labels(axis: Axes, image: Image, panels: OcclusionPanels) -> None:
    """The best label at each place of the square, the commonest few in colours of their own."""
    import matplotlib

    found, count = panels.best.flatten().unique(return_counts=True)
    common = found[count.argsort(descending=True)][:6].tolist()
    colors = matplotlib.colormaps["cividis"](torch.linspace(0, 1, len(common)).numpy())[:, :3]
    picture = torch.full((*panels.best.shape[2:], 3), 0.8)
    for index, color in zip(common, colors, strict=True):
        picture[panels.best[0, 0].cpu() == index] = torch.tensor(color, dtype=picture.dtype)
        axis.plot([], [], "s", color=color, label=panels.name(index))
    axis.imshow(picture.numpy(), extent=(0, image.shape[3], image.shape[2], 0))
    axis.set_title("(e) most probable label", fontsize=8)
    axis.legend(fontsize=6, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2, frameon=False)
