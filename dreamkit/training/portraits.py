"""Small pictures of what DreamNet's channels look for: many at once, one channel a picture. For the growth film and the model card."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..ascent.steps import Score, ascend, gradient, normalize, roll, smooth
from ..inside.codebook import mosaic
from ..networks.dreamnet import Conv, DreamNet, Inception
from ..pictures.scales import octaves, resize
from .train import seeded, standardise


def features(network: DreamNet, pictures: Tensor, block: str) -> Tensor:
    """The block's features [N, C, h, w] of pictures in [0, 1]; later blocks do not run. KeyError for an unknown block."""
    blocks = [
        name for name, _ in network.named_children() if name not in ("avgpool", "dropout", "fc")
    ]
    if block not in blocks:
        raise KeyError(f"no block {block!r}; DreamNet has {', '.join(blocks)}")
    x = standardise(pictures)
    for name in blocks[: blocks.index(block) + 1]:
        x = network.get_submodule(name)(x)
    return x


def portraits(
    network: DreamNet,
    block: str,
    channels: Sequence[int],
    side: int = 64,
    steps: int = 24,
    seed: int = 0,
) -> Tensor:
    """Pictures [len(channels), 3, side, side] in [0, 1], each risen from the same faint noise to excite one channel of the block."""
    network = unrectified(network, block)
    rows, index = torch.arange(len(channels)), torch.tensor(channels)
    score = lambda x: features(network, x, block)[rows, index].mean((1, 2)).sum()
    return climb(score, faint_noise(len(channels), side, seed), steps, 0.04, 4, seed, 0.7)


def class_portraits(
    network: DreamNet, classes: Sequence[int], side: int = 64, steps: int = 40, seed: int = 0
) -> Tensor:
    """Pictures [len(classes), 3, side, side] in [0, 1], each risen from the same faint noise to be of one class."""
    rows, index = torch.arange(len(classes)), torch.tensor(classes)
    score = lambda x: network(standardise(x))[rows, index].sum()
    return climb(score, faint_noise(len(classes), side, seed), steps, 0.03, 8, seed, 1.0)


def faint_noise(count: int, side: int, seed: int) -> Tensor:
    """The same mid-grey picture with a little noise, `count` times."""
    return (
        (0.5 + 0.05 * torch.randn(1, 3, side, side, generator=seeded(seed, 0)))
        .clamp(0, 1)
        .expand(count, -1, -1, -1)
    )


def unrectified(network: DreamNet, block: str) -> DreamNet:
    """A copy whose block ends before its ReLUs: most channels of a deep block are silent on noise, and would have no gradient."""
    network = copy.deepcopy(network)
    module = network.get_submodule(block)
    branches = (
        [getattr(module, f"branch{n}") for n in (1, 2, 3, 4)]
        if isinstance(module, Inception)
        else [module]
    )
    for branch in branches:
        (branch if isinstance(branch, Conv) else branch[-1]).relu = nn.Identity()
    return network


def dream(network: DreamNet, block: str, photo: Tensor, steps: int = 10, seed: int = 0) -> Tensor:
    """The photo [1, 3, H, W] after DeepDream at a whole block: Σ features², four octaves, little smoothing."""
    return climb(
        lambda x: features(network, x, block).square().mean(),
        photo,
        steps,
        0.012,
        16,
        seed,
        0.5,
        count=4,
    )


def climb(
    score: Score,
    image: Tensor,
    steps: int,
    step_size: float,
    jitter: int,
    seed: int,
    smoothing: float,
    count: int = 3,
) -> Tensor:
    """The picture after gradient ascent through `count` octaves of ratio 1.4, the detail laid over the original at each."""
    generator, detail = seeded(seed, 1), None
    for base in octaves(image, count, 1.4):
        dreamt = base if detail is None else (base + resize(detail, base.shape[-2:])).clamp(0, 1)
        for _ in range(steps):
            dy, dx = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
            rolled = roll(dreamt, (dy, dx))
            uphill = normalize(smooth(gradient(score, rolled), smoothing))
            dreamt = roll(ascend(rolled, uphill, step_size), (-dy, -dx))
        detail = dreamt - base
    return dreamt


def sheet(pictures: Tensor, columns: int, gap: int = 2, scale: int = 1) -> Tensor:
    """One picture [1, 3, H, W] of many, row by row on white, each pixel `scale` pixels wide."""
    pictures = pictures.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    index = torch.arange(len(pictures))
    return mosaic(pictures, torch.stack([index // columns, index % columns], 1), gap)
