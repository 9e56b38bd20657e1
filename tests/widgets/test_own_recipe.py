"""The studio's recipe and Save for networks that `load_network` cannot make from their name."""

import re
from html import unescape

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.cli.app import call
from dreamkit.networks.network import randomized
from dreamkit.widgets.runs import is_loadable

HALF = (0.5,) * 3
NAMES = ["", "mine", "resnet18", "efficientnet_lite0", "dreamnet"]  # the last three are taken


def own(name):
    torch.manual_seed(0)
    return dk.as_network(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), HALF, HALF, name)


def text(part):
    return unescape(re.sub("<[^>]+>", "", part.value))


def studio(network, steps=2, octaves=2):
    settings = dk.Settings(steps=steps, octaves=octaves)
    photo = dk.sample("china", 40)
    return dk.widgets.studio(
        network, photo, source="china", layers=[dk.layer_names(network)[-1]], settings=settings
    )


def picture_of(recipe, network):
    code = recipe.partition("import dreamkit as dk")[2].partition("# no command")[0]
    names = {"dk": dk, "network": network}
    exec(("from itertools import islice\n" * ("islice" in code)) + code, names)
    return names["picture"]


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_runs_with_the_network_given(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = own(name)
    with studio(network) as panel:
        assert "load_network" not in text(panel.recipe)  # before the start as well
        panel.run()
        recipe = text(panel.recipe)
        assert "# network = ...  first: your own network" in recipe
        assert "load_network" not in recipe and "dreamkit dream" not in recipe
        assert torch.equal(picture_of(recipe, network), panel.frames[-1].whole)
        assert panel.save().is_file()
        assert "dreamkit again cannot load your own network; the Python" in text(panel.status)


def test_a_stopped_dream_of_an_own_network(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    network = own("mine")
    with studio(network, steps=6) as panel:
        panel.run(3)
        recipe = text(panel.recipe)
        assert "again FILE" not in recipe
        assert torch.equal(picture_of(recipe, network), panel.frames[-1].whole)
        panel.save()
        assert "cannot load your own network" in text(panel.status)
    assert call(["again", "dream.png"]) == 2
    assert "was made with a network of one's own" in capsys.readouterr().err


def test_what_load_network_makes_is_told_as_before(dreamnet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = dk.load_network("dreamnet", weights="random")
    for network, line in (
        (dreamnet, "network = dk.load_network('dreamnet')"),
        (random, "network = dk.load_network('dreamnet', weights='random')"),
    ):
        with studio(network, steps=1, octaves=1) as panel:
            panel.run()
            assert line in text(panel.recipe)
            panel.save()
            assert "makes it again" in text(panel.status) and "cannot" not in text(panel.status)


def test_which_networks_can_be_loaded_again(dreamnet):
    assert is_loadable(dreamnet) and is_loadable(dk.load_network("efficientnet_lite0"))
    assert is_loadable(dk.load_network("resnet18", weights="random"))
    assert not any(is_loadable(own(name)) for name in NAMES)
    assert not is_loadable(randomized(own("mine")))
    assert not is_loadable(dk.inside.without(dreamnet, "conv2"))
