"""The verbs on a gradient: each is one idea of DeepDream, and each can be tried without a network.

>>> picture = torch.full((1, 3, 4, 4), 0.5)
>>> from dreamkit.ascent.gradients import gradient
>>> uphill = gradient(lambda x: x.square().sum(), picture)
>>> ascend(picture, normalize(uphill, by="mean_abs"), 0.1)[0, 0, 0, 0].item()
0.6000000238418579
"""

from __future__ import annotations

import math
import numbers
import operator

import torch
from torch import Tensor

from ..pictures.filters import ACROSS, DOWN, correlate, mirror_pad
from ..pictures.image import Image
from ..pictures.scales import laplacian_merge, laplacian_split

NORMS = ("std", "mean_abs", "standardize", "rms")
LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue
ROUNDING = 16  # times the dtype's epsilon: a smaller share of the values is rounding, not signal


def normalize(
    gradient: Tensor, by: str = "std", epsilon: float = 0.0, least: float = 0.0
) -> Tensor:
    """The gradient [N, C, H, W] divided by its own size, for each picture of the batch by itself.

    However small or large the values are, the result is the same. A gradient without a size (zero
    everywhere, or for a standard deviation the same everywhere) is not divided.

    Args:
        gradient: [N, C, H, W].
        by: "std" (TensorFlow's tutorial), "mean_abs" (Caffe's mean of `|g|`), "rms", or
            "standardize" (PyTorch's), which subtracts the mean and divides by the unbiased
            standard deviation.
        epsilon: added to the divisor.
        least: the least divisor.

    Raises ValueError for another `by`.

    >>> normalize(torch.tensor([[[[3.0, -1.0]]]]), by="mean_abs").tolist()
    [[[[1.5, -0.5]]]]
    """
    if by not in NORMS:
        raise ValueError(f"by must be one of {', '.join(NORMS)}; given: {by!r}")
    result = gradient.clone()
    for one in result:
        size = (_size(one, by) + epsilon).clamp(min=least)
        if by == "standardize":
            one -= one.mean()
        one /= torch.where(size > 0, size, 1)
    return result


def _size(one: Tensor, by: str) -> Tensor:
    """The size of one picture's gradient [C, H, W]; 0 where it holds rounding errors only."""
    scaled, peak = scaled_to_one(one)
    if by == "mean_abs":
        size = scaled.abs().mean()
    elif by == "rms":
        size = scaled.square().mean().sqrt()
    else:
        size = unless_rounding(scaled.std(correction=int(by == "standardize")), scaled.mean())
    return size * peak


def scaled_to_one(one: Tensor) -> tuple[Tensor, Tensor]:
    """(values / peak, peak), peak being the largest |value|: squares of 1e-30 would vanish."""
    one = one if one.dtype in (torch.float32, torch.float64) else one.float()
    low, high = one.aminmax()
    peak = torch.maximum(-low, high)
    return one / torch.where(peak > 0, peak, 1), peak


def unless_rounding(deviation: Tensor, mean: Tensor) -> Tensor:
    """The standard deviation of values about a mean; 0 where it is only their rounding error."""
    return torch.where(
        deviation > ROUNDING * torch.finfo(mean.dtype).eps * mean.abs(), deviation, 0
    )


def smooth(gradient: Tensor, sigma: float, radius: int | None = None) -> Tensor:
    """The gradient [N, C, H, W] blurred by a Gaussian, mirrored at the borders.

    Equals `scipy.ndimage.gaussian_filter(g, sigma, mode="mirror", truncate=4)` along height and
    width. `sigma` is the standard deviation in pixels; 0 changes nothing. The kernel reaches
    `radius` pixels to each side, by default four standard deviations. Raises ValueError for a
    sigma that is negative or not finite, and for a radius that is not a whole number of at least 0.

    >>> smooth(torch.ones(1, 1, 5, 5), 0.5).mean().round(decimals=4).item()
    1.0
    """
    if not (sigma >= 0 and math.isfinite(sigma)):
        raise ValueError(f"sigma is in pixels, 0 or more; given: {sigma!r}")
    if radius is not None and (
        isinstance(radius, bool) or not isinstance(radius, numbers.Integral) or radius < 0
    ):
        raise ValueError(f"radius is in pixels, a whole number of at least 0; given: {radius!r}")
    if sigma == 0:
        return gradient
    kernel = gaussian(sigma, radius)
    padded = mirror_pad(gradient, len(kernel) // 2, len(kernel) // 2)
    return correlate(correlate(padded, kernel, DOWN), kernel, ACROSS)


def gaussian(sigma: float, radius: int | None = None) -> list[float]:
    """The 2 * radius + 1 weights of a Gaussian, whose sum is 1."""
    radius = int(4 * sigma + 0.5) if radius is None else radius
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    return torch.softmax(-0.5 * (offsets / sigma).square(), 0).tolist()


def smooth_laplacian(gradient: Tensor, levels: int = 4) -> Tensor:
    """The gradient [N, C, H, W] with each band of its Laplacian pyramid divided by its RMS.

    The bands are then merged again. This way fine detail does not drown the coarse shapes
    (Mordvintsev's TF1 notebook, 2016). A silent band stays silent. Raises ValueError for levels
    below 0.

    >>> g = torch.rand(1, 3, 9, 7)
    >>> torch.allclose(smooth_laplacian(g, levels=0), normalize(g, by="rms"))
    True
    """
    over = tuple(range(1, gradient.dim()))
    peak = lambda values: values.abs().amax(over, keepdim=True)
    least = ROUNDING * torch.finfo(gradient.dtype).eps * peak(gradient)
    bands = laplacian_split(gradient, levels)
    return laplacian_merge(
        [torch.where(peak(band) > least, normalize(band, by="rms"), 0) for band in bands]
    )


def scale_chroma(gradient: Tensor, share: float) -> Tensor:
    """The gradient [N, 3, H, W] with its colour (its difference from luma) times `share`.

    A share of 1 changes nothing. Below 1 the dream keeps more of the picture's own colours, and at
    0 it changes light and dark only. Luma is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). Raises
    ValueError for a share that is negative or not finite.

    >>> scale_chroma(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1), 0.0).flatten().tolist()
    [0.29899999499320984, 0.29899999499320984, 0.29899999499320984]
    """
    if not (share >= 0 and math.isfinite(share)):
        raise ValueError(f"share is a number, 0 or more; given: {share!r}")
    return gradient if share == 1 else torch.lerp(luma(gradient), gradient, share)


def luma(image: Tensor) -> Tensor:
    """Luma [N, 1, H, W] of RGB [N, 3, H, W]: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    return torch.einsum("nchw,c->nhw", image, image.new_tensor(LUMA))[:, None]


def roll(image: Image, shift: tuple[int, int]) -> Image:
    """The picture moved by (dy, dx) pixels; what leaves at one border enters at the other.

    Raises ValueError for a shift that is not two whole numbers.

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


def ascend(image: Image, direction: Tensor, step_size: float, clip: bool = True) -> Image:
    """The picture after one step: image + step_size * direction, clamped to [0, 1] if `clip`.

    >>> ascend(torch.tensor([[[[0.5, 1.0]]]]), torch.tensor([[[[1.0, 1.0]]]]), 0.25).tolist()
    [[[[0.75, 1.0]]]]
    """
    stepped = torch.add(image, direction, alpha=step_size)
    return stepped.clamp_(0, 1) if clip else stepped


def draw_shift(jitter: int, generator: torch.Generator) -> tuple[int, int]:
    """A random shift (dy, dx), each from -jitter to jitter pixels."""
    dy, dx = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
    return dy, dx
