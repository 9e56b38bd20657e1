"""Loads an ONNX file as a Network: each tensor of the file is a layer of the same name."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..checks.names import unknown
from ..networks.network import Network, as_network
from .loaded_graph import Graph, results_of
from .model_files import nodes_for, one_line, picture_input, read_model
from .operators import MAKERS

#: What Caffe's networks take, for `load` and FeatureSession.
CAFFE = dict(
    mean=(104.0, 117.0, 123.0), std=(1.0, 1.0, 1.0), scale=255.0, bgr=True, short_names=True
)


def load(
    path: str | os.PathLike[str],
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    std: Sequence[float] = (1.0, 1.0, 1.0),
    *,
    scale: float = 1.0,
    bgr: bool = False,
    labels: Sequence[str] = (),
    name: str = "",
    until: str = "",
    short_names: bool = False,
    device: str | torch.device | None = None,
    precision: str = "float32",
) -> Network:
    """The Network in an ONNX file; its layers are the file's tensors, by their own names.

    Args:
        path: an ONNX file of opset 7 or later with one input, a picture [N, 3, H, W] or [N, H, W,
            3].
        mean, std, scale, bgr: the file gets (picture * scale - mean) / std, in BGR order if `bgr`;
            the Network's pictures stay RGB in [0, 1]. By default the file gets pictures as they
            are, as files written by `dk.onnx.export` need; `**dk.onnx.CAFFE` holds the values for
            Caffe's.
        labels, name: by default the labels that `dk.onnx.export` wrote, and the file's name.
        until: the name of a tensor; nothing after it is read.
        short_names: leaves off the `_1` that Caffe2's converter put at the end of names.
        device, precision: as for `dk.load_network`.

    Raises ValueError, in one line, for a broken file, and for operators that dreamkit does not
    have, all of them named; KeyError for an unknown `until`.
    """
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale is a number above 0, such as 1 or 255; given: {scale!r}")
    model, file = read_model(path), repr(str(path))
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if opset < 7:
        raise ValueError(
            f"{file} is of opset {opset}; dreamkit reads 7 and later "
            "(onnx.version_converter converts it)"
        )
    picture_input(model.graph, path)
    _check_operators(model.graph, until, file)
    try:
        module = Graph(model.graph, opset, bgr, until, short_names)
        for side in (64, 224):
            module.rehearse((1, 3, side, side))
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{file} cannot be made into a network: {one_line(error)}") from None
    order = slice(None, None, -1) if bgr else slice(None)
    mean, std = ([float(v) / scale for v in values][order] for values in (mean, std))
    name, labels = name or Path(path).stem, labels or _labels(model)
    return as_network(module, mean, std, name, labels, device=device, precision=precision)


def _check_operators(graph, until: str, file: str) -> None:
    names = [name for node in graph.node for name in node.output]
    if until and until not in names:
        raise unknown("layer", until, names, f"{file} has {len(names)}")
    missing: dict[str, str] = {}  # {operator: its first tensor}
    for node in nodes_for(graph.node, results_of(graph, until)):
        known = node.op_type in MAKERS or node.op_type == "Constant"
        if not known or node.domain not in ("", "ai.onnx"):
            missing.setdefault(f"{node.domain}.{node.op_type}".lstrip("."), node.output[0])
    if missing:
        listed = ", ".join(f"{op} (first at {at!r})" for op, at in missing.items())
        raise ValueError(
            f"{file} uses operators that dreamkit does not have: {listed}; "
            "until= reads as far as a tensor before them"
        )


def _labels(model) -> tuple[str, ...]:
    """The class labels that `export` wrote into the file; () if there are none to be read."""
    texts = (entry.value for entry in model.metadata_props if entry.key == "dreamkit.labels")
    try:
        labels = json.loads(next(texts, "[]"))
    except (ValueError, RecursionError):
        return ()
    valid = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    return tuple(labels) if valid else ()
