"""Blurs along the rows and columns of a picture, and the two of a pyramid: `halve` and `enlarge`.

A blur is a sum of shifted pictures. For three channels and short kernels this is several times
faster than a convolution, which libraries write for many channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
DOWN, ACROSS = -2, -1  # the axes


def correlate(padded: Tensor, kernel: Sequence[float], axis: int, step: int = 1) -> Tensor:
    """The picture [N, C, H, W] blurred along one axis by a symmetric kernel of odd length.

    It becomes shorter by the kernel's length less one; with a step of 2, every second pixel is
    left out.

    >>> correlate(torch.tensor([[[[0.0, 0.0, 4.0, 0.0]]]]), (0.25, 0.5, 0.25), ACROSS).tolist()
    [[[[1.0, 2.0]]]]
    """
    last, middle = len(kernel) - 1, len(kernel) // 2
    reach = padded.shape[axis] - last

    def shifted(by: int) -> Tensor:
        part = padded.narrow(axis, by, reach)
        return part[..., ::step, :] if axis == DOWN else part[..., ::step]

    result = shifted(middle) * kernel[middle]
    for place in range(middle):
        # multiplied and added one after the other: fused, some places would round otherwise
        result.add_((shifted(place) + shifted(last - place)).mul_(kernel[place]))
    return result


def halve(image: Tensor) -> Tensor:
    """Every second pixel of the picture [N, C, H, W], blurred by the binomial kernel 1 4 6 4 1.

    >>> halve(torch.ones(1, 1, 5, 4)).unique().tolist(), halve(torch.ones(1, 1, 5, 4)).shape
    ([1.0], torch.Size([1, 1, 3, 2]))
    """
    return halve_padded(mirror_pad(image, 2, 2))


def halve_padded(padded: Tensor) -> Tensor:
    """`halve` of a picture that has two more pixels on each side already."""
    return correlate(correlate(padded, BINOMIAL, DOWN, 2), BINOMIAL, ACROSS, 2)


def enlarge(small: Tensor, like: Tensor) -> Tensor:
    """`small` at the size of `like`, twice its own.

    The same as zeros between the pixels, blurred away by the binomial kernel 1 4 6 4 1, where each
    pixel is divided by what its neighbours in the picture weigh: a flat picture stays flat.

    >>> enlarge(torch.ones(1, 1, 3, 2), torch.empty(1, 1, 5, 4)).unique().tolist()
    [1.0]
    """
    height, width = like.shape[-2:]
    return _twice(_twice(small, width, ACROSS), height, DOWN)


def _twice(small: Tensor, length: int, axis: int) -> Tensor:
    """`enlarge` along one axis.

    Of the kernel, a pixel at an even place meets 1 6 1, one at an odd place 4 4.
    """
    count = small.shape[axis]
    margin = (0, 0, 1, 1) if axis == DOWN else (1, 1)
    padded = F.pad(small, margin)
    before, after = padded.narrow(axis, 0, count), padded.narrow(axis, 2, count)
    weights = small.new_full((count,), 8.0)
    halves = small.new_full((count,), 2.0)
    weights[0] -= 1
    weights[-1] -= 1
    halves[-1] -= 1
    if axis == DOWN:
        weights, halves = weights[:, None], halves[:, None]
    even = (before + after).add_(small * 6).div_(weights)
    odd = (small + after).div_(halves)
    twice = torch.stack((even, odd), axis).flatten(axis - 1, axis)
    return twice.narrow(axis, 0, length)


def mirror_pad(image: Tensor, rows: int, columns: int) -> Tensor:
    """The picture continued by its mirror image on each side, without repeating the border pixel.

    Unlike `torch.nn.functional.pad`, it takes margins of any length.
    """
    if rows < image.shape[-2] and columns < image.shape[-1] and image.dim() == 4:
        return F.pad(image.contiguous(), (columns, columns, rows, rows), mode="reflect")
    down = mirror(image.shape[-2], rows, image)
    across = mirror(image.shape[-1], columns, image)
    return image[..., down, :][..., across]


def mirror(
    length: int, margin: int, like: Tensor, start: int = 0, end: int | None = None
) -> Tensor:
    """The indices of a mirrored line: from `start` to `end`, and `margin` more on both sides.

    The line has `length` pixels and is mirrored at its ends: 0 1 2 becomes … 2 1 0 1 2 1 0 ….
    """
    end = length if end is None else end
    index = torch.arange(start - margin, end + margin, device=like.device)
    if length == 1:
        return torch.zeros_like(index)
    index = index.remainder(2 * (length - 1))  # two lines make one period
    return torch.where(index < length, index, 2 * (length - 1) - index)
