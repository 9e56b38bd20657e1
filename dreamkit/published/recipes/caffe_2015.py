"""google/deepdream's `dream.ipynb` for Caffe (Mordvintsev, Olah & Tyka, 2015)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ...ascent.gradients import gradient, warn_if_silent
from ...ascent.steps import ascend, draw_shift, normalize, roll
from ...networks.network import Network
from ...objectives.objective import Objective
from ...objectives.scorer import scorer
from ...pictures.image import Image
from ...pictures.scales import resize
from .recipe_arguments import checked


@checked()
def caffe(
    network: Network,
    objective: Objective,
    image: Image,
    *,
    steps: int = 10,
    step_size: float = 1.5,
    octaves: int = 4,
    octave_ratio: float = 1.4,
    jitter: int = 32,
    clip: bool = True,
    seed: int = 0,
) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of google/deepdream's notebook (2015).

    At each octave the detail found so far is enlarged and added to the photo of that size. The
    gradient is divided by its mean absolute value, with no epsilon. The published objective is
    1/2 Σ a² at inception_4c/output; here it is `dk.layer(name)`, since a constant factor cancels.

    Args:
        steps: gradient steps in each octave (there: iter_n).
        step_size: mean change of a value in one step, in grey levels of 255.
        octaves, octave_ratio: number of sizes, and their ratio (there: octave_n, octave_scale).
        jitter: largest random shift before a step, in pixels.
        clip: clip the picture after each step; with False only the yielded picture is clipped.

    >>> from dreamkit import layer, load_network
    >>> picture = torch.linspace(0.1, 0.9, 3 * 40 * 56).view(1, 3, 40, 56)
    >>> film = caffe(load_network("dreamnet"), layer("conv1"), picture, steps=1, octaves=3)
    >>> [tuple(p.shape[-2:]) for p in film]
    [(21, 29), (29, 40), (40, 56)]
    """
    score = scorer(network, objective)
    generator = torch.Generator().manual_seed(seed)
    silent = False
    mean = torch.tensor(network.mean, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    photos = [image.detach()]
    for _ in range(octaves - 1):
        size = [round(side * (1 / octave_ratio)) for side in photos[0].shape[-2:]]
        photos.insert(0, mean + zoom(photos[0] - mean, size))
    detail = torch.zeros_like(photos[0])
    for photo in photos:
        detail = zoom(detail, photo.shape[-2:])
        x = photo + detail  # not clipped before its first step
        for _ in range(steps):
            dy, dx = draw_shift(jitter, generator)
            x = roll(x, (dy, dx))
            g = gradient(score, x)
            silent = silent or warn_if_silent(g, score)
            x = ascend(x, normalize(g, by="mean_abs"), step_size / 255, clip)
            x = roll(x, (-dy, -dx))
            yield x.clamp(0, 1)
        detail = x - photo


def zoom(image: Tensor, size: Sequence[int]) -> Tensor:
    """The picture resized as by `scipy.ndimage.zoom(order=1)`, with SciPy's fault at the border.

    It is bilinear with the corner pixels kept in place. At about one length in twenty (128 to 91,
    for example) rounding puts the last row or column slightly outside the picture, and SciPy fills
    it with zeros. In the program's space zero is the mean colour, or no detail.
    """
    zoomed = resize(image, size, "corners")
    outside = [
        new > 1 and (new - 1) * ((old - 1) / (new - 1)) > old - 1
        for old, new in zip(image.shape[-2:], size, strict=True)
    ]
    kept = zoomed[..., : size[0] - outside[0], : size[1] - outside[1]]
    return F.pad(kept, (0, int(outside[1]), 0, int(outside[0])))
