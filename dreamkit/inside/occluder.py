"""Occlusion: a map, a class and the best label while a grey square hides each place of a picture.

Figure 7 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013): the
picture, (b) the activity of the strongest map of a high layer, (c) what that map sees in this
picture and in others, (d) the probability of the right class, (e) the most probable label; (b),
(d) and (e) each as a function of the place of the square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..checks.numbers import is_whole
from ..networks.ends import probabilities
from ..networks.features import capture
from ..networks.network import Network
from ..networks.outputs import scores_of
from ..networks.suggestions import layer_at
from ..pictures.image import Image
from .arguments import check_one, class_of, map_layer
from .deconvnet import project

_BATCH = 32  # occluded pictures in one forward pass


@dataclass(frozen=True)
class OcclusionPanels:
    """Maps [1, 1, rows, columns] with one value for each place of the square.

    Row r, column c belongs to the square whose centre lies in cell (r, c) of a grid of `stride`
    pixels.
    """

    layer: str
    channel: int
    index: int  # of the class
    activity: Tensor  # the sum over the channel's map
    probability: Tensor  # of the class
    best: Tensor  # the index of the most probable class
    uncovered: tuple[float, float]  # activity and probability of the whole picture
    projection: Tensor = field(repr=False)  # of the channel's map to pixels, [1, 3, H, W]
    others: tuple[tuple[Image, Tensor], ...] = field(repr=False)  # pictures with their projections
    names: tuple[str, ...] = field(repr=False)  # of the classes, or ()
    size: int = 0  # of the square, in pixels
    stride: int = 0

    def name(self, index: int) -> str:
        return self.names[index] if index < len(self.names) else f"class {index}"


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
    """The OcclusionPanels of one picture.

    The centre of the square visits the centre of each cell of a grid of `stride` pixels, so that
    borders and corners are hidden too. Each occluded picture goes through the network once.

    Args:
        network: a network that ends in classes.
        image: the picture [1, 3, H, W].
        target: the right class by index or label (KeyError), by default the most probable one.
        layer: a layer with feature maps, by default one at 85 % of the depth; KeyError if unknown.
        channel: by default the one with the largest activity in this picture.
        size: the side of the square in pixels.
        stride: the distance between neighbouring places in pixels.
        grey: the value of the square's pixels.
        others: pictures [1, 3, H, W] whose projections are wanted as well.

    >>> from dreamkit.networks.network import as_network
    >>> module = torch.nn.Sequential(
    ...     torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    ... )
    >>> network = as_network(module, (0, 0, 0), (1, 1, 1))
    >>> panels = occlusion_panels(network, torch.rand(1, 3, 16, 24), layer="0", stride=8)
    >>> panels.probability.shape
    torch.Size([1, 1, 2, 3])
    """
    check_one(image)
    shorter = min(image.shape[-2:])
    if not is_whole(size, 1, shorter) or not is_whole(stride, 1, shorter):
        raise ValueError(
            f"size and stride must be whole numbers of pixels from 1 to {shorter} (the picture's "
            f"shorter side); given: size {size!r}, stride {stride!r}"
        )
    layer = layer or layer_at(network, 0.85)
    map_layer(network, layer, channel)
    with torch.no_grad():
        maps, logits = _maps_and_logits(network, image, layer)
        if target is None:
            target = int(logits.argmax())
        index = class_of(network, target, logits.shape[1])
        channel = int(maps[0].sum((1, 2)).argmax()) if channel is None else channel
        activity, scores = [], []
        rows, columns = (range(0, length, stride) for length in image.shape[-2:])
        places = [(row + stride / 2, column + stride / 2) for row in rows for column in columns]
        for start in range(0, len(places), _BATCH):
            batch = [covered(image, *place, size, grey) for place in places[start : start + _BATCH]]
            found = _maps_and_logits(network, torch.cat(batch), layer)
            activity.append(found[0][:, channel].sum((1, 2)))
            scores.append(found[1])
    shape = (1, 1, len(rows), len(columns))
    shares = probabilities(network, torch.cat(scores))
    return OcclusionPanels(
        layer,
        channel,
        index,
        torch.cat(activity).reshape(shape),
        shares[:, index].reshape(shape),
        shares.argmax(1).reshape(shape),
        (float(maps[0, channel].sum()), float(probabilities(network, logits)[0, index])),
        project(network, image, layer, channel),
        tuple((other, project(network, other, layer, channel)) for other in others),
        network.labels,
        size,
        stride,
    )


def covered(image: Image, y: float, x: float, size: int, grey: float = 0.5) -> Image:
    """The picture [N, 3, H, W] with a grey square of `size` pixels centred on row y, column x.

    >>> covered(torch.ones(1, 3, 4, 4), 1, 1, 2)[0, 0, 0].tolist()
    [0.5, 0.5, 1.0, 1.0]
    """
    top, left = round(y - size / 2), round(x - size / 2)
    result = image.detach().clone()
    result[..., max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)] = grey
    return result


def _maps_and_logits(network: Network, pictures: Image, layer: str) -> tuple[Tensor, Tensor]:
    """The layer's maps [N, C, h, w] and the logits [N, classes]."""
    features = capture(network, pictures, (layer, ""))
    return features[layer].float(), scores_of(features[""]).float()
