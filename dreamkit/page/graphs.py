"""The network's files for the browser: a small graph for each choice, and their shared weights."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..networks.network import Network
from ..objectives.objective import Objective
from ..onnx.alone import Step
from ..onnx.model_files import onnx_package, read_model
from ..onnx.step_graph import export_step

_LARGEST = 256  # pixels: no network of the page needs more
FIRST = "weights-0.bin"
_SHARED = 256  # numbers: a smaller tensor stays in its graph


@dataclass(frozen=True)
class Graphs:
    """The ONNX graph of each choice, the files of weights, and what each graph needs.

    `needs` are files of weights, `least` the side of the smallest picture in pixels.
    """

    graphs: dict[str, bytes]
    weights: dict[str, bytes]
    needs: dict[str, list[str]]
    least: dict[str, int]

    def only(self, names: Collection[str]) -> Graphs:
        """The graphs of some choices, with the weights that they need."""
        needs = {name: self.needs[name] for name in names}
        wanted = {file for files in needs.values() for file in files}
        weights = {file: data for file, data in self.weights.items() if file in wanted}
        return Graphs({name: self.graphs[name] for name in names}, weights, needs, self.least)


def step_graphs(
    network: Network, groups: Sequence[Mapping[str, Objective]], half: bool = True
) -> Graphs:
    """One step of a dream for each objective {name: objective} of each group.

    The graphs are those of `export_step`, which are checked against torch. Their large tensors lie
    in files of weights, each once: what a group needs beyond the groups before it has a file of its
    own, so the first group can be used before the others are loaded. A graph names the places of
    its tensors (ONNX's external data). With `half` they are float16 there, and the graphs make
    float32 of them.
    """
    made, places = Graphs({}, {}, {}, {}), {}
    with tempfile.TemporaryDirectory() as folder:
        for number, group in enumerate(groups):
            file, weights = f"weights-{number}.bin", bytearray()
            for name, objective in group.items():
                path = Path(folder) / "step.onnx"
                export_step(network, objective, path)
                made.least[name] = _least_side(path)
                model = read_model(path)
                made.needs[name] = _move_weights(model, file, weights, places, half)
                made.graphs[name] = model.SerializeToString()
            if weights:
                made.weights[file] = bytes(weights)
    return made


def _least_side(path: Path) -> int:
    """The side of the smallest picture that the step takes, to a multiple of 8 pixels."""
    step = Step(path, threads=1)
    for side in range(8, _LARGEST, 8):
        try:
            step(np.zeros((1, 3, side, side), np.float32))
        except ValueError:  # a kernel is larger than the map that it sees
            continue
        return side
    return _LARGEST


def _move_weights(
    model: object, file: str, weights: bytearray, places: dict[bytes, tuple[str, int]], half: bool
) -> list[str]:
    """Moves the large tensors of a graph into files of weights; returns the files that it needs.

    `places` says what is there already: {sha256: (file, offset)}. What is not goes to `weights`.
    """
    onnx = onnx_package()
    casts, needed = [], set()
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.size < _SHARED or values.dtype != np.float32:
            continue
        kept = values.astype(np.float16) if half else values
        data = kept.tobytes()
        place = hashlib.sha256(data).digest()
        if place not in places:
            places[place] = file, len(weights)
            weights.extend(data)
            weights.extend(bytes(-len(weights) % 16))
        location, offset = places[place]
        needed.add(location)
        _point(tensor, kept.dtype, {"location": location, "offset": offset, "length": len(data)})
        if half:
            casts.append(
                onnx.helper.make_node("Cast", [f"{tensor.name}/half"], [tensor.name], to=1)
            )
            tensor.name += "/half"
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    return sorted(needed)


def _point(tensor: object, dtype: np.dtype, place: Mapping[str, object]) -> None:
    """Makes of a tensor with values one whose values lie at a place in another file."""
    onnx = onnx_package()
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_type = onnx.helper.np_dtype_to_tensor_dtype(dtype)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in place.items():
        tensor.external_data.add(key=key, value=str(value))
