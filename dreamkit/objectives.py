"""What to want of a picture: objectives on features, their sums, and `scorer`, which joins one to a network.

Bigger is always better, so there are no minus signs; `+` and `number *` are all the algebra there is
(the vocabulary is Lucid's: Olah, Mordvintsev & Schubert, "Feature Visualization", Distill, 2017).
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ._names import unknown
from .features import capture, layer_info
from .image import Image
from .network import Network


class Features(dict):
    """Features by layer name, with the labels of the network they come from."""

    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Objective:
    """The layers it needs, a formula from their features {name: [N, C, h, w]} to one number, and a readable name.

    The formula sums over the pictures of a batch, so that each picture's gradient is what it would be alone.

    >>> (layer("conv1") + 0.5 * channel("conv2", 3)).name
    "layer('conv1') + 0.5 * channel('conv2', 3)"
    """

    layers: tuple[str, ...]
    formula: Callable[[Mapping[str, Tensor]], Tensor] = field(repr=False)
    name: str = ""

    def __add__(self, other: Objective) -> Objective:
        if not isinstance(other, Objective):
            return NotImplemented
        layers = tuple(dict.fromkeys(self.layers + other.layers))
        return Objective(layers, lambda features: self.formula(features) + other.formula(features), f"{self.name} + {other.name}")

    def __rmul__(self, factor: float) -> Objective:
        if not isinstance(factor, numbers.Real):
            return NotImplemented
        if not math.isfinite(factor):
            raise ValueError(f"an objective is weighed by a finite number; given: {factor!r}")
        name = f"({self.name})" if " + " in self.name else self.name
        return Objective(self.layers, lambda features: float(factor) * self.formula(features), f"{factor:g} * {name}")

    __mul__ = __rmul__


def layer(name: str, power: float = 2, border: int = 0) -> Objective:
    """A whole layer: the mean of its features to the given power (2: DeepDream's; 1: TensorFlow's tutorial).

    `border` cells at each edge of the map are left out of the sum (not of the count), as in the Keras example.
    ValueError for a power that is not above 0, and for a border that leaves nothing of the map.
    """
    if isinstance(border, bool) or not isinstance(border, numbers.Integral) or border < 0:
        raise ValueError(f"border is in cells of the feature map, a whole number of 0 or more; given: {border!r}")
    if not isinstance(power, numbers.Real) or not 0 < power < math.inf:
        raise ValueError(f"power is a number above 0; given: {power!r}")

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values = features[name]
        if border and values.dim() != 4:
            raise ValueError(f"layer {name!r} has no feature map ({list(values.shape)}), so there is no border to leave out")
        height, width = values.shape[-2:]
        inner = values[..., border:height - border, border:width - border] if border else values
        if inner.numel() == 0:
            raise ValueError(f"a border of {border} cells leaves nothing of the {height}×{width} map of layer {name!r}")
        return (inner if power == 1 else inner.pow(power)).sum() / values[0].numel()

    more = ("" if power == 2 else f", power={power:g}") + (f", border={border}" if border else "")
    return Objective((name,), formula, f"layer({name!r}{more})")


def channel(name: str, index: int) -> Objective:
    """One channel of a layer: the mean of its map (of its tokens, in a transformer). ValueError, once scored, for one there is not."""

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values = features[name]
        values = values.transpose(1, 2) if values.dim() == 3 else values                         # [N, tokens, C] has its channels last
        _check_index("channel", index, values.shape[1], f"layer {name!r}")
        return values[:, index].reshape(len(values), -1).mean(1).sum()

    return Objective((name,), formula, f"channel({name!r}, {index})")


def neuron(name: str, index: int, y: int, x: int) -> Objective:
    """One cell of one channel: row `y` and column `x` of its feature map, counted from the top left."""

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values = features[name]
        if values.dim() != 4:
            raise ValueError(f"layer {name!r} has no feature map ({list(values.shape)}); use channel")
        for what, given, count in (("channel", index, values.shape[1]), ("row", y, values.shape[2]), ("column", x, values.shape[3])):
            _check_index(what, given, count, f"layer {name!r}")
        return values[:, index, y, x].sum()

    return Objective((name,), formula, f"neuron({name!r}, {index}, {y}, {x})")


def logit(index_or_label: int | str) -> Objective:
    """One class before the softmax, by its index or by its label (Simonyan et al., 2013)."""

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values, labels = features[""], getattr(features, "labels", ())
        index = class_index(labels, index_or_label) if isinstance(index_or_label, str) else index_or_label
        _check_index("class", index, values.shape[1], "the network")
        return values[:, index].sum()

    return Objective(("",), formula, f"logit({index_or_label!r})")


def guide(name: str, features: Tensor | Mapping[str, Tensor]) -> Objective:
    """A guide picture's features at a layer: every cell of the picture's map moves towards the guide's best match for it.

    The value is the sum over cells i of max_j <x_i, y_j> with the choice of j held fixed, so its gradient at x_i is
    the matching y_j, as in the guided dreams of google/deepdream (2015). `features` is the guide's [1, C, h, w] or
    [C, h, w] (or what `capture` gave, of which the layer is taken).
    """
    if isinstance(features, Mapping) and name not in features:
        raise unknown("layer", name, features, "these were captured of the guide")
    target = features[name] if isinstance(features, Mapping) else features
    if not isinstance(target, Tensor):
        raise ValueError(f"a guide is a tensor of features, [1, C, h, w]; given: {type(target).__name__}")
    if target.dim() not in (3, 4) or (target.dim() == 4 and len(target) != 1):
        raise ValueError(f"a guide is the features of one picture, [1, C, h, w]; given: {list(target.shape)}")
    columns = target.detach().reshape(target.shape[-3], -1)                                  # [C, guide cells]

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values = features[name]
        if values.dim() != 4:
            raise ValueError(f"layer {name!r} has no feature map ({list(values.shape)}) whose cells could be guided")
        if values.shape[1] != len(columns):
            raise ValueError(f"the guide has {len(columns)} channels; layer {name!r} has {values.shape[1]}")
        cells = values.flatten(2)                                                            # [N, C, cells]
        return (cells * best_match(cells.detach(), columns.to(cells))).sum()

    return Objective((name,), formula, f"guide({name!r})")


def best_match(cells: Tensor, columns: Tensor, most: int = 2**24) -> Tensor:
    """For each cell of `cells` [N, C, cells] the column of `columns` [C, M] with the greatest inner product: [N, C, cells].

    At most `most` products are held at a time (64 MiB in float32), which changes nothing else.
    """
    result = torch.empty_like(cells)
    step = max(1, most // columns.shape[1])
    for picture, matched in zip(cells, result, strict=True):
        for start in range(0, cells.shape[2], step):
            products = picture[:, start:start + step].T @ columns                            # [cells, M]
            matched[:, start:start + step] = columns[:, products.argmax(1)]
    return result


@dataclass(frozen=True)
class Scorer:
    """A Score: standardises a picture, runs the network as far as the objective needs, and gives the objective's value."""

    network: Network
    objective: Objective

    @property
    def name(self) -> str:
        return self.objective.name

    def __call__(self, image: Image) -> Tensor:
        features = Features(capture(self.network, image, self.objective.layers))
        features.labels = self.network.labels
        return self.objective.formula(features)


def scorer(network: Network, objective: Objective) -> Scorer:
    """The Score of a picture: how much of `objective` the network finds in it. KeyError for a layer it does not have.

    >>> from dreamkit.network import as_network
    >>> net = as_network(torch.nn.Conv2d(3, 2, 1), (0, 0, 0), (1, 1, 1))
    >>> scorer(net, logit(1)).name
    'logit(1)'
    """
    if not isinstance(objective, Objective):
        raise ValueError(f"an objective is made by dk.layer, dk.channel, dk.neuron, dk.logit or dk.guide; given: "
                         f"{type(objective).__name__}")
    for name in filter(None, objective.layers):
        layer_info(network, name)
    return Scorer(network, objective)


def class_index(labels: tuple[str, ...], label: str) -> int:
    """The index of a label. KeyError with the nearest labels; ValueError where the network has none."""
    if not labels:
        raise ValueError(f"this network has no labels to find {label!r} in; give the class by its index")
    if label not in labels:
        raise unknown("class", label, labels)
    return labels.index(label)


def _check_index(what: str, given: int, count: int, where: str) -> None:
    if isinstance(given, bool) or not isinstance(given, numbers.Integral) or not 0 <= given < count:
        raise ValueError(f"{what} {given} is out of range: {where} has {count}, from 0 to {count - 1}")
