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


def representational_similarity(left: Tensor, right: Tensor) -> float:
    """How alike two networks see N pictures, from their codes `left` [N, C] and `right` [N, D].

    Pearson's correlation of the cosines of all pairs of different pictures, after each network's
    mean code is subtracted: 1 if the same pairs are alike in both, about 0 if the two have nothing
    to do with each other (Kriegeskorte et al., "Representational similarity analysis", 2008).
    Raises ValueError unless both have the same N, at least 3. NaN if all pairs are equally alike.

    >>> codes = torch.eye(4)[:, :3] + torch.arange(4.0)[:, None]
    >>> round(representational_similarity(codes, codes.flip(1)), 3)
    1.0
    """
    if left.dim() != 2 or right.dim() != 2 or len(left) != len(right) or len(left) < 3:
        shapes = f"{list(left.shape)} and {list(right.shape)}"
        raise ValueError(
            f"codes are two tensors [N, C] and [N, D] with N at least 3; given: {shapes}"
        )
    row, column = torch.triu_indices(len(left), len(left), offset=1)
    units = (F.normalize(codes - codes.mean(0), dim=1) for codes in (left, right))
    return float(torch.corrcoef(torch.stack([(u @ u.T)[row, column] for u in units]))[0, 1])
