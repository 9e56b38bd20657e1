"""The ladder: five different stages of as many steps, the first two compared with plain code."""

import pytest
import torch
from torch import nn

from dreamkit import Settings, as_network, gradient, layer, load_network, normalize, sample, scorer
from dreamkit.published.ladder import RUNGS, ladder

pytestmark = pytest.mark.usefixtures("loaded_once")

NAMES = ["plain", "normalised", "smoothed", "jittered", "with octaves"]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return as_network(
        nn.Sequential(nn.Conv2d(3, 6, 5, padding=2), nn.ReLU()), (0.5,) * 3, (0.5,) * 3, "tiny"
    )


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, 3, 24, 30, generator=torch.Generator().manual_seed(1)) * 0.4 + 0.3


def test_each_rung_is_a_picture_of_the_same_size_and_no_two_are_alike(network, image):
    result = ladder(network, image, "1", steps=8)
    assert list(result) == NAMES
    for picture in result.values():
        assert picture.shape == image.shape and picture.min() >= 0 and picture.max() <= 1
    pictures = list(result.values())
    for i, one in enumerate(pictures):
        assert not any(torch.allclose(one, other, atol=1e-3) for other in pictures[i + 1 :])


def test_plain_is_the_raw_gradient_times_one_constant(network, image):
    score = scorer(network, layer("1"))
    constant = Settings().step_size / gradient(score, image).std(correction=0)
    expected = image
    for _ in range(4):
        expected = (expected + constant * gradient(score, expected)).clamp(0, 1)
    assert torch.allclose(
        ladder(network, image, "1", steps=4, rungs=["plain"])["plain"], expected, atol=1e-5
    )


def test_normalised_divides_each_gradient_by_its_own_deviation(network, image):
    score = scorer(network, layer("1"))
    expected = image
    for _ in range(4):
        expected = (expected + Settings().step_size * normalize(gradient(score, expected))).clamp(
            0, 1
        )
    assert torch.allclose(
        ladder(network, image, "1", steps=4, rungs=["normalised"])["normalised"],
        expected,
        atol=1e-6,
    )


def test_the_first_step_of_plain_is_as_long_as_that_of_normalised(network, image):
    score = scorer(network, layer("1"))
    first = {rung: RUNGS[rung](score, image, 1, 0) - image for rung in ("plain", "normalised")}
    assert torch.allclose(first["plain"], first["normalised"], atol=1e-6)


def test_every_rung_takes_the_same_number_of_steps(network, image):
    score, calls = scorer(network, layer("1")), []
    counted = lambda x: calls.append(tuple(x.shape[-2:])) or score(x)
    for rung in NAMES:
        calls.clear()
        RUNGS[rung](counted, image, 8, 0)
        assert len(calls) == 8 + (rung == "plain"), (
            rung
        )  # plain takes one more gradient to find its constant
    assert len(set(calls)) == 4  # the octaves: four sizes


def test_the_seed_is_felt_from_jitter_on(network, image):
    one, two = (ladder(network, image, "1", steps=4, seed=seed) for seed in (0, 1))
    assert [torch.equal(one[rung], two[rung]) for rung in NAMES] == [True, True, True, False, False]


def test_a_score_without_slope_leaves_the_picture(image):
    assert torch.equal(RUNGS["plain"](lambda x: (0 * x).sum(), image, 4, 0), image)


def test_rungs_can_be_chosen_and_a_wrong_one_is_answered(network, image):
    assert list(ladder(network, image, "1", steps=4, rungs=["jittered", "plain"])) == [
        "jittered",
        "plain",
    ]
    with pytest.raises(KeyError, match="unknown rung 'smooth'; nearest: smoothed"):
        ladder(network, image, "1", rungs=["smooth"])
    for steps in (3, 4.0, True):
        with pytest.raises(ValueError, match="whole number of at least 4"):
            ladder(network, image, "1", steps=steps)
    with pytest.raises(ValueError, match="values lie in"):
        ladder(network, image * 3, "1")


@pytest.mark.slow
def test_on_the_embedded_network_every_rung_raises_the_score():
    network, image = load_network("dreamnet"), sample("china", 64)
    name = "inception4c"
    score = scorer(network, layer(name))
    for rung, picture in ladder(network, image, name, steps=12).items():
        assert score(picture) > 1.2 * score(image), rung
