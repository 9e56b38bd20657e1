"""The verbs on a gradient: each is one idea of DeepDream, and each can be tried without a network.

>>> picture = torch.full((1, 3, 4, 4), 0.5)
>>> uphill = gradient(lambda x: x.square().sum(), picture)
>>> ascend(picture, normalize(uphill, by="mean_abs"), 0.1)[0, 0, 0, 0].item()
0.6000000238418579
"""

from __future__ import annotations

import itertools
import math
import numbers
import operator
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from ..pictures.image import Image
from ..pictures.scales import laplacian_merge, laplacian_split, mirror

Score: TypeAlias = Callable[[Image], Tensor]  # a picture in, one number out

NORMS = ("std", "mean_abs", "standardize", "rms")
_STRIP = (
    2**22
)  # values of a picture that are worked on at a time, where a whole copy would be one too many
_ROUNDING = 16  # times the dtype's epsilon: a deviation below that share of the largest value is rounding, not signal


def gradient(score: Score, image: Image) -> Tensor:
    """D score / d image [N, 3, H, W]: how the score would change with each value of the picture, which is left untouched.

    Raises ValueError where the picture is no floating tensor, or the score is not one number or does not depend on the picture.

    >>> gradient(lambda x: (x**2).sum(), torch.full((1, 3, 1, 1), 3.0)).flatten().tolist()
    [6.0, 6.0, 6.0]
    """
    if not isinstance(image, Tensor) or not image.is_floating_point():
        given = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(
            f"a gradient is taken at a picture of floating-point values; given: {given}"
        )
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
        found = (
            torch.autograd.grad(value.sum(), leaf, allow_unused=True)[0]
            if value.requires_grad
            else None
        )
    if found is None:
        raise ValueError("the score does not depend on the picture")
    overlapping = 0 in found.stride()  # of a sum: one number, seen everywhere
    return value.item(), found.detach().clone() if overlapping else found.detach()


def tiled_gradient(score: Score, image: Image, tile: int, seed: int | None = None) -> Tensor:
    """The gradient [N, 3, H, W] put together from tiles of at most `tile` pixels a side: memory stays flat as the picture grows.

    The tiles are of nearly equal size, and each counts by its share of the picture's area, so that for a score that
    is a mean over points the result is the plain gradient. With a `seed` the picture is first rolled by a random
    shift (and the gradient rolled back), so that over many steps no seam stays in one place
    (Mordvintsev's TF1 notebook, 2016). ValueError for a tile below 1 pixel; a network's score says so itself where
    a tile is too small for its layer.

    >>> tiled_gradient(
    ...     lambda x: x.square().mean(), torch.full((1, 3, 2, 4), 0.5), tile=3
    ... ).unique().numel()
    1
    """
    if isinstance(tile, bool) or not isinstance(tile, numbers.Integral) or tile < 1:
        raise ValueError(f"tile is a side in pixels, a whole number of at least 1; given: {tile!r}")
    return rolled_tiles(score, image, tile, seed)


def rolled_tiles(
    score: Score, image: Image, tile: int, seed: int | None, jitter: tuple[int, int] = (0, 0)
) -> Tensor:
    """`tiled_gradient` of the picture rolled by `jitter`, rolled back; no rolled copy is ever made."""
    height, width = image.shape[-2:]
    shift = jitter
    if seed is not None:
        generator = torch.Generator().manual_seed(seed)
        shift = tuple(
            by + int(torch.randint(0, n, (), generator=generator))
            for by, n in zip(jitter, (height, width), strict=True)
        )
    result = torch.empty_like(image)
    for top, bottom in _cuts(height, tile):
        for left, right in _cuts(width, tile):
            share = (bottom - top) * (right - left) / (height * width)
            # The rolled picture's tile, without a rolled copy of the whole.
            rows = (torch.arange(top, bottom, device=image.device) - shift[0]).remainder(height)[
                :, None
            ]
            columns = (torch.arange(left, right, device=image.device) - shift[1]).remainder(width)
            result[..., rows, columns] = gradient(score, image[..., rows, columns]) * share
    return result


def normalize(
    gradient: Tensor, by: str = "std", epsilon: float = 0.0, least: float = 0.0
) -> Tensor:
    """The gradient [N, C, H, W] divided by its own size, for each picture of the batch by itself.

    `by`: "std" (TensorFlow's tutorial), "mean_abs" (Caffe's mean of |g|), "rms", or "standardize", which also takes
    the mean away and divides by the unbiased deviation (PyTorch's). `epsilon` is added to the divisor, which is
    then at least `least`. However small or large the values are, the result is the same; a gradient without size
    (zero everywhere, or for a deviation the same everywhere) is not divided. ValueError for another `by`.

    >>> normalize(torch.tensor([[[[3.0, -1.0]]]]), by="mean_abs").tolist()
    [[[[1.5, -0.5]]]]
    """
    if by not in NORMS:
        raise ValueError(f"by must be one of {', '.join(NORMS)}; given: {by!r}")
    return normalize_(gradient.clone(), by, epsilon, least)


def normalize_(
    gradient: Tensor, by: str = "std", epsilon: float = 0.0, least: float = 0.0
) -> Tensor:
    """`normalize` in place, for pictures of which memory holds only a few: the gradient itself, divided."""
    for one in gradient:
        size = (_size(one, by) + epsilon).clamp(min=least)
        if by == "standardize":
            one -= one.mean()
        one /= torch.where(size > 0, size, 1)
    return gradient


def _size(one: Tensor, by: str) -> Tensor:
    """The size of one picture's gradient [C, H, W], found strip by strip; 0 where it holds rounding errors only."""
    low, high = one.aminmax()
    peak = torch.maximum(-low, high)
    scaled = lambda strip: (
        one[..., slice(*strip), :] / torch.where(peak > 0, peak, 1)
    )  # squares of 1e-30 would vanish in float32
    strips = _cuts(one.shape[-2], max(1, _STRIP // (one.shape[0] * one.shape[-1])))
    shares = [(bottom - top) / one.shape[-2] for top, bottom in strips]
    if by in ("mean_abs", "rms"):
        found = [
            scaled(strip).abs().mean() if by == "mean_abs" else scaled(strip).square().mean()
            for strip in strips
        ]
        size = sum(share * value for share, value in zip(shares, found, strict=True))
        size = size.sqrt() if by == "rms" else size
    elif len(strips) == 1:
        size = scaled(strips[0]).std(correction=int(by == "standardize"))
    else:  # the spread within the strips, and that of their means
        found = [torch.var_mean(scaled(strip), correction=0) for strip in strips]
        mean = sum(share * m for share, (_, m) in zip(shares, found, strict=True))
        variance = sum(
            share * (v + (m - mean).square()) for share, (v, m) in zip(shares, found, strict=True)
        )
        count = one.numel()
        size = (variance * (count / (count - 1) if by == "standardize" else 1)).sqrt()
    return torch.where(size > _ROUNDING * torch.finfo(size.dtype).eps, size * peak, 0)


def smooth(gradient: Tensor, sigma: float, radius: int | None = None) -> Tensor:
    """The gradient [N, C, H, W] blurred by a Gaussian of standard deviation `sigma` pixels, mirrored at the borders.

    Equals `scipy.ndimage.gaussian_filter(g, sigma, mode="mirror", truncate=4)` along height and width. Sigma 0 changes nothing.
    The kernel reaches `radius` pixels to each side, by default four deviations.

    >>> smooth(torch.ones(1, 1, 5, 5), 0.5).mean().round(decimals=4).item()
    1.0
    """
    if not (sigma >= 0 and math.isfinite(sigma)):
        raise ValueError(f"sigma is in pixels, 0 or more; given: {sigma!r}")
    if radius is not None and (
        isinstance(radius, bool) or not isinstance(radius, numbers.Integral) or radius < 0
    ):
        raise ValueError(f"radius is in pixels, a whole number, 0 or more; given: {radius!r}")
    return smooth_(gradient.clone(), sigma, radius) if sigma else gradient


def smooth_(gradient: Tensor, sigma: float, radius: int | None = None) -> Tensor:
    """`smooth` in place, strip by strip, for pictures of which memory holds only a few: the gradient itself, blurred."""
    if sigma == 0:
        return gradient
    radius = int(4 * sigma + 0.5) if radius is None else radius
    offsets = torch.arange(-radius, radius + 1, dtype=gradient.dtype, device=gradient.device)
    kernel = torch.softmax(
        -0.5 * (offsets / sigma).square(), 0
    )  # a Gaussian whose weights sum to 1
    channels, height, width = gradient.shape[1:]
    down, across = (
        kernel.view(1, 1, *shape).expand(channels, -1, -1, -1) for shape in ((-1, 1), (1, -1))
    )
    done = []
    for top, bottom in _cuts(height, max(radius + 1, _STRIP // (channels * width))):
        padded = gradient[..., mirror(height, radius, gradient, top, bottom), :][
            ..., mirror(width, radius, gradient)
        ]
        done.append(
            (
                top,
                bottom,
                F.conv2d(F.conv2d(padded, down, groups=channels), across, groups=channels),
            )
        )
        if len(done) > 1:  # the strip below has seen what this one was, so now it may change
            _lay(gradient, *done.pop(0))
    _lay(gradient, *done.pop())
    return gradient


def _lay(gradient: Tensor, top: int, bottom: int, strip: Tensor) -> None:
    gradient[..., top:bottom, :] = strip


def smooth_laplacian(gradient: Tensor, levels: int = 4) -> Tensor:
    """The gradient [N, C, H, W] with every band of its Laplacian pyramid brought to the same strength (RMS 1), then merged.

    Fine detail no longer drowns the coarse shapes (Mordvintsev's TF1 notebook, 2016). A silent band stays silent.
    ValueError for levels below 0.

    >>> g = torch.rand(1, 3, 9, 7)
    >>> torch.allclose(smooth_laplacian(g, levels=0), normalize(g, by="rms"))
    True
    """
    over = tuple(range(1, gradient.dim()))
    least = _ROUNDING * torch.finfo(gradient.dtype).eps * gradient.abs().amax(over, keepdim=True)
    bands = laplacian_split(gradient, levels)
    loud = [
        band.abs().amax(over, keepdim=True) > least for band in bands
    ]  # the others hold rounding errors only
    return laplacian_merge(
        [
            torch.where(heard, normalize(band, by="rms"), 0)
            for heard, band in zip(loud, bands, strict=True)
        ]
    )


def roll(image: Image, shift: tuple[int, int]) -> Image:
    """The picture moved by (dy, dx) pixels; what leaves at one border comes in at the other.

    >>> roll(torch.tensor([[[[1, 2, 3]]]]), (0, 1)).tolist()
    [[[[3, 1, 2]]]]
    """
    try:
        dy, dx = (operator.index(n) for n in shift)
    except (TypeError, ValueError):
        raise ValueError(
            f"a shift is two whole numbers (dy, dx), in pixels; given: {shift!r}"
        ) from None
    return image.roll((dy, dx), dims=(-2, -1)) if dy or dx else image


def roll_(image: Image, shift: tuple[int, int]) -> Image:
    """`roll` in place, channel by channel, for pictures of which memory holds only a few."""
    if any(shift):
        for picture in image:  # not of `flatten(0, 1)`, which copies a channels-last batch
            for channel in picture:
                channel.copy_(channel.roll(shift, dims=(-2, -1)))
    return image


def ascend(image: Image, direction: Tensor, step_size: float, clip: bool = True) -> Image:
    """The picture after one step: image + step_size * direction, clamped to [0, 1] unless `clip` is False.

    >>> ascend(torch.tensor([[[[0.5, 1.0]]]]), torch.tensor([[[[1.0, 1.0]]]]), 0.25).tolist()
    [[[[0.75, 1.0]]]]
    """
    stepped = torch.add(image, direction, alpha=step_size)
    return stepped.clamp_(0, 1) if clip else stepped


def ascend_from(image: Image, direction: Tensor, step_size: float) -> Image:
    """`ascend` into the memory of the direction, which is lost."""
    return torch.add(image, direction, alpha=step_size, out=direction).clamp_(0, 1)


def _cuts(length: int, tile: int) -> list[tuple[int, int]]:
    count = math.ceil(length / tile)
    edges = [length * i // count for i in range(count + 1)]
    return list(itertools.pairwise(edges))
