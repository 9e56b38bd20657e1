"""Feature maps of any ONNX image model through onnxruntime, by the names of its inner tensors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..checks.names import unknown
from ..pictures.image import Image, check_image
from .model_files import loosen, one_line, picture_input, read_bytes, read_model, upstream


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of the file: its name, the operator that makes it, and its shape (names and None: free or unknown)."""

    name: str
    op: str
    shape: tuple[int | str | None, ...] | None


class FeatureSession:
    """Feature maps {name: [N, C, h, w]} of a picture, computed by onnxruntime; `layers` are those it gives, `table` all there are.

    `layers`: names of tensors inside the file (by default its own outputs); only what they need is run. The file is given
    (picture * scale - mean) / std, in BGR order if `bgr`, as for `dk.onnx.load`. `threads`: how many to compute with;
    `provider`: one of onnxruntime's (`onnxruntime.get_available_providers()`). Inner tensors need the onnx package;
    without it the file's own outputs are given. KeyError for an unknown tensor, ValueError for a file that cannot be run.
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
        if len(tuple(mean)) != 3 or len(tuple(std)) != 3 or min(std) <= 0:
            raise ValueError(
                f"mean and std are three numbers each, std above 0; given: {tuple(mean)} and {tuple(std)}"
            )
        self._mean, self._std, self._scale, self._bgr = tuple(mean), tuple(std), float(scale), bgr
        names = (
            (layers,)
            if isinstance(layers, str)
            else None
            if layers is None
            else tuple(dict.fromkeys(layers))
        )
        try:
            import onnx  # noqa: F401
        except ImportError:
            if names is not None:
                raise ValueError(
                    "tensors inside an ONNX file are reached with the onnx package: pip install 'dreamkit[onnx]'"
                ) from None
            data, self.table = read_bytes(path), ()
        else:
            data, self.table, names = _prepared(path, names, short_names)
        try:
            self._session = quiet_session(data, threads, provider)
        except Exception as error:
            if isinstance(error, ValueError):
                raise
            raise ValueError(f"onnxruntime cannot run {str(path)!r}: {one_line(error)}") from None
        self._input = self._session.get_inputs()[0].name
        inner = [output.name for output in self._session.get_outputs()]
        self.layers = tuple(names) if names is not None else tuple(inner)
        self._outputs = dict(zip(self.layers, inner, strict=True))

    def __call__(self, image: Image) -> dict[str, Tensor]:
        """The features {layer: tensor} of a picture [N, 3, H, W], RGB in [0, 1]. ValueError where the file does not take its size."""
        check_image(image)
        mean, std = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (self._mean, self._std))
        picture = image.detach().cpu().float().numpy()
        picture = (picture[:, ::-1] if self._bgr else picture) * np.float32(self._scale)
        try:
            given = self._session.run(
                list(self._outputs.values()),
                {self._input: np.ascontiguousarray((picture - mean) / std)},
            )
        except Exception as error:
            raise ValueError(
                f"onnxruntime could not run this network for {list(image.shape)}: {one_line(error)}"
            ) from None
        return {
            name: torch.from_numpy(value) for name, value in zip(self._outputs, given, strict=True)
        }


def quiet_session(data: bytes, threads: int | None = None, provider: str = "CPUExecutionProvider"):
    """An onnxruntime session on a model in memory, which says nothing on stderr. ValueError for a provider or threads there are not."""
    import onnxruntime

    if provider not in onnxruntime.get_available_providers():
        raise ValueError(
            f"onnxruntime has no provider {provider!r} here; it has: {', '.join(onnxruntime.get_available_providers())}"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if threads is not None:
        if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024:
            raise ValueError(f"threads is a whole number from 1 to 1024; given: {threads!r}")
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(data, options, providers=[provider])


def _prepared(
    path: object, names: Sequence[str] | None, short: bool
) -> tuple[bytes, tuple[TensorInfo, ...], tuple[str, ...] | None]:
    """(the model with the named tensors as its outputs and no more nodes than those need, its table, the names)."""
    import onnx

    from .loading import short_name

    model = read_model(path)
    graph = model.graph
    picture_input(graph, path)
    made = [name for node in graph.node for name in node.output if name]
    shown = {short_name(name, set(made)) if short else name: name for name in made}
    for name in names or ():
        if name not in shown:
            raise unknown("tensor", name, shown, "all: FeatureSession(path).table")
    table = _table(model, {inner: name for name, inner in shown.items()})
    if names is None:
        return model.SerializeToString(), table, None
    kept = upstream(graph, [shown[name] for name in names])
    loosen(graph)
    del graph.node[:], graph.output[:]
    graph.node.extend(kept)
    graph.output.extend(onnx.helper.make_empty_tensor_value_info(shown[name]) for name in names)
    used = {name for node in kept for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    inputs = [value for value in graph.input if value.name in used]
    del graph.initializer[:], graph.input[:]
    graph.initializer.extend(weights)
    graph.input.extend(inputs)
    return model.SerializeToString(), table, tuple(names)


def _table(model, shown: dict[str, str]) -> tuple[TensorInfo, ...]:
    import onnx

    try:
        graph = onnx.shape_inference.infer_shapes(model).graph
    except Exception:  # shapes are only shown: a graph without them is as good
        graph = model.graph
    shapes = {}
    for value in (*graph.value_info, *graph.output):
        if value.type.tensor_type.HasField("shape"):
            shapes[value.name] = tuple(
                d.dim_value or d.dim_param or None for d in value.type.tensor_type.shape.dim
            )
    return tuple(
        TensorInfo(shown[name], node.op_type, shapes.get(name))
        for node in model.graph.node
        for name in node.output
        if name
    )
