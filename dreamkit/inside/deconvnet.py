"""The deconvnet: one activation projected back down to pixels, to see what of the picture it answers to.

Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013), keep one activation of a layer, set all
others to 0, and go down layer by layer: *unpool* (each value goes back to the place its maximum came from, which the
way up has recorded), *rectify*, and *filter* with the same weights, transposed.

Two of the three steps are what backpropagation does anyway. The gradient of a max-pool hands each value to the place of
its maximum; the gradient of a convolution is the transposed convolution, without the bias. (Where channels were joined
the signal is split, where paths were added up it goes down both, and where overlapping pools chose one cell twice the two
values add up.) The third differs: a ReLU's gradient lets pass what *came up* positive, the deconvnet lets pass what comes
*down* positive. So a deconvnet is a backward pass with that one rule changed, and that is how it is worked out here, for
any network. The networks' BatchNorms are folded, so a filter has its BatchNorm's scale in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.layers import layer_info
from ..networks.network import Network
from ..networks.receptive import Field
from ..pictures.image import Image, check_image
from .patches import SIDES, Patch, top_patches
from .relus import Rectifiers, rectified_back

Cell = tuple[int, int]


@dataclass(frozen=True)
class Projection:
    """An activation seen in pixels: `signal` [1, 3, h, w], of both signs, beside the `patch` whose pixels it is about."""

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
    """[N, 3, H, W]: the channel's activation at `cell` (row, column) projected down to the pixels of each picture.

    By default it is the strongest cell of each picture; with `whole`, the channel's whole map is kept. Numbers have
    both signs: above 0 where a brighter pixel belongs to what the cell answers to, below where a darker one does
    (`dk.show.signed` shows them about grey). All 0 where the cell is silent. KeyError for an unknown layer, ValueError for
    a layer without maps, or a channel or cell that is not there.

    >>> from dreamkit.networks.network import as_network
    >>> network = as_network(
    ...     torch.nn.Sequential(torch.nn.MaxPool2d(2), torch.nn.ReLU()), (0, 0, 0), (1, 1, 1)
    ... )
    >>> picture = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    >>> signal = project(network, picture, "1", 2)
    >>> signal.count_nonzero().item(), bool(signal.max() == picture[:, 2].max())
    (1, True)
    """
    check_image(image)
    _check_channel(network, layer, channel)
    if whole and cell is not None:
        raise ValueError("either one cell is projected or the whole map; given: both")
    picture = image.detach().clone().requires_grad_()
    with torch.enable_grad(), Rectifiers(rectified_back):
        features = capture(network, picture, layer)[layer]
    kept = torch.zeros_like(features)
    kept[:, channel] = _kept(features.detach()[:, channel], cell, whole)
    return torch.autograd.grad(features, picture, kept)[0]


def top_projections(
    network: Network,
    layer: str,
    channel: int,
    pictures: str | PathLike[str] | Sequence[Image] | None = None,
    count: int = 9,
    widest: int | None = None,
    sides: Sequence[int] = SIDES,
) -> list[Projection]:
    """The up to `count` patches that excite a channel most, as `dk.top_patches` finds them, each with its cell's Projection.

    A signal has the size of its patch. Only the part of a picture that the cell sees goes through the network again, cut
    so that nothing changes for the cell.
    """
    field = layer_info(network, layer).field if layer else None
    found = []
    for patch in top_patches(network, layer, channel, pictures, count, widest, sides):
        picture = patch.whole()
        (top, bottom, left, right), cell = window(field, patch.cell, patch.size)
        signal = project(network, picture[..., top:bottom, left:right], layer, channel, cell)
        found.append(Projection(_cut(signal, (top, left), patch.box), patch))
    return found


def window(
    field: Field | None, cell: Cell, size: tuple[int, int]
) -> tuple[tuple[int, int, int, int], Cell]:
    """The least part (top, bottom, left, right) of a picture that leaves a cell as it is, and where the cell lies in its map.

    The part begins a whole number of strides into the picture, so that all layers' cells lie on the same grid.

    >>> window(Field((7, 7), (4, 4), (-3, -3)), (3, 0), (40, 40))
    ((8, 16, 0, 4), (1, 0))
    """
    if field is None:
        return (0, size[0], 0, size[1]), cell
    box, parts, moved = field.box(*cell), [], []
    for axis, (length, stride) in enumerate(zip(size, field.stride, strict=True)):
        first, last = box[2 * axis : 2 * axis + 2]
        start = (
            max(0, min(first, length - 2 * stride)) // stride * stride
        )  # a part too thin for the layer is no use
        end = -(-min(length, last) // stride) * stride
        parts += [start, min(length, end)]
        moved.append(cell[axis] - start // stride)
    return tuple(parts), tuple(moved)


def _kept(values: Tensor, cell: Cell | None, whole: bool) -> Tensor:
    """The maps [N, h, w] with all but the cell set to 0."""
    if whole:
        return values
    kept, (height, width) = torch.zeros_like(values), values.shape[1:]
    if cell is not None and not (0 <= cell[0] < height and 0 <= cell[1] < width):
        raise ValueError(
            f"cell {cell} is out of range: for this picture the map has {height} rows and {width} columns, from 0"
        )
    places = (
        values.flatten(1).argmax(1)
        if cell is None
        else torch.full((len(values),), cell[0] * width + cell[1])
    )
    for one, map_, place in zip(kept, values, places.tolist(), strict=True):
        one[divmod(place, width)] = map_[divmod(place, width)]
    return kept


def _cut(signal: Tensor, start: Cell, box: tuple[int, int, int, int]) -> Tensor:
    """The part of the signal, which begins at `start` of its picture, that lies in `box`; 0 where the box reaches beyond it."""
    cut = signal.new_zeros(1, 3, box[1] - box[0], box[3] - box[2])
    (top, bottom), (left, right) = (
        (max(box[2 * a], start[a]), min(box[2 * a + 1], start[a] + signal.shape[2 + a]))
        for a in (0, 1)
    )
    cut[..., top - box[0] : bottom - box[0], left - box[2] : right - box[2]] = signal[
        ..., top - start[0] : bottom - start[0], left - start[1] : right - start[1]
    ]
    return cut


def _check_channel(network: Network, layer: str, channel: int) -> None:
    info = layer_info(network, layer) if layer else None
    if info is None or not info.is_map:
        raise ValueError(
            f"{f'layer {layer!r}' if layer else 'the network itself'} has no feature maps to project; "
            "for an answer, see dk.inside.deconvolution"
        )
    if (
        isinstance(channel, bool)
        or not isinstance(channel, int)
        or not 0 <= channel < info.channels
    ):
        raise ValueError(
            f"channel {channel!r} is out of range: {layer!r} has {info.channels}, from 0 to {info.channels - 1}"
        )
