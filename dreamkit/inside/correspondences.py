"""Correspondence: whether hiding the same part, such as an eye, changes a layer alike everywhere.

After figure 8 and table 1 of Zeiler & Fergus, "Visualizing and understanding convolutional
networks" (2013). `boxes` are always one for all pictures [N, 3, H, W] or one for each.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.network import Network
from ..pictures.image import Image, check_image
from .arguments import check_count

Box = tuple[int, int, int, int]  # (top, bottom, left, right), bottom and right not included


def masked(images: Image, boxes: Box | Sequence[Box], value: float = 0.5) -> Image:
    """The pictures [N, 3, H, W], each with a box of pixels set to `value`.

    Raises ValueError for a box that is empty or leaves the picture.

    >>> masked(torch.zeros(1, 3, 2, 3), (0, 1, 1, 3))[0, 0].tolist()
    [[0.0, 0.5, 0.5], [0.0, 0.0, 0.0]]
    """
    check_image(images)
    each = [boxes] * len(images) if isinstance(boxes[0], int) else list(boxes)
    check_count("boxes", each, len(images))
    result, (height, width) = images.detach().clone(), images.shape[-2:]
    for picture, (top, bottom, left, right) in zip(result, each, strict=True):
        if not (0 <= top < bottom <= height and 0 <= left < right <= width):
            raise ValueError(
                f"a box must be (top, bottom, left, right) inside {height}×{width}; "
                f"given: {(top, bottom, left, right)}"
            )
        picture[:, top:bottom, left:right] = value
    return result


def sign_changes(
    network: Network, images: Image, boxes: Box | Sequence[Box], layer: str, pooled: bool = False
) -> Tensor:
    """The sign (-1, 0 or 1) of each feature's fall when the boxes are `masked`, [N, D].

    `pooled` averages a map over its cells first, so that the place of the box does not count.
    Raises KeyError for an unknown layer.
    """
    with torch.no_grad():
        before, after = (
            capture(network, picture, [layer])[layer].double()
            for picture in (images, masked(images, boxes))
        )
    fall = before - after
    return (fall.flatten(2).mean(2) if pooled and fall.dim() > 2 else fall.flatten(1)).sign()


def hamming(signs: Tensor) -> float:
    """The share of components in which two rows of [N, D] differ, averaged over all pairs.

    >>> hamming(torch.tensor([[1.0, -1.0], [1.0, 1.0], [1.0, 0.0]]))
    0.5
    """
    if signs.dim() != 2 or len(signs) < 2:
        raise ValueError(
            f"signs must be [N, D] of at least two pictures; given: {list(signs.shape)}"
        )
    first, second = torch.triu_indices(len(signs), len(signs), 1)
    return float((signs[first] != signs[second]).double().mean())


def correspondence(
    network: Network, images: Image, boxes: Box | Sequence[Box], layer: str, pooled: bool = False
) -> float:
    """The mean Hamming distance between the `sign_changes` of the pictures.

    It is low if the boxes hide the same part in every picture and the layer responds to that part
    alike; compare it with boxes at random places. The parameters are those of `sign_changes`.
    """
    return hamming(sign_changes(network, images, boxes, layer, pooled))
