"""The laws of the dream."""

import dataclasses
import itertools
import warnings

import pytest
import torch

import dreamkit as dk

FAST = dk.Settings(steps=3, octaves=2, jitter=4)


def bright(x):
    """A pointwise score with a known gradient, so that a dream can be worked out by hand."""
    return x.square().mean()


def test_finite_differences_agree_with_the_gradient_through_the_embedded_network(dreamnet):
    generator = torch.Generator().manual_seed(0)
    image = (
        0.1
        + 0.8 * dk.sample("china", 48).double()
        + 0.01 * torch.rand(1, 3, 32, 48, generator=generator, dtype=torch.float64)
    )
    score = dk.scorer(dreamnet, dk.layer("inception4c"))
    slope = dk.gradient(score, image)
    for _ in range(4):
        direction = torch.randn(image.shape, generator=generator, dtype=torch.float64)
        h = 1e-7
        measured = (score(image + h * direction) - score(image - h * direction)) / (2 * h)
        expected = (slope * direction).sum()
        assert abs(float(measured - expected)) / abs(float(expected)) < 1e-5


def test_one_step_by_hand(picture):
    settings = dk.Settings(steps=1, octaves=1, jitter=0, smoothing=0, step_size=0.01)
    slope = 2 * picture / picture.numel()
    expected = (picture + 0.01 * slope / slope.std(correction=0)).clamp(0, 1)
    torch.testing.assert_close(dk.dream(bright, picture, settings), expected)


def test_the_detail_is_laid_over_the_original(picture):
    """Two octaves by hand: what the small one found is enlarged and added to the large original."""
    settings = dk.Settings(steps=1, octaves=2, jitter=0, smoothing=0, octave_ratio=2.0)
    first, second = dk.dreaming(bright, picture, settings)
    small = dk.octaves(picture, 2, 2.0)[0]
    start = (picture + dk.resize(first - small, picture.shape[-2:])).clamp(0, 1)
    expected = dk.ascend(start, dk.normalize(dk.gradient(bright, start)), settings.step_size)
    torch.testing.assert_close(second, expected)


def test_step_size_zero_returns_the_picture(dreamnet, picture):
    settings = dk.Settings(steps=2, step_size=0.0, octaves=3)
    torch.testing.assert_close(
        dk.dream(dk.scorer(dreamnet, dk.layer("conv2")), picture, settings),
        picture,
        rtol=0,
        atol=1e-7,
    )


def test_zero_steps_yield_nothing_but_dream_returns_the_picture(picture):
    assert list(dk.dreaming(bright, picture, dk.Settings(steps=0))) == []
    assert torch.equal(dk.dream(bright, picture, dk.Settings(steps=0)), picture)


def test_same_seed_same_dream_other_seed_another(dreamnet, picture):
    score = dk.scorer(dreamnet, dk.layer("inception3b"))
    first, again, other = (
        dk.dream(score, picture, dataclasses.replace(FAST, seed=s)) for s in (3, 3, 4)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_results_are_pictures_and_the_callers_is_untouched(dreamnet, picture):
    before = picture.clone()
    for result in dk.dreaming(
        dk.scorer(dreamnet, dk.layer("inception4c")),
        picture,
        dataclasses.replace(FAST, step_size=0.5),
    ):
        assert (
            torch.isfinite(result).all()
            and result.min() >= 0
            and result.max() <= 1
            and not result.requires_grad
        )
    assert torch.equal(picture, before) and picture.grad is None and not picture.requires_grad
    assert all(p.grad is None for p in dreamnet.module.parameters())


@pytest.mark.parametrize(
    "jitter", [0, 5]
)  # the shifts are those of the batch: each picture alone draws the same
def test_a_batch_of_two_equals_one_by_one(dreamnet, jitter):
    pair = (
        torch.cat(
            [dk.sample("china", 48)[..., :32, :32], dk.sample("coffee", 48)[..., :32, :32]]
        ).double()
        * 0.8
        + 0.1
    )
    pair = pair + 0.01 * torch.rand(
        pair.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    score, settings = (
        dk.scorer(dreamnet, dk.layer("inception4c")),
        dk.Settings(steps=3, octaves=2, jitter=jitter),
    )
    together = dk.dream(score, pair, settings)
    alone = torch.cat([dk.dream(score, one[None], settings) for one in pair])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-9)


def test_ten_steps_raise_the_score(dreamnet):
    image = dk.sample("chelsea", 96)
    score = dk.scorer(dreamnet, dk.layer("inception4c"))
    pictures = list(dk.dreaming(score, image, dk.Settings(steps=10, octaves=1)))
    assert score(pictures[-1]) > 1.5 * score(image)


def test_float64_is_kept(dreamnet, picture):
    assert (
        dk.dream(dk.scorer(dreamnet, dk.layer("conv2")), picture.double(), FAST).dtype
        == torch.float64
    )


def test_tiles_give_nearly_the_same_dream(dreamnet):
    image, score = dk.sample("china", 96), dk.scorer(dreamnet, dk.layer("conv2"))
    whole, tiled = (
        dk.dream(score, image, dk.Settings(steps=4, octaves=1, jitter=0, tile=t)) for t in (0, 48)
    )
    assert float((whole - tiled).abs().mean()) < 0.02 < float((tiled - image).abs().mean()) + 0.01


def test_a_zero_gradient_leaves_the_picture_and_says_so_once(tiny_network):
    image = torch.full((1, 3, 16, 16), 0.5)
    silent = dk.Objective(
        ("2",), lambda features: (features["2"] * 0).sum(), "nothing of layer '2'"
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = dk.dream(dk.scorer(tiny_network, silent), image, FAST)
    assert torch.allclose(result, image) and torch.isfinite(result).all()
    assert [str(w.message).split(":")[0] for w in caught] == ["nothing of layer '2' is silent"]


def test_the_iterator_can_be_stopped_and_its_pictures_kept(picture):
    kept = list(itertools.islice(dk.dreaming(bright, picture, FAST), 4))
    assert [tuple(k.shape[-2:]) for k in kept] == [(29, 34)] * 3 + [(40, 48)]
    assert not torch.equal(
        kept[0], kept[1]
    )  # each is a picture of its own, not one that is written over


@pytest.mark.parametrize(
    "field, value, message",
    [
        ("steps", -1, r"steps \(.*\) must be a whole number from 0 to 10000; given: -1"),
        ("steps", 2.5, "given: 2.5"),
        ("steps", True, "given: True"),
        ("steps", "many", "given: 'many'"),
        ("step_size", -0.1, r"step_size \(.*\) must be a number from 0.0 to .*; given: -0.1"),
        ("step_size", float("nan"), "given: nan"),
        ("octaves", 0, "from 1 to 32"),
        ("octave_ratio", 0.5, "from 1.0 to 16.0"),
        ("jitter", -2, "from 0"),
        ("smoothing", -1, "from 0.0"),
        ("tile", -8, "from 0"),
        ("seed", -1, "from 0"),
        ("seed", 2**70, "given: 1180"),
    ],
)
def test_settings_are_checked_when_made(field, value, message):
    with pytest.raises(ValueError, match=message):
        dk.Settings(**{field: value})


def test_settings_are_frozen_and_described():
    with pytest.raises(dataclasses.FrozenInstanceError):
        dk.Settings().steps = 3
    assert [f.name for f in dataclasses.fields(dk.Settings)] == [
        "steps",
        "step_size",
        "octaves",
        "octave_ratio",
        "jitter",
        "smoothing",
        "tile",
        "seed",
        "laplacian",
        "chroma",
    ]
    for spec in dataclasses.fields(dk.Settings):
        assert (
            spec.metadata["low"] <= spec.default <= spec.metadata["high"] and spec.metadata["help"]
        )


@pytest.mark.parametrize(
    "image, message",
    [
        (torch.full((1, 3, 8, 8), 255.0), r"a picture's values lie in \[0, 1\]; given: 255 to 255"),
        (torch.full((1, 3, 8, 8), float("nan")), "given: nan"),
        (torch.rand(3, 8, 8), r"\[N, 3, H, W\]; given: \[3, 8, 8\]"),
    ],
)
def test_what_is_no_picture_is_refused_at_once(image, message):
    with pytest.raises(ValueError, match=message):
        dk.dreaming(bright, image)


def test_a_score_must_be_one_number_that_depends_on_the_picture(picture):
    with pytest.raises(ValueError, match=r"a score must give one number .*given: \(1, 3, 15, 17\)"):
        dk.dream(lambda x: x, picture)
    with pytest.raises(ValueError, match="does not depend on the picture"):
        dk.dream(lambda x: torch.tensor(1.0), picture)
