"""The seeds of tests/fuzz and a few hundred mutations of each, through the fuzzer's targets."""

import random

import pytest

from .fuzz import fuzz

MUTATIONS = 150


def mutated(data: bytes, draw: random.Random) -> bytes:
    """The data with a few bytes changed, dropped, doubled or cut off."""
    found = bytearray(data)
    for _ in range(draw.randint(1, 6)):
        at, kind = draw.randrange(len(found) + 1), draw.randrange(4)
        if kind == 0 and at < len(found):
            found[at] = draw.randrange(256)
        elif kind == 1:
            del found[at : at + draw.randint(1, 8)]
        elif kind == 2:
            found[at:at] = found[at : at + draw.randint(1, 16)]
        elif draw.random() < 0.2:
            del found[at:]
    return bytes(found)


@pytest.mark.filterwarnings(
    "ignore"
)  # Pillow and onnx warn of odd files; what counts is how it ends
@pytest.mark.parametrize(
    ("name", "path"),
    [(name, path) for name in fuzz.TARGETS for path in fuzz.seeds(name)],
    ids=lambda value: getattr(value, "name", value),
)
def test_whatever_a_file_holds_it_is_a_result_or_a_value_error(name, path):
    if name == "onnx":
        pytest.importorskip("onnx")
    data, draw = path.read_bytes(), random.Random(path.name)
    fuzz.TARGETS[name](data)
    for _ in range(MUTATIONS):
        fuzz.TARGETS[name](mutated(data, draw))


def test_the_onnx_seeds_are_read_whole():
    pytest.importorskip("onnx")
    import dreamkit as dk

    assert {path.stem: len(dk.layer_names(dk.onnx.load(path))) for path in fuzz.seeds("onnx")} == {
        "branches": 6,
        "caffe": 5,
        "plain": 3,
    }
