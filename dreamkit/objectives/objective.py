"""Objectives: what a picture should excite, and their sums. A greater value is always better.

`+` and `number *` are the whole algebra; there are no minus signs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real

from torch import Tensor

from ..checks.names import unknown
from ..checks.numbers import is_number, is_whole
from .kinds import KINDS, Term
from .picture_info import PictureInfo


@dataclass(frozen=True)
class Objective:
    """The layers that it needs, a formula on their features, and a readable name.

    The formula takes {name: features [N, C, h, w]} and sums over the pictures of a batch, so that
    each picture's gradient is what it would be alone. With `by_cells` it also adds up over the
    cells of the maps: given those of a tile (`window_of` says where they are) it gives their share.

    >>> (layer("conv1") + 0.5 * channel("conv2", 3)).name
    "layer('conv1') + 0.5 * channel('conv2', 3)"
    """

    layers: tuple[str, ...]  # "" is the network's output
    formula: Callable[[Mapping[str, Tensor]], Tensor] = field(repr=False)
    name: str = ""
    by_cells: bool = False
    # the formula as data; () for a formula of your own
    terms: tuple[Term, ...] = field(default=(), repr=False, compare=False)

    def __add__(self, other: Objective) -> Objective:
        if not isinstance(other, Objective):
            return NotImplemented
        return Objective(
            tuple(dict.fromkeys(self.layers + other.layers)),
            lambda features: self.formula(features) + other.formula(features),
            f"{self.name} + {other.name}",
            self.by_cells and other.by_cells,
            self.terms + other.terms if self.terms and other.terms else (),
        )

    def __rmul__(self, factor: float) -> Objective:
        if not isinstance(factor, Real):
            return NotImplemented
        if not math.isfinite(factor):
            raise ValueError(f"an objective is weighed by a finite number; given: {factor!r}")
        weight = float(factor)
        return replace(
            self,
            formula=lambda features: weight * self.formula(features),
            name=f"{factor:g} * " + (f"({self.name})" if " + " in self.name else self.name),
            terms=tuple(replace(term, weight=weight * term.weight) for term in self.terms),
        )

    __mul__ = __rmul__


def layer(name: str, power: float = 2, border: int = 0) -> Objective:
    """A whole layer: the mean of its features to the given power.

    Power 2 is DeepDream's (google/deepdream, 2015), power 1 that of TensorFlow's tutorial.
    `border` cells at each edge of the map are left out of the sum (not of the count), as in the
    Keras example. Raises ValueError for a power that is not above 0, and when scored for a border
    that leaves nothing of the map.
    """
    if not is_whole(border, 0):
        raise ValueError(
            f"border is in cells of the feature map, a whole number of 0 or more; given: {border!r}"
        )
    if not is_number(power, 0) or power == 0:
        raise ValueError(f"power is a number above 0; given: {power!r}")
    return _objective("layer", name, power=power, border=border)


def channel(name: str, index: int, before_activation: bool = False) -> Objective:
    """One channel of a layer: the mean of its map, or of its tokens in a transformer.

    With `before_activation` the values before the layer's ReLU (or other activation) count: they
    have a gradient also where the channel is silent. Raises ValueError when scored if the channel
    does not exist, or if no layer gives the values before the activation.
    """
    if not isinstance(before_activation, bool):
        raise ValueError(f"before_activation is True or False; given: {before_activation!r}")
    return _objective("channel", name, index=index, before_activation=before_activation)


def neuron(name: str, index: int, y: int, x: int) -> Objective:
    """One cell of one channel: row `y` and column `x` of its feature map, from the top left.

    Raises ValueError when scored if the channel or the cell does not exist.
    """
    return _objective("neuron", name, index=index, y=y, x=x)


def logit(index_or_label: int | str) -> Objective:
    """One class before the softmax, by its index or its label (Simonyan et al., 2013).

    For a network that ends in a softmax or sigmoid of its own, it is the value before that; where
    it cannot be had, as with exponentials over their sum, the logarithm of the probability, whose
    gradient vanishes where the network is certain. Raises ValueError or KeyError when scored if
    the class does not exist.
    """
    return _objective("logit", "", label=index_or_label)


def guide(
    name: str, features: Tensor | Mapping[str, Tensor], picture: PictureInfo | None = None
) -> Objective:
    """A guide picture's features at a layer: each cell of the map moves towards its best match.

    The value is the sum over cells i of max_j <x_i, y_j> with the choice of j held fixed, so its
    gradient at x_i is the matching y_j, as in the guided dreams of google/deepdream (2015).
    `features` is the guide's [1, C, h, w] or [C, h, w], or the dict that `capture` gave. A passport
    can hold the objective only with `picture`, the guide's PictureInfo.
    """
    if isinstance(features, Mapping) and name not in features:
        raise unknown("layer", name, features, "these were captured of the guide")
    target = features[name] if isinstance(features, Mapping) else features
    if not isinstance(target, Tensor):
        raise ValueError(
            f"a guide is a tensor of features, [1, C, h, w]; given: {type(target).__name__}"
        )
    if target.dim() not in (3, 4) or (target.dim() == 4 and len(target) != 1):
        raise ValueError(
            f"a guide is the features of one picture, [1, C, h, w]; given: {list(target.shape)}"
        )
    columns = target.detach().reshape(target.shape[-3], -1)  # [C, guide cells]
    return _objective("guide", name, columns=columns, picture=picture)


def of_terms(terms: Sequence[Term], name: str) -> Objective:
    """The sum of the terms, each times its weight."""
    return Objective(
        tuple(dict.fromkeys(term.layer for term in terms)),
        lambda features: sum(term.weight * term.formula(features) for term in terms),
        name,
        all(KINDS[term.kind].by_cells for term in terms),
        tuple(terms),
    )


def _objective(kind: str, layer: str, **values: object) -> Objective:
    term = Term(kind, layer, values)
    return Objective((layer,), term.formula, term.call(), KINDS[kind].by_cells, (term,))
