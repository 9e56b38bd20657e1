"""Lesson 16: `x >= 0`, fixed numbers and ignored parameters are turned down."""

import math

import torch

from dreamkit.exercises import all_exercises

PART, BACK, CAFFE = (
    all_exercises()[name].solution for name in ("where_they_part", "relu_backwards", "for_caffe")
)

FOOLS = {
    "part: nothing parts": ("where_they_part", lambda ours, theirs, tolerance: ""),
    "part: the first layer": ("where_they_part", lambda ours, theirs, tolerance: next(iter(ours))),
    "part: a tolerance of 0.01": (
        "where_they_part",
        lambda ours, theirs, t: PART(ours, theirs, 0.01),
    ),
    "part: block3": ("where_they_part", lambda ours, theirs, tolerance: "block3"),
    "part: ours is the measure": ("where_they_part", lambda ours, theirs, t: PART(theirs, ours, t)),
    "back: zero passes": ("relu_backwards", lambda x, up, top: up * ((x >= 0) & (x < top))),
    "back: both ends pass": ("relu_backwards", lambda x, up, top: up * ((x >= 0) & (x <= top))),
    "back: top is 6": ("relu_backwards", lambda x, up, top: BACK(x, up, 6.0)),
    "back: no top": ("relu_backwards", lambda x, up, top: BACK(x, up, math.inf)),
    "caffe: the usual mean": ("for_caffe", lambda x, mean: CAFFE(x, (104, 117, 123))),
    "caffe: one picture": ("for_caffe", lambda x, mean: CAFFE(x[:1], mean)),
    "caffe: one mean": ("for_caffe", lambda x, mean: CAFFE(x, (sum(mean) / 3,) * 3)),
}


def test_the_solution_is_pytorchs_gradient():
    x = torch.tensor([-1.0, 0.0, 3.0, 6.0, 7.0], requires_grad=True)
    uphill = torch.tensor([1.0, -2.0, -3.0, 4.0, 5.0])
    (theirs,) = torch.autograd.grad(torch.nn.functional.relu6(x), x, uphill)
    assert BACK(x.detach(), uphill, 6.0).tolist() == theirs.tolist()
