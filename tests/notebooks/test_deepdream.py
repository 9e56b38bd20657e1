"""The stand-alone DeepDream makes the package's picture, and lesson 08 shows its very lines."""

import ast
import sys
from pathlib import Path

import pytest
import torch
from torchvision import models

import dreamkit as dk

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
if not NOTEBOOKS.exists():
    pytest.skip("the lessons' folder is not beside the tests", allow_module_level=True)
sys.path.append(str(NOTEBOOKS))

import deepdream

SQUEEZENET = NOTEBOOKS.parents[1] / "shared" / "weights" / "squeezenet1_1.safetensors"


def settings(**options):
    return dk.Settings(step_size=0.015, smoothing=0.7, jitter=16, **options)


@pytest.mark.parametrize("name, layer", [("squeezenet1_1", "features.7"), ("resnet18", "layer2")])
@pytest.mark.parametrize("octaves, steps", [(1, 1), (3, 2)])
def test_it_makes_the_packages_picture(name, layer, octaves, steps):
    torch.manual_seed(0)
    module = models.get_model(name, weights=None).eval().double()
    photo = dk.sample("flower", 96).double()
    score = dk.scorer(dk.as_network(module, deepdream.MEAN, deepdream.STD, name), dk.layer(layer))
    found = deepdream.dream(
        lambda picture: deepdream.activation(module, layer, picture),
        photo,
        octaves=octaves,
        steps=steps,
    )
    expected = dk.dream(score, photo, settings(octaves=octaves, steps=steps))
    assert (expected - photo).abs().mean() > 0.005
    assert torch.allclose(found, expected, atol=1e-9)


def test_a_convolution_before_an_in_place_relu_counts_with_its_negative_values():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.ReLU(inplace=True))
    picture = torch.rand(1, 3, 5, 4)
    scaled = (picture - torch.tensor(deepdream.MEAN)[:, None, None]) / torch.tensor(deepdream.STD)[
        :, None, None
    ]
    expected = network[0](scaled).square().mean()
    assert torch.isclose(deepdream.activation(network, "0", picture), expected)


@pytest.mark.parametrize("trained", [False, True])
def test_as_a_file_it_writes_a_picture_beside_the_photo(tmp_path, trained):
    if trained and not SQUEEZENET.is_file():
        pytest.skip("SqueezeNet's weights are not beside the repository")
    torch.manual_seed(0)
    module = models.squeezenet1_1()
    if trained:
        from safetensors.torch import load_file

        module.load_state_dict(load_file(SQUEEZENET))
    torch.save(module.state_dict(), tmp_path / "weights.pth")
    dk.save_image(dk.sample("flower", 160), tmp_path / "photo.png")
    deepdream.main([str(tmp_path / "photo.png"), "--weights", str(tmp_path / "weights.pth")])
    found, photo = (dk.load_image(tmp_path / name) for name in ("photo-dream.png", "photo.png"))
    assert found.shape == photo.shape and (found - photo).abs().mean() > 0.02
    module.eval()
    score = lambda picture: deepdream.activation(module, "features.10", picture)
    assert score(found) > 2 * score(photo)


def test_the_lesson_shows_the_files_own_lines():
    lesson = (NOTEBOOKS / "src" / "08_deepdream.py").read_text(encoding="utf-8")
    file = (NOTEBOOKS / "deepdream.py").read_text(encoding="utf-8")
    for name in ("activation", "dream"):
        mine, shown = (
            next(
                ast.unparse(node)
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.FunctionDef) and node.name == name
            )
            for text in (file, lesson)
        )
        assert mine == shown


def test_it_needs_only_torch_and_torchvision():
    tree = ast.parse((NOTEBOOKS / "deepdream.py").read_text(encoding="utf-8"))
    found = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert found == {"PIL", "argparse", "pathlib", "torch", "torchvision"}  # torchvision brings PIL
