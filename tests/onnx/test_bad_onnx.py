"""Broken and hostile ONNX files: one line says what is wrong, and nothing is read or written."""

import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import dreamkit as dk

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

FLOAT, GIB = onnx.TensorProto.FLOAT, 2**30
CONV = ("Conv", ["data", "w"], ["a"])
VALUES = np.linspace(-1, 1, 54, dtype=np.float32).tobytes()


def tensor(dims=(2, 3, 3, 3), raw=VALUES, kind=FLOAT, **external):
    """The weights `w` as a file may declare them, or in another file: `location=`, `offset=`."""
    made = onnx.TensorProto(name="w", data_type=kind, dims=dims)
    if external:
        made.data_location = onnx.TensorProto.EXTERNAL
        for key, value in external.items():
            made.external_data.add(key=key, value=str(value))
    else:
        made.raw_data = raw
    return made


def model(
    nodes=(CONV,), weights=None, shape=(1, 3, 8, 8), result="a", opset=17, kind=FLOAT, change=None
) -> bytes:
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node(op, inputs, outputs, **(more[0] if more else {}))
            for op, inputs, outputs, *more in nodes
        ],
        "test",
        [onnx.helper.make_tensor_value_info("data", kind, shape)],
        [onnx.helper.make_tensor_value_info(result, FLOAT, [None] * 4)],
        [tensor()] if weights is None else weights,
    )
    made = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=8
    )
    if change:
        change(made)
    return made.SerializeToString()


def outside(**external) -> bytes:
    return model(weights=[tensor(**external)])


GOOD = model()
NOT_ONNX, EMPTY = "is not an ONNX file$", "it holds no operators"
UNSORTED, NO_WEIGHTS = (
    "topologically sorted, however input",
    "its input 1 must be constant weights with 4 axes",
)
FAR_TOO_LARGE, IMPOSSIBLE = "weights 'w' are too large", "have an impossible shape"
NOT_OF_SIZE, OUT_OF_RANGE = "one and only one value field|raw_data", "out of range: kernel"
OUTSIDE, MISSING = "lie outside the file's folder", "which does not exist"
FILES = {  # {name: (the file, what the message says)}
    "empty": (b"", EMPTY),
    "text": (b"not onnx at all", NOT_ONNX),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, NOT_ONNX),
    "zeros": (b"\0" * 64, NOT_ONNX),
    **{f"cut at {n} %": (GOOD[: len(GOOD) * n // 100], NOT_ONNX) for n in (10, 50, 90, 99)},
    "no operators": (model(nodes=()), EMPTY),
    "no opset": (model(change=lambda m: m.ClearField("opset_import")), EMPTY),
    "old opset": (model(opset=3), "is of opset 3; dreamkit reads 7 and later"),
    "unknown operator": (model([("Wish", ["data", "w"], ["a"])]), "Wish"),
    "foreign domain": (model([("Conv", ["data", "w"], ["a"], {"domain": "x.y"})]), r"x\.y"),
    "missing weights": (model(weights=[]), f"{UNSORTED}.*'w'"),
    "missing tensor": (model([("Add", ["data", "nowhere"], ["a"])]), f"{UNSORTED}.*'nowhere'"),
    "cycle": (model([("Add", ["data", "b"], ["a"]), ("Relu", ["a"], ["b"])]), f"{UNSORTED}.*'b'"),
    "itself": (model([("Add", ["data", "a"], ["a"])]), f"{UNSORTED}.*'a'"),
    "made twice": (model([CONV, ("Relu", ["data"], ["a"])]), "'a' has been used as output names"),
    "no such result": (model(result="z"), "'z'|none of the file's results"),
    "no inputs": (model(change=lambda m: m.graph.ClearField("input")), f"{UNSORTED}.*'data'"),
    "no results": (
        model(change=lambda m: m.graph.ClearField("output")),
        "none of the file's results is computed",
    ),
    "four channels": (model(shape=(1, 4, 8, 8)), r"takes \[1, 4, 8, 8\]; an image network takes"),
    "three axes": (model(shape=(3, 8, 8)), r"takes \[3, 8, 8\]; an image network takes"),
    "terabytes": (model(weights=[tensor((2**14, 2**14, 2**10, 4), b"")]), FAR_TOO_LARGE),
    "overflowing": (model(weights=[tensor((2**62, 4), b"")]), FAR_TOO_LARGE),
    "negative": (model(weights=[tensor((-2, 3, 3, 3))]), IMPOSSIBLE),
    "many axes": (model(weights=[tensor((1,) * 40)]), IMPOSSIBLE),
    "a gigabyte that is not there": (model(weights=[tensor((GIB // 8,), b"")]), NOT_OF_SIZE),
    "too few numbers": (model(weights=[tensor(raw=b"1234")]), f"{NOT_OF_SIZE}|cannot reshape"),
    "too many numbers": (model(weights=[tensor(raw=VALUES * 2)]), "cannot reshape|raw_data"),
    "zero-size": (model(weights=[tensor((0, 3, 3, 3), b"")]), NO_WEIGHTS),
    "zero kernel": (model(weights=[tensor((2, 3, 0, 0), b"")]), NO_WEIGHTS),
    "no type": (model(weights=[tensor(kind=0)]), r"are of an unknown type \(0\)"),
    "unknown type": (model(weights=[tensor(kind=99)]), r"are of an unknown type \(99\)"),
    "whole numbers": (
        model(weights=[tensor(raw=np.ones(54, np.int64).tobytes(), kind=onnx.TensorProto.INT64)]),
        NO_WEIGHTS,
    ),
    "words": (model(weights=[tensor(raw=b"", kind=onnx.TensorProto.STRING)]), NOT_OF_SIZE),
    "a flat kernel": (model(weights=[tensor((54,))]), NO_WEIGHTS),
    "stride of nothing": (model([(*CONV, {"strides": [0, 0]})]), OUT_OF_RANGE),
    "stride backwards": (model([(*CONV, {"strides": [-1, -1]})]), OUT_OF_RANGE),
    "no groups": (model([(*CONV, {"group": 0})]), "groups do not fit each other"),
    "huge padding": (model([(*CONV, {"pads": [2**40] * 4})]), OUT_OF_RANGE),
    "negative padding": (model([(*CONV, {"pads": [-9] * 4})]), OUT_OF_RANGE),
    "words for numbers": (model([(*CONV, {"strides": "two"})]), "attribute type.*strides"),
    "a kernel that is not": (
        model([("MaxPool", ["data"], ["a"], {"kernel_shape": [0, 0]})]),
        OUT_OF_RANGE,
    ),
    "half a kernel": (
        model([("MaxPool", ["data"], ["a"], {"kernel_shape": [3]})]),
        "only two-dimensional maps are read",
    ),
    "a loop": (
        model([("If", ["data"], ["a"], {"then_branch": onnx.ModelProto.FromString(GOOD).graph})]),
        "graphs of their own are not read: If",
    ),
    "sparse": (model(change=lambda m: m.graph.sparse_initializer.add()), "sparse weights"),
    "above": (outside(location="../secret.bin"), OUTSIDE),
    "absolute": (outside(location="/etc/passwd"), OUTSIDE),
    "drive": (outside(location="C:\\secret.bin"), OUTSIDE),
    "share": (outside(location="\\\\host\\secret.bin"), OUTSIDE),
    "linked": (outside(location="link.bin"), OUTSIDE),
    "another name": (outside(location="hard.bin"), r"with several names \(hard links\)"),
    "nowhere": (outside(location=""), OUTSIDE),
    "the folder": (outside(location="."), MISSING),
    "not there": (outside(location="other.bin"), MISSING),
    "long": (outside(location="x" * 5000), MISSING),
    "no string": (outside(location="a\0b"), OUTSIDE),
    "before it": (outside(location="good.bin", offset=-1), "216 bytes from -1 on"),
    "behind it": (outside(location="good.bin", offset=200), "216 bytes from 200 on"),
    "no number": (outside(location="good.bin", offset="many"), "offset.* is not a number"),
    "far behind": (outside(location="good.bin", offset="9" * 30), "216 bytes from 9{30} on"),
    "device": (outside(location="/dev/zero"), OUTSIDE),
    "huge outside": (model(weights=[tensor((2**20, 2**20), location="good.bin")]), FAR_TOO_LARGE),
}
FINE_ELSEWHERE = {"old opset", "zero-size", "huge padding"}  # onnxruntime may take these


@pytest.fixture
def folder(tmp_path):
    inner = tmp_path / "models"
    inner.mkdir()
    (tmp_path / "secret.bin").write_bytes(VALUES)
    (inner / "good.bin").write_bytes(VALUES)
    (inner / "link.bin").symlink_to(tmp_path / "secret.bin")
    (tmp_path / "other.bin").write_bytes(VALUES)
    os.link(tmp_path / "other.bin", inner / "hard.bin")
    return inner


def message(call, path) -> str:
    with pytest.raises((ValueError, KeyError)) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call(path)
    return str(caught.value)


def load_and_run(path):
    network = dk.onnx.load(path)
    return dk.capture(network, dk.noise(16, 16), dk.layer_names(network)[:1])


def run_session(path):
    return dk.onnx.FeatureSession(path)(dk.noise(8, 8))


def test_the_file_that_the_broken_ones_are_made_from_is_good(folder):
    path = folder / "model.onnx"
    for data in (GOOD, outside(location="good.bin")):
        path.write_bytes(data)
        assert load_and_run(path)["a"].shape == (1, 2, 14, 14)
        assert run_session(path)["a"].shape == (1, 2, 6, 6)


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_one_line(name, folder):
    path, (data, expected) = folder / "model.onnx", FILES[name]
    path.write_bytes(data)
    before = sorted(Path(folder.parent).rglob("*"))
    line = message(load_and_run, path)
    assert re.search(expected, line)
    assert "\n" not in line and 10 < len(line) < 700
    if name not in FINE_ELSEWHERE:
        line = message(run_session, path)
        assert re.search(f"{expected}|onnxruntime (cannot|could not) run", line)
        assert "\n" not in line and 10 < len(line) < 700
    assert path.read_bytes() == data and sorted(Path(folder.parent).rglob("*")) == before


def test_weights_for_other_channels_get_one_sentence(folder):
    path = folder / "model.onnx"
    path.write_bytes(model(weights=[tensor((3, 2, 3, 3))]))
    with pytest.raises(ValueError, match="takes pictures of 2 channels; those of a network have 3"):
        dk.onnx.load(path)
    assert "onnxruntime could not run" in message(run_session, path)


def test_many_tensors_in_the_same_few_bytes_are_stopped_before_they_fill_the_memory(
    folder, monkeypatch
):
    (folder / "good.bin").write_bytes(bytes(2**20))
    many = [tensor((2**18,), location="good.bin") for _ in range(40)]
    for i, one in enumerate(many):
        one.name = f"w{i}"
    (folder / "model.onnx").write_bytes(model(weights=many))
    monkeypatch.setattr(dk.onnx.model_files, "MAX_BYTES", 8 * 2**20)
    reads = []

    def counted_open(*args):
        reads.append(args)
        return open(*args)

    monkeypatch.setattr(dk.onnx.model_files, "open", counted_open, raising=False)
    assert "'w8' are too large" in message(dk.onnx.load, folder / "model.onnx") and len(reads) == 8


@pytest.mark.parametrize(
    "name",
    [
        "x" * 5000 + ".onnx",
        "a\0b.onnx",
        "",
        ".",
        "no/such/file.onnx",
        "/dev/zero",
        "two\nlines.onnx",
    ],
)
def test_a_place_without_a_file_is_one_line(name):
    for call in (dk.onnx.load, dk.onnx.FeatureSession):
        assert "\n" not in message(call, name)
