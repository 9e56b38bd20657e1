"""Codes of pictures: which of them belong together, as features or any other numbers tell."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def retrieval(left: Tensor, right: Tensor) -> float:
    """The share of codes `left` [N, C] whose nearest code of `right` [N, C] is that of their row.

    Nearest is the highest cosine after the mean of all 2N codes is subtracted: without that, codes
    that are never negative all look alike. Chance gives 1 / N. Raises ValueError unless both have
    the same shape, with at least two rows.

    >>> codes = torch.tensor([[5.0, 5.1], [5.1, 5.0]])
    >>> retrieval(codes, codes), retrieval(codes, codes.flip(0))
    (1.0, 0.0)
    """
    if left.dim() != 2 or left.shape != right.shape or len(left) < 2:
        shapes = f"{list(left.shape)} and {list(right.shape)}"
        raise ValueError(
            f"codes are two tensors [N, C] of one shape, N at least 2; given: {shapes}"
        )
    mean = torch.cat([left, right]).mean(0)
    likeness = F.normalize(left - mean, dim=1) @ F.normalize(right - mean, dim=1).T  # [N, N]
    return float((likeness.argmax(1) == torch.arange(len(left), device=left.device)).float().mean())
