"""Optical flow: where each pixel of a frame was in the frame before; how much a film flickers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..checks.packages import optional_package
from .image import Image, to_pillow
from .transforms import pixel_grid, sample_at, warp


@dataclass(frozen=True)
class Flow:
    """For each pixel of a frame, where it was in the frame before.

    `back` [1, 2, H, W] holds (dx, dy) in pixels; `trusted` [1, 1, H, W] says where it is reliable.
    """

    back: Tensor
    trusted: Tensor


def optical_flow(before: Image, now: Image) -> Flow:
    """The dense optical flow from `now` back to `before` (OpenCV's DIS: Kroeger et al., 2016).

    It is trusted where the way back and forth ends where it began, which means
    `|b + f|² < 0.01 (|b|² + |f|²) + 0.5` (Sundaram et al., 2010), and where it leads to a place
    inside the picture. ValueError if OpenCV (the extra `film`) is not installed, and for frames
    that are too small.
    """
    old, new = (np.asarray(to_pillow(frame).convert("L")) for frame in (before, now))
    back, forth = (_dis(*pair).to(now) for pair in ((new, old), (old, new)))
    height, width = now.shape[-2:]
    y, x = (places.to(now) for places in pixel_grid(height, width))
    x, y = x + back[0, 0], y + back[0, 1]
    inside = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)  # on some pixel
    forth = sample_at(forth, x, y)
    error = (back + forth).square().sum(1, keepdim=True)
    size = back.square().sum(1, keepdim=True) + forth.square().sum(1, keepdim=True)
    return Flow(back, (error < 0.01 * size + 0.5) & inside)


def _dis(start: np.ndarray, end: np.ndarray) -> Tensor:
    """The flow [1, 2, H, W] from one grey picture [H, W] of bytes to another."""
    cv2 = opencv()
    try:
        found = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(start, end, None)
    except cv2.error:
        raise ValueError(
            f"{start.shape[1]}×{start.shape[0]} pixels are too few for optical flow; "
            "give a larger side, or flow=False"
        ) from None
    return torch.from_numpy(found).permute(2, 0, 1)[None]


def flicker(frames: Sequence[Image], flows: Sequence[Flow]) -> float:
    """The mean difference between each frame and the frame before, carried along the flow.

    Only trusted pixels count. `flows[t]` leads from frame t + 1 back to frame t of the original
    video, so that what moves with the things in the video does not count as flicker.

    >>> still = Flow(torch.zeros(1, 2, 2, 2), torch.ones(1, 1, 2, 2, dtype=torch.bool))
    >>> flicker([torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.25)], [still])
    0.25
    """
    if len(flows) != len(frames) - 1 or not flows:
        given = f"{len(frames)} frames, {len(flows)} flows"
        raise ValueError(f"a flow joins each two neighbouring frames; given: {given}")
    found = [
        (warp(a, flow.back) - b).abs()[flow.trusted.expand_as(b)]
        for (a, b), flow in zip(itertools.pairwise(frames), flows, strict=True)
    ]
    return float(torch.cat(found).mean())


def opencv():
    """The module cv2. ValueError in one line if it is not installed."""
    without = "; flow=False works without it"
    return optional_package("cv2", "optical flow needs OpenCV", "film", without)
