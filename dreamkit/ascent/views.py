"""Random views of a picture: what grows must look right in all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from ..pictures.image import Image


@dataclass(frozen=True)
class Views:
    """The greatest random shift, scale and turn of each step's view of the picture.

    `shift` is in pixels, `scale` a share (0.1: from 0.9 to 1.1 times), `turn` in degrees. What
    grows must then look right from many views (transformation robustness).
    """

    shift: float = 8
    scale: float = 0.15
    turn: float = 10


@dataclass(frozen=True)
class Crops:
    """Views that are random crops of the picture, resized to `side`×`side` pixels.

    A crop's side is a random share, from `least` to `most`, of the picture's shorter side. It lies
    anywhere in the picture, turned by up to `turn` degrees; what it sees beyond the picture's edge
    is mirrored. The object that grows is then seen whole and in parts.
    """

    side: int = 128
    least: float = 0.55
    most: float = 1.25
    turn: float = 12

    def __post_init__(self) -> None:
        if self.side < 1 or not 0 < self.least <= self.most:
            raise ValueError(
                "crops have a side of at least 1 pixel and 0 < least <= most; given: "
                f"{self.side}, {self.least}, {self.most}"
            )


def random_view(image: Image, views: Views | Crops, generator: torch.Generator) -> Image:
    """A random view of the pictures [N, 3, H, W], the same for all, mirrored at their borders.

    Views keep the size; Crops give [N, 3, side, side].
    """
    if isinstance(views, Crops):
        return _crop(image, views, generator)
    draw = lambda most: most * (2 * torch.rand((), generator=generator).item() - 1)
    height, width = image.shape[-2:]
    size, angle = 1 + draw(views.scale), math.radians(draw(views.turn))
    # grid_sample counts a side as 2
    down, right = draw(views.shift) * 2 / height, draw(views.shift) * 2 / width
    cos, sin = math.cos(angle) / size, math.sin(angle) / size
    matrix = [[cos, -sin * height / width, right], [sin * width / height, cos, down]]
    return _seen(image, matrix, image.shape)


def _crop(image: Image, crops: Crops, generator: torch.Generator) -> Image:
    draw = lambda least, most: least + (most - least) * torch.rand((), generator=generator).item()
    height, width = image.shape[-2:]
    side = draw(crops.least, crops.most) * min(height, width)  # in pixels
    tall, wide = side / height, side / width  # as shares of the picture
    angle = math.radians(draw(-crops.turn, crops.turn))
    cos, sin = math.cos(angle), math.sin(angle)
    down, right = ((1 - share) * draw(-1, 1) for share in (tall, wide))
    matrix = [[cos * wide, -sin * wide, right], [sin * tall, cos * tall, down]]
    return _seen(image, matrix, (*image.shape[:2], crops.side, crops.side))


def _seen(image: Image, matrix: list[list[float]], shape: Sequence[int]) -> Image:
    matrix = torch.tensor(matrix).to(image).expand(len(image), 2, 3)
    grid = F.affine_grid(matrix, list(shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)
