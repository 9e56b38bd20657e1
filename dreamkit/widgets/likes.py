"""What a channel likes: a small picture that excites it, by a few steps of gradient ascent."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ..ascent.gradients import Score, gradient
from ..ascent.steps import ascend, normalize, roll, smooth
from ..networks.network import Network
from ..objectives.objective import channel
from ..objectives.scorer import scorer
from ..pictures.image import Image, noise
from ..pictures.scales import resize

SIDE, STEPS, STEP_SIZE, JITTER = 128, 24, 0.04, 8


def liked(
    network: Network, layer: str, channel: int, photo: Image | None = None, seed: int = 0
) -> Image | None:
    """A picture [1, 3, 128, 128] that a channel likes, or None for a channel that stays silent.

    A few steps of gradient ascent on the channel's mean, from grey noise. Many deep channels are
    silent for noise; with a `photo` the ascent then starts from the photo.
    """
    pictures = [picture for picture, _ in growing(network, layer, channel, photo, seed)]
    return pictures[-1] if pictures else None


def growing(
    network: Network, layer: str, index: int, photo: Image | None, seed: int = 0
) -> Iterator[tuple[Image, str]]:
    """Yields (picture, where it started) after each step of the ascent of `liked`.

    The start is the first of noise and photo for which the channel has a gradient; yields nothing
    if it has none for either.
    """
    score = scorer(network, channel(layer, index))
    starts = {"grown from noise": start_picture(seed)}
    if photo is not None:
        starts["grown from the photo"] = resize(photo.detach(), (SIDE, SIDE))
    for name, start in starts.items():
        if gradient(score, start).any():
            yield from ((picture, name) for picture in _ascent(score, start, seed))
            return


def start_picture(seed: int = 0) -> Image:
    """The faint grey noise that pictures start from."""
    return noise(SIDE, SIDE, seed, contrast=0.2)


def _ascent(score: Score, picture: Image, seed: int) -> Iterator[Image]:
    """Not `dreaming`: the smoothing falls from step to step, so that coarse shapes come first."""
    generator = torch.Generator().manual_seed(seed)
    for step in range(STEPS):
        dy, dx = torch.randint(-JITTER, JITTER + 1, (2,), generator=generator).tolist()
        rolled = roll(picture, (dy, dx))
        uphill = normalize(smooth(gradient(score, rolled), 1.5 - step / STEPS))
        picture = roll(ascend(rolled, uphill, STEP_SIZE), (-dy, -dx))
        yield picture
