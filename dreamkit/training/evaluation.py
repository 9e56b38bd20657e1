"""How good a network is: its accuracy on pictures, plain and under attack."""

from __future__ import annotations

import sys

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from ..networks.dreamnet import MEAN, STD
from .data import Split


def standardize(pictures: Tensor) -> Tensor:
    """Pictures in [0, 1] made ready for a DreamNet: mean 0, standard deviation 1, channels-last."""
    mean, std = (torch.tensor(v, device=pictures.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return ((pictures - mean) / std).contiguous(memory_format=torch.channels_last)


def attack(
    network: nn.Module,
    pictures: Tensor,
    labels: Tensor,
    radius: float,
    steps: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Pictures [N, 3, H, W] close to the given ones, for which the network's loss is high.

    Projected gradient descent (Madry et al., "Towards deep learning models resistant to adversarial
    attacks", 2018). Each step goes 2.5 radius / steps along the gradient of the loss (1.25 radius
    if it is the only step), then back into the ball and into [0, 1].

    network: takes standardized pictures and gives logits [N, classes].
    labels: the true classes [N].
    radius: greatest L2 distance over a whole picture, for values in [0, 1].
    generator: if given, the attack starts at a random point of the ball, else at the pictures.
    """
    size, moved = radius * min(1.25, 2.5 / steps), pictures
    if generator is not None:
        noise = torch.randn(pictures.shape, generator=generator).to(pictures.device)
        moved = onto_ball(pictures + noise, pictures, radius)
    for _ in range(steps):
        moved = moved.detach().requires_grad_()
        logits = network(standardize(moved)).float()
        loss = F.cross_entropy(logits, labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, moved)
        moved = onto_ball(moved.detach() + size * gradient / _length(gradient), pictures, radius)
    return moved


def onto_ball(moved: Tensor, pictures: Tensor, radius: float) -> Tensor:
    """The nearest points in the L2 balls around the pictures, then in [0, 1]."""
    change = moved - pictures
    return (pictures + change * (radius / _length(change)).clamp(max=1)).clamp(0, 1)


def _length(change: Tensor) -> Tensor:
    """The L2 norm of each picture [N, 1, 1, 1], never 0."""
    return change.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None, None]


def accuracy(
    network: nn.Module,
    split: Split,
    radius: float = 0.0,
    steps: int = 20,
    side: int = 0,
    batch: int = 250,
    precision: str = "float32",
) -> float:
    """The share of pictures whose highest logit is that of their label, in [0, 1].

    radius, steps: of an `attack` on each picture before it is classified; radius 0: none.
    side: resize the pictures to side × side pixels first; 0: do not.
    batch: pictures at a time.
    precision: float32, or bfloat16 by autocast.
    """
    device, right = next(network.parameters()).device, 0
    was_training = network.training
    network.eval()
    batches = list(zip(split.pictures.split(batch), split.labels.split(batch), strict=True))
    for pictures, labels in tqdm(batches, "evaluating", leave=False, mininterval=bar_interval()):
        pictures, labels = pictures.to(device).float() / 255, labels.to(device)
        if side:
            pictures = F.interpolate(pictures, size=(side, side), mode="bilinear")
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            if radius:
                pictures = attack(network, pictures, labels, radius, steps)
            with torch.no_grad():
                right += int((network(standardize(pictures)).argmax(1) == labels).sum())
    network.train(was_training)
    return right / len(split.labels)


def bar_interval() -> float:
    """Seconds between updates of a progress bar: rare in log files."""
    return 0.5 if sys.stderr.isatty() else 60.0
