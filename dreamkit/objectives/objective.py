"""What to want of a picture: objectives on features, their sums, and `scorer`, which joins one to a network.

Bigger is always better, so there are no minus signs; `+` and `number *` are all the algebra there is
(the vocabulary is Lucid's: Olah, Mordvintsev & Schubert, "Feature Visualization", Distill, 2017).
"""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor

from ..ascent import memory
from ..checks.names import unknown
from ..networks.features import capture
from ..networks.layers import layer_info
from ..networks.network import Network
from ..pictures.image import Image, check_image
from .tiles import Window, fields_of, parts, tile_that_fits


class Features(dict):
    """Features by layer name, with the labels of the network they come from, and of those of a tile where its cells lie."""

    labels: tuple[str, ...] = ()
    windows: Mapping[str, Window] = MappingProxyType({})


@dataclass(frozen=True)
class Term:
    """One part of an objective as data, weight times kind(**values): what an ONNX graph can be made from."""

    weight: float
    kind: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class Objective:
    """The layers it needs, a formula from their features {name: [N, C, h, w]} to one number, and a readable name.

    The formula sums over the pictures of a batch, so that each picture's gradient is what it would be alone.
    With `by_cells` it also adds up over the cells of the maps: given some cells (and, from `window_of`, where they
    lie), it gives their share, so that it can be taken in exact tiles.

    >>> (layer("conv1") + 0.5 * channel("conv2", 3)).name
    "layer('conv1') + 0.5 * channel('conv2', 3)"
    """

    layers: tuple[str, ...]
    formula: Callable[[Mapping[str, Tensor]], Tensor] = field(repr=False)
    name: str = ""
    by_cells: bool = False
    terms: tuple[Term, ...] = field(
        default=(), repr=False, compare=False
    )  # the formula as data; () for one of your own

    def __add__(self, other: Objective) -> Objective:
        if not isinstance(other, Objective):
            return NotImplemented
        layers = tuple(dict.fromkeys(self.layers + other.layers))
        terms = self.terms + other.terms if self.terms and other.terms else ()
        return Objective(
            layers,
            lambda features: self.formula(features) + other.formula(features),
            f"{self.name} + {other.name}",
            self.by_cells and other.by_cells,
            terms,
        )

    def __rmul__(self, factor: float) -> Objective:
        if not isinstance(factor, numbers.Real):
            return NotImplemented
        if not math.isfinite(factor):
            raise ValueError(f"an objective is weighed by a finite number; given: {factor!r}")
        name = f"({self.name})" if " + " in self.name else self.name
        terms = tuple(
            Term(float(factor) * term.weight, term.kind, term.values) for term in self.terms
        )
        return Objective(
            self.layers,
            lambda features: float(factor) * self.formula(features),
            f"{factor:g} * {name}",
            self.by_cells,
            terms,
        )

    __mul__ = __rmul__


def layer(name: str, power: float = 2, border: int = 0) -> Objective:
    """A whole layer: the mean of its features to the given power (2: DeepDream's; 1: TensorFlow's tutorial).

    `border` cells at each edge of the map are left out of the sum (not of the count), as in the Keras example.
    ValueError for a power that is not above 0, and for a border that leaves nothing of the map.
    """
    if isinstance(border, bool) or not isinstance(border, numbers.Integral) or border < 0:
        raise ValueError(
            f"border is in cells of the feature map, a whole number of 0 or more; given: {border!r}"
        )
    if not isinstance(power, numbers.Real) or not 0 < power < math.inf:
        raise ValueError(f"power is a number above 0; given: {power!r}")

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values = features[name]
        if border and values.dim() != 4:
            raise ValueError(
                f"layer {name!r} has no feature map ({list(values.shape)}), so there is no border to leave out"
            )
        if border:
            whole = window_of(features, name)
            if 2 * border >= min(whole.height, whole.width):
                raise ValueError(
                    f"a border of {border} cells leaves nothing of the {whole.height}×{whole.width} map of layer {name!r}"
                )
            values = values[
                ...,
                max(0, border - whole.top) : max(0, whole.height - border - whole.top),
                max(0, border - whole.left) : max(0, whole.width - border - whole.left),
            ]
        return (values if power == 1 else values.pow(power)).sum() / _count(features, name)

    more = ("" if power == 2 else f", power={power:g}") + (f", border={border}" if border else "")
    return Objective(
        (name,),
        formula,
        f"layer({name!r}{more})",
        by_cells=True,
        terms=_term("layer", name=name, power=power, border=border),
    )


def channel(name: str, index: int) -> Objective:
    """One channel of a layer: the mean of its map (of its tokens, in a transformer). ValueError, once scored, for one there is not."""

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values = features[name]
        values = (
            values.transpose(1, 2) if values.dim() == 3 else values
        )  # [N, tokens, C] has its channels last
        _check_index("channel", index, values.shape[1], f"layer {name!r}")
        return values[:, index].sum() / (_count(features, name) / values.shape[1])

    return Objective(
        (name,),
        formula,
        f"channel({name!r}, {index})",
        by_cells=True,
        terms=_term("channel", name=name, index=index),
    )


def neuron(name: str, index: int, y: int, x: int) -> Objective:
    """One cell of one channel: row `y` and column `x` of its feature map, counted from the top left."""

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values = features[name]
        if values.dim() != 4:
            raise ValueError(
                f"layer {name!r} has no feature map ({list(values.shape)}); use channel"
            )
        whole = window_of(features, name)
        for what, given, count in (
            ("channel", index, values.shape[1]),
            ("row", y, whole.height),
            ("column", x, whole.width),
        ):
            _check_index(what, given, count, f"layer {name!r}")
        row, column = y - whole.top, x - whole.left  # outside a tile there is nothing to add up
        return values[
            :, index, max(0, row) : max(0, row + 1), max(0, column) : max(0, column + 1)
        ].sum()

    return Objective(
        (name,),
        formula,
        f"neuron({name!r}, {index}, {y}, {x})",
        by_cells=True,
        terms=_term("neuron", name=name, index=index, y=y, x=x),
    )


def logit(index_or_label: int | str) -> Objective:
    """One class before the softmax, by its index or by its label (Simonyan et al., 2013)."""

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values, labels = features[""], getattr(features, "labels", ())
        index = (
            class_index(labels, index_or_label)
            if isinstance(index_or_label, str)
            else index_or_label
        )
        _check_index("class", index, values.shape[1], "the network")
        return values[:, index].sum()

    return Objective(
        ("",),
        formula,
        f"logit({index_or_label!r})",
        terms=_term("logit", index_or_label=index_or_label),
    )


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
        raise ValueError(
            f"a guide is a tensor of features, [1, C, h, w]; given: {type(target).__name__}"
        )
    if target.dim() not in (3, 4) or (target.dim() == 4 and len(target) != 1):
        raise ValueError(
            f"a guide is the features of one picture, [1, C, h, w]; given: {list(target.shape)}"
        )
    columns = target.detach().reshape(target.shape[-3], -1)  # [C, guide cells]

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values = features[name]
        if values.dim() != 4:
            raise ValueError(
                f"layer {name!r} has no feature map ({list(values.shape)}) whose cells could be guided"
            )
        if values.shape[1] != len(columns):
            raise ValueError(
                f"the guide has {len(columns)} channels; layer {name!r} has {values.shape[1]}"
            )
        cells = values.flatten(2)  # [N, C, cells]
        return (cells * best_match(cells.detach(), columns.to(cells))).sum()

    return Objective(
        (name,),
        formula,
        f"guide({name!r})",
        by_cells=True,
        terms=_term("guide", name=name, columns=columns),
    )


def best_match(cells: Tensor, columns: Tensor, most: int = 2**24) -> Tensor:
    """For each cell of `cells` [N, C, cells] the column of `columns` [C, M] with the greatest inner product: [N, C, cells].

    At most `most` products are held at a time (64 MiB in float32), which changes nothing else.
    """
    result = torch.empty_like(cells)
    step = max(1, most // columns.shape[1])
    for picture, matched in zip(cells, result, strict=True):
        for start in range(0, cells.shape[2], step):
            products = picture[:, start : start + step].T @ columns  # [cells, M]
            matched[:, start : start + step] = columns[:, products.argmax(1)]
    return result


def window_of(features: Mapping[str, Tensor], name: str) -> Window:
    """Where the features [N, C, h, w] of a layer lie in its whole map: all of it, unless they are those of a tile.

    >>> window_of({"1": torch.zeros(1, 8, 5, 7)}, "1")
    Window(top=0, left=0, height=5, width=7)
    """
    found = getattr(features, "windows", {}).get(name)
    return found or Window(0, 0, *features[name].shape[-2:])


def _count(features: Mapping[str, Tensor], name: str) -> int:
    """How many values one picture's features of a layer have in the whole map."""
    values = features[name]
    whole = window_of(features, name) if values.dim() == 4 else None
    return values[0].numel() if whole is None else values.shape[1] * whole.height * whole.width


@dataclass(frozen=True)
class Scorer:
    """A Score: standardises a picture, runs the network as far as the objective needs, and gives the objective's value.

    With a `tile` it does so tile by tile, value and gradient alike; with None only for pictures that would not fit.
    """

    network: Network
    objective: Objective
    tile: int | None = None

    @property
    def name(self) -> str:
        return self.objective.name

    def __call__(self, image: Image) -> Tensor:
        if self.network.device.type == "cpu":
            memory.keep()
        tile = self.tile
        if tile is None and self.objective.by_cells and check_image(image) is None:
            tile = tile_that_fits(self.network, self.objective.layers, image)
            if tile:
                _say_tiles(image, tile)
        if tile and max(image.shape[-2:]) > tile:
            return _InTiles.apply(image, self, tile)
        return self.objective.formula(self._features(image))

    def _features(self, image: Image) -> Features:
        features = Features(capture(self.network, image, self.objective.layers))
        features.labels = self.network.labels
        return features


class _InTiles(torch.autograd.Function):
    """A score's value, and its gradient, added up from exact tiles; no more than one tile's features are ever held."""

    @staticmethod
    def forward(context, image: Image, score: Scorer, tile: int) -> Tensor:
        wanted = context.needs_input_grad[0]
        value, gradient = image.new_zeros(()), torch.zeros_like(image) if wanted else None
        for part in parts(score.network, score.objective.layers, image, tile):
            with torch.set_grad_enabled(wanted):
                cut = image[..., part.rows, part.columns].detach().requires_grad_(wanted)
                features = score._features(cut)
                for name, (down, across) in part.cells.items():
                    features[name] = features[name][..., down, across]
                features.windows = part.windows
                share = score.objective.formula(features)
            value += share.detach()
            if wanted and share.requires_grad:
                gradient[..., part.rows, part.columns] += torch.autograd.grad(share, cut)[0]
        context.gradient = gradient
        return value

    @staticmethod
    def backward(context, above: Tensor) -> tuple[Tensor, None, None]:
        return (context.gradient if above == 1 else context.gradient * above), None, None


def _say_tiles(image: Image, tile: int) -> None:
    height, width = image.shape[-2:]
    warnings.warn(
        f"a gradient of {width}×{height} pixels would not fit into memory as a whole; it is taken in exact tiles of {tile} "
        "pixels",
        UserWarning,
        stacklevel=3,
    )


def scorer(network: Network, objective: Objective, tile: int | None = None) -> Scorer:
    """The Score of a picture: how much of `objective` the network finds in it. KeyError for a layer it does not have.

    With `tile` (a side in pixels) it is taken in exact tiles: each is cut out with all that its cells see, so that value
    and gradient are those of the whole picture (to rounding) and memory stays flat as the picture grows. By default that is done, with a
    warning, where a picture would not fit into memory; 0 never does it. ValueError for a layer that sees everything
    and an objective that does not add up over cells; once scored, for a tile smaller than what a cell sees.

    >>> from dreamkit.networks.network import as_network
    >>> net = as_network(torch.nn.Conv2d(3, 2, 1), (0, 0, 0), (1, 1, 1))
    >>> scorer(net, logit(1)).name
    'logit(1)'
    """
    if not isinstance(objective, Objective):
        raise ValueError(
            f"an objective is made by dk.layer, dk.channel, dk.neuron, dk.logit or dk.guide; given: "
            f"{type(objective).__name__}"
        )
    for name in filter(None, objective.layers):
        layer_info(network, name)
    if tile is not None and (
        isinstance(tile, bool) or not isinstance(tile, numbers.Integral) or tile < 0
    ):
        raise ValueError(f"tile is a side in pixels, a whole number of 0 or more; given: {tile!r}")
    if tile:
        if not objective.by_cells:
            raise ValueError(
                f"{objective.name} does not add up over cells, so it cannot be taken in exact tiles "
                "(Settings(tile=…) takes random tiles of anything)"
            )
        fields_of(network, objective.layers)
    return Scorer(network, objective, tile)


def class_index(labels: tuple[str, ...], label: str) -> int:
    """The index of a label. KeyError with the nearest labels; ValueError where the network has none."""
    if not labels:
        raise ValueError(
            f"this network has no labels to find {label!r} in; give the class by its index"
        )
    if label not in labels:
        raise unknown("class", label, labels)
    return labels.index(label)


def _term(kind: str, **values: object) -> tuple[Term, ...]:
    return (Term(1.0, kind, values),)


def _check_index(what: str, given: int, count: int, where: str) -> None:
    if isinstance(given, bool) or not isinstance(given, numbers.Integral) or not 0 <= given < count:
        raise ValueError(
            f"{what} {given} is out of range: {where} has {count}, from 0 to {count - 1}"
        )
