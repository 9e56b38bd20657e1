"""ONNX in and out: operators against onnxruntime, features and gradients against torch."""

import os
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import dreamkit as dk
from dreamkit.ascent.gradients import value_and_gradient
from dreamkit.networks.efficientnet_lite import Block, Convolution

SQUEEZENET = Path(__file__).parents[3] / "shared" / "weights" / "squeezenet1_1.safetensors"
random = np.random.default_rng(0)


def weights(*shape: int) -> np.ndarray:
    return random.normal(0, (2 / max(1, np.prod(shape[1:]))) ** 0.5, shape).astype(np.float32)


def model(nodes, constants, results, opset=17, size=("h", "w")):
    """An ONNX model that takes `data` [1, 3, h, w]."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, *size])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in results],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    return onnx.shape_inference.infer_shapes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    )


def saved(tmp_path, *args, **kwargs) -> str:
    path = str(tmp_path / "model.onnx")
    onnx.save(model(*args, **kwargs), path)
    return path


def ints(*values):
    return np.array(values, np.int64)


ONE = {
    "conv": (
        "Conv",
        {"strides": [2, 1], "pads": [1, 0, 2, 1], "dilations": [1, 2]},
        [weights(4, 3, 3, 2), weights(4)],
        17,
    ),
    "conv same upper": (
        "Conv",
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        [weights(4, 3, 4, 4)],
        17,
    ),
    "conv same lower": (
        "Conv",
        {"strides": [2, 2], "auto_pad": "SAME_LOWER"},
        [weights(4, 3, 4, 4)],
        17,
    ),
    "conv groups": ("Conv", {"group": 3, "pads": [1, 1, 1, 1]}, [weights(6, 1, 3, 3)], 17),
    "max ceil": ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, [], 17),
    "max ceil pads": (
        "MaxPool",
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1], "ceil_mode": 1},
        [],
        17,
    ),
    "max caffe": (
        "MaxPool",
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1]},
        [],
        8,
    ),
    "max same": (
        "MaxPool",
        {"kernel_shape": [2, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
        [],
        17,
    ),
    "average": (
        "AveragePool",
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
        [],
        17,
    ),
    "average counts": (
        "AveragePool",
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 0, 1, 1], "count_include_pad": 1},
        [],
        17,
    ),
    "average ceil": (
        "AveragePool",
        {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
        [],
        17,
    ),
    "lrn": ("LRN", {"size": 3, "alpha": 0.7, "beta": 0.6, "bias": 1.5}, [], 17),
    "lrn wide": ("LRN", {"size": 5, "alpha": 1e-1}, [], 17),
    "norm": (
        "BatchNormalization",
        {"epsilon": 1e-3},
        [weights(3), weights(3), weights(3), np.abs(weights(3)) + 0.1],
        17,
    ),
    "global": ("GlobalAveragePool", {}, [], 17),
    "relu": ("Relu", {}, [], 17),
    "sigmoid": ("Sigmoid", {}, [], 17),
    "hard swish": ("HardSwish", {}, [], 17),
    "hard sigmoid": ("HardSigmoid", {"alpha": 0.3}, [], 17),
    "leaky": ("LeakyRelu", {}, [], 17),
    "clip": ("Clip", {}, [np.float32(-0.2), np.float32(0.5)], 17),
    "clip 6": ("Clip", {"min": 0.0, "max": 6.0}, [], 10),
    "pad": ("Pad", {}, [ints(0, 0, 1, 2, 0, 0, 3, 0), np.float32(0.5)], 17),
    "pad reflect": ("Pad", {"mode": "reflect"}, [ints(0, 0, 1, 2, 0, 0, 3, 0)], 17),
    "transpose": ("Transpose", {"perm": [0, 2, 3, 1]}, [], 17),
    "mean": ("ReduceMean", {"axes": [2, 3], "keepdims": 0}, [], 17),
    "mean 18": ("ReduceMean", {"keepdims": 1}, [ints(1)], 18),
    "dropout": ("Dropout", {}, [], 17),
    "flatten": ("Flatten", {}, [], 17),
    "reshape": ("Reshape", {}, [ints(0, -1)], 17),
    "softmax": ("Softmax", {"axis": 1}, [], 17),
    "old softmax": ("Softmax", {}, [], 9),
    "add": ("Add", {}, [weights(3, 1, 1)], 17),
    "mul": ("Mul", {}, [np.float32(2.5)], 17),
    "slice": ("Slice", {}, [ints(1), ints(-2), ints(2)], 17),
    "matmul": ("MatMul", {}, [weights(15, 4)], 17),
}


@pytest.mark.parametrize("name", ONE)
def test_each_operator_gives_what_onnxruntime_gives(name, tmp_path):
    op, attributes, constants, opset = ONE[name]
    names = {f"c{i}": c for i, c in enumerate(constants)}
    path = saved(
        tmp_path,
        [helper.make_node(op, ["data", *names], ["result"], **attributes)],
        names,
        ["result"],
        opset,
    )
    picture = torch.rand(1, 3, 14, 15, generator=torch.Generator().manual_seed(1))
    expected = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(
        None, {"data": picture.numpy()}
    )[0]
    given = dk.onnx.load(path).module(picture)
    assert given.shape == expected.shape
    np.testing.assert_allclose(given.numpy(), expected, rtol=1e-5, atol=1e-6)


def google_like(tmp_path):
    """Caffe's GoogLeNet at an eighth of its width, with its LRN, its names and Caffe2's `_1`.

    The classifier fixes the size of its picture.
    """
    nodes, constants = [], {}

    def conv(x, name, inputs, outputs, kernel, stride=1):
        constants[f"{name}_w"], constants[f"{name}_b"] = (
            weights(outputs, inputs, kernel, kernel),
            0.1 * weights(outputs),
        )
        half = kernel // 2
        nodes.append(
            helper.make_node(
                "Conv",
                [x, f"{name}_w", f"{name}_b"],
                [f"{name}_1"],
                strides=[stride] * 2,
                pads=[half] * 4,
            )
        )
        nodes.append(helper.make_node("Relu", [f"{name}_1"], [f"{name}_2"]))
        return f"{name}_2"

    def pool(x, name, stride=2):
        pads = [0, 0, 1, 1] if stride == 2 else [1, 1, 1, 1]
        nodes.append(
            helper.make_node(
                "MaxPool", [x], [f"{name}_1"], kernel_shape=[3, 3], strides=[stride] * 2, pads=pads
            )
        )
        return f"{name}_1"

    def norm(x, name):
        nodes.append(
            helper.make_node("LRN", [x], [f"{name}_1"], size=5, alpha=1e-4, beta=0.75, bias=1.0)
        )
        return f"{name}_1"

    def inception(x, name, inputs, b1, r3, b3, r5, b5, p):
        parts = [
            conv(x, f"{name}/1x1", inputs, b1, 1),
            conv(conv(x, f"{name}/3x3_reduce", inputs, r3, 1), f"{name}/3x3", r3, b3, 3),
            conv(conv(x, f"{name}/5x5_reduce", inputs, r5, 1), f"{name}/5x5", r5, b5, 5),
            conv(pool(x, f"{name}/pool", 1), f"{name}/pool_proj", inputs, p, 1),
        ]
        nodes.append(helper.make_node("Concat", parts, [f"{name}/output_1"], axis=1))
        return f"{name}/output_1", b1 + b3 + b5 + p

    x = norm(pool(conv("data", "conv1/7x7_s2", 3, 8, 7, 2), "pool1/3x3_s2"), "pool1/norm1")
    x = norm(conv(conv(x, "conv2/3x3_reduce", 8, 8, 1), "conv2/3x3", 8, 24, 3), "conv2/norm2")
    x, c = pool(x, "pool2/3x3_s2"), 24
    blocks = {
        "3a": (8, 12, 16, 2, 4, 4),
        "3b": (16, 16, 24, 4, 12, 8),
        "4a": (24, 12, 26, 2, 6, 8),
        "4b": (20, 14, 28, 3, 8, 8),
        "4c": (16, 16, 32, 3, 8, 8),
        "4d": (14, 18, 36, 4, 8, 8),
        "4e": (32, 20, 40, 4, 16, 16),
        "5a": (32, 20, 40, 4, 16, 16),
        "5b": (48, 24, 48, 6, 16, 16),
    }
    for name, widths in blocks.items():
        x, c = inception(x, f"inception_{name}", c, *widths)
        x = pool(x, f"pool{name[0]}/3x3_s2") if name in ("3b", "4e") else x
    nodes.append(helper.make_node("AveragePool", [x], ["pool5/7x7_s1_1"], kernel_shape=[7, 7]))
    nodes.append(helper.make_node("Reshape", ["pool5/7x7_s1_1", "shape"], ["flat_1"]))
    constants |= {"shape": ints(1, c), "fc_w": weights(10, c), "fc_b": weights(10)}
    nodes.append(
        helper.make_node("Gemm", ["flat_1", "fc_w", "fc_b"], ["loss3/classifier_1"], transB=1)
    )
    nodes.append(helper.make_node("Softmax", ["loss3/classifier_1"], ["prob_1"]))
    return saved(tmp_path, nodes, constants, ["prob_1"], 9, (224, 224))


def test_a_caffe_googlenet_dreams_by_its_own_names(tmp_path):
    path = google_like(tmp_path)
    network = dk.onnx.load(path, **dk.onnx.CAFFE)
    names = dk.layer_names(network)
    before, after = "inception_3b/5x5_reduce", "inception_3b/5x5_reduce_2"
    assert {before, after, "inception_4c/output", "pool1/norm1", "prob"} <= set(names)
    photo = dk.sample("china", 224)[..., :150, :]
    found = dk.capture(
        network, photo, [before, after, "inception_4c/output"]
    )  # no 224×224, and it does not matter
    assert found[before].min() < 0 and torch.equal(found[after], found[before].relu())
    session = dk.onnx.FeatureSession(path, [before, after, "inception_4c/output"], **dk.onnx.CAFFE)
    for name, value in session(photo).items():
        assert torch.allclose(value, found[name], atol=1e-4 * float(value.abs().max())), name
    # the file is given B, G, R from 0 to 255 less 104, 117, 123
    by_hand = 255 * photo.flip(1) - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)
    given = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(
        None, {"data": torch.zeros(1, 3, 224, 224).numpy()}
    )
    assert given[0].shape == (1, 10) and torch.allclose(
        dk.capture(network, photo, ["conv1/7x7_s2"])["conv1/7x7_s2"],
        torch.conv2d(
            by_hand,
            network.module.get_submodule("conv1/7x7_s2").weight,
            network.module.get_submodule("conv1/7x7_s2").bias,
            2,
            3,
        ),
        atol=1e-3,
    )
    score = dk.scorer(network, dk.layer("inception_4c/output"))
    dreamt = dk.dream(score, photo, dk.Settings(steps=2, octaves=1))
    assert float(score(dreamt)) > float(score(photo)) and torch.isfinite(dreamt).all()


@pytest.fixture(scope="module")
def exported(tmp_path_factory, dreamnet):
    path = str(tmp_path_factory.mktemp("onnx") / "dreamnet.onnx")
    dk.onnx.export(dreamnet, ["inception3a.branch2.0.conv", "inception4c", ""], path)
    return path


def test_exported_layers_give_what_torch_gives_at_any_size(exported, dreamnet):
    layers = ["inception3a.branch2.0.conv", "conv1", "inception4c"]
    session = dk.onnx.FeatureSession(exported, layers, threads=1)
    for size in ((2, 3, 64, 64), (1, 3, 75, 91)):
        picture = torch.rand(size, generator=torch.Generator().manual_seed(2))
        for name, value in dk.capture(dreamnet, picture, layers).items():
            assert torch.allclose(
                session(picture)[name], value, atol=1e-4 * float(value.abs().max())
            ), name
    assert dk.onnx.FeatureSession(exported).layers == (
        "inception3a.branch2.0.conv",
        "inception4c",
        "logits",
    )
    assert next(i.op for i in session.table if i.name == "inception4c") == "Concat"


def test_without_the_onnx_package_a_session_gives_the_files_own_outputs(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)  # as if it were not installed
    session = dk.onnx.FeatureSession(exported)
    assert session.layers == ("inception3a.branch2.0.conv", "inception4c", "logits")
    assert session.table == () and session(dk.noise(64, 64))["logits"].dim() == 2
    for call in (dk.onnx.load, lambda path: dk.onnx.FeatureSession(path, ["conv1"])):
        with pytest.raises(ValueError, match=r"pip install 'dreamkit\[onnx\]'"):
            call(exported)


def test_there_and_back_the_network_is_the_same(exported, dreamnet):
    back, photo = dk.onnx.load(exported), dk.sample("china", 96)
    assert back.labels == dreamnet.labels and "inception4c" in dk.suggested_layers(back)
    assert [label for label, _ in dk.classify(back, photo)] == [
        label for label, _ in dk.classify(dreamnet, photo)
    ]
    score, other = (dk.scorer(n, dk.layer("inception4c")) for n in (back, dreamnet))
    a, b = dk.gradient(score, photo), dk.gradient(other, photo)
    assert torch.allclose(a, b, atol=1e-4 * float(b.abs().max()))


@pytest.mark.slow
@pytest.mark.skipif(not SQUEEZENET.is_file(), reason="needs the weights of squeezenet1_1")
def test_squeezenet_there_and_back(tmp_path):
    network, photo = dk.load_network("squeezenet1_1", weights=SQUEEZENET), dk.sample("chelsea", 224)
    dk.onnx.export(network, ["features.12", ""], tmp_path / "s.onnx")
    back = dk.onnx.load(tmp_path / "s.onnx")
    assert dk.classify(back, photo, 1)[0][0] == dk.classify(network, photo, 1)[0][0]
    a, b = (dk.capture(n, photo, ["features.12"])["features.12"] for n in (network, back))
    assert torch.allclose(a, b, atol=1e-4 * float(a.abs().max()))


def test_a_step_without_torch_has_torchs_gradient(tmp_path, dreamnet):
    objective = (
        dk.layer("inception3b", border=1)
        + 0.5 * dk.channel("inception3a", 3)
        + 2 * dk.neuron("conv1", 3, 1, 1)
    )
    dk.onnx.export_step(dreamnet, objective, tmp_path / "step.onnx")
    step, picture = dk.onnx.alone.Step(tmp_path / "step.onnx", threads=1), dk.sample("china", 90)
    score, uphill = step(picture.numpy())
    value, wanted = value_and_gradient(dk.scorer(dreamnet, objective), picture)
    assert score == pytest.approx(value, rel=1e-4)
    np.testing.assert_allclose(uphill, wanted.numpy(), atol=1e-4 * float(wanted.abs().max()))
    *_, dreamt = dk.onnx.alone.dreaming(step, picture.numpy(), steps=3, octaves=2, jitter=4)
    assert step(dreamt)[0] > score and dreamt.min() >= 0 and dreamt.max() <= 1


def test_alone_resizes_and_blurs_as_dreamkit_does(picture):
    for size in ((30, 31), (55, 60)):
        np.testing.assert_allclose(
            dk.onnx.alone.resize(picture.numpy(), size), dk.resize(picture, size).numpy(), atol=5e-6
        )
    np.testing.assert_allclose(
        dk.onnx.alone.blur(picture.numpy(), 1.5), dk.smooth(picture, 1.5).numpy(), atol=5e-6
    )


def test_an_objective_of_ones_own_is_named(tiny_network, tmp_path):
    own = dk.Objective(("0",), lambda f: f["0"].sum(), "mine")
    with pytest.raises(ValueError, match="mine is a formula in Python"):
        dk.onnx.export_step(tiny_network, own, tmp_path / "s.onnx")
    assert not os.listdir(tmp_path)


def test_missing_operators_are_all_named(tmp_path):
    nodes = [
        helper.make_node("Relu", ["data"], ["a"]),
        helper.make_node("Ceil", ["a"], ["b"]),
        helper.make_node("Sin", ["b"], ["c"]),
    ]
    path = saved(tmp_path, nodes, {}, ["c"])
    with pytest.raises(ValueError, match=r"have: Ceil \(first at 'b'\), Sin \(first at 'c'\)"):
        dk.onnx.load(path)
    assert dk.layer_names(dk.onnx.load(path, until="a")) == ("a",)
    with pytest.raises(KeyError, match="nearest"):
        dk.onnx.FeatureSession(path, ["z"])


def test_data_outside_the_folder_is_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(4 * 108))
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "data").write_bytes(weights(4, 3, 3, 3).tobytes())
    for location, ok in (
        ("data", True),
        ("../secret", False),
        (str(tmp_path / "secret"), False),
        ("link", False),
        ("nothing", False),
    ):
        made = model(
            [helper.make_node("Conv", ["data", "w"], ["r"])], {"w": weights(4, 3, 3, 3)}, ["r"]
        )
        tensor = made.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
        (folder / "m.onnx").write_bytes(made.SerializeToString())
        if ok:
            assert dk.layer_names(dk.onnx.load(folder / "m.onnx")) == ("r",)
            continue
        for opened in (dk.onnx.load, dk.onnx.FeatureSession):
            with pytest.raises(ValueError, match=r"outside the file's folder|does not exist"):
                opened(folder / "m.onnx")


@pytest.mark.parametrize("data", [b"", b"not onnx", bytes(range(256)) * 8])
def test_a_broken_file_is_one_line(data, tmp_path):
    (tmp_path / "m.onnx").write_bytes(data)
    for opened in (dk.onnx.load, dk.onnx.FeatureSession):
        with pytest.raises(ValueError, match="ONNX") as error:
            opened(tmp_path / "m.onnx")
        assert "\n" not in str(error.value)


def test_names_and_places_are_checked_before_the_work(tiny_network, tmp_path):
    for path, words in (
        (tmp_path / "a.bin", "must end in .onnx"),
        (tmp_path / "no" / "a.onnx", "does not exist; make it first"),
    ):
        with pytest.raises(ValueError, match=words):
            dk.onnx.export(tiny_network, ["0"], path)
    with pytest.raises(KeyError, match="nearest"):
        dk.onnx.export(tiny_network, ["nine"], tmp_path / "a.onnx")


def lite() -> dk.Network:
    """The parts of EfficientNet-Lite: stem, blocks with and without a residual, classifier."""
    torch.manual_seed(7)
    blocks = [Block(8, 8, 3, 1, 1), Block(8, 12, 5, 2, 6), Block(12, 12, 3, 1, 6)]
    stem, top = Convolution(3, 8, 3, stride=2), Convolution(12, 20, 1)
    module = nn.Sequential(stem, *blocks, top, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(3)  # so that values reach both ends of the ReLU6
    return dk.as_network(module, (0.5,) * 3, (0.5,) * 3, "lite", list("abcdefghijklmnopqrst"))


@pytest.mark.parametrize("size", [(2, 3, 32, 64), (1, 3, 45, 37)])
def test_an_efficientnet_there_and_back(size, tmp_path):
    network, path = lite(), tmp_path / "lite.onnx"
    layers = ["0", "1", "2.expand.conv", "2.depthwise", "3.expand", "3", ""]
    dk.onnx.export(network, layers, path)
    back, picture = dk.onnx.load(path), torch.rand(size, generator=torch.Generator().manual_seed(2))
    assert not [name for name in dk.suggested_layers(back) if name.startswith("_")]
    wanted = dk.capture(network, picture, layers)
    given = dk.onnx.FeatureSession(path, threads=1)(picture)
    for layer in layers:
        value, name = wanted[layer], layer or "logits"
        torch.testing.assert_close(dk.capture(back, picture, name)[name], value)
        assert float((given[name] - value).abs().max()) < 1e-5 * float(value.abs().max()), layer
        if layer:
            assert dk.layer_info(back, name).field == dk.layer_info(network, layer).field, layer
            a, b = (dk.gradient(dk.scorer(n, dk.layer(layer)), picture) for n in (back, network))
            torch.testing.assert_close(a, b)
    assert wanted["3.expand"].min() == 0 and wanted["3.expand"].max() == 6
    assert (type(back.module.get_submodule("3.expand")), back.labels[0]) == (nn.ReLU6, "a")


def test_an_alias_is_exported_under_the_layers_own_name(dreamnet, tmp_path):
    dk.onnx.export(dreamnet, ["inception_3a/output", "inception3a"], tmp_path / "a.onnx")
    assert dk.onnx.FeatureSession(tmp_path / "a.onnx").layers == ("inception3a",)


@pytest.mark.slow
def test_efficientnet_lite0_there_and_back(tmp_path):
    network, photo = dk.load_network("efficientnet_lite0"), dk.sample("chelsea", 96)
    dk.onnx.export(network, ["block5c_expand_activation", ""], tmp_path / "lite0.onnx")
    back = dk.onnx.load(tmp_path / "lite0.onnx")
    session = dk.onnx.FeatureSession(tmp_path / "lite0.onnx", threads=1)
    for found in (dk.capture(back, photo, ["block5c.expand", "logits"]), session(photo)):
        for name, value in dk.capture(network, photo, ["block5c.expand", ""]).items():
            off = float((found[name or "logits"] - value).abs().max())
            assert off < 1e-5 * float(value.abs().max()), name
    assert dk.classify(back, photo, 1)[0][0] == "Egyptian cat"
    objective = dk.logit("tench") + dk.layer("block5c_expand_activation")
    dk.onnx.export_step(network, objective, tmp_path / "step.onnx")
    _, uphill = dk.onnx.alone.Step(tmp_path / "step.onnx", threads=1)(photo.numpy())
    wanted = dk.gradient(dk.scorer(network, objective), photo).numpy()
    assert np.linalg.norm(uphill - wanted) < 1e-3 * np.linalg.norm(wanted)


def test_a_network_that_holds_a_lock_is_exported(tiny_network, tmp_path):
    network = dk.as_network(tiny_network.module, (0.5,) * 3, (0.5,) * 3, "locked")
    network.module[0].lock, picture = threading.Lock(), dk.noise(40, 48)
    with open(os.devnull) as network.module[1].kept:
        dk.onnx.export(network, "2", tmp_path / "a.onnx")
        dk.onnx.export_step(network, dk.channel("2", 1), tmp_path / "step.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
    (found,) = session.run(["2"], {"picture": picture.numpy()})
    np.testing.assert_allclose(found, dk.capture(network, picture, "2")["2"], atol=1e-5)
