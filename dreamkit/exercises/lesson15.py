"""Exercises of lesson 15, networks and how they were trained."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from . import Condition, Exercise, Mistake
from .checking import close, near, uniform

_STACKS = (((3, 3), (1, 1)), ((7, 3, 3), (2, 2, 1)), ((3, 5, 3, 1), (1, 2, 2, 1)))


def _field(kernels, strides):
    size, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        size, step = size + (kernel - 1) * step, step * stride
    return size


def _field_early(kernels, strides):
    size, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        step *= stride
        size += (kernel - 1) * step
    return size


def _field_whole(kernels, strides):
    size, step = 0, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        size, step = size + kernel * step, step * stride
    return size


def _field_last(kernels, strides):
    before = [1, *strides]
    return 1 + sum((kernel - 1) * step for kernel, step in zip(kernels, before, strict=False))


def _sees(answer, other) -> bool:
    return all(answer(*stack) == other(*stack) for stack in _STACKS)


def _layer():
    draw = torch.Generator().manual_seed(15)
    weight, bias, mean, shift = (
        torch.randn(size, generator=draw) for size in ((4, 3, 3, 3), (4,), (4,), (4,))
    )
    variance, scale = (0.05 + torch.rand(4, generator=draw) for _ in range(2))
    return weight, bias, mean, variance, scale, shift, 1e-2


def _fold(weight, bias, mean, variance, scale, shift, eps):
    factor = scale / (variance + eps).sqrt()
    return weight * factor.view(-1, 1, 1, 1), (bias - mean) * factor + shift


def _fold_variance(weight, bias, mean, variance, scale, shift, eps):
    return _fold(weight, bias, mean, (variance + eps).square(), scale, shift, 0.0)


def _fold_no_mean(weight, bias, mean, *rest):
    return _fold(weight, bias, torch.zeros_like(mean), *rest)


def _fold_wrong_side(weight, bias, mean, variance, scale, shift, eps):
    factor = scale / (variance + eps).sqrt()
    return weight * factor[: weight.shape[1]].view(1, -1, 1, 1), (bias - mean) * factor + shift


def _folds(answer, other) -> bool:
    return all(close(a, b) for a, b in zip(answer(*_layer()), other(*_layer()), strict=True))


def _same_features(answer) -> bool:
    weight, bias, mean, variance, scale, shift, eps = _layer()
    picture = uniform(2, 3, 9, 11, seed=1)
    plain = F.conv2d(picture, weight, bias)
    wanted = F.batch_norm(plain, mean, variance, scale, shift, False, 0.0, eps)
    return torch.allclose(F.conv2d(picture, *answer(*_layer())), wanted, atol=1e-4)


EXERCISES = (
    Exercise(
        "share_of_weights",
        "15",
        "Twice three or once five",
        3,
        1,
        18 / 25,
        same=lambda a, b: near(a, b, 1e-3),
        checks=(
            Mistake(
                "one layer only",
                9 / 25,
                "that is one 3 × 3 layer; two of them are needed to see 5 × 5 pixels",
            ),
            Mistake(
                "upside down",
                25 / 18,
                "upside down: the weights of the two small layers, divided by those of the large "
                "one",
            ),
            Mistake(
                "the share saved",
                7 / 25,
                "that is the share that is saved; asked is the share that is needed",
            ),
            Mistake(
                "no share",
                18,
                "a share has no unit: divide by the weights of the 5 × 5 layer",
            ),
        ),
        otherwise="not this: 2 · 3 · 3 · C · C weights against 5 · 5 · C · C",
        praise="18 weights for 25, with a ReLU more in between",
    ),
    Exercise(
        "field_of_stack",
        "15",
        "How far a stack of layers sees",
        6,
        2,
        _field,
        same=_sees,
        checks=(
            Mistake(
                "strides not used",
                lambda kernels, strides: _field(kernels, [1] * len(kernels)),
                "the strides are not used: after a stride of 2, one cell further is two pixels "
                "further",
            ),
            Mistake(
                "its own stride too soon",
                _field_early,
                "a layer's own stride does not widen what *it* sees, only what the layers after it "
                "see: multiply afterwards",
            ),
            Mistake(
                "k instead of k − 1",
                _field_whole,
                "a kernel of k adds k − 1 cells to the one that was there, not k",
            ),
            Mistake(
                "only the stride just before",
                _field_last,
                "strides multiply: after two layers of stride 2, one cell is four pixels",
            ),
        ),
        otherwise=(
            "not yet: begin with one pixel; each layer adds (kernel − 1) times the product of the "
            "strides before it"
        ),
        praise="each layer adds (kernel − 1) steps, and a step is the product of the strides below",
    ),
    Exercise(
        "fold_norm",
        "15",
        "Fold a BatchNorm into a convolution",
        7,
        2,
        _fold,
        same=_folds,
        checks=(
            Mistake(
                "divided by the variance",
                _fold_variance,
                "divided by the variance; BatchNorm divides by its root",
            ),
            Mistake(
                "eps forgotten",
                lambda *given: _fold(*given[:-1], 0.0),
                "eps is missing: it is added to the variance before the root",
            ),
            Mistake(
                "mean not subtracted",
                _fold_no_mean,
                "the mean is never subtracted: subtract it from the bias before you scale",
            ),
            Mistake(
                "old bias",
                lambda weight, bias, *rest: (_fold(weight, bias, *rest)[0], bias),
                "the bias is still the old one: mean, scale and shift act on it too",
            ),
            Mistake(
                "input channels scaled",
                _fold_wrong_side,
                "the input channels are scaled; BatchNorm comes afterwards and scales its *output* "
                "channels: the first axis",
            ),
            Condition(
                _same_features,
                "not yet: factor = scale / sqrt(variance + eps), for the weight and for bias − "
                "mean; then add shift",
            ),
        ),
        praise=(
            "one convolution now does what two layers did: dk.as_network does the same for every "
            "network it is given"
        ),
    ),
)
