"""Lesson 09: answers that are right on the lesson's own case only are turned down."""

import torch
from torch.nn import functional as F

from dreamkit.exercises import all_exercises, check

GROWN = all_exercises()["grown"].solution
MAP = all_exercises()["change_map"].solution
SHARES = all_exercises()["shares"].solution

FOOLS = {
    "two channels, whatever is asked": ("grown", lambda b, a, n: GROWN(b, a, 2)[:n]),
    "the least grown": ("grown", lambda b, a, n: (b - a).mean((0, 2, 3)).topk(n).indices.tolist()),
    "growth relative to before": (
        "grown",
        lambda b, a, n: (a / (b + 0.1)).mean((0, 2, 3)).topk(n).indices.tolist(),
    ),
    "squares of two pixels": ("change_map", lambda p, d, s: MAP(p, d, 2)),
    "the photo ignored": ("change_map", lambda p, d, s: MAP(0 * p + 0.5, d, s)),
    "one value for all squares": (
        "change_map",
        lambda p, d, s: F.avg_pool2d((d - p).square().mean(1)[None], s)[0, 0].mean().sqrt(),
    ),
    "as many photos as dreamers": (
        "shares",
        lambda x: SHARES(x[:3, :4]) if x.shape[0] == 3 else (0.5, 0.5),
    ),
    "four photos": (
        "shares",
        lambda x: (SHARES(x)[0] * 4 / x.shape[1], SHARES(x)[1] * 3 / x.shape[0]),
    ),
    "the rest left out": ("shares", lambda x: (SHARES(x)[0], 1 - SHARES(x)[0])),
}


def test_shares_of_a_table_worked_out_by_hand():
    """Dreamers differ by ±1, photos by ±2, without rest: 1 of 5 and 4 of 5."""
    table = torch.tensor([[-3.0, 1.0], [-1.0, 3.0]])[:, :, None]
    assert torch.allclose(torch.tensor(SHARES(table)), torch.tensor([0.2, 0.8]))


def test_other_right_answers_are_accepted():
    def loops(photo, dream, side):
        rows, columns = photo.shape[-2] // side, photo.shape[-1] // side
        change = dream - photo
        return torch.tensor(
            [
                [
                    float(
                        change[..., y * side : (y + 1) * side, x * side : (x + 1) * side]
                        .square()
                        .mean()
                        .sqrt()
                    )
                    for x in range(columns)
                ]
                for y in range(rows)
            ]
        )

    assert check("change_map", loops).ok
    assert check("grown", lambda b, a, n: GROWN(b, a, n)).ok
