"""The recipes between Caffe's (2015) and PyTorch's (2020): parts of one, the rest of the other.

The program of 2015 becomes that of 2020 by exchanging four parts, in any order and combination.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ...ascent.gradients import gradient, warn_if_silent
from ...ascent.steps import ascend, draw_shift, normalize, roll, smooth
from ...checks.names import unknown
from ...networks.network import Network
from ...objectives.objective import Objective
from ...objectives.scorer import scorer
from ...pictures.image import Image
from ...pictures.scales import resize
from .caffe_2015 import zoom
from .recipe_arguments import checked

#: The parts that `morph` takes from `pytorch`.
PARTS = ("sizes", "whole", "blur", "norm")


def morph(
    network: Network,
    objective: Objective,
    image: Image,
    *parts: str,
    steps: int = 10,
    jitter: int = 32,
    step_size: float = 0.09,
    seed: int = 0,
) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of `caffe`, with some `parts` taken from `pytorch`.

    - "sizes": a ratio of 1.8 and half-pixel resizing, instead of 1.4 and corners kept in place
    - "whole": the whole picture is enlarged; else its detail, which is added to the photo
    - "blur": three Gaussian blurs of the gradient, averaged, growing with the step
    - "norm": `step_size` standard deviations, of the network too; else 1.5 grey levels

    With no parts it gives the pictures of `caffe`, with all of them those of `pytorch`, bit by bit.
    Raises KeyError for an unknown part; the other arguments are checked as those of the recipes.

    >>> from dreamkit import layer, load_network
    >>> picture = torch.linspace(0.1, 0.9, 3 * 64 * 80).view(1, 3, 64, 80)
    >>> film = morph(load_network("dreamnet"), layer("conv1"), picture, "sizes", steps=1)
    >>> [tuple(p.shape[-2:]) for p in film]
    [(11, 14), (20, 25), (36, 44), (64, 80)]
    """
    for part in parts:
        if part not in PARTS:
            raise unknown("part", part, PARTS)
    numbers = {"steps": steps, "jitter": jitter, "step_size": step_size, "seed": seed}
    return _morph(network, objective, image, parts=parts, **numbers)


@checked()
def _morph(
    network: Network,
    objective: Objective,
    image: Image,
    *,
    parts: tuple[str, ...],
    steps: int,
    jitter: int,
    step_size: float,
    seed: int,
) -> Iterator[Image]:
    score = scorer(network, objective)
    generator = torch.Generator().manual_seed(seed)
    silent = False
    mean, std = (
        torch.tensor(values, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
        for values in (network.mean, network.std)
    )
    photos = _photos(image.detach(), mean, "sizes" in parts)
    x, detail = photos[0], torch.zeros_like(photos[0])
    for photo in photos:
        size = photo.shape[-2:]
        if "whole" in parts:
            x = _resized(x, size, mean, "sizes" in parts)
        else:
            x = photo + _resized(detail, size, 0.0, "sizes" in parts)
        for t in range(steps):
            dy, dx = draw_shift(jitter, generator)
            x = roll(x, (dy, dx))
            g = gradient(score, x)
            silent = silent or warn_if_silent(g, score)
            g = std * g if "norm" in parts else g  # with respect to (x - mean) / std
            g = _blurred(g, (t + 1) / steps * 2.0 + 0.5) if "blur" in parts else g
            if "norm" in parts:
                x = ascend(x, std * normalize(g, by="standardize"), step_size)
            else:
                x = ascend(x, normalize(g, by="mean_abs"), 1.5 / 255)
            x = roll(x, (-dy, -dx))
            yield x.clamp(0, 1)
        detail = x - photo


def _photos(image: Image, mean: Tensor, new: bool) -> list[Image]:
    """The photo in four sizes, the smallest first."""
    if new:
        sizes = [[round(side * 1.8**k) for side in image.shape[-2:]] for k in (-3, -2, -1, 0)]
        return [_resized(image, size, mean, new) for size in sizes]
    photos = [image]
    for _ in range(3):
        size = [round(side * (1 / 1.4)) for side in photos[0].shape[-2:]]
        photos.insert(0, _resized(photos[0], size, mean, new))
    return photos


def _resized(x: Tensor, size: Sequence[int], zero: Tensor | float, new: bool) -> Tensor:
    """A picture or detail resized as by one of the programs; `zero` is what SciPy fills with."""
    return resize(x, size, "bilinear") if new else zero + zoom(x - zero, size)


def _blurred(g: Tensor, sigma: float) -> Tensor:
    return sum(smooth(g, sigma * c, radius=4) for c in (0.5, 1.0, 2.0)) / 3
