"""Class pictures: what a network takes for a class, grown from noise under a prior."""

from __future__ import annotations

import numbers

import torch

from ..ascent.fourier import growing
from ..ascent.gradients import Score, gradient
from ..ascent.steps import ascend, normalize, smooth
from ..networks.network import Network
from ..objectives.kinds import class_index
from ..objectives.objective import logit
from ..objectives.scorer import scorer
from ..pictures.image import Image, noise
from ..pictures.scales import resize


def class_picture(
    network: Network,
    label: int | str,
    prior: str = "fourier",
    steps: int | None = None,
    seed: int = 0,
    side: int | None = None,
) -> Image:
    """A picture [1, 3, S, S] grown from noise that raises the logit of one class, under a prior.

    - label: index or name of the class
    - prior: "fourier" (a spectrum with decorrelated colours, seen from random views), "blur"
      (blurred after each step and enlarged in stages, after Øygard's deepdraw) or "none" (plain
      ascent on pixels, for comparison)
    - steps: number of ascent steps; with "blur" that of the first of three stages
    - seed: of the noise and the random views
    - side: S in pixels, by default 1.5 times `home_side`; "blur" enlarges by 1.2 twice, which gives
      a few pixels less

    Raises KeyError for an unknown label, ValueError for an unknown prior, fewer than 1 step or a
    side below 16.
    """
    if prior not in PRIORS:
        raise ValueError(f"prior must be one of {', '.join(PRIORS)}; given: {prior!r}")
    side = home_side(network) * 3 // 2 if side is None else side
    _check_at_least("side (of the picture, in pixels)", side, 16)
    grow, default_steps = PRIORS[prior]
    steps = default_steps if steps is None else steps
    _check_at_least("steps", steps, 1)
    index = class_index(network.labels, label) if isinstance(label, str) else label
    return grow(scorer(network, logit(index)), side, steps, seed)


def home_side(network: Network) -> int:
    """The side in pixels of the pictures that the network was trained on."""
    return network.side


def _check_at_least(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; given: {value!r}")


def _fourier(score: Score, side: int, steps: int, seed: int) -> Image:
    *_, picture = growing(score, side, side, steps, seed=seed)
    return picture


def _blur(score: Score, side: int, steps: int, seed: int) -> Image:
    """Steps divided by mean |g|, each followed by a blur that weakens; enlarged by 1.2 twice.

    The published numbers (steps of 11 and 6 grey levels, blurs of 2.5 to 0.78 pixels) belong to 224
    pixels; here the blurs shrink with the side. The network sees random crops of that side.
    """
    side = round(side / 1.5)
    generator = torch.Generator().manual_seed(seed)
    x = (200 + 8 * torch.randn(1, 3, side, side, generator=generator)).div(255).clamp(0, 1)
    later = steps * 15 // 19
    for growth, count, first, last, levels in (  # blurs from first to last, steps in grey levels
        (1.0, steps, 2.5, 0.78, 11),
        (1.2, later, 0.936, 0.78, 6),
        (1.2, later, 0.936, 0.44, 4),
    ):
        x = resize(x, [round(length * growth) for length in x.shape[-2:]], "bilinear")
        for step in range(count):
            top, left = (
                int(torch.randint(0, length - side + 1, (), generator=generator))
                for length in x.shape[-2:]
            )
            window = (..., slice(top, top + side), slice(left, left + side))
            uphill = normalize(gradient(score, x[window]), by="mean_abs")
            x = x.clone()
            x[window] = ascend(x[window], uphill, levels / 255)
            sigma = first + (last - first) * step / max(count - 1, 1)
            x = smooth(x, sigma * side / 224).clamp(0, 1)
    return x


def _plain(score: Score, side: int, steps: int, seed: int) -> Image:
    x = noise(side, side, seed, contrast=0.1)
    for _ in range(steps):
        x = ascend(x, normalize(gradient(score, x), by="mean_abs"), 2 / 255)
    return x


PRIORS = {"fourier": (_fourier, 150), "blur": (_blur, 190), "none": (_plain, 150)}
