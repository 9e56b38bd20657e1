"""Exercises of lesson 16, ONNX."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _off(ours, theirs):
    return (ours - theirs).abs().max() / theirs.abs().max()


def _off_absolute(ours, theirs):
    return (ours - theirs).abs().max()


def _off_signed(ours, theirs):
    return (ours - theirs).max() / theirs.max()


def _off_on_average(ours, theirs):
    return (ours - theirs).abs().mean() / theirs.abs().max()


def _off_each(ours, theirs):
    return ((ours - theirs).abs() / theirs.abs()).max()


def _maps() -> tuple[torch.Tensor, torch.Tensor]:
    """Two sets of maps: the largest difference is downwards, one value is tiny, and the largest value is negative."""
    theirs = _random(1, 2, 4, 5)
    theirs[0, 0, 0, 0], theirs[0, 1, 0, 0] = -8.0, 1e-4
    ours = theirs + 0.01 * _random(1, 2, 4, 5, seed=1).clamp(-1, 1)
    ours[0, 1, 3, 3] -= 0.4
    return ours, theirs


def _same_share(answer, wrong) -> bool:
    return abs(float(answer(*_maps())) - float(wrong(*_maps()))) < 1e-6


def _back(x, uphill):
    return torch.where(x > 0, uphill, torch.zeros_like(uphill))


def _back_turned(x, uphill):
    return torch.where(x > 0, torch.zeros_like(uphill), uphill)


def _back_of_the_gradient(x, uphill):
    return uphill.clamp(min=0)


def _back_both(x, uphill):
    return torch.where(x > 0, uphill.clamp(min=0), torch.zeros_like(uphill))


def _back_times(x, uphill):
    return x.clamp(min=0) * uphill


def _caffe(picture):
    return 255 * picture.flip(1) - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)


def _caffe_rgb(picture):
    return 255 * picture - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)


def _caffe_mean_first(picture):
    return (255 * picture - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)).flip(1)


def _caffe_unscaled(picture):
    return picture.flip(1) - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)


def _caffe_upside_down(picture):
    return 255 * picture.flip(2) - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)


def _same(answer, wrong, *given: torch.Tensor) -> bool:
    a, b = answer(*given), wrong(*given)
    return (
        isinstance(a, torch.Tensor)
        and a.shape == b.shape
        and torch.allclose(a.float(), b.float(), atol=1e-4)
    )


_GRADIENT = _random(1, 2, 4, 5), _random(1, 2, 4, 5, seed=1)
_PICTURE = _random(1, 3, 4, 5).sigmoid()


EXERCISES = (
    Exercise(
        "how_far_off",
        "16",
        "How far apart are two sets of maps?",
        5,
        1,
        _off,
        (
            Condition(
                lambda f: not _same_share(f, _off_absolute),
                "that is a difference in the layer's own units; deep layers reach hundreds, so divide by how large `theirs` gets",
            ),
            Condition(
                lambda f: not _same_share(f, _off_signed),
                "a value that is too small counts as well: take the size of the difference, and of the largest value",
            ),
            Condition(
                lambda f: not _same_share(f, _off_on_average),
                "an average hides one map that is quite wrong; take the largest difference",
            ),
            Condition(
                lambda f: not _same_share(f, _off_each),
                "divided value by value, a number near 0 decides everything: divide once, by the largest",
            ),
            Condition(
                lambda f: _same_share(f, _off),
                "not yet: the largest size of a difference, over the largest size of a value of `theirs`",
            ),
        ),
        (
            Mistake("not divided", _off_absolute),
            Mistake("signs kept", _off_signed),
            Mistake("the mean difference", _off_on_average),
            Mistake("each value's own share", _off_each),
        ),
        "one number for any layer, and the worst value decides: this is what the table in the lesson prints",
    ),
    Exercise(
        "relu_backwards",
        "16",
        "A ReLU, backwards",
        6,
        2,
        _back,
        (
            Condition(
                lambda f: not _same(f, lambda x, uphill: uphill, *_GRADIENT),
                "nothing is stopped: where x is below 0 a small change of x changes nothing, so the gradient there is 0",
            ),
            Condition(
                lambda f: not _same(f, _back_turned, *_GRADIENT),
                "turned round: the gradient passes where x is *above* 0",
            ),
            Condition(
                lambda f: not _same(f, _back_of_the_gradient, *_GRADIENT),
                "a ReLU of the gradient is the deconvnet's rule (lesson 14a); the true mask is x > 0, and negative gradients pass",
            ),
            Condition(
                lambda f: not _same(f, _back_both, *_GRADIENT),
                "negative gradients are lost: that is guided backpropagation; the mask depends on x alone",
            ),
            Condition(
                lambda f: not _same(f, _back_times, *_GRADIENT),
                "multiplied by x itself: the slope of a ReLU is 1 above 0, however large x is",
            ),
            Condition(
                lambda f: _same(f, _back, *_GRADIENT),
                "not yet: `uphill` where x > 0, and 0 elsewhere",
            ),
        ),
        (
            Mistake("no mask", lambda x, uphill: uphill),
            Mistake("mask turned round", _back_turned),
            Mistake("ReLU of the gradient", _back_of_the_gradient),
            Mistake("guided backpropagation", _back_both),
            Mistake("times x", _back_times),
        ),
        "a comparison and a choice: two ONNX nodes, Greater and Where, and that is what the step file holds for each ReLU",
    ),
    Exercise(
        "for_caffe",
        "16",
        "A picture as Caffe wants it",
        6,
        2,
        _caffe,
        (
            Condition(
                lambda f: not _same(f, _caffe_unscaled, _PICTURE),
                "the mean is on a scale to 255, the picture on one to 1: bring it to 255 first",
            ),
            Condition(
                lambda f: not _same(f, _caffe_rgb, _PICTURE),
                "still red, green, blue: put the channels in the order blue, green, red",
            ),
            Condition(
                lambda f: not _same(f, _caffe_mean_first, _PICTURE),
                "104 is the mean of *blue*: turn the channels round first, then take the means away",
            ),
            Condition(
                lambda f: not _same(f, _caffe_upside_down, _PICTURE),
                "the picture stands on its head: channels are dimension 1",
            ),
            Condition(
                lambda f: _same(f, _caffe, _PICTURE),
                "not yet: times 255, channels turned round, less 104, 117, 123",
            ),
        ),
        (
            Mistake("not brought to 255", _caffe_unscaled),
            Mistake("red first", _caffe_rgb),
            Mistake("means in the wrong order", _caffe_mean_first),
            Mistake("upside down", _caffe_upside_down),
        ),
        "every wrong version would have run without a word, and dreamt worse: no file says what its numbers mean",
    ),
)
