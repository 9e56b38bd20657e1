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

from ..pictures.image import Image
from .gradients import Score
from .held import Look, check_steps, climbing
from .photo_statistics import AMPLITUDES, COLORS, color_directions
from .views import Crops, Views, random_view

__all__ = [
    "AMPLITUDES",
    "COLORS",
    "Crops",
    "Prior",
    "Views",
    "color_directions",
    "growing",
    "random_view",
    "spectrum",
    "to_image",
]


@dataclass(frozen=True)
class Prior:
    """What is assumed of a picture before a network is asked: how loud each frequency may be.

    Args:
        power: coefficients are weighted by 1 / frequency ** power.
        cap: the greatest amplitude, in multiples of that of photos (`AMPLITUDES`).
        limits: no frequency is above the limit, which rises from the first to the second of these,
            in cycles a pixel, during the first 70 % of the steps: large shapes come first.

    Raises ValueError for a power below 0, or a cap or a limit that is not above 0.
    """

    power: float = 1.0
    cap: float = math.inf
    limits: tuple[float, float] = (math.inf, math.inf)

    def __post_init__(self) -> None:
        if not (self.power >= 0 and min(self.cap, *self.limits) > 0):
            raise ValueError(
                "a prior has a power of at least 0, and a cap and limits above 0; given: "
                f"{self.power}, {self.cap}, {self.limits}"
            )

    def limit(self, done: float) -> float:
        """The greatest frequency when a share `done` of the steps is done."""
        first, last = self.limits
        return last if last == first else first + (last - first) * min(1, done / 0.7) ** 2


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


def to_image(
    coefficients: Tensor, width: int, prior: Prior | None = None, done: float = 1.0
) -> Image:
    """The picture [N, 3, H, width] of the coefficients [N, 3, H, width // 2 + 1, 2].

    They are weighted by 1 / frequency, transformed back, mixed from uncorrelated colours to RGB,
    and mapped into [0, 1] by a sigmoid. Coefficients of zero give mid-grey. With a `prior`, its
    power and its limit after a share `done` of the steps hold.

    >>> to_image(torch.zeros(1, 3, 4, 3, 2), 4).unique().tolist()
    [0.5]
    """
    height = coefficients.shape[-3]
    weights = _weights(height, width, prior or Prior(), done).to(coefficients)
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
    views: Views | Crops | None = None,
    seed: int = 0,
    start: Tensor | None = None,
    *,
    prior: Prior | None = None,
    noise: float = 0,
    count: int = 1,
    cosine: bool = False,
    beside: Image | None = None,
) -> Iterator[Image]:
    """The pictures [N, 3, height, width] after each step of Adam, from noise held as a spectrum.

    Args:
        score: what to raise.
        height: of the picture in pixels; `width` likewise.
        steps: number of steps; the learning rate of Adam is `rate`.
        views: each step sees the picture under a random scale, turn and shift of this size, or in
            random crops.
        seed: of the starting noise and of the views.
        start: coefficients to continue from, in place of noise; N pictures grow at a time.
        prior: how loud each frequency may be.
        noise: standard deviation of the noise laid over each view; it fades to 0 with the steps.
        count: number of views a step.
        cosine: whether the rate falls to a tenth along a cosine, or stays.
        beside: a picture [M, 3, height, width] that the score gets too, in the same view, behind
            the N that grow: [N + M, 3, H, W].

    Raises ValueError for a negative number of steps or noise, a rate that is not above 0, or less
    than one view.

    >>> pictures = list(growing(lambda x: x[:, 0].mean(), 8, 8, steps=3))
    >>> bool(pictures[2][:, 0].mean() > pictures[0][:, 0].mean())
    True
    """
    check_steps(steps, rate)
    held = spectrum(height, width, seed) if start is None else start.detach().clone()
    generator, prior = torch.Generator().manual_seed(seed), prior or Prior()
    optimizer = torch.optim.Adam([held.requires_grad_(True)], lr=rate)

    def draw(done: float) -> Image:
        if cosine:
            share = 0.55 + 0.45 * math.cos(math.pi * done)
            optimizer.param_groups[0]["lr"] = rate * share
        return to_image(held, width, prior, done)

    look = Look(views or Views(), noise, count, generator, beside)
    return climbing(score, draw, optimizer, steps, look, lambda done: _cap(held, width, prior))


def _cap(held: Tensor, width: int, prior: Prior) -> None:
    """Shrink the coefficients whose amplitude in the picture is above the prior's cap."""
    if prior.cap == math.inf:
        return
    with torch.no_grad():
        height = held.shape[-3]
        frequency = frequencies(height, width).to(held)
        scale, power = torch.tensor(AMPLITUDES).to(held)[:, :, None, None].unbind(1)
        most = prior.cap * scale / frequency**power  # [3, height, width // 2 + 1]
        loud = held.norm(dim=-1) * _weights(height, width, prior).to(held)
        held *= (most / loud.clamp(min=1e-12)).clamp(max=1).unsqueeze(-1)


def frequencies(height: int, width: int) -> Tensor:
    """[height, width // 2 + 1] in cycles a pixel; that of the mean counts as the lowest other."""
    fy, fx = torch.meshgrid(torch.fft.fftfreq(height), torch.fft.rfftfreq(width), indexing="ij")
    return (fy.square() + fx.square()).sqrt().clamp(min=1 / max(height, width))


def _weights(height: int, width: int, prior: Prior, done: float = 1.0) -> Tensor:
    """0.25 / frequency [height, width // 2 + 1], the frequency in cycles a pixel.

    With this factor, noise of standard deviation 0.01 gives a faint haze. For another power than 1
    the mean square stays the same. Frequencies above the limit have no weight.
    """
    frequency = frequencies(height, width)
    weights = 0.25 / frequency
    if prior.power != 1:
        other = frequency**-prior.power
        weights = other * (weights.square().mean() / other.square().mean()).sqrt()
    limit = prior.limit(done)
    return weights if limit == math.inf else weights * (frequency <= limit)
