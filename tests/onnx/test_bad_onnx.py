"""Broken and hostile ONNX files through every public name that takes one: a line that says what is wrong, and nothing read or written."""

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
    """The weights `w` as a file may declare them; with `location=`, `offset=`, `length=`: in another file."""
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
        [onnx.helper.make_tensor_value_info(result, FLOAT, None)],
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
FILES = {
    "empty": b"", "text": b"not onnx at all", "a picture": b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "zeros": b"\0" * 64,
    **{f"cut at {share} %": GOOD[:len(GOOD) * share // 100] for share in (10, 50, 90, 99)},
    "no operators": model(nodes=()), "no opset": model(change=lambda m: m.ClearField("opset_import")), "old opset": model(opset=3),
    "unknown operator": model([("Wish", ["data", "w"], ["a"])]),
    "foreign domain": model([("Conv", ["data", "w"], ["a"], {"domain": "x.y"})]),
    "missing weights": model(weights=[]), "missing tensor": model([("Add", ["data", "nowhere"], ["a"])]),
    "cycle": model([("Add", ["data", "b"], ["a"]), ("Relu", ["a"], ["b"])]), "itself": model([("Add", ["data", "a"], ["a"])]),
    "made twice": model([CONV, ("Relu", ["data"], ["a"])]), "no such result": model(result="z"),
    "no inputs": model(change=lambda m: m.graph.ClearField("input")), "no results": model(change=lambda m: m.graph.ClearField("output")),
    "four channels": model(shape=(1, 4, 8, 8)), "three axes": model(shape=(3, 8, 8)),
    "terabytes": model(weights=[tensor((2**14, 2**14, 2**10, 4), b"")]), "overflowing": model(weights=[tensor((2**62, 4), b"")]),
    "negative": model(weights=[tensor((-2, 3, 3, 3))]), "many axes": model(weights=[tensor((1,) * 40)]),
    "a gigabyte that is not there": model(weights=[tensor((GIB // 8,), b"")]), "too few numbers": model(weights=[tensor(raw=b"1234")]),
    "too many numbers": model(weights=[tensor(raw=VALUES * 2)]), "zero-size": model(weights=[tensor((0, 3, 3, 3), b"")]),
    "zero kernel": model(weights=[tensor((2, 3, 0, 0), b"")]),
    "no type": model(weights=[tensor(kind=0)]), "unknown type": model(weights=[tensor(kind=99)]),
    "whole numbers": model(weights=[tensor(raw=np.ones(54, np.int64).tobytes(), kind=onnx.TensorProto.INT64)]),
    "words": model(weights=[tensor(raw=b"", kind=onnx.TensorProto.STRING)]),
    "a flat kernel": model(weights=[tensor((54,))]), "other channels": model(weights=[tensor((3, 2, 3, 3))]),
    "stride of nothing": model([(*CONV, {"strides": [0, 0]})]), "stride backwards": model([(*CONV, {"strides": [-1, -1]})]),
    "no groups": model([(*CONV, {"group": 0})]), "huge padding": model([(*CONV, {"pads": [2**40] * 4})]),
    "negative padding": model([(*CONV, {"pads": [-9] * 4})]), "words for numbers": model([(*CONV, {"strides": "two"})]),
    "a kernel that is not": model([("MaxPool", ["data"], ["a"], {"kernel_shape": [0, 0]})]),
    "half a kernel": model([("MaxPool", ["data"], ["a"], {"kernel_shape": [3]})]),
    "a loop": model([("If", ["data"], ["a"], {"then_branch": onnx.ModelProto.FromString(GOOD).graph})]),
    "sparse": model(change=lambda m: m.graph.sparse_initializer.add()),
    "above": outside(location="../secret.bin"), "absolute": outside(location="/etc/passwd"), "drive": outside(location="C:\\secret.bin"),
    "share": outside(location="\\\\host\\secret.bin"), "linked": outside(location="link.bin"), "nowhere": outside(location=""),
    "the folder": outside(location="."), "not there": outside(location="other.bin"), "long": outside(location="x" * 5000),
    "no string": outside(location="a\0b"), "before it": outside(location="good.bin", offset=-1),
    "behind it": outside(location="good.bin", offset=200),
    "no number": outside(location="good.bin", offset="many"), "far behind": outside(location="good.bin", offset="9" * 30),
    "device": outside(location="/dev/zero"), "huge outside": model(weights=[tensor((2**20, 2**20), location="good.bin")]),
}  # fmt: skip
FINE_ELSEWHERE = {
    "foreign domain",
    "old opset",
    "huge padding",
}  # what onnxruntime may take all the same


@pytest.fixture
def folder(tmp_path):
    inner = tmp_path / "models"
    inner.mkdir()
    (tmp_path / "secret.bin").write_bytes(VALUES)
    (inner / "good.bin").write_bytes(VALUES)
    (inner / "link.bin").symlink_to(tmp_path / "secret.bin")
    return inner


def told(call, path) -> str:
    with pytest.raises((ValueError, KeyError)) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call(path)
    return str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_one_line(name, folder):
    path = folder / "model.onnx"
    path.write_bytes(FILES[name])
    before = sorted(Path(folder.parent).rglob("*"))

    def use(path):
        network = dk.onnx.load(path)
        dk.capture(network, dk.noise(16, 16), [dk.layer_names(network)[0]])

    line = told(use, path)
    assert "\n" not in line and 10 < len(line) < 700
    if name not in FINE_ELSEWHERE:
        line = told(lambda path: dk.onnx.FeatureSession(path)(dk.noise(8, 8)), path)
        assert "\n" not in line and 10 < len(line) < 700
    assert path.read_bytes() == FILES[name] and sorted(Path(folder.parent).rglob("*")) == before


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
    monkeypatch.setattr(
        dk.onnx.model_files, "open", lambda *a: reads.append(a) or open(*a), raising=False
    )
    assert "'w8' are too large" in told(dk.onnx.load, folder / "model.onnx") and len(reads) == 8


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
        assert "\n" not in told(call, name)
