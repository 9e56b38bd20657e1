"""ONNX files: read with checks that hold for a file from a stranger, and written whole.

A file may be broken or hostile. It is read within limits of size, and it cannot make dreamkit read
data outside its own folder.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..checks.packages import optional_package
from ..pictures.files import check_place, one_line, write_whole

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto

OPSET, IR_VERSION = 17, 8  # of the files written: onnxruntime 1.13 and later read them
MAX_BYTES = 2**31 - 1  # of a file, and of its weights: protobuf's own limit
MAX_NODES = 20_000
AnyNode = TypeVar("AnyNode")
_NEEDS = "an image network takes one picture [N, 3, H, W] or [N, H, W, 3]"
_REAL = (
    0,
    1,
    10,
    11,
    16,
)  # TensorProto's numbers for: undefined, float32, float16, float64, bfloat16


def onnx_package() -> ModuleType:
    """The `onnx` package, which reads and writes graphs. Raises ValueError if it is missing."""
    without = "; without it FeatureSession still gives a file's own outputs"
    return optional_package("onnx", "this needs the onnx package", "onnx", without)


def read_model(path: str | os.PathLike[str]) -> ModelProto:
    """The checked ModelProto of an ONNX file, with its external data loaded.

    Raises ValueError, in one line, for a broken or hostile file.
    """
    onnx, path = onnx_package(), Path(path)
    file, data = repr(str(path)), read_bytes(path)
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception:  # a broken file can raise nearly anything
        raise ValueError(f"{file} is not an ONNX file") from None
    if not model.graph.node or not model.opset_import:
        raise ValueError(f"{file} is not an ONNX file, or an empty one: it holds no operators")
    count = len(model.graph.node)
    if count > MAX_NODES:
        raise ValueError(f"{file} holds {count} operators; at most {MAX_NODES} are read")
    if model.functions or model.training_info:
        raise ValueError(
            f"{file} holds functions of its own or training steps, which are not read; "
            "onnx.inliner.inline_local_functions writes functions out"
        )
    left = MAX_BYTES  # for all tensors together: many may lie in the same few bytes of a file
    for tensor in _tensors(model.graph):
        left -= _load_tensor(tensor, path, left)
    try:
        with _all_shapes(model.graph):
            onnx.checker.check_model(model)
    except Exception as error:
        raise ValueError(f"{file} is not a valid ONNX file: {one_line(error)}") from None
    return model


@contextlib.contextmanager
def _all_shapes(graph: GraphProto) -> Iterator[None]:
    """Gives results without a declared type or shape one for a while: the checker asks for it."""
    bare = [value for value in graph.output if not value.type.WhichOneof("value")]
    for value in bare:
        value.type.tensor_type.elem_type = 1
    kinds = [value.type.tensor_type for value in graph.output if value.type.HasField("tensor_type")]
    without = [kind for kind in kinds if not kind.HasField("shape")]
    for kind in without:
        kind.shape.SetInParent()
    try:
        yield
    finally:
        for kind in without:
            kind.ClearField("shape")
        for value in bare:
            value.ClearField("type")


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file of at most 2 GiB. Raises ValueError if it is missing or larger."""
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
    """Writes the model whole or not at all. Raises ValueError as `check_name` does."""
    data = model.SerializeToString(deterministic=True)
    write_whole(check_name(path), lambda file: file.write(data))


def check_name(path: str | os.PathLike[str]) -> Path:
    """The path, if a file that ends in .onnx can be written there; else raises ValueError."""
    path = Path(path)
    if path.suffix.lower() != ".onnx":
        raise ValueError(f"cannot write {str(path)!r}: the name must end in .onnx")
    check_place(path)
    return path


def picture_input(graph: GraphProto, path: object = "the file") -> str:
    """The name of the graph's picture: its one input that is not a weight.

    Raises ValueError if there are none or several, or if its shape is not [N, 3, H, W] or
    [N, H, W, 3].
    """
    picture = _picture(graph, path)
    dims = picture.type.tensor_type.shape.dim
    if len(dims) != 4 or (dims[1].dim_value not in (0, 3) and dims[3].dim_value != 3):
        shape = [d.dim_value or d.dim_param or "?" for d in dims]
        raise ValueError(f"{str(path)!r} takes {shape}; {_NEEDS}")
    if picture.type.tensor_type.elem_type not in _REAL:
        raise ValueError(
            f"{str(path)!r} takes a picture of whole numbers; dreamkit needs one of real numbers"
        )
    return picture.name


def channels_last(graph: GraphProto) -> bool:
    """Whether the graph's picture is [N, H, W, 3], as TensorFlow's converters write it."""
    dims = _picture(graph).type.tensor_type.shape.dim
    return dims[3].dim_value == 3 and dims[1].dim_value != 3


def _picture(graph: GraphProto, path: object = "the file") -> ValueInfoProto:
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise ValueError(f"{str(path)!r} takes {len(inputs)} inputs; {_NEEDS}")
    return inputs[0]


def nodes_for(nodes: Sequence[AnyNode], names: Iterable[str]) -> list[AnyNode]:
    """The nodes that the named tensors are computed by, in their order."""
    wanted, kept = set(names), []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def _tensors(graph: GraphProto) -> Iterable[TensorProto]:
    """All constant tensors of the graph."""
    if graph.sparse_initializer:
        raise ValueError("sparse weights are not read")
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                what = f"{node.op_type} {node.name!r}"
                raise ValueError(f"operators that hold graphs of their own are not read: {what}")
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _load_tensor(tensor: TensorProto, path: Path, left: int) -> int:
    """The size of a tensor in bytes, at most `left`; data in another file is loaded."""
    onnx = onnx_package()
    weights = f"{str(path)!r}: weights {tensor.name!r}"
    dims = list(tensor.dims)
    if any(n < 0 for n in dims) or len(dims) > 8:
        raise ValueError(f"{weights} have an impossible shape {dims[:8]}")
    try:
        item = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize
    except (KeyError, TypeError):
        raise ValueError(f"{weights} are of an unknown type ({tensor.data_type})") from None
    size = math.prod(dims) * item
    if size > left:
        raise ValueError(f"{weights} are too large: {dims}; at most 2 GiB are read in all")
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return size
    entries = {entry.key: entry.value for entry in tensor.external_data}
    file = _file_in_folder(path.parent, entries.get("location", ""), weights)
    try:
        offset = int(entries.get("offset", 0))
    except ValueError:
        raise ValueError(f"{weights}: their offset in {file.name!r} is not a number") from None
    there = file.stat().st_size
    if offset < 0 or offset + size > there:
        raise ValueError(
            f"{weights} should be {size} bytes from {offset} on in {file.name!r}, which has {there}"
        )
    with open(file, "rb") as opened:
        opened.seek(offset)
        tensor.raw_data = opened.read(size)
    tensor.data_location = onnx.TensorProto.DEFAULT
    del tensor.external_data[:]
    return size


def _file_in_folder(folder: Path, location: str, weights: str) -> Path:
    """The file at `location`, which must lie in the folder after links are followed."""
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    outside = not location or "\0" in location or posix.is_absolute() or bool(windows.anchor)
    outside = outside or ".." in (*posix.parts, *windows.parts)
    file = folder if outside else folder / location
    shown = repr(location[:100])
    if outside or not file.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{weights} lie outside the file's folder ({shown}), which is not allowed")
    if not os.path.isfile(file):
        raise ValueError(f"{weights} lie in {shown}, which does not exist")
    if file.stat().st_nlink > 1:  # the other name may lie anywhere
        raise ValueError(
            f"{weights} lie in {shown}, a file with several names (hard links), which is not "
            "allowed; a copy of the file is"
        )
    return file
