"""Feature maps of any ONNX image model through onnxruntime, by the names of its inner tensors."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from ..checks.names import unknown
from ..pictures.image import Image, check_image
from .model_files import (
    channels_last,
    nodes_for,
    one_line,
    onnx_package,
    picture_input,
    read_bytes,
    read_model,
)
from .rehearsal import most_numbers, too_large


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of a file: its name, the operator that computes it, and its shape.

    In the shape a name or None stands for a size that is free or unknown.
    """

    name: str
    op: str
    shape: tuple[int | str | None, ...] | None


class FeatureSession:
    """Feature maps {name: [N, C, h, w]} of a picture, computed by onnxruntime.

    Args:
        path: an ONNX file with one input, a picture [N, 3, H, W] or [N, H, W, 3].
        layers: names of tensors in the file, weights and other constants too; by default its own
            outputs. Only what they need is computed. Inner tensors need the onnx package.
        mean, std, scale, bgr, short_names: as for `dk.onnx.load`.
        threads: how many threads compute, from 1 to 1024; onnxruntime's own choice by default.
        provider: one of `onnxruntime.get_available_providers()`.

    Afterwards `layers` names the features it gives, and `table` holds a TensorInfo for each tensor
    of the file (it is empty without the onnx package). Raises KeyError for an unknown tensor,
    ValueError for a file that cannot be run.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        layers: Iterable[str] | str | None = None,
        *,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
        scale: float = 1.0,
        bgr: bool = False,
        short_names: bool = False,
        threads: int | None = None,
        provider: str = "CPUExecutionProvider",
    ):
        mean, std = tuple(mean), tuple(std)
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(
                f"mean and std are three numbers each, std above 0; given: {mean} and {std}"
            )
        self._mean, self._std, self._scale, self._bgr = mean, std, float(scale), bgr
        if layers is not None:
            layers = (layers,) if isinstance(layers, str) else tuple(dict.fromkeys(layers))
        if layers is None and find_spec("onnx") is None:
            data, self.table = read_bytes(path), ()
        else:
            data, self.table = _prepared(path, layers, short_names)
        try:
            self._session = quiet_session(data, threads, provider)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(f"onnxruntime cannot run {str(path)!r}: {one_line(error)}") from None
        taken = self._session.get_inputs()[0]
        self._input, shape = taken.name, taken.shape
        self._nhwc = len(shape) == 4 and shape[3] == 3 and shape[1] != 3
        outputs = [output.name for output in self._session.get_outputs()]
        self.layers = tuple(outputs) if layers is None else layers
        self._outputs = dict(zip(self.layers, outputs, strict=True))

    def __call__(self, image: Image) -> dict[str, Tensor]:
        """The features {layer: tensor} of a picture [N, 3, H, W], RGB in [0, 1].

        Raises ValueError if the file does not take a picture of that size.
        """
        check_image(image)
        mean, std = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (self._mean, self._std))
        picture = image.detach().cpu().float().numpy()
        picture = (picture[:, ::-1] if self._bgr else picture) * np.float32(self._scale)
        picture = (picture - mean) / std
        picture = picture.transpose(0, 2, 3, 1) if self._nhwc else picture
        inputs = {self._input: np.ascontiguousarray(picture)}
        try:
            values = self._session.run(list(self._outputs.values()), inputs)
        except Exception as error:
            raise ValueError(
                f"onnxruntime could not run this network for {list(image.shape)}: {one_line(error)}"
            ) from None
        return dict(zip(self._outputs, map(torch.from_numpy, values), strict=True))


def quiet_session(data: bytes, threads: int | None = None, provider: str = "CPUExecutionProvider"):
    """An onnxruntime session on a model in memory, which writes nothing to stderr.

    Raises ValueError for an unknown provider and for threads out of range.
    """
    import onnxruntime

    providers = onnxruntime.get_available_providers()
    if provider not in providers:
        raise ValueError(
            f"onnxruntime has no provider {provider!r} here; it has: {', '.join(providers)}"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if threads is not None:
        if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024:
            raise ValueError(f"threads is a whole number from 1 to 1024; given: {threads!r}")
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(data, options, providers=[provider])


def _prepared(
    path: str | os.PathLike[str], names: Sequence[str] | None, short: bool
) -> tuple[bytes, tuple[TensorInfo, ...]]:
    """(the model cut down to the named tensors, the table of all its tensors)."""
    from .loaded_graph import short_name

    model = read_model(path)
    graph, picture = model.graph, picture_input(model.graph, path)
    made = {name: node.op_type for node in graph.node for name in node.output if name}
    held = {picture: "input"} | {tensor.name: "constant" for tensor in graph.initializer}
    made |= {name: kind for name, kind in held.items() if name not in made}
    tensors = {short_name(name, set(made)) if short else name: name for name in made}
    for name in names or ():
        if name not in tensors:
            raise unknown("tensor", name, tensors, "all: FeatureSession(path).table")
    shapes = _shapes(model)
    _check_memory(path, graph, picture, shapes)
    table = tuple(TensorInfo(name, made[t], shapes.get(t)) for name, t in tensors.items())
    if names is not None:
        kept = nodes_for(graph.node, [tensors[name] for name in names])
        helper, outputs = onnx_package().helper, []
        for i, tensor in enumerate(tensors[name] for name in names):
            if tensor in held:  # an output must be computed
                kept.append(helper.make_node("Identity", [tensor], [f"dreamkit output {i}"]))
                tensor = f"dreamkit output {i}"
            outputs.append(helper.make_empty_tensor_value_info(tensor))
        # Batch, height and width become free, and shapes computed from them are dropped.
        dims = next(v for v in graph.input if v.name == picture).type.tensor_type.shape.dim
        rows = 1 if channels_last(graph) else 2
        for axis, label in ((0, "batch"), (rows, "height"), (rows + 1, "width")):
            dims[axis].dim_param = label
        del graph.value_info[:], graph.node[:], graph.output[:]
        graph.node.extend(kept)
        graph.output.extend(outputs)
    return model.SerializeToString(), table


def _check_memory(path: object, graph, picture: str, shapes: Mapping[str, tuple]) -> None:
    """Raises ValueError if the tensors of one run hold too many numbers, as far as shapes tell.

    onnxruntime has no bound of its own, and computes what is constant before the first picture. A
    size that is free counts as 1.
    """
    numbers = {name: _count(shape or ()) for name, shape in shapes.items()}
    weights = sum(_count(tensor.dims) for tensor in graph.initializer)
    dims = next(v for v in graph.input if v.name == picture).type.tensor_type.shape.dim
    allowed = most_numbers(_count(dim.dim_value or 1 for dim in dims), weights)
    if sum(numbers.values()) > allowed:
        largest = max(numbers, key=numbers.get)
        error = too_large(largest, [n or "?" for n in shapes[largest]])
        raise ValueError(f"onnxruntime cannot run {str(path)!r}: {error}")


def _count(shape: Iterable[object]) -> int:
    return math.prod(max(0, n) for n in shape if isinstance(n, int))


def _shapes(model) -> dict[str, tuple[int | str | None, ...]]:
    try:
        graph = onnx_package().shape_inference.infer_shapes(model).graph
    except Exception:  # shapes are only shown, so a graph without them will do
        graph = model.graph
    return {
        value.name: tuple(
            d.dim_value or d.dim_param or None for d in value.type.tensor_type.shape.dim
        )
        for value in (*graph.value_info, *graph.output)
        if value.type.tensor_type.HasField("shape")
    }
