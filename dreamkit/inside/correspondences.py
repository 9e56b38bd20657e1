"""Does a network know that your eyes correspond to mine? The same part is covered in several pictures, and the changes are compared.

After figure 8 and table 1 of Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.network import Network
from ..pictures.image import Image, check_image

Box = tuple[int, int, int, int]


def masked(images: Image, boxes: Box | Sequence[Box], value: float = 0.5) -> Image:
    """The pictures [N, 3, H, W], each with a rectangle of it painted grey: (top, bottom, left, right), bottom and right not included.

    `boxes` is one for all pictures, or one each. ValueError for a box that holds nothing or leaves the picture.

    >>> masked(torch.zeros(1, 3, 2, 3), (0, 1, 1, 3))[0, 0].tolist()
    [[0.0, 0.5, 0.5], [0.0, 0.0, 0.0]]
    """
    check_image(images)
    each = [boxes] * len(images) if isinstance(boxes[0], int) else list(boxes)
    if len(each) != len(images):
        raise ValueError(
            f"one box for all pictures, or one each: there are {len(images)} pictures; given: {len(each)} boxes"
        )
    result, (height, width) = images.detach().clone(), images.shape[-2:]
    for picture, (top, bottom, left, right) in zip(result, each, strict=True):
        if not (0 <= top < bottom <= height and 0 <= left < right <= width):
            raise ValueError(
                f"a box is (top, bottom, left, right) inside {height}×{width}; given: {(top, bottom, left, right)}"
            )
        picture[:, top:bottom, left:right] = value
    return result


def sign_changes(
    network: Network, images: Image, boxes: Box | Sequence[Box], layer: str, pooled: bool = False
) -> Tensor:
    """In which direction each feature goes as the box is covered: the sign [N, D], -1, 0 or 1, of (before - after).

    `pooled` averages a map over its cells first: then it no longer matters where in the picture the box lies.
    """
    with torch.no_grad():
        before, after = (
            capture(network, picture, [layer])[layer].double()
            for picture in (images, masked(images, boxes))
        )
    change = before - after
    return (change.flatten(2).mean(2) if pooled and change.dim() > 2 else change.flatten(1)).sign()


def hamming(signs: Tensor) -> float:
    """The share of components in which two rows of [N, D] differ, on average over all pairs: 0 where all rows agree.

    >>> hamming(torch.tensor([[1.0, -1.0], [1.0, 1.0], [1.0, 0.0]]))
    0.5
    """
    if signs.dim() != 2 or len(signs) < 2:
        raise ValueError(
            f"signs are compared between at least two pictures, [N, D]; given: {list(signs.shape)}"
        )
    first, second = torch.triu_indices(len(signs), len(signs), 1)
    return float((signs[first] != signs[second]).double().mean())


def correspondence(
    network: Network, images: Image, boxes: Box | Sequence[Box], layer: str, pooled: bool = False
) -> float:
    """How differently covering the boxes changes the layer from picture to picture: the mean Hamming distance of the signs of change.

    Low where the same part is covered in every picture and the layer answers to that part alike; compare with boxes laid at
    random. KeyError for an unknown layer.
    """
    return hamming(sign_changes(network, images, boxes, layer, pooled))
