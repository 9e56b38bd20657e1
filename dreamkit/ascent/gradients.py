"""The gradient of a score with respect to the picture: whole, or put together from tiles."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor

from ..pictures.image import Image
from .constant_scores import cause_of_constant

Score: TypeAlias = Callable[[Image], Tensor]  #: A picture in, one number out.


def gradient(score: Score, image: Image) -> Tensor:
    """How the score changes with each value of the picture: d score / d image [N, 3, H, W].

    The picture is left untouched. Raises ValueError if it is not a floating-point tensor, if the
    score is not one number, or if the score does not depend on the picture, with the cause where
    it is known: `no_grad`, `detach`, quantisation, whole numbers.

    >>> gradient(lambda x: (x**2).sum(), torch.full((1, 3, 1, 1), 3.0)).flatten().tolist()
    [6.0, 6.0, 6.0]
    """
    if not isinstance(image, Tensor) or not image.is_floating_point():
        given = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(f"a gradient is taken at a floating-point picture; given: {given}")
    return value_and_gradient(score, image)[1]


def value_and_gradient(score: Score, image: Image) -> tuple[float, Tensor]:
    """The score of the picture and its `gradient`, from one forward and one backward pass.

    >>> value_and_gradient(lambda x: (x**2).sum(), torch.full((1, 3, 1, 1), 3.0))[0]
    27.0
    """
    with torch.enable_grad():
        leaf = image.detach().requires_grad_(True)
        value = score(leaf)
        if not isinstance(value, Tensor) or value.numel() != 1:
            given = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(f"a score must give one number (a scalar tensor); given: {given}")
        found = None
        if value.requires_grad:
            found = torch.autograd.grad(value.sum(), leaf, allow_unused=True)[0]
    if found is None:
        cause = cause_of_constant(score, image)
        raise ValueError("the score does not depend on the picture" + (cause and f": {cause}"))
    # One layout, whatever the network's: a sum rounds by its order, and blurs are quick along rows.
    return value.item(), found.detach().contiguous()


def tiled_gradient(score: Score, image: Image, tile: int, seed: int | None = None) -> Tensor:
    """The gradient [N, 3, H, W] put together from tiles, so that memory stays flat.

    The tiles have at most `tile` pixels a side and nearly equal sizes. Each is weighed by its share
    of the picture's area, so for a score that is a mean over points the result is the plain
    gradient. With a `seed` the picture is first rolled by a random shift (and the gradient rolled
    back), so that over many steps no seam stays in one place (Mordvintsev's TF1 notebook, 2016).
    Raises ValueError for a tile below 1 pixel.

    >>> picture = torch.full((1, 3, 2, 4), 0.5)
    >>> tiled_gradient(lambda x: x.square().mean(), picture, tile=3).unique().numel()
    1
    """
    if isinstance(tile, bool) or not isinstance(tile, numbers.Integral) or tile < 1:
        raise ValueError(f"tile is a side in pixels, a whole number of at least 1; given: {tile!r}")
    return shifted_tiles(score, image, tile, seed)


def shifted_tiles(
    score: Score, image: Image, tile: int, seed: int | None, shift: tuple[int, int] = (0, 0)
) -> Tensor:
    """`tiled_gradient` of the picture rolled by `shift`, rolled back, without a rolled copy."""
    height, width = image.shape[-2:]
    if seed is not None:
        generator = torch.Generator().manual_seed(seed)
        draw = lambda n: int(torch.randint(0, n, (), generator=generator))
        shift = (shift[0] + draw(height), shift[1] + draw(width))
    result = torch.empty_like(image)
    for top, bottom in cuts(height, tile):
        for left, right in cuts(width, tile):
            share = (bottom - top) * (right - left) / (height * width)
            rows = torch.arange(top, bottom, device=image.device) - shift[0]
            columns = torch.arange(left, right, device=image.device) - shift[1]
            here = (..., rows.remainder(height)[:, None], columns.remainder(width))
            result[here] = gradient(score, image[here]) * share
    return result


def cuts(length: int, most: int) -> list[tuple[int, int]]:
    """(start, end) of the fewest nearly equal parts of at most `most` that cover the length.

    >>> cuts(10, 4)
    [(0, 3), (3, 6), (6, 10)]
    """
    count = math.ceil(length / most)
    return list(pairwise(length * i // count for i in range(count + 1)))


def warn_if_silent(uphill: Tensor, score: Score) -> bool:
    """Whether the gradient is zero everywhere; if so, a warning names the score.

    Raises ValueError if the gradient holds NaN or infinite values.
    """
    name = getattr(score, "name", "the score")
    # A finite sum is proof enough; a sum can also overflow, so an infinite one is looked into.
    if not torch.isfinite(uphill.sum()) and not torch.isfinite(uphill).all():
        raise ValueError(f"the gradient of {name} holds NaN or infinite values: no dream from it")
    if uphill.any():
        return False
    warnings.warn(
        f"{name} is silent: its gradient is zero everywhere, so the picture does not change; "
        "try another layer, channel or picture",
        UserWarning,
        stacklevel=3,
    )
    return True
