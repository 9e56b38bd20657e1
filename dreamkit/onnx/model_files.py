"""ONNX files read with care and written whole: a stranger's file is data that may be wrong, never a way out of its folder."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from ..pictures.files import check_place, write_whole

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

OPSET, IR_VERSION = 17, 8  # what is written: read by onnxruntime 1.13 and later
MAX_BYTES = 2**31 - 1  # of a file, and of its weights: protobuf's own limit
MAX_NODES = 20_000


def onnx_package() -> ModuleType:
    """The `onnx` package, which reads and writes graphs. ValueError in one line where it is not installed."""
    try:
        import onnx
    except ImportError:
        raise ValueError(
            "this needs the onnx package: pip install 'dreamkit[onnx]' "
            "(without it FeatureSession still gives a file's own outputs)"
        ) from None
    return onnx


def read_model(path: str | os.PathLike[str]) -> ModelProto:
    """The checked ModelProto of an ONNX file, its external data taken in. ValueError, in one line, for a broken or hostile file."""
    onnx, path = onnx_package(), Path(path)
    data = read_bytes(path)
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception:  # a broken file can raise nearly anything
        raise ValueError(f"{str(path)!r} is not an ONNX file") from None
    if not model.graph.node or not model.opset_import:
        raise ValueError(
            f"{str(path)!r} is not an ONNX file, or an empty one: it holds no operators"
        )
    if len(model.graph.node) > MAX_NODES:
        raise ValueError(
            f"{str(path)!r} holds {len(model.graph.node)} operators; at most {MAX_NODES} are read"
        )
    left = MAX_BYTES  # for all of them: many tensors may lie in the same few bytes of a file
    for tensor in _tensors(model.graph):
        left -= _take_in(tensor, path, left)
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        raise ValueError(f"{str(path)!r} is not a valid ONNX file: {one_line(error)}") from None
    return model


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file of at most 2 GiB. ValueError where there is none, or it is too large."""
    path = Path(path)
    if os.path.isdir(path):
        raise ValueError(f"an ONNX model is a file, and {str(path)!r} is a folder")
    if not os.path.isfile(path):  # Path.is_file would raise for a name that is too long
        raise ValueError(f"no ONNX file at {str(path)!r}")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{str(path)!r} is too large: at most 2 GiB are read")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {str(path)!r}: {error.strerror}") from None


def write_model(model: ModelProto, path: str | os.PathLike[str]) -> None:
    """Writes the model whole or not at all. ValueError for a name that does not end in .onnx, or a place where nothing can be written."""
    data = model.SerializeToString(deterministic=True)
    write_whole(check_name(path), lambda file: file.write(data))


def check_name(path: str | os.PathLike[str]) -> Path:
    """The path, which must end in .onnx, of a file that could be written. ValueError otherwise; asked before the work."""
    path = Path(path)
    if path.suffix.lower() != ".onnx":
        raise ValueError(f"cannot write {str(path)!r}: the name must end in .onnx")
    check_place(path)
    return path


def picture_input(graph: GraphProto, path: object = "the file") -> str:
    """The name of the one input of the graph that is no weight: its picture. ValueError where there are none or several."""
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise ValueError(
            f"{str(path)!r} takes {len(inputs)} inputs; an image network takes one picture [N, 3, H, W]"
        )
    dims = inputs[0].type.tensor_type.shape.dim
    if len(dims) != 4 or (dims[1].dim_value not in (0, 3)):
        shape = [d.dim_value or d.dim_param or "?" for d in dims]
        raise ValueError(
            f"{str(path)!r} takes {shape}; an image network takes a picture [N, 3, H, W]"
        )
    return inputs[0].name


def upstream(graph: GraphProto, names: Iterable[str]) -> list[NodeProto]:
    """The nodes, in their order, that the named tensors are made by."""
    wanted, kept = set(names), []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def loosen(graph: GraphProto) -> None:
    """Takes the fixed batch, height and width out of the graph's picture, and what was said of other shapes because of them."""
    name = picture_input(graph)
    for value in graph.input:
        if value.name == name:
            for axis, label in ((0, "batch"), (2, "height"), (3, "width")):
                value.type.tensor_type.shape.dim[axis].dim_param = label
    del graph.value_info[:]


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _tensors(graph: GraphProto) -> Iterable[TensorProto]:
    if graph.sparse_initializer:
        raise ValueError("sparse weights are not read")
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                raise ValueError(
                    f"operators that hold graphs of their own are not read: {node.op_type} {node.name!r}"
                )
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _take_in(tensor: TensorProto, path: Path, left: int) -> int:
    """The bytes of a tensor, at most `left`; if they lie in another file, read: only from the model's folder, only what is there."""
    onnx = onnx_package()
    where = f"{str(path)!r}: weights {tensor.name!r}"
    if any(n < 0 for n in tensor.dims) or len(tensor.dims) > 8:
        raise ValueError(f"{where} have an impossible shape {list(tensor.dims)[:8]}")
    try:
        item = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize
    except (KeyError, TypeError):
        raise ValueError(f"{where} are of an unknown type ({tensor.data_type})") from None
    size = math.prod(tensor.dims) * item
    if size > left:
        raise ValueError(
            f"{where} are too large: {list(tensor.dims)}; at most 2 GiB of weights are read in all"
        )
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return size
    entries = {entry.key: entry.value for entry in tensor.external_data}
    file = _inside(path.parent, entries.get("location", ""), where)
    try:
        offset = int(entries.get("offset", 0))
    except ValueError:
        raise ValueError(f"{where} lie at no place that could be read") from None
    if offset < 0 or offset + size > file.stat().st_size:
        raise ValueError(
            f"{where} should be {size} bytes from {offset} on in {file.name!r}, which has only {file.stat().st_size}"
        )
    with open(file, "rb") as opened:
        opened.seek(offset)
        tensor.raw_data = opened.read(size)
    tensor.data_location = onnx.TensorProto.DEFAULT
    del tensor.external_data[:]
    return size


def _inside(folder: Path, location: str, where: str) -> Path:
    """The file at `location`, which must lie in the folder, links followed."""
    parts = (*PurePosixPath(location).parts, *PureWindowsPath(location).parts)
    outside = (
        not location
        or "\0" in location
        or ".." in parts
        or PurePosixPath(location).is_absolute()
        or bool(PureWindowsPath(location).anchor)
    )
    file = folder if outside else folder / location
    if outside or not file.resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            f"{where} lie outside the file's folder ({location[:100]!r}); such data is not read"
        )
    if not os.path.isfile(file):
        raise ValueError(f"{where} lie in {location[:100]!r}, which is not there")
    return file
