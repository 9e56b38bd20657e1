"""Operators that torch's default exporter, TensorFlow's converters and zoos write, held against
onnxruntime; files that once were refused for what has no effect."""

import itertools

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import dreamkit as dk

random = np.random.default_rng(0)
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
PICTURE = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(1))


def reals(*shape):
    return random.normal(0, 0.5, shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def node(op, inputs, result="out", **attributes):
    results = result if isinstance(result, list) else [result]
    return helper.make_node(op, ["data" if i == "x" else i for i in inputs], results, **attributes)


def written(tmp_path, nodes, opset=17, size=(1, 3, 6, 8), change=None, **constants) -> str:
    """A file that takes `data` and gives `out`, whose type and shape it does not declare."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("data", FLOAT, size)],
        [onnx.ValueInfoProto(name="out")],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    versions = [helper.make_opsetid("", opset)]
    made = helper.make_model(graph, opset_imports=versions, ir_version=8 if opset < 19 else 10)
    if change:
        change(made)
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    return str(tmp_path / "m.onnx")


def agree(path, picture=PICTURE, within=1e-5):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = session.run(None, {"data": picture.numpy()})[0]
    given = dk.onnx.load(path).module(picture).numpy()
    assert given.shape == wanted.shape
    np.testing.assert_allclose(given.astype(float), wanted.astype(float), rtol=within, atol=within)


HALF, UP = np.float32(0.5), np.array([1, 1, 2, 1.5], np.float32)
UP2 = np.array([1, 1, 2, 3], np.float32)
DOWN = np.array([1, 1, 0.6, 0.7], np.float32)
ONE = {  # {name: (operator, attributes, inputs after the picture, opset)}
    "reshape allowzero": ("Reshape", {"allowzero": 1}, [ints(1, -1)], 18),
    "reshape zeros": ("Reshape", {}, [ints(0, 0, -1)], 18),
    "reshape ahead": ("Reshape", {}, [ints(1, 3, 2, 3, 8)], 17),
    "split parts": ("Split", {"axis": 1}, [ints(1, 2)], 13),
    "split attribute": ("Split", {"axis": 3, "split": [3, 5]}, [], 11),
    "split uneven": ("Split", {"axis": 3, "num_outputs": 3}, [], 18),
    "split halves": ("Split", {"axis": 2}, [], 11),
    "cast": ("Cast", {"to": INT64}, [], 17),
    "resize nearest": ("Resize", {}, ["", UP], 13),
    "resize sizes": ("Resize", {}, ["", "", ints(1, 3, 9, 5)], 13),
    "resize linear": ("Resize", {"mode": "linear"}, ["", UP], 13),
    "resize linear down": ("Resize", {"mode": "linear"}, ["", DOWN], 19),
    "resize 10": ("Resize", {"mode": "linear"}, [UP], 10),
    "upsample": ("Upsample", {}, [UP2], 9),
    "upsample 7": ("Upsample", {"scales": [1.0, 1, 2, 2], "mode": "linear"}, [], 7),
    "transposed": (
        "ConvTranspose",
        {"strides": [2, 2], "pads": [1, 1, 1, 1]},
        [reals(3, 4, 4, 4)],
        17,
    ),
    "transposed groups": (
        "ConvTranspose",
        {"strides": [2, 3], "pads": [0, 1, 1, 0], "output_padding": [1, 0], "group": 3},
        [reals(3, 2, 3, 2), reals(6)],
        17,
    ),
    "transposed same": (
        "ConvTranspose",
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        [reals(3, 4, 3, 3), reals(4)],
        17,
    ),
    "gelu": ("Gelu", {}, [], 20),
    "gelu tanh": ("Gelu", {"approximate": "tanh"}, [], 20),
    "layer norm": ("LayerNormalization", {"epsilon": 1e-3}, [reals(8), reals(8)], 17),
    "layer norm maps": ("LayerNormalization", {"axis": 1}, [reals(3, 6, 8)], 17),
    "instance norm": ("InstanceNormalization", {}, [reals(3), reals(3)], 17),
    "group norm": ("GroupNormalization", {"num_groups": 3}, [reals(3), reals(3)], 21),
    "quantize": ("QuantizeLinear", {}, [np.float32(0.01), np.uint8(9)], 13),
    "quantize channels": (
        "QuantizeLinear",
        {"axis": 1},
        [abs(reals(3)) / 9, np.zeros(3, np.int8)],
        13,
    ),
    "gather": ("Gather", {"axis": 1}, [ints(2, -3)], 17),
    "gather one": ("Gather", {"axis": 2}, [np.int64(-1)], 17),
    "gather table": ("Gather", {"axis": 3}, [ints(1, 2, 3, 0).reshape(2, 2)], 17),
    "expand": ("Expand", {}, [ints(2, 1, 6, 1)], 17),
    "tile": ("Tile", {}, [ints(1, 2, 1, 3)], 17),
    "slice backwards": ("Slice", {}, [ints(-1), ints(-99), ints(3), ints(-2)], 17),
    "slice 9": ("Slice", {"starts": [1], "ends": [-1], "axes": [2]}, [], 9),
    "pad axes": ("Pad", {}, [ints(1, 2), HALF, ints(-1)], 18),
    "pad edge": ("Pad", {"mode": "edge"}, [ints(0, 0, 1, 2, 0, 0, 2, 1)], 17),
    "clip nothing": ("Clip", {}, [], 17),
    "max storage": ("MaxPool", {"kernel_shape": [2, 2], "storage_order": 1}, [], 17),
    "mean noop": ("ReduceMean", {"noop_with_empty_axes": 1}, [], 18),
    "length": ("ReduceL2", {"axes": [1]}, [], 17),
    "log softmax": ("LogSoftmax", {}, [], 17),
    "old log softmax": ("LogSoftmax", {}, [], 11),
    "prelu": ("PRelu", {}, [reals(3, 1, 1)], 17),
    "maximum": ("Max", {}, [HALF, reals(8)], 17),
    "depth": ("SpaceToDepth", {"blocksize": 2}, [], 17),
    "softplus": ("Softplus", {}, [], 17),
    "negative": ("Neg", {}, [], 17),
}


# Reading these two takes seconds: their only sides are looked for.
LONG = ("layer norm", "layer norm maps")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in ONE]
)
def test_an_operator_gives_what_onnxruntime_gives(name, tmp_path):
    op, attributes, given, opset = ONE[name]
    names = [f"c{i}" if not isinstance(c, str) else "" for i, c in enumerate(given)]
    constants = {name: c for name, c in zip(names, given, strict=True) if name}
    parts = attributes.get("num_outputs", 2) if op == "Split" else 1
    results = ["out", "b", "c"][:parts]
    agree(written(tmp_path, [node(op, ["x", *names], results, **attributes)], opset, **constants))


@pytest.mark.parametrize("how", ["align_corners", "asymmetric", "half_pixel", "pytorch_half_pixel"])
@pytest.mark.parametrize(
    "rounding", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil", ""]
)
def test_a_resize_takes_its_places_as_onnxruntime_does(how, rounding, tmp_path):
    more = {"nearest_mode": rounding} if rounding else {"mode": "linear"}
    resize = node("Resize", ["x", "", "", "s"], coordinate_transformation_mode=how, **more)
    agree(written(tmp_path, [resize], 13, s=ints(1, 3, 9, 5)))


def test_each_part_of_a_split_is_a_layer(tmp_path):
    nodes = [node("Split", ["x"], ["a", "b", "c"], axis=1), node("Sub", ["c", "a"])]
    path = written(tmp_path, nodes, 13)
    agree(path)
    network = dk.onnx.load(path)
    assert dk.layer_names(network) == ("a", "b", "c", "out")
    assert torch.equal(dk.capture(network, PICTURE, ["c"])["c"], PICTURE[:, 2:])


def classifier(size=("n", 3, "h", "w")):
    """Conv, mean, Reshape by the picture's own shape: as exporters write it for any batch."""
    return [
        node("Shape", ["x"], "shape"),
        node("Gather", ["shape", "zero"], "batch"),
        node("Unsqueeze", ["batch", "axis"], "batches"),
        node("Cast", ["rest"], "rest64", to=INT64),
        node("Concat", ["batches", "rest64"], "sizes", axis=0),
        node("Reshape", ["x", "sizes"], allowzero=1),
    ]


@pytest.mark.parametrize("batch", [1, 2])
def test_a_shape_that_is_computed_while_it_runs(batch, tmp_path):
    constants = {"zero": np.int64(0), "axis": ints(0), "rest": np.array([-1], np.int32)}
    path = written(tmp_path, classifier(), 14, size=("n", 3, "h", "w"), **constants)
    agree(path, PICTURE.expand(batch, -1, -1, -1).contiguous())


def test_weights_that_are_stored_as_whole_numbers(tmp_path):
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], "q"),
        node("DequantizeLinear", ["q", "s", "z"], "d"),
        node("DequantizeLinear", ["w", "ws", "wz"], "weights", axis=0),
        node("Conv", ["d", "weights"]),
    ]
    weights = random.integers(-99, 99, (4, 3, 3, 3)).astype(np.int8)
    constants = {"s": np.float32(1 / 200), "z": np.uint8(3), "w": weights}
    constants |= {"ws": abs(reals(4)), "wz": np.zeros(4, np.int8)}
    path = written(tmp_path, nodes, 13, **constants)
    agree(path, within=1e-4)
    network = dk.onnx.load(path)
    convolution = network.module.get_submodule("out")
    assert isinstance(convolution, torch.nn.Conv2d)
    # The gradient goes through the rounding as if it were not there.
    picture = PICTURE.clone().requires_grad_(True)
    network.module(picture).sum().backward()
    (wanted,) = torch.autograd.grad(
        convolution(plain := PICTURE.clone().requires_grad_(True)).sum(), plain
    )
    torch.testing.assert_close(picture.grad, wanted)


def test_constants_are_computed_once(tmp_path):
    nodes = [
        node("ConstantOfShape", ["n"], "ones", value=numpy_helper.from_array(np.float32([2]))),
        node("Mul", ["ones", "w"], "doubled"),
        node("Transpose", ["doubled"], "turned", perm=[1, 0]),
        node("MatMul", ["x", "turned"]),
    ]
    path = written(tmp_path, nodes, n=ints(4, 8), w=reals(4, 8))
    agree(path)
    assert [output for *_, output in dk.onnx.load(path).module.steps] == ["out"]


def test_a_picture_with_its_channels_last(tmp_path):
    """As tf2onnx writes it: [N, H, W, 3], turned at once."""
    nodes = [node("Transpose", ["x"], "t", perm=[0, 3, 1, 2]), node("Conv", ["t", "w"])]
    weights = reals(4, 3, 3, 3)
    path = written(tmp_path, nodes, size=(1, 6, 8, 3), w=weights)
    wanted = torch.conv2d(PICTURE, torch.from_numpy(weights))
    network = dk.onnx.load(path)
    torch.testing.assert_close(dk.capture(network, PICTURE, ["out"])["out"], wanted)
    for layers in (None, ["out"]):
        found = dk.onnx.FeatureSession(path, layers)(PICTURE)["out"]
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    wide = torch.cat([PICTURE, PICTURE], -1)
    assert dk.onnx.FeatureSession(path, ["out"])(wide)["out"].shape == (1, 4, 4, 14)


def test_a_session_gives_any_tensor(tmp_path):
    nodes = [
        node("Constant", [], "k", value_floats=[1.0, 2.0]),
        node("Shape", ["x"], "shape"),
        node("Mul", ["x", "w"]),
    ]
    path = written(tmp_path, nodes, w=HALF)
    session = dk.onnx.FeatureSession(path, ["k", "w", "data", "shape", "out"])
    found = session(PICTURE)
    assert found["k"].tolist() == [1, 2] and float(found["w"]) == 0.5
    assert torch.equal(found["data"], PICTURE) and found["shape"].tolist() == [1, 3, 6, 8]
    torch.testing.assert_close(found["out"], PICTURE / 2)
    assert [(i.name, i.op) for i in session.table][-2:] == [("data", "input"), ("w", "constant")]


def test_a_reshape_puts_an_axis_of_one_in_front(tmp_path):
    """As in attention: the heads come first before it, and the picture after it."""
    nodes = [node("Squeeze", ["x", "axis"], "heads"), node("Reshape", ["heads", "shape"])]
    agree(written(tmp_path, nodes, axis=ints(0), shape=ints(1, 3, 6, 8)))


def test_pads_that_are_computed_while_it_runs(tmp_path):
    nodes = [
        node("Shape", ["x"], "sizes"),
        node("Mod", ["sizes", "five"], "rest"),
        node("Concat", ["zeros", "rest"], "pads", axis=0),
        node("Pad", ["x", "pads"]),
    ]
    agree(written(tmp_path, nodes, five=ints(5, 1, 5, 5), zeros=ints(0, 0, 0, 0)))


def test_places_that_are_counted_and_filled(tmp_path):
    """As swin's shifted windows make their mask: of constants alone."""
    nodes = [
        node("Range", ["zero", "three", "one"], "r"),
        node("Mod", ["r", "two"], "even"),
        node("Unsqueeze", ["r", "axis"], "places"),
        node("Cast", ["even"], "values", to=FLOAT),
        node("ScatterND", ["w", "places", "values"], "mask"),
        node("Mul", ["x", "mask"]),
    ]
    constants = {name: np.int64(i) for i, name in enumerate(("zero", "one", "two", "three"))}
    agree(written(tmp_path, nodes, axis=ints(-1), w=reals(8), **constants))


def doubling(tmp_path, count=24):
    names = ["data", *(f"t{i}" for i in range(count - 1)), "out"]
    nodes = [node("Concat", [a, a], b, axis=0) for a, b in itertools.pairwise(names)]
    return written(tmp_path, nodes)


def padding(tmp_path):
    pads = ints(0, 0, 4000, 4000, 0, 0, 4000, 4000)
    return written(tmp_path, [node("Pad", ["x", "p"], "a"), node("Pad", ["a", "p"])], p=pads)


def filling(tmp_path):
    nodes = [node("ConstantOfShape", ["n"], "a"), node("Add", ["x", "a"])]
    return written(tmp_path, nodes, n=ints(2**20, 3, 2**10, 8))


def tiling(tmp_path):
    nodes = [node("Shape", ["x"], "s"), node("Tile", ["s", "n"], "t"), node("Reshape", ["x", "t"])]
    return written(tmp_path, nodes, n=ints(2**33))


def outer(tmp_path):
    nodes = [
        node("Reshape", ["x", "a"], "column"),
        node("Reshape", ["x", "b"], "row"),
        node("Add", ["column", "row"]),
    ]
    return written(tmp_path, nodes, a=ints(-1, 1), b=ints(1, -1))


@pytest.mark.parametrize("bomb", [doubling, padding, filling, tiling, outer])
def test_a_file_that_would_fill_the_memory_is_refused_before_it_runs(bomb, tmp_path):
    with pytest.raises(ValueError, match=r"more numbers than dreamkit|constants are too many"):
        dk.onnx.load(bomb(tmp_path))


def doubling_constants(tmp_path):
    names = ["w", *(f"t{i}" for i in range(27))]
    nodes = [node("Concat", [a, a], b, axis=0) for a, b in itertools.pairwise(names)]
    return written(tmp_path, [*nodes, node("Gather", [names[-1], "zero"], "v"), ADDED], **SOME)


def expanding(tmp_path):
    nodes = [node("Expand", ["w", "n"], "a"), node("Gather", ["a", "zero"], "v"), ADDED]
    return written(tmp_path, nodes, n=ints(2**27, 8), **SOME)


ADDED, SOME = node("Add", ["x", "v"]), {"w": reals(1, 8), "zero": np.int64(0)}


@pytest.mark.parametrize("bomb", [doubling, padding, filling, doubling_constants, expanding])
def test_onnxruntime_is_not_given_a_file_that_would_fill_the_memory(bomb, tmp_path, monkeypatch):
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_, **__: pytest.fail("it began"))
    with pytest.raises(ValueError, match=r"^onnxruntime cannot run .* more numbers than dreamkit"):
        dk.onnx.FeatureSession(bomb(tmp_path))


def test_what_a_picture_of_pixels_decides_is_not_read(tmp_path):
    nodes = [
        node("ReduceMax", ["x"], "most", keepdims=0),
        node("Cast", ["most"], "n", to=INT64),
        node("Unsqueeze", ["n", "axis"], "sizes"),
        node("Reshape", ["x", "sizes"]),
    ]
    network = dk.onnx.load(written(tmp_path, nodes, axis=ints(0)))
    with pytest.raises((ValueError, RuntimeError)):
        network.module(PICTURE)


def with_function(made):
    made.functions.add(name="mine", domain="own")


def with_second_result(made):
    made.graph.node[0].output.append("indices")
    made.graph.node.append(node("Identity", ["indices"], "more"))
    made.graph.output.append(onnx.ValueInfoProto(name="more"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_function, "functions of its own or training steps"),
        (lambda m: m.training_info.add(), "functions of its own or training steps"),
        (with_second_result, "its result 'indices' is not read"),
        (lambda m: m.graph.node[0].attribute[0].ints.append(1), "two-dimensional"),
    ],
)
def test_what_is_not_read_is_said_in_one_line(change, words, tmp_path):
    path = written(tmp_path, [node("MaxPool", ["x"], kernel_shape=[2, 2])], change=change)
    with pytest.raises(ValueError, match=words) as caught:
        dk.onnx.load(path)
    assert "\n" not in str(caught.value)


def test_a_second_result_that_nothing_uses_does_no_harm(tmp_path):
    agree(written(tmp_path, [node("MaxPool", ["x"], ["out", "i"], kernel_shape=[2, 2])]))


def test_an_axis_out_of_range_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="'out' cannot be computed"):
        dk.onnx.load(written(tmp_path, [node("Concat", ["x", "x"], axis=9)]))


def test_a_name_of_a_thousand_folders_is_one_layer(tmp_path):
    deep = ".".join("a" * 3000)
    network = dk.onnx.load(written(tmp_path, [node("Relu", ["x"], deep), node("Relu", [deep])]))
    assert dk.layer_names(network)[1] == "out"


def test_weights_in_a_file_with_a_second_name_are_refused(tmp_path):
    def external(made):
        weights = made.graph.initializer[0]
        weights.ClearField("raw_data")
        weights.data_location = TensorProto.EXTERNAL
        weights.external_data.add(key="location", value="w.bin")

    (tmp_path / "secret").write_bytes(reals(4, 3, 3, 3).tobytes())
    (tmp_path / "w.bin").hardlink_to(tmp_path / "secret")
    path = written(tmp_path, [node("Conv", ["x", "w"])], change=external, w=reals(4, 3, 3, 3))
    for opened in (dk.onnx.load, dk.onnx.FeatureSession):
        with pytest.raises(ValueError, match="hard links"):
            opened(path)
