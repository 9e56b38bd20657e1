"""The steps of a dream in less memory, for pictures above a megapixel.

The same verbs as in `steps`, in place and strip by strip: a poster of 8192×8192 pixels takes
0.8 GB, so memory has room for two or three of them. Up to one strip the results have the same
bytes as the plain verbs; above, a standard deviation is summed in another order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..pictures.drawing import draw_seed
from ..pictures.filters import ACROSS, DOWN, correlate, enlarge, halve_padded, mirror
from ..pictures.image import Image
from ..pictures.scales import octave_sizes, resize
from . import memory
from .gradients import Score, cuts, gradient, shifted_tiles, warn_if_silent
from .settings import Settings
from .steps import (
    ROUNDING,
    draw_shift,
    gaussian,
    roll,
    scale_chroma,
    scaled_to_one,
    unless_rounding,
)

STRIP = 2**22  # values of a picture that are worked on at a time


def dream_steps(score: Score, image: Image, settings: Settings) -> Iterator[Image]:
    """`loop._dream_steps`, which drops what is no longer needed as early as it can."""
    generator = torch.Generator().manual_seed(settings.seed)
    silent, base, picture = False, None, None
    sizes = octave_sizes(*image.shape[-2:], settings.octaves, settings.octave_ratio)
    for octave, size in enumerate(sizes, 1):
        detail = None if picture is None else picture - base
        base = picture = resize(image, size)
        if detail is not None:
            picture = resize(detail, size).add_(base).clamp_(0, 1)
        if octave == len(sizes):
            del image, base
        del detail
        for _ in range(settings.steps):
            shift = dy, dx = draw_shift(settings.jitter, generator)
            if settings.tile:
                seed = draw_seed(generator)
                uphill = roll_(shifted_tiles(score, picture, settings.tile, seed, shift), shift)
            else:
                uphill = gradient(score, roll(picture, shift))
            silent = silent or warn_if_silent(uphill, score)
            if settings.laplacian:
                uphill = smooth_laplacian_(uphill, settings.laplacian)
            uphill = scale_chroma_(uphill, settings.chroma)
            uphill = roll_(normalize_(smooth_(uphill, settings.smoothing)), (-dy, -dx))
            picture = ascend_into(uphill, picture, settings.step_size)
            del uphill
            yield picture
    memory.hand_back()


def ascend_into(direction: Tensor, image: Image, step_size: float) -> Image:
    """`ascend` that writes its result over the direction."""
    return torch.add(image, direction, alpha=step_size, out=direction).clamp_(0, 1)


def roll_(image: Image, shift: tuple[int, int]) -> Image:
    """`roll` in place: first down in strips of columns, then across in strips of rows."""
    for along, across in ((-2, -1), (-1, -2)):
        if shift[along] % image.shape[along]:
            most = max(1, STRIP // (image.shape[along] * image.shape[1]))
            for start, end in cuts(image.shape[across], most):
                strip = image.narrow(across, start, end - start)
                strip.copy_(strip.roll(shift[along], dims=along))
    return image


def smooth_(gradient: Tensor, sigma: float) -> Tensor:
    """`smooth` in place, strip by strip."""
    if sigma == 0:
        return gradient
    kernel = gaussian(sigma)
    radius = len(kernel) // 2
    channels, height, width = gradient.shape[1:]
    waiting = None
    for top, bottom in cuts(height, max(radius + 1, STRIP // (channels * width))):
        rows = gradient[..., mirror(height, radius, gradient, top, bottom), :]
        padded = rows[..., mirror(width, radius, gradient)]
        strip = correlate(correlate(padded, kernel, DOWN), kernel, ACROSS)
        if waiting is not None:  # one strip late: this strip has read the original rows
            gradient[..., waiting[0], :] = waiting[1]
        waiting = slice(top, bottom), strip
    gradient[..., waiting[0], :] = waiting[1]
    return gradient


def scale_chroma_(gradient: Tensor, share: float) -> Tensor:
    """`scale_chroma` in place, strip by strip."""
    if share != 1:
        channels, height, width = gradient.shape[1:]
        for top, bottom in cuts(height, max(1, STRIP // (channels * width))):
            rows = gradient[..., top:bottom, :]
            rows.copy_(scale_chroma(rows, share))
    return gradient


def smooth_laplacian_(gradient: Tensor, levels: int) -> Tensor:
    """`smooth_laplacian` in place: the finest band lies in the gradient's own memory."""
    least = ROUNDING * torch.finfo(gradient.dtype).eps * _peaks(gradient)
    return _even_bands_(gradient, levels, least)


def _even_bands_(image: Tensor, levels: int, least: Tensor) -> Tensor:
    if levels:
        small = _halve(image)
        _add_enlarged_(image, small, -1)
    for one, loud in zip(image, _peaks(image) > least, strict=True):
        one /= _rms(one)
        one *= loud
    if levels:
        _add_enlarged_(image, _even_bands_(small, levels - 1, least), 1)
    return image


def _halve(image: Tensor) -> Tensor:
    """`halve`, strip by strip."""
    height, parts = image.shape[-2], []
    for top, bottom in _half_strips(image):
        rows = mirror(height, 2, image, 2 * top, min(2 * bottom, height))
        padded = image[..., rows, :][..., mirror(image.shape[-1], 2, image)]
        parts.append(halve_padded(padded))
    return parts[0] if len(parts) == 1 else torch.cat(parts, -2)


def _add_enlarged_(image: Tensor, small: Tensor, sign: int) -> None:
    """Add `enlarge(small, image)`, or subtract it, strip by strip."""
    height = image.shape[-2]
    for top, bottom in _half_strips(image):
        first, last = max(0, top - 1), min(bottom + 1, small.shape[-2])  # the blur's margin
        like = image[..., 2 * first : min(2 * last, height), :]
        large = enlarge(small[..., first:last, :], like)
        inner = large[..., 2 * (top - first) : min(2 * bottom, height) - 2 * first, :]
        image[..., 2 * top : 2 * bottom, :].add_(inner, alpha=sign)


def _half_strips(image: Tensor) -> list[tuple[int, int]]:
    """Strips of every second row: a strip and its blurred half begin at the same row."""
    channels, height, width = image.shape[-3:]
    return cuts(math.ceil(height / 2), max(1, STRIP // (2 * channels * width)))


def _peaks(image: Tensor) -> Tensor:
    """The largest absolute value of each picture [N]."""
    return torch.stack([torch.stack(one.aminmax()).abs().amax() for one in image])


def _rms(one: Tensor) -> Tensor:
    """The root mean square of one gradient [C, H, W], strip by strip; 1 for zeros."""
    channels, height, width = one.shape
    low, high = one.aminmax()
    peak = torch.maximum(-low, high)
    strips = cuts(height, max(1, STRIP // (channels * width)))
    scale = torch.where(peak > 0, peak, 1)
    squares = [(one[:, top:bottom] / scale).square().mean() for top, bottom in strips]
    shares = one.new_tensor([(bottom - top) / height for top, bottom in strips])
    size = (shares * torch.stack(squares)).sum().sqrt() * peak
    return torch.where(size > 0, size, 1)


def normalize_(gradient: Tensor) -> Tensor:
    """`normalize(gradient, by="std")` in place."""
    for one in gradient:
        size = _deviation(one)
        one /= torch.where(size > 0, size, 1)
    return gradient


def _deviation(one: Tensor) -> Tensor:
    """The standard deviation of one gradient [C, H, W], strip by strip; 0 for rounding."""
    channels, height, width = one.shape
    strips = cuts(height, max(1, STRIP // (channels * width)))
    if len(strips) == 1:
        scaled, peak = scaled_to_one(one)
        return unless_rounding(scaled.std(correction=0), scaled.mean()) * peak
    low, high = one.aminmax()
    peak = torch.maximum(-low, high).clamp(min=torch.finfo(one.dtype).tiny)
    moments = [torch.var_mean(one[:, top:bottom] / peak, correction=0) for top, bottom in strips]
    variances, means = (torch.stack(part) for part in zip(*moments, strict=True))
    shares = one.new_tensor([(bottom - top) / height for top, bottom in strips])
    mean = (shares * means).sum()
    variance = (shares * (variances + (means - mean).square())).sum()
    return unless_rounding(variance.sqrt(), mean) * peak
