"""The kinds of objectives: for each its formula, its values and how they are written down.

A new kind is a formula on features and an entry in `KINDS`; the function that users call lies in
`objective.py`.
The vocabulary is Lucid's (Olah, Mordvintsev & Schubert, "Feature Visualization", Distill, 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real

import torch
from torch import Tensor

from ..checks import fields as checks
from ..checks.names import unknown
from ..checks.numbers import check_index
from ..pictures.image import MAX_SIDE
from .picture_info import PictureInfo
from .tiles import Window

_INDEX = checks.integer(0, 10**6)


@dataclass(frozen=True)
class Kind:
    """All that dreamkit knows of one kind of objective.

    `fields` holds for each value the check that it must pass in a passport, in the order of the
    parameters of the function that users call.
    """

    formula: Callable[..., Tensor]  # (features, layer, **values) -> a number, summed over a batch
    fields: Mapping[str, checks.Kind]
    flags: Mapping[str, str] = field(default_factory=dict)  # {value: its command-line flag}
    at_layer: bool = True  # otherwise it is taken at the network's output
    by_cells: bool = True  # whether it adds up over the cells of feature maps, as tiles need


@dataclass(frozen=True)
class Term:
    """One part of an objective as data: `weight` times the formula of `kind` at `layer`.

    A value `picture` is the PictureInfo of a guide; in a passport its features are not there.
    """

    kind: str
    layer: str  # "" for the network's output
    values: Mapping[str, object]
    weight: float = 1.0

    def formula(self, features: Mapping[str, Tensor]) -> Tensor:
        """The value of the kind, without the weight."""
        return KINDS[self.kind].formula(features, self.layer, **self.values)

    def call(self, guide: str = "") -> str:
        """The Python call that makes it, without the weight; `guide` is the code of its features.

        >>> Term("layer", "conv1", {"power": 1.0, "border": 0}).call()
        "layer('conv1', power=1)"
        """
        kind = KINDS[self.kind]
        arguments = ([repr(self.layer)] if kind.at_layer else []) + ([guide] if guide else [])
        for name, check in kind.fields.items():
            value, optional = self.values[name], isinstance(check, checks.Default)
            if name != "picture" and not (optional and value == check.value):
                arguments.append(f"{name}=" * optional + _text(value))
        return f"{self.kind}({', '.join(arguments)})"


def _text(value: object) -> str:
    """A value as Python code: numbers as short as they can be without loss."""
    if isinstance(value, Real) and not isinstance(value, Integral):
        short = f"{value:g}"
        return short if float(short) == value else repr(float(value))
    return repr(value) if isinstance(value, str) else str(value)


# --- formulas


def _layer(features: Mapping[str, Tensor], layer: str, power: float, border: int) -> Tensor:
    values = features[layer]
    if border:
        _check_map(values, layer, ", so there is no border to leave out")
        whole = window_of(features, layer)
        if 2 * border >= min(whole.height, whole.width):
            raise ValueError(
                f"a border of {border} cells leaves nothing of the {whole.height}×{whole.width} "
                f"map of layer {layer!r}"
            )
        rows = _clipped(border - whole.top, whole.height - border - whole.top)
        columns = _clipped(border - whole.left, whole.width - border - whole.left)
        values = values[..., rows, columns]
    return (values if power == 1 else values.pow(power)).sum() / _count(features, layer)


def _channel(
    features: Mapping[str, Tensor], layer: str, index: int, before_activation: bool
) -> Tensor:
    if before_activation:  # `scorer` has put the layer before in its place, as it knows the network
        raise ValueError(
            f"the values before the activation of {layer!r} are found by dk.scorer, and not in a "
            "sum with a formula of your own: name the layer before the activation there"
        )
    values = features[layer]
    if values.dim() == 3:  # [N, tokens, C] has its channels last
        values = values.transpose(1, 2)
    check_index("channel", index, values.shape[1], f"layer {layer!r}")
    return values[:, index].sum() / (_count(features, layer) / values.shape[1])


def _neuron(features: Mapping[str, Tensor], layer: str, index: int, y: int, x: int) -> Tensor:
    values = features[layer]
    _check_map(values, layer, "; use channel")
    whole, where = window_of(features, layer), f"layer {layer!r}"
    check_index("channel", index, values.shape[1], where)
    check_index("row", y, whole.height, where)
    check_index("column", x, whole.width, where)
    row, column = y - whole.top, x - whole.left  # outside a tile the slices are empty: the sum is 0
    return values[:, index, _clipped(row, row + 1), _clipped(column, column + 1)].sum()


def _logit(features: Mapping[str, Tensor], layer: str, label: int | str) -> Tensor:
    index = class_index(getattr(features, "labels", ()), label) if isinstance(label, str) else label
    values = logits_of(features)
    check_index("class", index, values.shape[1], "the network")
    return values[:, index].sum()


def logits_of(features: Mapping[str, Tensor]) -> Tensor:
    """The network's output, or what lies before the softmax that it ends in."""
    logits = getattr(features, "logits", None)
    return features[""] if logits is None else logits


def _guide(
    features: Mapping[str, Tensor], layer: str, columns: Tensor, picture: PictureInfo | None
) -> Tensor:
    values = features[layer]
    _check_map(values, layer, " whose cells could be guided")
    if values.shape[1] != len(columns):
        raise ValueError(
            f"the guide has {len(columns)} channels; layer {layer!r} has {values.shape[1]}"
        )
    cells = values.flatten(2)  # [N, C, cells]
    return (cells * best_match(cells.detach(), columns.to(cells))).sum()


def best_match(cells: Tensor, columns: Tensor, most: int = 2**24) -> Tensor:
    """For each cell of [N, C, cells] the column of [C, M] with the greatest inner product.

    The result is [N, C, cells]. At most `most` products are held at a time (64 MiB in float32).
    """
    result = torch.empty_like(cells)
    step = max(1, most // columns.shape[1])
    for picture, matched in zip(cells, result, strict=True):
        for start in range(0, cells.shape[2], step):
            products = picture[:, start : start + step].T @ columns  # [cells, M]
            matched[:, start : start + step] = columns[:, products.argmax(1)]
    return result


def class_index(labels: tuple[str, ...], label: str) -> int:
    """The index of a label. KeyError with the nearest labels; ValueError if there are no labels."""
    if not labels:
        raise ValueError(
            f"this network has no labels to find {label!r} in; give the class by its index"
        )
    if label not in labels:
        raise unknown("class", label, labels)
    return labels.index(label)


def window_of(features: Mapping[str, Tensor], name: str) -> Window:
    """Where the features [N, C, h, w] of a layer lie in its whole map: all of it, except in a tile.

    >>> window_of({"1": torch.zeros(1, 8, 5, 7)}, "1")
    Window(top=0, left=0, height=5, width=7)
    """
    found = getattr(features, "windows", {}).get(name)
    return found or Window(0, 0, *features[name].shape[-2:])


def _count(features: Mapping[str, Tensor], name: str) -> int:
    """How many values one picture's features of a layer have in the whole map."""
    values = features[name]
    if values.dim() != 4:
        return values[0].numel()
    whole = window_of(features, name)
    return values.shape[1] * whole.height * whole.width


def _clipped(start: int, end: int) -> slice:
    return slice(max(0, start), max(0, end))


def _check_map(values: Tensor, layer: str, consequence: str) -> None:
    if values.dim() != 4:
        raise ValueError(f"layer {layer!r} has no feature map ({list(values.shape)}){consequence}")


# --- the registry


def _label(value: object, where: str) -> int | str:
    return checks.text(value, where) if isinstance(value, str) else _INDEX(value, where)


KINDS = {
    "layer": Kind(
        _layer,
        {
            "power": checks.Default(checks.number(0, 16), 2),
            "border": checks.Default(checks.integer(0, MAX_SIDE), 0),
        },
    ),
    "channel": Kind(
        _channel,
        {"index": _INDEX, "before_activation": checks.Default(checks.truth, False)},
        {"index": "channel"},
    ),
    "neuron": Kind(_neuron, {"index": _INDEX, "y": _INDEX, "x": _INDEX}),
    "logit": Kind(_logit, {"label": _label}, {"label": "logit"}, at_layer=False, by_cells=False),
    "guide": Kind(
        _guide,
        {"picture": lambda value, where: PictureInfo.read(value, "the guide picture")},
        {"picture": "guide"},
    ),
}
