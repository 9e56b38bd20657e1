"""keras-io's DeepDream example (Chollet, 2016; this form 2020)."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ...ascent.gradients import value_and_gradient, warn_if_silent
from ...ascent.steps import ascend, draw_shift, normalize, roll
from ...networks.network import Network
from ...objectives.objective import Objective
from ...objectives.scorer import scorer
from ...pictures.image import Image
from ...pictures.scales import resize
from .recipe_arguments import checked


@checked("max_loss")
def keras(
    network: Network,
    objective: Objective,
    image: Image,
    *,
    steps: int = 20,
    step_size: float = 0.01,
    octaves: int = 3,
    octave_ratio: float = 1.4,
    jitter: int = 0,
    max_loss: float | None = 15.0,
    seed: int = 0,
) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of keras-io's example (Chollet, 2016 and 2020).

    The gradient is divided by its mean absolute value, but by no less than 1e-6. At the end of an
    octave the detail is added that the photo lost by being as small as the octave before. Nothing
    is clipped before the end, except the yielded pictures. The published objective is
    1 mixed4 + 1.5 mixed5 + 2 mixed6 + 2.5 mixed7; here each of them is `dk.layer(name, border=2)`.

    Args:
        steps: gradient steps in each octave, at most (there: iterations).
        step_size: mean change of a value in one step, in units of [-1, 1] (there: step).
        octaves, octave_ratio: number of sizes, and their ratio (there: num_octave, octave_scale).
        jitter: largest random shift before a step, in pixels; the example has none.
        max_loss: an octave ends after a step whose score, before the step, was above it; None:
            never.

    >>> from dreamkit import layer, load_network
    >>> picture = torch.linspace(0.1, 0.9, 3 * 40 * 56).view(1, 3, 40, 56)
    >>> film = keras(load_network("dreamnet"), layer("conv1", border=2), picture, steps=1)
    >>> [tuple(p.shape[-2:]) for p in film]
    [(20, 28), (28, 40), (40, 56)]
    """
    score = scorer(network, objective)
    generator = torch.Generator().manual_seed(seed)
    silent = False
    ratios = [octave_ratio**k for k in reversed(range(octaves))]
    sizes = [[int(side / ratio) for side in image.shape[-2:]] for ratio in ratios]
    x = image.detach()
    shrunk = resize(x, sizes[0], "bilinear")
    for size in sizes:
        x = resize(x, size, "bilinear")
        photo = resize(image.detach(), size, "bilinear")
        for step in range(1, steps + 1):
            dy, dx = draw_shift(jitter, generator)
            x = roll(x, (dy, dx))
            loss, g = value_and_gradient(score, x)
            g = g / 2  # with respect to 2 x - 1
            silent = silent or warn_if_silent(g, score)
            x = ascend(x, normalize(g, by="mean_abs", least=1e-6), step_size / 2, clip=False)
            x = roll(x, (-dy, -dx))
            ended = step == steps or (max_loss is not None and loss > max_loss)
            if ended:
                x = x + (photo - resize(shrunk, size, "bilinear"))
            yield x.clamp(0, 1)
            if ended:
                break
        shrunk = photo
