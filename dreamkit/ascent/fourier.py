"""Pictures held as Fourier coefficients: the prior that lets a class picture grow from noise.

Gradient ascent on pixels mostly changes single pixels. Here it changes the Fourier coefficients of
a picture, weighted as in photos (the amplitude falls as 1 / frequency) and in colours that are
uncorrelated in photos, so every step is smooth (Olah, Mordvintsev & Schubert, "Feature
Visualization", Distill, 2017; that a prior is needed is the Inceptionism post's idea, 2015).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..pictures.image import Image
from ..pictures.samples import sample
from .gradients import Score

# The columns are the uncorrelated colour directions of the sample photos in RGB, each as long as
# its standard deviation, scaled to a greatest length of 1; what `color_directions` computes.
COLORS = ((0.6441, -0.3078, 0.0256), (0.5596, 0.0981, -0.0841), (0.5215, 0.2749, 0.0587))


@dataclass(frozen=True)
class Views:
    """The greatest random shift, scale and turn of each step's view of the picture.

    `shift` is in pixels, `scale` a share (0.1: from 0.9 to 1.1 times), `turn` in degrees. What
    grows must then look right from many views (transformation robustness).
    """

    shift: float = 8
    scale: float = 0.15
    turn: float = 10


def spectrum(
    height: int, width: int, seed: int = 0, strength: float = 0.01, batch: int = 1
) -> Tensor:
    """Random Fourier coefficients [batch, 3, height, width // 2 + 1, 2] (real, imaginary part).

    `strength` is their standard deviation. Raises ValueError for a picture below 2×2 pixels.

    >>> spectrum(8, 10).shape
    torch.Size([1, 3, 8, 6, 2])
    """
    if height < 2 or width < 2:
        raise ValueError(
            f"a spectrum needs a picture of at least 2×2 pixels; given: {height}×{width}"
        )
    generator = torch.Generator().manual_seed(seed)
    return strength * torch.randn(batch, 3, height, width // 2 + 1, 2, generator=generator)


def to_image(coefficients: Tensor, width: int) -> Image:
    """The picture [N, 3, H, width] of the coefficients [N, 3, H, width // 2 + 1, 2].

    They are weighted by 1 / frequency, transformed back, mixed from uncorrelated colours to RGB,
    and mapped into [0, 1] by a sigmoid. Coefficients of zero give mid-grey.

    >>> to_image(torch.zeros(1, 3, 4, 3, 2), 4).unique().tolist()
    [0.5]
    """
    height = coefficients.shape[-3]
    weights = _weights(height, width).to(coefficients)
    planes = torch.fft.irfft2(
        torch.view_as_complex(coefficients) * weights, s=(height, width), norm="ortho"
    )
    colors = torch.tensor(COLORS).to(planes)
    return torch.sigmoid(torch.einsum("rc,nchw->nrhw", colors, planes))


def growing(
    score: Score,
    height: int = 96,
    width: int = 96,
    steps: int = 150,
    rate: float = 0.05,
    views: Views | None = None,
    seed: int = 0,
    start: Tensor | None = None,
) -> Iterator[Image]:
    """The pictures [N, 3, height, width] after each step of Adam, from noise held as a spectrum.

    Args:
        score: what to raise.
        height: of the picture in pixels; `width` likewise.
        steps: number of steps; the learning rate of Adam is `rate`.
        views: each step sees the picture under a random scale, turn and shift of this size.
        seed: of the starting noise and of the views.
        start: coefficients to continue from, in place of noise.

    Raises ValueError for a negative number of steps or a rate that is not above 0.

    >>> pictures = list(growing(lambda x: x[:, 0].mean(), 8, 8, steps=3))
    >>> bool(pictures[2][:, 0].mean() > pictures[0][:, 0].mean())
    True
    """
    if steps < 0 or not rate > 0:
        raise ValueError(f"steps must be 0 or more and rate above 0; given: {steps}, {rate}")
    return _growing(score, (height, width), steps, rate, views or Views(), seed, start)


def _growing(
    score: Score,
    size: tuple[int, int],
    steps: int,
    rate: float,
    views: Views,
    seed: int,
    start: Tensor | None,
) -> Iterator[Image]:
    generator = torch.Generator().manual_seed(seed)
    held = (spectrum(*size, seed) if start is None else start.detach().clone()).requires_grad_(True)
    optimizer = torch.optim.Adam([held], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        with torch.enable_grad():  # not across the yield: the caller's mode is the caller's
            loss = -score(random_view(to_image(held, size[1]), views, generator))
        loss.backward()
        optimizer.step()
        yield to_image(held.detach(), size[1])


def random_view(image: Image, views: Views, generator: torch.Generator) -> Image:
    """The picture [N, 3, H, W] scaled, turned and shifted at random, mirrored at its borders."""
    draw = lambda most: most * (2 * torch.rand((), generator=generator).item() - 1)
    height, width = image.shape[-2:]
    size, angle = 1 + draw(views.scale), math.radians(draw(views.turn))
    down, right = (
        draw(views.shift) * 2 / height,
        draw(views.shift) * 2 / width,
    )  # grid_sample counts a side as 2
    cos, sin = math.cos(angle) / size, math.sin(angle) / size
    matrix = torch.tensor(
        [[cos, -sin * height / width, right], [sin * width / height, cos, down]]
    ).to(image)
    grid = F.affine_grid(matrix.expand(len(image), 2, 3), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)


def color_directions() -> Tensor:
    """The uncorrelated colour directions [3 (RGB), 3 (directions)] of the sample photos.

    They are the eigenvectors of the covariance of the colours, the strongest first, each times its
    standard deviation; the longest column is scaled to a length of 1.
    """
    photos = [
        sample(name, 64)
        for name in ("china", "flower", "chelsea", "astronaut", "coffee", "rocket", "motorcycle")
    ]
    colors = torch.cat([photo[0].flatten(1) for photo in photos], 1).double()  # [3, pixels]
    values, vectors = torch.linalg.eigh(torch.cov(colors))  # least eigenvalue first
    directions = (vectors * values.sqrt()).flip(1)
    directions = directions * torch.where(directions[2] < 0, -1.0, 1.0)  # blue is positive
    return (directions / directions.norm(dim=0).max()).float()


def _weights(height: int, width: int) -> Tensor:
    """0.25 / frequency [height, width // 2 + 1], the frequency in cycles a pixel.

    With this factor, noise of standard deviation 0.01 gives a faint haze.
    """
    fy, fx = torch.meshgrid(torch.fft.fftfreq(height), torch.fft.rfftfreq(width), indexing="ij")
    lowest = 1 / max(height, width)
    return 0.25 / (fy.square() + fx.square()).sqrt().clamp(min=lowest)
