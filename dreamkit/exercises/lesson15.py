"""Exercises of lesson 15, networks and how they were trained."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from . import Condition, Exercise, Mistake
from .checking import close, near, normal, on, uniform

_LEFT, _RIGHT = normal(7, 5, seed=1) + 1.5, normal(7, 5, seed=2) + 0.8


def _similarity(left, right, centred=True, unit=True, offset=1, measure=None):
    """The solution; the options make the mistakes that students make."""

    def pairs(codes):
        codes = codes - codes.mean(0) if centred else codes
        codes = F.normalize(codes, dim=1) if unit else codes
        row, column = torch.triu_indices(len(codes), len(codes), offset=offset)
        return (codes @ codes.T)[row, column]

    if measure:
        return float(measure(pairs(left), pairs(right)))
    return float(torch.corrcoef(torch.stack([pairs(left), pairs(right)]))[0, 1])


def _weights(inputs, outputs, kernel, expansion):
    wide = inputs * expansion
    return inputs * wide + wide * kernel * kernel + wide * outputs


_BLOCK = (16, 24, 3, 6)


def _layer(outputs=4, inputs=3, kernel=3, eps=1e-2):
    draw = torch.Generator().manual_seed(15)
    sizes = (outputs, inputs, kernel, kernel), (outputs,), (outputs,), (outputs,)
    weight, bias, mean, shift = (torch.randn(size, generator=draw) for size in sizes)
    variance, scale = (0.05 + torch.rand(outputs, generator=draw) for _ in range(2))
    return weight, bias, mean, variance, scale, shift, eps


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


def _pair(given, wanted) -> bool:
    return all(close(a, b) for a, b in zip(given, wanted, strict=True))


def _same_features(answer) -> bool:
    weight, bias, mean, variance, scale, shift, eps = _layer()
    picture = uniform(2, 3, 9, 11, seed=1)
    plain = F.conv2d(picture, weight, bias)
    wanted = F.batch_norm(plain, mean, variance, scale, shift, False, 0.0, eps)
    return torch.allclose(F.conv2d(picture, *answer(*_layer())), wanted, atol=1e-4)


EXERCISES = (
    Exercise(
        "network_similarity",
        "15",
        "How alike do two networks see?",
        9,
        3,
        _similarity,
        same=on(_LEFT, _RIGHT, compare=near),
        checks=(
            Mistake(
                "mean not subtracted",
                lambda left, right: _similarity(left, right, centred=False),
                "the mean code is still in: codes are seldom negative, so that all pictures look "
                "alike; subtract it in each network",
            ),
            Mistake(
                "products instead of cosines",
                lambda left, right: _similarity(left, right, unit=False),
                "these are products of the codes, in which strong codes count for more: bring each "
                "row to length 1 first",
            ),
            Mistake(
                "diagonal included",
                lambda left, right: _similarity(left, right, offset=0),
                "each picture is compared with itself too, and these ones raise the result: take "
                "pairs of different pictures only (offset=1)",
            ),
            Mistake(
                "cosine instead of correlation",
                lambda left, right: _similarity(
                    left, right, measure=lambda a, b: F.cosine_similarity(a, b, dim=0)
                ),
                "that is the cosine of the two lists; Pearson's correlation subtracts the mean of "
                "each list first",
            ),
            Mistake(
                "codes compared directly",
                lambda left, right: float(
                    torch.corrcoef(torch.stack([left.flatten(), right.flatten()]))[0, 1]
                ),
                "the codes themselves are compared, but channel 3 of one network has nothing to do "
                "with channel 3 of another: compare the pairs of pictures",
            ),
        ),
        otherwise=(
            "not yet: centred codes, cosines of all pairs (each once), and the correlation of the "
            "two lists"
        ),
        cases=(
            (normal(9, 4, seed=3), normal(9, 11, seed=4) + 1),
            (normal(5, 20, seed=5) + 2, normal(5, 3, seed=6)),
        ),
        compare=near,
        write=("representational_similarity",),
        praise="no channel of one network was matched with one of the other: only pairs of "
        "pictures were compared",
    ),
    Exercise(
        "block_weights",
        "15",
        "The weights of an inverted residual block",
        5,
        2,
        _weights,
        same=on(*_BLOCK, compare=near),
        checks=(
            Mistake(
                "depthwise as a full convolution",
                lambda i, o, k, e: _weights(i, o, k, e) + (i * e) ** 2 * k * k - i * e * k * k,
                "your middle convolution joins every channel with every other; a depthwise one has "
                "k · k weights for each channel",
            ),
            Mistake(
                "kernel not squared",
                lambda i, o, k, e: _weights(i, o, k, e) - i * e * k * (k - 1),
                "a kernel of 3 has 3 · 3 weights",
            ),
            Mistake(
                "not widened",
                lambda i, o, k, e: _weights(i, o, k, 1),
                "the expansion is not used: the middle has inputs · expansion channels",
            ),
            Mistake(
                "no projection",
                lambda i, o, k, e: i * i * e + i * e * k * k,
                "the last 1 × 1 convolution is missing: from the wide channels to `outputs`",
            ),
            Mistake(
                "a plain convolution",
                lambda i, o, k, e: i * o * k * k,
                "that is one plain convolution, from inputs to outputs; here there are three",
            ),
        ),
        otherwise="not yet: a 1 × 1, a depthwise k × k and a 1 × 1 convolution, added up",
        cases=((112, 192, 5, 6), (24, 40, 7, 3)),
        compare=near,
        praise="block 6a of EfficientNet-Lite0 (112, 192, 5, 6) has 221,088; a plain 5 × 5 "
        "convolution from 112 to 192 channels has 537,600, and one on its 672 wide channels 11 "
        "million",
    ),
    Exercise(
        "fold_norm",
        "15",
        "Fold a BatchNorm into a convolution",
        7,
        2,
        _fold,
        same=on(*_layer(), compare=_pair),
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
        cases=(_layer(5, 2, 1, 0.3), _layer(2, 6, 5, 1e-5)),
        compare=_pair,
        praise=(
            "one convolution now does what two layers did: dk.as_network does the same for every "
            "network it is given"
        ),
    ),
)
