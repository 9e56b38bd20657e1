"""`dreamkit again` fetches nothing, and begins no large work, because a stranger asked for it."""

import copy
import socket

import pytest
import torch
import torchvision

import dreamkit as dk
from dreamkit import passport
from dreamkit.cli.app import call
from dreamkit.passport.cost import check_cost, octave_steps, weight_count

pytestmark = pytest.mark.usefixtures("loaded_once")

GUIDE = {"kind": "guide", "name": "conv2", "picture": None}


def of_size(height, width, name="china"):
    return {
        "kind": "sample",
        "name": name,
        "side": None,
        "height": height,
        "width": width,
        "sha256": "",
    }


@pytest.fixture(scope="module")
def good() -> dict:
    network, photo = dk.load_network("dreamnet", device="cpu"), dk.sample("china", side=48)
    source = passport.picture_spec(photo, "sample", "china", side=48)
    return passport.make(network, dk.layer("conv2"), dk.Settings(steps=2, octaves=2), source)


def asked(good, **changes) -> dict:
    """The passport with other settings, and with other fields where the name is one of a field."""
    data = copy.deepcopy(good)
    for name, value in changes.items():
        if name in ("network", "weights"):
            data["network"]["name" if name == "network" else name] = value
        else:
            (data["settings"] if name in data["settings"] else data)[name] = value
    if "recipe" in data:
        del data["settings"]
    return data


def guided(*sizes):
    objectives = [GUIDE | {"picture": of_size(*size, name="flower")} for size in sizes]
    return {"kind": "sum", "terms": [{"weight": 1.0, "objective": o} for o in objectives]}


LARGE = {
    "a sample of 67 megapixels": (dict(source=of_size(8191, 8191)), "67 megapixels, "),
    "a sheet of 67 megapixels": (dict(made="features", source=of_size(8191, 8191)), "67 megapix"),
    "320,000 steps": (dict(steps=10_000, octaves=32), "20,972 megapixels × steps"),
    "all octaves alike": (
        dict(steps=200, octaves=32, octave_ratio=1.0, source=of_size(1000, 1000)),
        "6,400 megapixels × steps",
    ),
    "tiles of a pixel": (dict(tile=1, steps=20, source=of_size(100, 100)), "19,715 megapix"),
    "a recipe's tiles": (
        dict(
            recipe=passport.recipe_spec("tensorflow", {"tile": 1, "octaves": 1, "steps": 10}),
            source=of_size(100, 100),
        ),
        "6,554 megapix",
    ),
    "a recipe that grows": (
        dict(recipe=passport.recipe_spec("tensorflow", {"octaves": 5, "octave_ratio": 16.0})),
        "101 megapixels, ",
    ),
    "one large guide": (dict(objective=guided((8000, 8000))), "64 megapixels of guide pictures"),
    "many guides": (dict(objective=guided(*[(1000, 1000)] * 40)), "40 megapixels of guide"),
    "an untrained network": (dict(network="regnet_y_128gf", weights="random"), "645 million"),
    "a transformer": (dict(network="vit_h_14", weights="random"), "633 million weights"),
    "weights of ten gigabytes": (dict(network="vit_l_16", weights="own"), "304 million weights"),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_work_begins_only_with_the_users_flag(name, good, tmp_path, monkeypatch, capsys):
    changes, message = LARGE[name]
    monkeypatch.chdir(tmp_path)
    dk.save_image(dk.noise(32, 48), "a.png", asked(good, **changes))

    class BeganError(Exception):
        pass

    def began(*_):
        raise BeganError

    for place in ("dk.load_image", "dk.load_network", "picture_for"):
        monkeypatch.setattr(f"dreamkit.cli.again.{place}", began)
    assert call(["again", "a.png", "--fetch"]) == 2
    line = capsys.readouterr().err
    assert message in line and "--large allows it" in line and line.count("\n") == 1
    assert call(["again", "a.png", "--fetch", "--large"]) == 1  # that of `BeganError`
    assert "BeganError" in capsys.readouterr().err


ORDINARY = {
    "24 megapixels, 40 steps": dict(source=of_size(4000, 6000), steps=40, octaves=4),
    "the same in tiles": dict(source=of_size(4000, 6000), steps=40, octaves=4, tile=512),
    "a frame of a film": dict(source=of_size(1080, 1920), steps=4, octaves=3),
    "vgg16": dict(network="vgg16", weights="random"),
    "vgg19": dict(network="vgg19", weights="random"),
    "efficientnet_lite2": dict(network="efficientnet_lite2"),
    "dreamnet-robust": dict(network="dreamnet-robust", source=of_size(4000, 6000)),
    "stopped at its second step": dict(steps=10_000, octaves=32, stopped=2),
    **{
        name: dict(recipe=passport.recipe_spec(name), source=of_size(2000, 3000))
        for name in dk.recipes.NAMES
    },
    "guides": dict(objective=guided(*[(320, 320)] * 64)),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_work_needs_no_flag(name, good):
    check_cost(passport.read(asked(good, **ORDINARY[name])))


@pytest.mark.parametrize("recipe", [None, *dk.recipes.NAMES])
def test_the_cost_is_that_of_the_pictures_which_are_really_made(recipe, good):
    network, photo = dk.load_network("dreamnet", device="cpu"), dk.sample("china", side=64)
    numbers = {"steps": 2, "octaves": 3, "octave_ratio": 1.5}
    data = asked(good, source=passport.picture_spec(photo, "sample", "china", 64), **numbers)
    if recipe:
        more = {"max_loss": None} if recipe == "keras" else {}
        data["recipe"] = passport.recipe_spec(recipe, numbers | more)
    plan = passport.read(data)
    made = list(passport.replaying(plan, dk.scorer(network, dk.layer("conv2")), photo))
    counted = list(octave_steps(plan.numbers, tuple(photo.shape[-2:]), recipe))
    assert sum(steps for *_, steps in counted) == len(made) == 6
    real = [picture.shape[-2] * picture.shape[-1] for picture in made[::2]]  # an octave's first
    assert [pixels for pixels, *_ in counted] == pytest.approx(real, rel=0.07)


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "googlenet", "resnet50", "squeezenet1_1"])
def test_weights_are_fetched_only_with_the_users_flag(name, good, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    fetched = []

    def fetch(url, path, **_):
        fetched.append(url)
        raise OSError("no connection in a test")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("a socket was opened"))
    dk.save_image(dk.noise(32, 48), "a.png", asked(good, network=name))
    assert call(["again", "a.png"]) == 2 and not fetched
    line = capsys.readouterr().err
    assert f"the weights of {name} are not in torch's cache: --fetch downloads them (" in line
    assert "MB), and --weights FILE takes a file of yours" in line and line.count("\n") == 1
    assert call(["again", "a.png", "--weights", "mine.pth"]) == 2 and not fetched
    assert call(["again", "a.png", "--fetch"]) == 2 and len(fetched) == 1
    url = torchvision.models.get_model_weights(name).DEFAULT.url
    cached = tmp_path / "hub" / "checkpoints" / fetched[0].rpartition("/")[2]
    assert url.startswith("https://download.pytorch.org/models/")
    cached.touch()  # in the cache: read, and refused for its hash
    assert call(["again", "a.png"]) == 2 and "is damaged" in capsys.readouterr().err


def test_every_network_of_torchvision_says_how_large_it_is():
    for name in torchvision.models.list_models(module=torchvision.models):
        meta = torchvision.models.get_model_weights(name).DEFAULT.meta
        assert meta["num_params"] == weight_count(name) > 10**6 and meta["_file_size"] > 1
