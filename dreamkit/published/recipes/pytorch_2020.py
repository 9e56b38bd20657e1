"""gordicaleksa/pytorch-deepdream (2020)."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ...ascent.gradients import gradient, warn_if_silent
from ...ascent.steps import ascend, draw_shift, normalize, roll, smooth
from ...networks.network import Network
from ...objectives.objective import Objective
from ...objectives.scorer import scorer
from ...pictures.image import Image
from ...pictures.scales import resize
from .recipe_arguments import checked


@checked()
def pytorch(
    network: Network,
    objective: Objective,
    image: Image,
    *,
    steps: int = 10,
    step_size: float = 0.09,
    octaves: int = 4,
    octave_ratio: float = 1.8,
    jitter: int = 32,
    smoothing: float = 0.5,
    seed: int = 0,
) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of gordicaleksa/pytorch-deepdream (2020).

    The gradient is the average of three Gaussian blurs (9×9 pixels; half, once and twice σ), where
    σ = `smoothing` + 2 (t + 1) / steps grows with the step t. Then its mean is subtracted, and it
    is divided by its unbiased standard deviation. The whole picture is resized from octave to
    octave. The published objective is mean a² (VGG16, relu4_3); here it is `dk.layer(name)`.

    Args:
        steps: gradient steps in each octave (there: num_gradient_ascent_iterations).
        step_size: step in units of (x - mean) / std, with the network's mean and std, for each
            standard deviation of the gradient (there: lr).
        octaves, octave_ratio: number of sizes, and their ratio (there: pyramid_size,
            pyramid_ratio).
        jitter: largest random shift before a step, in pixels (there: spatial_shift_size).
        smoothing: the constant part of σ, in pixels (there: smoothing_coefficient).

    Raises ValueError if a side of the smallest octave is below 10 pixels, as the program does.

    >>> from dreamkit import layer, load_network
    >>> picture = torch.linspace(0.1, 0.9, 3 * 40 * 56).view(1, 3, 40, 56)
    >>> film = pytorch(load_network("dreamnet"), layer("conv1"), picture, steps=1, octaves=3)
    >>> [tuple(p.shape[-2:]) for p in film]
    [(12, 17), (22, 31), (40, 56)]
    """
    score = scorer(network, objective)
    generator = torch.Generator().manual_seed(seed)
    silent = False
    std = torch.tensor(network.std, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    ratios = [octave_ratio ** (k - octaves + 1) for k in range(octaves)]
    sizes = [[round(side * ratio) for side in image.shape[-2:]] for ratio in ratios]
    if min(sizes[0]) < 10:
        raise ValueError(
            f"the smallest octave would be {sizes[0][0]}×{sizes[0][1]} pixels, and this recipe "
            "needs sides of at least 10 (use a larger picture, fewer octaves or a smaller ratio)"
        )
    x = image.detach()
    for size in sizes:
        x = resize(x, size, "bilinear")
        for t in range(steps):
            dy, dx = draw_shift(jitter, generator)
            x = roll(x, (dy, dx))
            g = std * gradient(score, x)  # with respect to (x - mean) / std
            silent = silent or warn_if_silent(g, score)
            sigma = (t + 1) / steps * 2.0 + smoothing
            g = sum(smooth(g, sigma * c, radius=4) for c in (0.5, 1.0, 2.0)) / 3
            x = ascend(x, std * normalize(g, by="standardize"), step_size)
            x = roll(x, (-dy, -dx))
            yield x
