"""Optical flow: where each pixel of a frame was in the frame before, pictures carried along it, and how much they flicker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .image import Image, to_pillow


@dataclass(frozen=True)
class Flow:
    """For each pixel of a frame, where it was in the frame before: `back` [1, 2, H, W], (dx, dy) in pixels, and `trusted` [1, 1, H, W]."""

    back: Tensor
    trusted: Tensor


def optical_flow(before: Image, now: Image) -> Flow:
    """The dense optical flow from `now` back to `before` (OpenCV's DIS: Kroeger et al., 2016), and where it can be trusted.

    It is trusted where going back and forth again returns: |b + f|² < 0.01 (|b|² + |f|²) + 0.5 (Sundaram et al., 2010),
    and leads to no place outside the picture. ValueError where OpenCV is missing.
    """
    old, new = (_grey(frame) for frame in (before, now))
    back, forth = _dis(new, old), _dis(old, new)
    back, forth = back.to(now), forth.to(now)
    height, width = now.shape[-2:]
    y, x = grid(height, width)
    x, y = x.to(now) + back[0, 0], y.to(now) + back[0, 1]
    inside = (
        (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    )  # on some pixel, not only between centres
    forth = sample(forth, x, y)
    error = (back + forth).square().sum(1, keepdim=True)
    size = back.square().sum(1, keepdim=True) + forth.square().sum(1, keepdim=True)
    return Flow(back, (error < 0.01 * size + 0.5) & inside)


def warp(image: Image, back: Tensor) -> Image:
    """The picture [N, C, H, W] whose pixel at p is that of `image` at p + back(p); `back` [1, 2, H, W] is (dx, dy) in pixels."""
    y, x = grid(*image.shape[-2:])
    return sample(image, x.to(image) + back[0, 0].to(image), y.to(image) + back[0, 1].to(image))


def flicker(frames: Sequence[Image], flows: Sequence[Flow]) -> float:
    """The mean difference between each frame and the one before it carried along the flow, over the pixels that are trusted.

    `flows[t]` leads from frame t + 1 to frame t, and is that of the video before it was dreamt: what moves with the
    things does not flicker.

    >>> still = Flow(torch.zeros(1, 2, 2, 2), torch.ones(1, 1, 2, 2, dtype=torch.bool))
    >>> flicker([torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.25)], [still])
    0.25
    """
    if len(flows) != len(frames) - 1 or not flows:
        raise ValueError(
            f"there is one flow for each two neighbours; given: {len(frames)} frames, {len(flows)} flows"
        )
    found = [
        (warp(a, flow.back) - b).abs()[flow.trusted.expand_as(b)]
        for a, b, flow in zip(frames, frames[1:], flows, strict=False)
    ]
    return float(torch.cat(found).mean())


def grid(height: int, width: int) -> tuple[Tensor, Tensor]:
    """The row and the column of each pixel, [H, W] each, float64."""
    return torch.meshgrid(
        torch.arange(height, dtype=torch.float64),
        torch.arange(width, dtype=torch.float64),
        indexing="ij",
    )


def sample(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The picture at the places (x, y) [H, W] in pixels, bilinear, mirrored beyond its borders."""
    height, width = image.shape[-2:]
    places = torch.stack([2 * x / max(1, width - 1) - 1, 2 * y / max(1, height - 1) - 1], -1)
    places = places.to(image)[None].expand(len(image), -1, -1, -1)
    return F.grid_sample(
        image, places, mode="bilinear", padding_mode="reflection", align_corners=True
    )


def _grey(frame: Image) -> np.ndarray:
    return np.asarray(to_pillow(frame).convert("L"))


def _dis(a: np.ndarray, b: np.ndarray) -> Tensor:
    cv2 = opencv()
    try:
        found = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(a, b, None)
    except cv2.error:
        raise ValueError(
            f"{a.shape[1]}×{a.shape[0]} pixels are too few for optical flow; give a larger side, or flow=False"
        ) from None
    return torch.from_numpy(found).permute(2, 0, 1)[None]


def opencv():
    """The module cv2. ValueError in one line where it is missing."""
    try:
        import cv2
    except ImportError:
        raise ValueError(
            "optical flow needs OpenCV: pip install 'dreamkit[film]' brings it; flow=False does without"
        ) from None
    return cv2
