"""One step of a dream as an ONNX graph: a picture goes in, its score and the gradient of the score come out."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from ..ascent.gradients import value_and_gradient
from ..networks.network import Network
from ..objectives.kinds import class_index
from ..objectives.objective import Objective
from ..objectives.scorer import scorer
from .backward import backward, count_of
from .exporting import TOLERANCE, both, disagree, free_size, notes, trials
from .graph import Builder
from .model_files import check_name, onnx_package, write_model
from .tracing import PICTURE, trace


def export_step(network: Network, objective: Objective, path: str | os.PathLike[str]) -> None:
    """Writes an ONNX file that takes a "picture" [N, 3, H, W] in [0, 1] and gives its "score" and "gradient" [N, 3, H, W].

    onnxruntime runs it without torch (see `dk.onnx.alone`). Checked before it is written: valid, run at two sizes, and
    the same as torch's in float64 (the difference's norm, to 1e-4 of the gradient's; see `agree` for the exception).
    ValueError for an objective of your own making (its formula is Python), and for operators whose gradient is not known here, each named.
    """
    scorer(network, objective)
    onnx_package()
    check_name(path)
    terms = objective.terms
    if not terms or any(term.kind not in TERMS for term in terms):
        raise ValueError(
            f"{objective.name or 'this objective'} is a formula in Python, which no ONNX graph can hold; "
            "sums of dk.layer, dk.channel, dk.neuron, dk.logit and dk.guide can be written"
        )
    builder, size = trace(network, objective.layers)
    fixed = None if free_size(network, objective.layers, size) else size
    parts = [TERMS[term.kind](builder, network, term.layer, **term.values) for term in terms]
    total = None
    for term, part in zip(terms, parts, strict=True):
        part = (
            part
            if term.weight == 1
            else builder.add("Mul", part, np.array(term.weight, np.float32), shape=())
        )
        total = part if total is None else builder.add("Add", total, part, shape=())
    uphill = backward(builder, total, PICTURE)
    builder.rename({total: "score", uphill: "gradient"})
    free = ["height", "width"] if fixed is None else list(fixed)
    about = notes(network) | {"dreamkit.objective": objective.name}
    model = builder.model(
        PICTURE,
        {"score": [], "gradient": ["batch", 3, *free]},
        f"one step of {objective.name}"[:200],
        about,
        fixed,
    )
    agree(
        model.SerializeToString(),
        _expected(_in_float64(network), objective),
        [trials(size, fixed, seed) for seed in range(1, 6)],
    )
    write_model(model, path)


def agree(data: bytes, expected, tries: Sequence[Sequence[torch.Tensor]]) -> None:
    """ValueError unless score and gradient are torch's, at each size for one of the tries at least: the norm to 1e-4, else to 1e-3.

    A gradient jumps where a ReLU or a max-pool stands within rounding of its kink, which on a photo happens somewhere:
    float32, be it torch's or onnxruntime's, is then off from float64 by 1e-4 to 5e-3. A mistake in the graph, though,
    is there in every picture; so of five random ones the closest counts.
    """
    for pictures in zip(*tries, strict=True):
        closest = float("inf")
        for picture in pictures:
            pairs = both(data, expected, picture)
            closest = min(closest, max(_share(*pair) for pair in pairs.values()))
            if closest <= TOLERANCE:
                break
        if not closest <= 10 * TOLERANCE:
            raise disagree("gradient", pictures[0], closest)


def _share(value: torch.Tensor, other: torch.Tensor) -> float:
    return float((value - other).norm() / value.norm().clamp(min=1e-9))


def _in_float64(network: Network) -> Network:
    return replace(
        network, module=copy.deepcopy(network.module).cpu().double(), precision="float64"
    )


def _expected(network: Network, objective: Objective):
    def expected(picture: torch.Tensor) -> dict[str, torch.Tensor]:
        value, uphill = value_and_gradient(scorer(network, objective), picture.double())
        return {"score": torch.tensor(value, dtype=torch.float64), "gradient": uphill}

    return expected


def _sum(b: Builder, name: str) -> str:
    return b.add("ReduceSum", name, np.arange(len(b.shapes[name])), keepdims=0, shape=())


def _cut(b: Builder, name: str, cuts: Mapping[int, tuple[int, int]]) -> str:
    """The tensor from first to last along some axes."""
    if not cuts:
        return name
    shape = [
        1 if axis in cuts and cuts[axis][1] - cuts[axis][0] == 1 else n
        for axis, n in enumerate(b.shapes[name])
    ]
    starts, ends = zip(*cuts.values(), strict=True)
    return b.add(
        "Slice", name, *(np.array(v, np.int64) for v in (starts, ends, list(cuts))), shape=shape
    )


def _layer(b: Builder, network: Network, name: str, power: float, border: int) -> str:
    whole = name
    if border:
        name = _cut(b, name, {2: (border, -border), 3: (border, -border)})
    if power != 1:
        name = b.add("Pow", name, np.array(power, np.float32), shape=b.shapes[whole])
    return b.add("Div", _sum(b, name), count_of(b, whole, slice(1, None)), shape=())


def _channel(b: Builder, network: Network, name: str, index: int) -> str:
    part = _cut(b, name, {1: (index, index + 1)})
    if len(b.shapes[name]) == 4:
        part = b.add("ReduceMean", part, axes=[2, 3], keepdims=1, shape=(*b.shapes[part][:2], 1, 1))
    return _sum(b, part)


def _neuron(b: Builder, network: Network, name: str, index: int, y: int, x: int) -> str:
    return _sum(b, _cut(b, name, {1: (index, index + 1), 2: (y, y + 1), 3: (x, x + 1)}))


def _logit(b: Builder, network: Network, layer: str, label: int | str) -> str:
    index = class_index(network.labels, label) if isinstance(label, str) else label
    return _sum(b, _cut(b, "logits", {1: (index, index + 1)}))


def _guide(b: Builder, network: Network, name: str, columns: torch.Tensor, picture: object) -> str:
    """Each cell times the guide's cell that fits it best; the choice is held fixed, so its gradient is that cell."""
    columns = columns.float().cpu().numpy()  # [C, guide cells]
    batch, channels, height, width = b.shapes[name]
    cells = b.add("Transpose", name, perm=[0, 2, 3, 1], shape=(batch, height, width, channels))
    best = b.add("ArgMax", b.add("MatMul", cells, columns), axis=-1, keepdims=0)
    matched = b.add("Gather", columns.T, best, axis=0)  # a row a cell: [N, h, w, C]
    return _sum(b, b.add("Mul", cells, matched, shape=b.shapes[cells]))


TERMS: dict[str, Callable[..., str]] = {
    "layer": _layer,
    "channel": _channel,
    "neuron": _neuron,
    "logit": _logit,
    "guide": _guide,
}
