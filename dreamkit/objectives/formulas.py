"""The formula of each kind of objective, on the features of a picture.

A formula takes {name: features} and the term's values, and sums over the pictures of a batch.
The vocabulary is Lucid's (Olah, Mordvintsev & Schubert, "Feature Visualization", Distill, 2017).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checks.names import unknown
from ..checks.numbers import check_index
from .picture_info import PictureInfo
from .tiles import Window

LEAST_COSINE = 0.1  # below it a direction's cosine no longer shrinks the score, as in Lucid


def of_layer(features: Mapping[str, Tensor], layer: str, power: float, border: int) -> Tensor:
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


def of_channel(
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


def of_neuron(features: Mapping[str, Tensor], layer: str, index: int, y: int, x: int) -> Tensor:
    values = features[layer]
    _check_map(values, layer, "; use channel")
    whole, where = window_of(features, layer), f"layer {layer!r}"
    check_index("channel", index, values.shape[1], where)
    check_index("row", y, whole.height, where)
    check_index("column", x, whole.width, where)
    row, column = y - whole.top, x - whole.left  # outside a tile the slices are empty: the sum is 0
    return values[:, index, _clipped(row, row + 1), _clipped(column, column + 1)].sum()


def of_logit(features: Mapping[str, Tensor], layer: str, label: int | str) -> Tensor:
    index = class_index(getattr(features, "labels", ()), label) if isinstance(label, str) else label
    values = logits_of(features)
    check_index("class", index, values.shape[1], "the network")
    return values[:, index].sum()


def logits_of(features: Mapping[str, Tensor]) -> Tensor:
    """The network's output, or what lies before the softmax that it ends in."""
    logits = getattr(features, "logits", None)
    return features[""] if logits is None else logits


def of_guide(
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


def of_direction(
    features: Mapping[str, Tensor], layer: str, vector: Sequence[float], cosine: float
) -> Tensor:
    values = _as_map(features[layer])
    if values.shape[1] != len(vector):
        raise ValueError(
            f"the direction has {len(vector)} numbers; layer {layer!r} has {values.shape[1]} "
            "channels"
        )
    wanted = torch.tensor(vector).to(values)[:, None, None]
    return towards(values, wanted, cosine).sum() / (_count(features, layer) / len(vector))


def of_caricature(
    features: Mapping[str, Tensor],
    layer: str,
    photo: Tensor,
    cosine: float,
    picture: PictureInfo | None,
) -> Tensor:
    """`photo` holds the photo's features [C, h, w] here: `scorer` has put them in its place."""
    values, whole = features[layer], window_of(features, layer)
    _check_map(values, layer, " that could be compared with the photo's")
    if len(photo) != values.shape[1]:
        raise ValueError(
            f"the photo's features have {len(photo)} channels; layer {layer!r} has "
            f"{values.shape[1]}"
        )
    size = (whole.height, whole.width)
    wanted = photo.to(values)
    if wanted.shape[-2:] != size:
        wanted = F.interpolate(wanted[None], size, mode="bilinear", align_corners=False)[0]
    height, width = values.shape[-2:]
    wanted = wanted[:, whole.top : whole.top + height, whole.left : whole.left + width]
    return towards(values, wanted, cosine).sum() / (whole.height * whole.width)


def towards(values: Tensor, wanted: Tensor, cosine: float) -> Tensor:
    """How far each cell of [N, C, h, w] goes towards its vector: [C, h, w], [C, 1, 1] or with N.

    That is dot · max(0.1, cos) ** cosine, [N, h, w]: the dot product alone is also large for
    features that are large in every direction (Lucid's `direction`).
    """
    dots = (values * wanted).sum(-3)
    if cosine == 0:
        return dots
    lengths = values.square().sum(1).clamp(min=1e-12).sqrt() * wanted.norm(dim=-3).clamp(min=1e-6)
    return dots * (dots / lengths).clamp(min=LEAST_COSINE) ** cosine


def of_diversity(features: Mapping[str, Tensor], layer: str) -> Tensor:
    maps = _as_map(features[layer]).flatten(2)  # [N, C, cells]
    grams = F.normalize((maps @ maps.transpose(1, 2)).flatten(1), dim=1)  # [N, C * C]
    likeness, count = grams @ grams.T, len(grams)
    others = likeness.sum() - likeness.diagonal().sum()
    return count - others / (count - 1) if count > 1 else 0 * others


def of_penalty(features: Mapping[str, Tensor], layer: str, what: str) -> Tensor:
    return -PENALTIES[what](features.image).sum()


def _total_variation(image: Tensor) -> Tensor:
    down, across = image.diff(dim=-2).abs(), image.diff(dim=-1).abs()
    return down.mean((1, 2, 3)) + across.mean((1, 2, 3))


PENALTIES = {
    "total_variation": _total_variation,
    "l2": lambda image: (image - 0.5).square().mean((1, 2, 3)),
}


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


def _as_map(values: Tensor) -> Tensor:
    """Features as [N, C, h, w]: tokens [N, tokens, C] become a column, numbers [N, C] one cell."""
    if values.dim() == 3:
        values = values.transpose(1, 2)
    return values if values.dim() == 4 else values.reshape(*values.shape[:2], -1, 1)
