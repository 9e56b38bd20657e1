"""Exercises of lesson 16, ONNX."""

from __future__ import annotations

import torch

from . import Exercise, Mistake
from .checking import near, normal, on


def _maps() -> tuple[torch.Tensor, torch.Tensor]:
    """Two sets of maps with a large negative difference, a tiny and a large negative value."""
    theirs = normal(1, 2, 4, 5)
    theirs[0, 0, 0, 0], theirs[0, 1, 0, 0] = -8.0, 1e-4
    ours = theirs + 0.01 * normal(1, 2, 4, 5, seed=1).clamp(-1, 1)
    ours[0, 1, 3, 3] -= 0.4
    return ours, theirs


def _masked(mask, uphill):
    return torch.where(mask, uphill, torch.zeros_like(uphill))


_MEAN = torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)


EXERCISES = (
    Exercise(
        "how_far_off",
        "16",
        "How far apart are two sets of maps?",
        5,
        1,
        lambda ours, theirs: (ours - theirs).abs().max() / theirs.abs().max(),
        same=on(*_maps(), compare=near),
        checks=(
            Mistake(
                "not divided",
                lambda ours, theirs: (ours - theirs).abs().max(),
                "that is a difference in the layer's own units; deep layers reach hundreds, so "
                "divide by how large `theirs` gets",
            ),
            Mistake(
                "signs kept",
                lambda ours, theirs: (ours - theirs).max() / theirs.max(),
                "a value that is too small counts as well: take the size of the difference, and of "
                "the largest value",
            ),
            Mistake(
                "the mean difference",
                lambda ours, theirs: (ours - theirs).abs().mean() / theirs.abs().max(),
                "an average hides one map that is quite wrong; take the largest difference",
            ),
            Mistake(
                "each value's own share",
                lambda ours, theirs: ((ours - theirs).abs() / theirs.abs()).max(),
                "divided value by value, a number near 0 decides everything: divide once, by the "
                "largest",
            ),
        ),
        otherwise=(
            "not yet: the largest size of a difference, over the largest size of a value of "
            "`theirs`"
        ),
        praise=(
            "one number for any layer, and the worst value decides: the table in the lesson prints "
            "it"
        ),
    ),
    Exercise(
        "relu_backwards",
        "16",
        "A ReLU, backwards",
        6,
        2,
        lambda x, uphill: _masked(x > 0, uphill),
        same=on(normal(1, 2, 4, 5), normal(1, 2, 4, 5, seed=1)),
        checks=(
            Mistake(
                "no mask",
                lambda x, uphill: uphill,
                "nothing is stopped: where x is below 0 a small change of x changes nothing, so "
                "the gradient there is 0",
            ),
            Mistake(
                "mask turned round",
                lambda x, uphill: _masked(x <= 0, uphill),
                "the mask is the wrong way round: the gradient passes where x is *above* 0",
            ),
            Mistake(
                "ReLU of the gradient",
                lambda x, uphill: uphill.clamp(min=0),
                "a ReLU of the gradient is the deconvnet's rule (lesson 14a); the true mask is x > "
                "0, and negative gradients pass",
            ),
            Mistake(
                "guided backpropagation",
                lambda x, uphill: _masked(x > 0, uphill.clamp(min=0)),
                "negative gradients are lost: that is guided backpropagation; the mask depends on "
                "x alone",
            ),
            Mistake(
                "times x",
                lambda x, uphill: x.clamp(min=0) * uphill,
                "multiplied by x itself: the slope of a ReLU is 1 above 0, however large x is",
            ),
        ),
        otherwise="not yet: `uphill` where x > 0, and 0 elsewhere",
        praise=(
            "a comparison and a choice: two ONNX nodes, Greater and Where, which the step file "
            "holds for each ReLU"
        ),
    ),
    Exercise(
        "for_caffe",
        "16",
        "A picture as Caffe wants it",
        6,
        2,
        lambda picture: 255 * picture.flip(1) - _MEAN,
        same=on(normal(1, 3, 4, 5).sigmoid()),
        checks=(
            Mistake(
                "not brought to 255",
                lambda picture: picture.flip(1) - _MEAN,
                "the mean is on a scale to 255, the picture on one to 1: bring it to 255 first",
            ),
            Mistake(
                "red first",
                lambda picture: 255 * picture - _MEAN,
                "still red, green, blue: put the channels in the order blue, green, red",
            ),
            Mistake(
                "means in the wrong order",
                lambda picture: (255 * picture - _MEAN).flip(1),
                "104 is the mean of *blue*: reverse the channels first, then subtract the means",
            ),
            Mistake(
                "upside down",
                lambda picture: 255 * picture.flip(2) - _MEAN,
                "the picture is upside down: channels are dimension 1",
            ),
        ),
        otherwise="not yet: times 255, channels reversed, minus 104, 117, 123",
        praise=(
            "every wrong version would have run without an error, and dreamt worse: no file says "
            "what its numbers mean"
        ),
    ),
)
