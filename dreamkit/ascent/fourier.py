"""Pictures held as spectra: the prior that lets a class picture grow from noise.

Gradient ascent on pixels loves single pixels; on the Fourier coefficients of a picture, weighted as photos are (amplitude
falling as 1 / frequency) and in colours that are independent in photos, every step is a smooth one (Olah, Mordvintsev &
Schubert, "Feature Visualization", Distill, 2017; the idea that a prior is needed is the Inceptionism post's, 2015).
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
from .steps import Score

# Columns are the independent colour directions of the sample photos in RGB, each as long as its deviation, brought to a
# greatest length of 1: `color_directions()` computes them, and a test holds the two together.
COLORS = ((0.6441, -0.3078, 0.0256), (0.5596, 0.0981, -0.0841), (0.5215, 0.2749, 0.0587))


@dataclass(frozen=True)
class Views:
    """How far each step's view of the picture is turned and moved at random, so that what grows is no accident of one view.

    `shift` in pixels, `scale` as a share (0.1: from 0.9 to 1.1 times), `turn` in degrees.
    """

    shift: float = 8
    scale: float = 0.15
    turn: float = 10


def spectrum(
    height: int, width: int, seed: int = 0, strength: float = 0.01, batch: int = 1
) -> Tensor:
    """Random Fourier coefficients [batch, 3, height, width // 2 + 1, 2] (real and imaginary part), of deviation `strength`.

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
    """The picture [N, 3, H, width] that the coefficients [N, 3, H, width // 2 + 1, 2] hold; grey where they are all zero.

    Weighted by 1 / frequency, transformed back, mixed from independent colours to RGB, and pressed into [0, 1] by a sigmoid.

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
    """The pictures [N, 3, height, width] after each of `steps` steps of Adam up the score, from noise held as a spectrum.

    Each step sees the picture under another random scale, turn and shift (`views`). `start` are coefficients to go on
    from, in place of fresh ones. Raises ValueError for a negative number of steps or rate.

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
    with torch.enable_grad():
        for _ in range(steps):
            optimizer.zero_grad()
            (-score(random_view(to_image(held, size[1]), views, generator))).backward()
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
    """The independent colour directions of the sample photos [3 (RGB), 3 (directions)], the strongest first.

    The eigenvectors of their colours' covariance, each times its deviation, brought to a greatest column length of 1.
    """
    photos = [
        sample(name, 64)
        for name in ("china", "flower", "chelsea", "astronaut", "coffee", "rocket", "motorcycle")
    ]
    colors = torch.cat([photo[0].flatten(1) for photo in photos], 1).double()  # [3, pixels]
    values, vectors = torch.linalg.eigh(torch.cov(colors))  # least eigenvalue first
    directions = (vectors * values.sqrt()).flip(1)
    directions = directions * torch.where(
        directions[2] < 0, -1.0, 1.0
    )  # signs are free: blue is positive
    return (directions / directions.norm(dim=0).max()).float()


def _weights(height: int, width: int) -> Tensor:
    """1 / frequency [height, width // 2 + 1], in pixels a cycle and over 4, so that fresh noise of deviation 0.01 is a faint haze."""
    fy, fx = torch.meshgrid(torch.fft.fftfreq(height), torch.fft.rfftfreq(width), indexing="ij")
    lowest = 1 / max(height, width)
    return 0.25 / (fy.square() + fx.square()).sqrt().clamp(min=lowest)
