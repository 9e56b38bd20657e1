"""Objectives: what a picture should excite, and their sums. A greater value is always better.

`+` and `number *` are the whole algebra; there are no minus signs. The opposite of an objective is
`-1 * objective`, of which again the greater value is better. Between two objectives lies
`(1 - share) * first + share * second`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real

from torch import Tensor

from ..checks.names import unknown
from ..checks.numbers import is_number, is_whole
from ..pictures.image import Image, check_image
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


def direction(name: str, vector: Tensor | Sequence[float], cosine: float = 2) -> Objective:
    """A direction in the space of a layer's channels: a vector with a number for each channel.

    The value is the mean over the cells of dot · max(0.1, cos) ** cosine, with the inner product
    and the cosine of the cell's features and the vector. A channel is the direction of a vector
    with a single 1 and `cosine=0`. The larger `cosine`, the less of anything else is allowed
    beside it (Lucid's `direction`; Olah et al., "The Building Blocks of Interpretability", 2018).

    Raises ValueError unless the vector holds finite numbers, not all 0, and `cosine` is from 0 to
    16; when scored, if the layer has another number of channels.

    >>> direction("block5c", [0.0, 1.0]).name
    "direction('block5c', [2 numbers])"
    """
    numbers = vector.detach().double().cpu().tolist() if isinstance(vector, Tensor) else vector
    vector, cosine = _check("direction", "vector", numbers), _check("direction", "cosine", cosine)
    return _objective("direction", name, vector=vector, cosine=cosine)


def caricature(
    name: str,
    photo: Image | Mapping[str, Tensor],
    cosine: float = 1,
    picture: PictureInfo | None = None,
) -> Objective:
    """A photo's own features at a layer, exaggerated: each cell moves towards the photo's cell.

    The value is the mean over the cells of dot · max(0.1, cos) ** cosine, with the inner product
    and the cosine of a cell and the cell of the photo at the same place; for another size of
    picture the photo's map is resized (caricatures: Olah et al., 2018, and Lucid).

    `photo` is a picture [1, 3, H, W], or its features {layer: [1, C, h, w]} as `capture` gives
    them. A passport can hold the objective only with `picture`, the photo's PictureInfo. Raises
    ValueError for another photo or cosine; when scored, where the layer has no map.
    """
    if isinstance(photo, Mapping):
        if name not in photo:
            raise unknown("layer", name, photo, "these were captured of the photo")
        photo = photo[name].detach()
        if photo.dim() != 4 or len(photo) != 1:
            raise ValueError(
                "a caricature takes the features of one photo, [1, C, h, w]; given: "
                f"{list(photo.shape)}"
            )
        photo = photo[0]
    else:
        check_image(photo)
        if len(photo) != 1:
            raise ValueError(f"a caricature is of one photo; given: {len(photo)}")
    cosine = _check("caricature", "cosine", cosine)
    return _objective("caricature", name, photo=photo, cosine=cosine, picture=picture)


def diversity(name: str, weight: float = 1) -> Objective:
    """Pictures of a batch that differ: a term to add to what all of them should excite.

    Each picture counts `weight` times 1 minus the mean cosine of its Gram matrix at a layer with
    those of the others, so it is 0 for equal pictures and for a single one. The Gram matrix says
    which channels are active together, wherever that is (Olah, Mordvintsev & Schubert, "Feature
    Visualization", 2017).

    >>> diversity("block5c", 4).name
    "4 * diversity('block5c')"
    """
    term = _objective("diversity", name)
    return term if weight == 1 else weight * term


def penalty(what: str) -> Objective:
    """Minus the picture's "total_variation" or "l2", as a term: less of it is the greater value.

    The total variation is the mean absolute difference of neighbours, down and across (Mahendran &
    Vedaldi, 2015); l2 is the mean square of the distance from mid-grey (Simonyan et al., 2013). It
    needs no features, so it holds for any layer: `dk.logit("ant") + 10 * dk.penalty("l2")`.

    Raises ValueError for another name.
    """
    return _objective("penalty", "", what=_check("penalty", "what", what))


def _check(kind: str, name: str, value: object) -> object:
    """The value, if it passes the check of its field."""
    return KINDS[kind].fields[name](value, f"{name!r} of dk.{kind}")


def of_terms(terms: Sequence[Term], name: str) -> Objective:
    """The sum of the terms, each times its weight."""
    return Objective(
        tuple(dict.fromkeys(name for term in terms for name in term.layers)),
        lambda features: sum(term.weight * term.formula(features) for term in terms),
        name,
        all(KINDS[term.kind].by_cells for term in terms),
        tuple(terms),
    )


def _objective(kind: str, layer: str, **values: object) -> Objective:
    term = Term(kind, layer, values)
    return Objective(
        term.layers, term.formula, term.call(brief=True), KINDS[kind].by_cells, (term,)
    )
