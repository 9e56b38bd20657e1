"""Writes one step of a dream as an ONNX file: from a picture to its score and its gradient."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..ascent.gradients import value_and_gradient
from ..networks.ends import ends_in_probabilities
from ..networks.features import capture
from ..networks.hooks import copy_module
from ..networks.layers import layer_info
from ..networks.network import Network
from ..objectives.formulas import LEAST_COSINE, class_index
from ..objectives.kinds import Term
from ..objectives.objective import Objective
from ..objectives.scorer import scorer
from .agreement import Expected, check_step, random_pictures
from .backward import backward
from .exporting import fixed_size, metadata
from .gradient_rules import size_of
from .graph import PICTURE, Builder
from .model_files import check_name, onnx_package, write_model
from .tracing import OUTPUT, trace

_RESHAPES = ("Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze")


def export_step(network: Network, objective: Objective, path: str | os.PathLike[str]) -> None:
    """Writes an ONNX file that takes a picture and gives its score and the score's gradient.

    Its input "picture" is [N, 3, H, W] in [0, 1]; its outputs are "score", a scalar, and
    "gradient" [N, 3, H, W]. onnxruntime runs it without torch (see `dk.onnx.alone`). Before it is
    written, the graph is checked at two sizes against torch in float64: the norm of the difference
    must be at most 1e-4 of the gradient's norm (`agreement.check_step` says where 1e-3 will do).

    Raises ValueError for an objective of your own making (its formula is Python), and for
    operators without a gradient rule, each named.
    """
    objective = scorer(network, objective).objective  # channels before an activation are resolved
    onnx_package()
    check_name(path)
    if not objective.terms:
        raise ValueError(
            f"{objective.name or 'this objective'} is a formula in Python, which an ONNX graph "
            f"cannot hold; sums of dk.{', dk.'.join(TERMS)} can be written"
        )
    for term in objective.terms:
        if term.kind not in TERMS:
            raise ValueError(
                f"no ONNX graph can hold {objective.name}: the kind {term.kind!r} has no rule; "
                f"kinds with a rule: {', '.join(TERMS)}"
            )
    own = {name: name and layer_info(network, name).name for name in objective.layers}  # no aliases
    builder, size = trace(network, tuple(own.values()))
    fixed = fixed_size(network, objective.layers, size)
    terms = [_add_term(builder, network, term, own[term.layer]) for term in objective.terms]
    score = functools.reduce(functools.partial(builder.add, "Add"), terms)
    gradient = backward(builder, score)
    builder.rename({score: "score", gradient: "gradient"})
    results = {"score": [], "gradient": ["batch", 3, *(fixed or ("height", "width"))]}
    about = metadata(network) | {"dreamkit.objective": objective.name}
    model = builder.model(results, f"one step of {objective.name}"[:200], about, fixed)
    tries = [random_pictures(size, fixed, seed) for seed in range(1, 6)]
    check_step(model.SerializeToString(), _step_of_torch(network, objective), tries)
    write_model(model, path)


def _step_of_torch(network: Network, objective: Objective) -> Expected:
    """A function from a picture to torch's score and gradient in float64."""
    module = copy_module(network.module).cpu().double()
    score = scorer(replace(network, module=module, precision="float64"), objective)

    def step(picture: Tensor) -> dict[str, Tensor]:
        value, gradient = value_and_gradient(score, picture.double())
        return {"score": torch.tensor(value, dtype=torch.float64), "gradient": gradient}

    return step


def _add_term(b: Builder, network: Network, term: Term, layer: str) -> str:
    """Adds the nodes of one term of an objective, and returns the name of its weighted value."""
    value = TERMS[term.kind](b, network, layer, **term.values)
    return value if term.weight == 1 else b.add("Mul", value, term.weight)


def _sum(b: Builder, name: str) -> str:
    return b.add("ReduceSum", name, keepdims=0)


def _crop(b: Builder, name: str, ranges: Mapping[int, tuple[int, int]]) -> str:
    """The part of the tensor from start to end along some axes, {axis: (start, end)}."""
    starts, ends = zip(*ranges.values(), strict=True)
    return b.add("Slice", name, starts, ends, list(ranges))


def _layer(b: Builder, network: Network, name: str, power: float, border: int) -> str:
    inner = _crop(b, name, dict.fromkeys((2, 3), (border, -border))) if border else name
    inner = inner if power == 1 else b.add("Pow", inner, power)
    count = b.add("Cast", b.add("ReduceProd", size_of(b, name, 1), keepdims=0), to=1)
    return b.add("Div", _sum(b, inner), count)


def _channel(
    b: Builder, network: Network, name: str, index: int, before_activation: bool = False
) -> str:
    part = _crop(b, name, {1: (index, index + 1)})
    if len(b.shapes[name]) == 4:
        part = b.add("ReduceMean", part, axes=[2, 3], keepdims=1)
    return _sum(b, part)


def _neuron(b: Builder, network: Network, name: str, index: int, y: int, x: int) -> str:
    return _sum(b, _crop(b, name, {1: (index, index + 1), 2: (y, y + 1), 3: (x, x + 1)}))


def _logit(b: Builder, network: Network, layer: str, label: int | str) -> str:
    index = class_index(network.labels, label) if isinstance(label, str) else label
    return _sum(b, _crop(b, _logits(b, network), {1: (index, index + 1)}))


def _logits(b: Builder, network: Network) -> str:
    """The output, or what lies before the softmax or sigmoid that gives it: see `dk.logit`."""
    picture = torch.zeros(1, 3, *b.shapes[PICTURE][2:])
    if not ends_in_probabilities(network, capture(network, picture, "")[""]):
        return OUTPUT
    makers, name = {node.y: node for node in b.nodes}, OUTPUT
    while name in makers and makers[name].op_type in _RESHAPES:
        name = makers[name].x
    if name not in makers or makers[name].op_type not in ("Softmax", "Sigmoid", "HardSigmoid"):
        return b.add("Log", OUTPUT)
    before = makers[name].x
    return before if name == OUTPUT else b.add("Reshape", before, size_of(b, OUTPUT))


def _guide(b: Builder, network: Network, name: str, columns: Tensor, picture: object = None) -> str:
    """Each cell times the guide's cell that fits it best. The choice of that cell is held fixed."""
    guide = columns.float().cpu().numpy()  # [C, guide cells]
    cells = b.add("Transpose", name, perm=[0, 2, 3, 1])  # [N, h, w, C]
    best = b.add("ArgMax", b.add("MatMul", cells, guide), axis=-1, keepdims=0)  # [N, h, w]
    matched = b.add("Gather", guide.T, best, axis=0)  # [N, h, w, C]
    return _sum(b, b.add("Mul", cells, matched))


def _direction(
    b: Builder, network: Network, name: str, vector: Sequence[float], cosine: float
) -> str:
    """The mean over the cells of dot · max(0.1, cos) ** cosine."""
    column = np.array(vector, np.float32)[:, None]  # [C, 1]
    cells = b.add("Transpose", name, perm=[0, 2, 3, 1])  # [N, h, w, C]
    dots = b.add("MatMul", cells, column)  # [N, h, w, 1]
    if cosine:
        squares = b.add("MatMul", b.add("Mul", cells, cells), np.ones_like(column))
        lengths = b.add("Pow", b.add("Clip", squares, 1e-12), 0.5)
        lengths = b.add("Mul", lengths, float(np.linalg.norm(column)))
        cosines = b.add("Clip", b.add("Div", dots, lengths), LEAST_COSINE)
        dots = b.add("Mul", dots, b.add("Pow", cosines, float(cosine)))
    count = b.add("Cast", b.add("ReduceProd", size_of(b, name, 2), keepdims=0), to=1)
    return b.add("Div", _sum(b, dots), count)


TERMS: dict[str, Callable[..., str]] = {
    "layer": _layer, "channel": _channel, "neuron": _neuron, "logit": _logit, "guide": _guide,
    "direction": _direction,
}  # fmt: skip
