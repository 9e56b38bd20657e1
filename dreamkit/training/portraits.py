"""Small pictures of what channels and classes respond to, for the growth and the model card."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..ascent.loop import dream
from ..ascent.settings import Settings
from ..networks.dreamnet import Conv, Inception
from ..networks.features import capture
from ..networks.layers import layer_info
from ..networks.network import Network
from ..pictures.image import Image

_CHANNELS = Settings(24, 0.04, octaves=3, jitter=4, smoothing=0.7)
_CLASSES = Settings(24, 0.03, octaves=3, jitter=8, smoothing=1.0)


def portraits(
    network: Network,
    block: str,
    channels: Sequence[int],
    side: int = 64,
    settings: Settings = _CHANNELS,
) -> Image:
    """Pictures [len(channels), 3, side, side], each of which excites one channel before its ReLU.

    All start from the same faint noise. `network` is a DreamNet, `block` one of its blocks.
    """
    network = before_relus(network, block)
    rows, index = torch.arange(len(channels)), torch.tensor(channels)

    def score(pictures: Image) -> Tensor:
        return capture(network, pictures, block)[block][rows, index].mean((1, 2)).sum()

    return dream(score, faint_noise(len(channels), side, settings.seed), settings)


def class_portraits(
    network: Network, classes: Sequence[int], side: int = 64, settings: Settings = _CLASSES
) -> Image:
    """Pictures [len(classes), 3, side, side], each of which raises the logit of one class."""
    rows, index = torch.arange(len(classes)), torch.tensor(classes)

    def score(pictures: Image) -> Tensor:
        return capture(network, pictures, "")[""][rows, index].sum()

    return dream(score, faint_noise(len(classes), side, settings.seed), settings)


def faint_noise(count: int, side: int, seed: int) -> Image:
    """The same mid-grey picture with a little noise, `count` times."""
    noise = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(seed))
    return (0.5 + 0.05 * noise).clamp(0, 1).expand(count, -1, -1, -1)


def before_relus(network: Network, block: str) -> Network:
    """A copy of a DreamNet whose block ends before its ReLUs.

    Most channels of a deep block are silent for noise; after the ReLU they would have no gradient.
    Raises KeyError for an unknown block.
    """
    module = copy.deepcopy(network.module)
    last = module.get_submodule(layer_info(network, block).name)
    branches = [last]
    if isinstance(last, Inception):
        branches = [last.branch1, last.branch2, last.branch3, last.branch4]
    for branch in branches:
        (branch if isinstance(branch, Conv) else branch[-1]).relu = nn.Identity()
    return replace(network, module=module)


def sheet(pictures: Image, columns: int, gap: int = 2, scale: int = 1) -> Image:
    """One page [1, 3, H, W] of two or more pictures, row by row, enlarged `scale` times."""
    from torchvision.utils import make_grid  # takes a second, so it is imported only here

    pictures = pictures.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    page = make_grid(pictures, nrow=columns, padding=gap, pad_value=1.0)
    return page[None, :, gap:-gap, gap:-gap]  # make_grid pads the outer edge as well
