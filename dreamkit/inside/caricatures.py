"""Caricatures: what a layer keeps of a photo, exaggerated and drawn from noise."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor

from ..ascent.fourier import Crops, Prior, growing
from ..networks.features import capture
from ..networks.network import Network
from ..objectives.formulas import towards
from ..pictures.image import Image
from .neuron_group import one_map


def caricature_picture(
    network: Network,
    photo: Image,
    layer: str,
    steps: int = 120,
    cosine: float = 1,
    seed: int = 0,
) -> Image:
    """A picture, grown from noise, that exaggerates the features of a photo of its size.

    Picture and photo [1, 3, H, W] are seen in the same random crops, and in each, every cell of the
    picture's map moves towards the photo's (`dk.caricature`; Olah et al., "The Building Blocks of
    Interpretability", 2018). What the layer does not keep, the caricature does not show.

    Args:
        network: the network.
        photo: one photo; about 200 pixels a side are enough.
        layer: a layer with a feature map.
        steps: number of steps of Adam.
        cosine: the power of the cosine in the score.
        seed: of the noise and of the random views.

    Raises KeyError for an unknown layer, ValueError for several photos or a layer without a map.
    """
    return deque(growing_caricature(network, photo, layer, steps, cosine, seed), maxlen=1).pop()


def growing_caricature(
    network: Network,
    photo: Image,
    layer: str,
    steps: int = 120,
    cosine: float = 1,
    seed: int = 0,
) -> Iterator[Image]:
    """The pictures [1, 3, H, W] of a caricature after each step."""
    one_map(network, photo, layer)  # refuses what has no map
    height, width = photo.shape[-2:]

    def score(both: Image) -> Tensor:
        values = capture(network, both[:1], layer)[layer]
        with torch.no_grad():
            wanted = capture(network, both[1:], layer)[layer]
        return towards(values, wanted, cosine).mean()

    return growing(
        score,
        height,
        width,
        steps,
        0.06,
        Crops(max(64, round(0.7 * min(height, width))), 0.5, 1.0, 8),
        seed,
        prior=Prior(1.1, limits=(0.03, 0.4)),
        noise=0.1,
        cosine=True,
        beside=photo,
    )
