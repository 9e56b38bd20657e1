"""Exercises of lesson 15, networks and how they were trained."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from . import Condition, Exercise, Mistake

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


def _field_flat(kernels, strides):
    return _field(kernels, [1] * len(kernels))


def _field_whole(kernels, strides):
    size, step = 0, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        size, step = size + kernel * step, step * stride
    return size


def _field_last(kernels, strides):
    size = 1
    for kernel, before in zip(kernels, [1, *strides], strict=False):
        size += (kernel - 1) * before
    return size


def _sees(function, other):
    return all(function(*stack) == other(*stack) for stack in _STACKS)


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
    factor = scale / (variance + eps)
    return weight * factor.view(-1, 1, 1, 1), (bias - mean) * factor + shift


def _fold_no_eps(weight, bias, mean, variance, scale, shift, eps):
    return _fold(weight, bias, mean, variance, scale, shift, 0.0)


def _fold_no_mean(weight, bias, mean, variance, scale, shift, eps):
    return _fold(weight, bias, torch.zeros_like(mean), variance, scale, shift, eps)


def _fold_old_bias(weight, bias, mean, variance, scale, shift, eps):
    folded, _ = _fold(weight, bias, mean, variance, scale, shift, eps)
    return folded, bias


def _fold_wrong_side(weight, bias, mean, variance, scale, shift, eps):
    factor = scale / (variance + eps).sqrt()
    return weight * factor[: weight.shape[1]].view(1, -1, 1, 1), (bias - mean) * factor + shift


def _folds(function, other):
    given, wanted = function(*_layer()), other(*_layer())
    return all(torch.allclose(a, b, atol=1e-5) for a, b in zip(given, wanted, strict=True))


def _same_features(function):
    weight, bias, mean, variance, scale, shift, eps = _layer()
    picture = torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(1))
    wanted = F.batch_norm(
        F.conv2d(picture, weight, bias), mean, variance, scale, shift, False, 0.0, eps
    )
    folded = function(weight, bias, mean, variance, scale, shift, eps)
    return torch.allclose(F.conv2d(picture, *folded), wanted, atol=1e-4)


def _is(answer, value):
    return abs(float(answer) - value) < 1e-3


EXERCISES = (
    Exercise(
        "share_of_weights",
        "15",
        "Twice three or once five",
        3,
        1,
        18 / 25,
        (
            Condition(
                lambda a: not _is(a, 9 / 25),
                "that is one 3 × 3 layer; two of them are needed to see 5 × 5 pixels",
            ),
            Condition(
                lambda a: not _is(a, 25 / 18),
                "upside down: the weights of the two small layers, divided by those of the large one",
            ),
            Condition(
                lambda a: not _is(a, 7 / 25),
                "that is the share that is saved; asked is the share that is needed",
            ),
            Condition(
                lambda a: not _is(a, 18),
                "a share has no unit: divide by the weights of the 5 × 5 layer",
            ),
            Condition(
                lambda a: _is(a, 18 / 25),
                "not this: 2 · 3 · 3 · C · C weights against 5 · 5 · C · C",
            ),
        ),
        (
            Mistake("one layer only", 9 / 25),
            Mistake("upside down", 25 / 18),
            Mistake("the share saved", 7 / 25),
            Mistake("no share", 18),
        ),
        "18 weights for 25, with a ReLU more in between",
    ),
    Exercise(
        "field_of_stack",
        "15",
        "How far a stack of layers sees",
        6,
        2,
        _field,
        (
            Condition(
                lambda f: not _sees(f, _field_flat),
                "the strides are not used: behind a stride of 2, one cell further is two pixels further",
            ),
            Condition(
                lambda f: not _sees(f, _field_early),
                "a layer's own stride does not widen what *it* sees, only what the layers after it see: multiply afterwards",
            ),
            Condition(
                lambda f: not _sees(f, _field_whole),
                "a kernel of k adds k − 1 cells to the one that was there, not k",
            ),
            Condition(
                lambda f: not _sees(f, _field_last),
                "strides multiply: behind two layers of stride 2, one cell is four pixels",
            ),
            Condition(
                lambda f: _sees(f, _field),
                "not yet: begin with one pixel; each layer adds (kernel − 1) times the product of the strides before it",
            ),
        ),
        (
            Mistake("strides not used", _field_flat),
            Mistake("its own stride too soon", _field_early),
            Mistake("k instead of k − 1", _field_whole),
            Mistake("only the stride just before", _field_last),
        ),
        "each layer adds (kernel − 1) steps, and a step is the product of the strides below",
    ),
    Exercise(
        "fold_norm",
        "15",
        "Fold a BatchNorm into a convolution",
        7,
        2,
        _fold,
        (
            Condition(
                lambda f: not _folds(f, _fold_variance),
                "divided by the variance; BatchNorm divides by its root",
            ),
            Condition(
                lambda f: not _folds(f, _fold_no_eps),
                "eps is missing: it is added to the variance before the root",
            ),
            Condition(
                lambda f: not _folds(f, _fold_no_mean),
                "the mean is never subtracted: take it from the bias before you scale",
            ),
            Condition(
                lambda f: not _folds(f, _fold_old_bias),
                "the bias is still the old one: mean, scale and shift act on it too",
            ),
            Condition(
                lambda f: not _folds(f, _fold_wrong_side),
                "the input channels are scaled; BatchNorm comes afterwards and scales its *output* channels: the first axis",
            ),
            Condition(
                _same_features,
                "not yet: factor = scale / sqrt(variance + eps), for the weight and for bias − mean; then add shift",
            ),
        ),
        (
            Mistake("divided by the variance", _fold_variance),
            Mistake("eps forgotten", _fold_no_eps),
            Mistake("mean not subtracted", _fold_no_mean),
            Mistake("old bias", _fold_old_bias),
            Mistake("input channels scaled", _fold_wrong_side),
        ),
        "one convolution now does what two layers did: dk.as_network does the same for every network it is given",
    ),
)
