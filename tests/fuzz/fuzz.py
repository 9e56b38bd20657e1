"""Coverage-guided fuzzing of the file readers: `python tests/fuzz/fuzz.py picture|passport|onnx`.

    uv run --with atheris python tests/fuzz/fuzz.py picture -max_total_time=600

Anything but a result or a ValueError (KeyError for an unknown name) is a crash. `seeds/` holds the
starting files (`--seeds` writes them again). New files go to a temporary folder, and a crash to
`crash-*` in the current folder. The ordinary tests run the same seeds and a few hundred mutations
of each (tests/test_fuzz.py).
"""

import io
import json
import sys
import tempfile
import warnings
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"


def picture(data: bytes) -> None:
    """Bytes as a picture file: a picture of the promised form, or a ValueError."""
    import dreamkit as dk

    try:
        image = dk.load_image(io.BytesIO(data), side=32)
    except ValueError:
        return
    assert (
        image.dim() == 4
        and image.shape[:2] == (1, 3)
        and max(image.shape[-2:]) <= 32
        and 0 <= image.min() <= image.max() <= 1
    )


def passport(data: bytes) -> None:
    """Bytes as the JSON of a passport: a plan within bounds, or a ValueError."""
    from dreamkit import passport as passports

    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return
    try:
        plan = passports.read(found)
    except (ValueError, KeyError):
        return
    assert (
        plan.made in passports.MADE
        and 0 < plan.source["height"] * plan.source["width"] <= passports.MAX_PIXELS
    )
    assert 1 <= plan.threads <= 4096 and (
        plan.recipe is None or isinstance(plan.recipe["name"], str)
    )


def onnx(data: bytes) -> None:
    """Bytes as an ONNX file: a network, or a ValueError."""
    import dreamkit as dk

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(data)
        try:
            dk.onnx.load(path, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
        except ValueError:
            return


TARGETS = {"picture": picture, "passport": passport, "onnx": onnx}


def seeds(name: str) -> list[Path]:
    return sorted((SEEDS / name).glob("*"))


def write_seeds() -> None:
    """Small files of the right form for each target."""
    from PIL import Image

    import dreamkit as dk
    from dreamkit import passport as passports

    tiny = dk.noise(5, 7)
    (SEEDS / "picture").mkdir(parents=True, exist_ok=True)
    for suffix in ("png", "jpg", "webp"):
        dk.save_image(tiny, SEEDS / "picture" / f"tiny.{suffix}", {"dreamkit": "seed"})
    pixels = Image.open(SEEDS / "picture" / "tiny.png")
    for mode, kind in (
        ("P", "gif"),
        ("RGB", "bmp"),
        ("L", "tiff"),
        ("RGBA", "png"),
        ("LA", "webp"),
        ("I;16", "png"),
        ("1", "ppm"),
    ):
        grey = (
            pixels.convert("L") if mode == "I;16" else pixels
        )  # Pillow makes 16 bits of grey ones only
        grey.convert(mode).save(SEEDS / "picture" / f"{mode.replace(';', '')}.{kind}".lower())
    (SEEDS / "passport").mkdir(exist_ok=True)
    network = dk.load_network("dreamnet")
    source = passports.picture_spec(tiny, "sample", "china", 7)
    spec = {"kind": "layer", "name": "conv2"}
    plain = passports.make(network, spec, dk.Settings(), source)
    recipe = passports.make(
        network, spec, dk.Settings(), source, recipe=passports.recipe_spec("caffe", {"steps": 2})
    )
    for name, paper in (("plain", plain), ("recipe", recipe)):
        (SEEDS / "passport" / f"{name}.json").write_text(json.dumps(paper))
    _write_onnx_seeds()


def _write_onnx_seeds() -> None:
    """A few tiny models under 2 kB: plain, with branches and a classifier, and from Caffe2."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, shape_inference

    weights = lambda *shape: np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(
        shape
    )
    node = helper.make_node
    conv = node("Conv", ["data", "w", "b"], ["a_1"], pads=[1, 1, 1, 1])
    pool = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1]}
    models = {
        "plain": (
            17,
            [
                conv,
                node("Relu", ["a_1"], ["a_2"]),
                node("MaxPool", ["a_2"], ["p_1"], ceil_mode=1, **pool),
            ],
            {},
        ),
        "branches": (
            17,
            [
                conv,
                node("Sigmoid", ["a_1"], ["s"]),
                node("Concat", ["a_1", "s"], ["c"], axis=1),
                node("GlobalAveragePool", ["c"], ["g"]),
                node("Flatten", ["g"], ["f"]),
                node("Gemm", ["f", "v"], ["r"], transB=1),
            ],
            {"v": weights(5, 4)},
        ),
        "caffe": (
            9,
            [
                conv,
                node("LRN", ["a_1"], ["n_1"], size=3),
                node("AveragePool", ["n_1"], ["p_1"], kernel_shape=[2, 2]),
                node("Reshape", ["p_1", "to"], ["f_1"]),
                node("Softmax", ["f_1"], ["prob_1"]),
            ],
            {"to": np.array([1, -1], np.int64)},
        ),
    }
    (SEEDS / "onnx").mkdir(exist_ok=True)
    for name, (opset, nodes, more) in models.items():
        constants = {"w": weights(2, 3, 3, 3), "b": weights(2), **more}
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 8, 8])],
            [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, key) for key, value in constants.items()],
        )
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8
        )
        (SEEDS / "onnx" / f"{name}.onnx").write_bytes(
            shape_inference.infer_shapes(made).SerializeToString()
        )


def main() -> None:
    if sys.argv[1:] == ["--seeds"]:
        return write_seeds()
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"give one of {', '.join(TARGETS)}, or --seeds")
    import atheris

    with atheris.instrument_imports(include=["dreamkit", "PIL"]):
        import dreamkit as dk
        import dreamkit.passport

        if sys.argv[1] == "onnx":
            dk.onnx.load  # noqa: B018 (loads the module before the fuzzer starts)
    warnings.simplefilter("ignore")
    name = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as found:
        atheris.Setup([sys.argv[0], found, str(SEEDS / name), *sys.argv[1:]], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
