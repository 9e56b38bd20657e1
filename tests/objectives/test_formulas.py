"""Directions, caricatures, diversity and penalties: values and gradients worked out by hand."""

import re

import numpy as np
import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit import passport
from dreamkit.objectives.formulas import towards
from dreamkit.objectives.kinds import MOST, vector
from dreamkit.objectives.picture_info import PictureInfo


def cell(*numbers):
    """Features of one cell, [1, C, 1, 1]."""
    return torch.tensor(numbers, dtype=torch.float64).view(1, -1, 1, 1)


def colors():
    """A network whose layer "0" is the picture itself."""
    module = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False))
    with torch.no_grad():
        module[0].weight.copy_(torch.eye(3).view(3, 3, 1, 1))
    return dk.as_network(module, (0, 0, 0), (1, 1, 1), "colors")


# ---- directions


def test_a_direction_is_the_dot_product_times_the_cosine_to_a_power():
    at = {"a": cell(3, 4)}  # of length 5; its cosine with (1, 0) is 0.6
    for cosine, expected in ((0, 3), (1, 3 * 0.6), (2, 3 * 0.36)):
        found = dk.direction("a", [1, 0], cosine=cosine).formula(at)
        assert float(found) == pytest.approx(expected, rel=1e-12)
    assert float(dk.direction("a", [10, 0], cosine=1).formula(at)) == pytest.approx(18)  # 30 * 0.6
    assert float(dk.direction("a", [-1, 0]).formula(at)) == pytest.approx(-3 * 0.1**2)


def test_a_directions_gradient_by_hand():
    """x³ / (x² + y²) at (3, 4): by x it is 3·9/25 - 2·81/625, by y it is -2·27·4/625."""
    features = cell(3, 4).requires_grad_(True)
    dk.direction("a", [1, 0]).formula({"a": features}).backward()
    np.testing.assert_allclose(features.grad.flatten(), [0.8208, -0.3456], rtol=1e-12)


def test_a_single_one_and_no_cosine_is_a_channel():
    features = {"a": torch.randn(2, 5, 4, 3, generator=torch.Generator().manual_seed(0))}
    alone = dk.direction("a", [0, 0, 1, 0, 0], cosine=0).formula(features)
    torch.testing.assert_close(alone, dk.channel("a", 2).formula(features))
    tokens = {"a": torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))}
    alone = dk.direction("a", [0, 0, 1, 0, 0], cosine=0).formula(tokens)
    torch.testing.assert_close(alone, dk.channel("a", 2).formula(tokens))


def test_silent_features_have_a_finite_gradient():
    features = torch.zeros(1, 3, 2, 2, requires_grad=True)
    dk.direction("a", [1, 2, 3]).formula({"a": features}).backward()
    assert features.grad.isfinite().all() and features.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ([], "a list"),
        ([0, 0], "a list"),
        ([1, float("nan")], "a list"),
        ([1, 2 * MOST], "a list"),
        (["1"], "a list"),
        ("block5c", "'block5c'"),
        (torch.ones(2, 2), "a list"),
    ],
)
def test_what_is_not_a_direction_is_refused(given, shown):
    message = (
        "'vector' of dk.direction must be a list of numbers, one for each channel, from -1e+06 to "
        f"1e+06 and not all 0; given: {shown}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        dk.direction("a", given)


def test_a_direction_of_another_length_is_refused_when_scored(picture):
    with pytest.raises(ValueError, match="the direction has 2 numbers; layer '0' has 3 channels"):
        dk.scorer(colors(), dk.direction("0", [1, 2]))(picture)


def test_a_direction_travels_in_a_passport():
    wanted = 0.5 * dk.direction("0", torch.tensor([0.1, -2.5]), cosine=3)
    assert wanted.name == "0.5 * direction('0', [2 numbers], cosine=3)"
    spec = passport.entry(wanted)
    assert spec["terms"][0]["objective"]["vector"] == pytest.approx([0.1, -2.5], rel=1e-7)
    assert passport.objective(spec).terms == wanted.terms
    assert passport.expression({"kind": "direction", "name": "0", "vector": [1, -2.5]}) == (
        "dk.direction('0', [1.0, -2.5])"
    )
    assert vector([1, 2], "it") == (1.0, 2.0)


def test_an_onnx_step_of_a_direction_agrees_with_torch(tmp_path, tiny_network, picture):
    wanted = dk.direction("6", torch.linspace(-1, 1, 8)) + dk.direction("0", [1] * 6, cosine=0)
    dk.onnx.export_step(tiny_network, wanted, tmp_path / "step.onnx")  # compares with torch itself
    step = dk.onnx.alone.Step(tmp_path / "step.onnx")
    value, uphill = step(picture.numpy())
    score = dk.scorer(tiny_network, wanted)
    assert value == pytest.approx(float(score(picture)), rel=1e-5)
    np.testing.assert_allclose(uphill, dk.gradient(score, picture), rtol=1e-3, atol=1e-7)


# ---- caricatures


def test_a_caricature_of_the_photo_itself_is_the_mean_square_of_its_features(picture):
    score = dk.scorer(colors(), dk.caricature("0", picture))
    assert float(score(picture)) == pytest.approx(float(picture.square().sum(1).mean()), rel=1e-5)


def test_each_cell_is_compared_with_the_photos_cell():
    photo = {"a": torch.tensor([[[[1.0, 0.0]], [[0.0, 2.0]]]])}  # cells (1, 0) and (0, 2)
    at = {"a": torch.tensor([[[[3.0, 0.0]], [[4.0, 5.0]]]])}  # cells (3, 4) and (0, 5)
    found = dk.caricature("a", photo).formula(at)
    assert float(found) == pytest.approx((3 * 0.6 + 10 * 1) / 2)


def test_a_photo_of_another_size_is_resized_to_the_map():
    photo, at = torch.rand(1, 4, 3, 5), torch.rand(2, 4, 6, 7)
    larger = nn.functional.interpolate(photo, (6, 7), mode="bilinear")
    found = dk.caricature("a", {"a": photo}).formula({"a": at})
    assert float(found) == pytest.approx(float(towards(at, larger[0], 1).sum() / 42), rel=1e-6)


def test_tiles_give_the_gradient_of_the_whole(tiny_network):
    photo = torch.rand(1, 3, 61, 73, generator=torch.Generator().manual_seed(1)).double()
    for wanted in (dk.caricature("6", photo.flip(-1)), dk.direction("6", torch.linspace(-1, 1, 8))):
        whole = dk.gradient(dk.scorer(tiny_network, wanted, tile=0), photo)
        cut = dk.gradient(dk.scorer(tiny_network, wanted, tile=40), photo)
        torch.testing.assert_close(cut, whole, rtol=1e-9, atol=1e-14)


def test_a_caricature_travels_in_a_passport_with_its_photos_info(picture):
    info = PictureInfo.of(picture, "file", "cat.jpg")
    features = dk.capture(colors(), picture, "0")
    wanted = dk.caricature("0", features, cosine=2, picture=info)
    spec = passport.entry(wanted)
    assert spec["cosine"] == 2 and spec["picture"]["name"] == "cat.jpg"
    remade = passport.objective(spec, {info.sha256: features})
    scores = [dk.scorer(colors(), each)(picture.flip(-1)) for each in (wanted, remade)]
    assert scores[0] == scores[1]
    with pytest.raises(ValueError, match="only if it is given its picture"):
        passport.entry(dk.caricature("0", picture))


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        (torch.rand(2, 3, 8, 8), "a caricature is of one photo; given: 2"),
        ({"b": torch.rand(1, 3, 8, 8)}, "unknown layer 'a'"),
        ({"a": torch.rand(3, 8, 8)}, "a caricature takes the features of one photo"),
    ],
)
def test_what_is_not_a_photo_is_refused(photo, message):
    with pytest.raises((ValueError, KeyError), match=message):
        dk.caricature("a", photo)


def test_a_layer_without_a_map_has_no_caricature(tiny_network, picture):
    with pytest.raises(ValueError, match="layer '8' has no feature map"):
        dk.scorer(tiny_network, dk.caricature("8", picture))


# ---- diversity


def test_equal_pictures_have_no_diversity_and_opposite_ones_all():
    one = torch.zeros(1, 2, 2, 2)
    one[0, 0] = 1  # only channel 0 is active
    other = one.flip(1)
    value = lambda *pictures: float(dk.diversity("a").formula({"a": torch.cat(pictures)}))
    assert value(one) == 0
    assert value(one, one) == pytest.approx(0, abs=1e-6)
    assert value(one, 3 * one.flip(-1)) == pytest.approx(0, abs=1e-6)  # where and how much: no
    assert value(one, other) == pytest.approx(2)  # one for each picture
    assert value(one, one, other) == pytest.approx(0.5 + 0.5 + 1)
    assert float(dk.diversity("a", 4).formula({"a": torch.cat([one, other])})) == pytest.approx(8)


def test_diversity_against_numpy():
    maps = np.random.default_rng(0).normal(size=(3, 4, 5, 6))
    flat = maps.reshape(3, 4, 30)
    grams = np.einsum("ncx,ndx->ncd", flat, flat).reshape(3, 16)
    grams /= np.linalg.norm(grams, axis=1, keepdims=True)
    cosines = grams @ grams.T
    expected = sum(1 - (cosines[i].sum() - 1) / 2 for i in range(3))
    found = dk.diversity("a").formula({"a": torch.from_numpy(maps)})
    assert float(found) == pytest.approx(expected, rel=1e-10)


def test_a_term_of_diversity_makes_two_pictures_differ(tiny_network):
    start = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)).double()
    start = torch.cat([start, start + 0.01 * torch.rand_like(start)]).clamp(0, 1)
    score = dk.scorer(tiny_network, dk.diversity("2"))
    after = start
    for _ in range(10):
        after = dk.ascend(after, dk.normalize(dk.gradient(score, after), by="rms"), 0.02)
    assert float(score(after)) > 2 * float(score(start))


# ---- penalties and opposites


def test_penalties_by_hand():
    image = torch.full((1, 3, 2, 2), 0.5)
    image[0, 0] = torch.tensor([[0.5, 0.9], [0.5, 0.5]])  # red: one pixel is 0.4 brighter
    score = dk.scorer(colors(), dk.penalty("l2"))
    assert float(score(image)) == pytest.approx(-0.16 / 12)
    score = dk.scorer(colors(), dk.penalty("total_variation"))
    assert float(score(image)) == pytest.approx(-(0.4 / 6 + 0.4 / 6))


def test_a_penalty_runs_no_layer(picture, monkeypatch):
    network = colors()
    monkeypatch.setattr(network.module, "forward", lambda x: pytest.fail("the network ran"))
    assert float(dk.scorer(network, dk.penalty("l2"))(picture)) < 0


def test_an_unknown_penalty_is_refused():
    with pytest.raises(ValueError, match="must be total_variation or l2"):
        dk.penalty("tv")


def test_the_opposite_has_the_opposite_gradient_and_is_climbed_like_any_other(picture):
    up, down = (dk.scorer(colors(), weight * dk.channel("0", 1)) for weight in (1, -1))
    torch.testing.assert_close(dk.gradient(down, picture), -dk.gradient(up, picture))
    darker = dk.dream(down, picture, dk.Settings(steps=3, octaves=1))
    assert down(darker) > down(picture) and darker[:, 1].mean() < picture[:, 1].mean()
