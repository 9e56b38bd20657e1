"""The deconvnet: one activation projected back to pixels, to show what it responds to.

Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013), keep one activation
of a layer, set all others to 0, and go down layer by layer: *unpool* (each value returns to the
place of its maximum, recorded on the way up), *rectify*, and *filter* with the same weights,
transposed.

Two of the three steps are those of backpropagation. The gradient of a max-pool passes each value
to the place of its maximum, and the gradient of a convolution is the transposed convolution
without the bias. (Where channels were concatenated the signal is split; where branches were added
it goes down both; where overlapping pools chose one cell twice the two values add up.) Only the
ReLU differs: its gradient passes what was positive on the way *up*, the deconvnet passes what is
positive on the way *down*. So a deconvnet is a backward pass with this one rule changed, and is
computed so here, for any network. BatchNorms are folded into convolutions, so a filter includes
the scale of its BatchNorm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.network import Network
from ..pictures.image import Image, check_image
from .arguments import map_layer
from .patches import SIDES, Patch, top_patches
from .relus import Rectifiers, rectified_back
from .sources import Pictures
from .support import Cell


@dataclass(frozen=True)
class Projection:
    """The projection of a patch's cell, `signal` [1, 3, h, w] of both signs, and the `patch`."""

    signal: Tensor
    patch: Patch


def project(
    network: Network,
    image: Image,
    layer: str,
    channel: int,
    cell: Cell | None = None,
    whole: bool = False,
) -> Tensor:
    """A channel's activation at one cell, projected down to each picture's pixels: [N, 3, H, W].

    The result has both signs: a brighter pixel raises the activation where it is positive and
    lowers it where it is negative (`dk.show.signed` shows it around grey). It is 0 everywhere if
    the cell is silent. To project an answer, use `deconvolution`.

    Args:
        image: the pictures [N, 3, H, W].
        layer: a layer with feature maps; KeyError if unknown, ValueError if it has none.
        channel: the channel's index; ValueError if out of range.
        cell: (row, column) in the map, in range (ValueError); by default each picture's strongest.
        whole: project the channel's whole map instead of one cell.

    >>> from dreamkit.networks.network import as_network
    >>> module = torch.nn.Sequential(torch.nn.MaxPool2d(2), torch.nn.ReLU())
    >>> network = as_network(module, (0, 0, 0), (1, 1, 1))
    >>> picture = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    >>> signal = project(network, picture, "1", 2)
    >>> signal.count_nonzero().item(), bool(signal.max() == picture[:, 2].max())
    (1, True)
    """
    check_image(image)
    map_layer(network, layer, channel)
    if whole and cell is not None:
        raise ValueError(f"cell must be None if whole is true; given: {cell}")
    picture = image.detach().clone().requires_grad_()
    with torch.enable_grad(), Rectifiers(rectified_back):
        features = capture(network, picture, layer)[layer]
    kept, map_ = torch.zeros_like(features), features.detach()[:, channel]
    kept[:, channel] = map_ if whole else _one_cell(map_, cell)
    return torch.autograd.grad(features, picture, kept)[0]


def top_projections(
    network: Network,
    layer: str,
    channel: int,
    pictures: Pictures = None,
    count: int = 9,
    widest: int | None = None,
    sides: Sequence[int] = SIDES,
) -> list[Projection]:
    """The projections of the up to `count` patches that excite a channel most, strongest first.

    The parameters are those of `dk.top_patches`. A signal has the size of its patch.
    """
    found = []
    for patch in top_patches(network, layer, channel, pictures, count, widest, sides):
        top, bottom, left, right = patch.box
        signal = project(network, patch.whole(), layer, channel, patch.cell)
        found.append(Projection(signal[..., top:bottom, left:right].clone(), patch))
    return found


def _one_cell(maps: Tensor, cell: Cell | None) -> Tensor:
    """The maps [N, h, w] with 0 everywhere but in `cell`, by default in each map's strongest."""
    (height, width), flat = maps.shape[1:], maps.flatten(1)
    if cell is None:
        place = flat.argmax(1, keepdim=True)
    elif 0 <= cell[0] < height and 0 <= cell[1] < width:
        index = cell[0] * width + cell[1]
        place = torch.full((len(maps), 1), index, device=maps.device)
    else:
        raise ValueError(
            f"cell {cell} is out of range: the map has {height} rows and {width} columns, from 0"
        )
    return torch.zeros_like(flat).scatter_(1, place, flat.gather(1, place)).view_as(maps)
