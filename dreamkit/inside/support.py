"""The pixels that a cell sees, measured: where the gradient of its features is not 0."""

from __future__ import annotations

import torch

from ..networks.features import capture
from ..networks.network import Network
from ..pictures.image import Image

Box = tuple[int, int, int, int]  # (top, bottom, left, right), bottom and right not included
Cell = tuple[int, int]  # (row, column) in a map


def support(network: Network, layer: str, image: Image, cell: Cell) -> Box:
    """The smallest box of pixels outside which the gradient of a cell's features is 0.

    The gradient is taken in the picture [1, 3, H, W] and in noise of its size, since a silent ReLU
    hides what is behind it. If it is 0 everywhere, the box is the whole picture.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(image.shape, generator=generator).to(image.device, image.dtype)
    seen = torch.zeros(image.shape[-2:], dtype=torch.bool, device=image.device)
    with torch.enable_grad():
        for picture in (image, noise):
            leaf = picture.detach().clone().requires_grad_()
            features = capture(network, leaf, layer)[layer][0, :, cell[0], cell[1]]
            if features.requires_grad:
                weights = torch.linspace(1, 2, len(features)).to(features)  # no two cancel out
                (gradient,) = torch.autograd.grad((weights * features).sum(), leaf)
                seen |= gradient[0].abs().sum(0) != 0
    rows, columns = (seen.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    if not rows:
        return 0, seen.shape[0], 0, seen.shape[1]
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
