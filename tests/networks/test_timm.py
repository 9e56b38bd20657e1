"""Networks of timm: mean, std, labels, features as maps; clear errors if something is missing."""

import builtins

import pytest
import torch
from torch import nn

import dreamkit as dk


def test_without_timm_one_line_says_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "timm":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ValueError,
        match=r"^networks of timm need timm: pip install 'dreamkit\[timm\]' installs it$",
    ):
        dk.from_timm("test_vit")


@pytest.fixture(scope="module")
def timm():
    return pytest.importorskip("timm")


@pytest.mark.slow
def test_mean_std_labels_and_maps_of_a_tiny_transformer(timm):
    network = dk.from_timm("test_vit", weights="random")
    config = timm.get_pretrained_cfg("test_vit")
    assert (
        (network.mean, network.std)
        == (config.mean, config.std)
        != ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    assert (
        network.name == "test_vit-random"
        and network.labels[1] == "goldfish"
        and len(network.labels) == 1000
    )
    last = dk.suggested_layers(network)[-1]
    assert last == "blocks.5" and dk.capture(network, torch.rand(1, 3, 64, 90), last)[
        last
    ].shape == (1, 64, 4, 6)
    start = dk.noise(48, 64, seed=1)
    dreamt = dk.dream(dk.scorer(network, dk.layer(last)), start, dk.Settings(steps=2, octaves=2))
    assert torch.isfinite(dreamt).all() and not torch.equal(dreamt, start)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["test_resnet", "test_convnext", "test_efficientnet", "test_maxvit", "test_vit_relpos"]
)
def test_features_are_those_of_the_model_itself(timm, name):
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False).eval()
    network = dk.from_timm(model)
    assert network.name == name
    side = model.pretrained_cfg["input_size"][-1]
    picture = torch.rand(1, 3, side, side)
    suggested = dk.suggested_layers(network)
    assert len(suggested) >= 4
    features = dk.capture(network, picture, [*suggested, ""])
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (network.mean, network.std))
    with torch.no_grad():
        torch.testing.assert_close(
            features[""], model((picture - mean) / std), rtol=1e-3, atol=1e-4
        )
    assert all(values.dim() == 4 for layer, values in features.items() if layer)


@pytest.mark.slow
def test_weights_of_a_file_and_of_another_network(timm, tmp_path, monkeypatch):
    torch.manual_seed(1)
    model = timm.create_model("test_resnet", pretrained=False)
    torch.save(model.state_dict(), tmp_path / "w.pth")
    network = dk.from_timm("test_resnet", weights=tmp_path / "w.pth")
    assert len(network.digest) == 64
    assert torch.equal(network.module.fc.weight, model.fc.weight)
    with pytest.raises(ValueError, match="holds the weights of another network"):
        dk.from_timm("test_vit", weights=tmp_path / "w.pth")
    (tmp_path / "broken.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="is not a readable weights file"):
        dk.from_timm("test_resnet", weights=tmp_path / "broken.safetensors")

    def refused(*args, **kwargs):
        if kwargs.get("pretrained"):
            raise OSError("no route\nto host")
        return model

    monkeypatch.setattr(timm, "create_model", refused)
    message = (
        r"^timm could not give test_resnet with its weights \(huggingface.co/timm/test_resnet.*\): "
        r"no route to host; fetch .*weights="
    )
    with pytest.raises(ValueError, match=message):
        dk.from_timm("test_resnet")


@pytest.mark.slow
def test_what_is_not_a_model_of_timm(timm):
    with pytest.raises(
        KeyError,
        match=r"unknown timm network 'resnet18x'; nearest: resnet18\w*, .*timm.list_models",
    ):
        dk.from_timm("resnet18x")
    with pytest.raises(ValueError, match=r"given: Conv2d .*dk.as_network"):
        dk.from_timm(nn.Conv2d(3, 2, 1))
    with pytest.raises(ValueError, match="already made has its weights"):
        dk.from_timm(nn.Conv2d(3, 2, 1), weights="random")
