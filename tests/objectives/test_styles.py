"""Dreams by name: what they need is there, they raise their scores, and passports hold them."""

import dataclasses

import pytest
import torch

import dreamkit as dk
from dreamkit import passport
from dreamkit.objectives.styles import for_stride, style_of, styles_of


@pytest.fixture(scope="module")
def network():
    return dk.load_network("efficientnet_lite0")


@pytest.mark.parametrize("name", dk.styles())
def test_every_style_raises_its_own_score(name, network):
    style, photo = dk.styles()[name], dk.sample("china", 96)
    assert style.name == name and style.shows and style.layers
    score = dk.scorer(network, style.objective)
    dreamt = dk.dream(score, photo, dataclasses.replace(style.settings, octaves=2, steps=5))
    assert float(score(dreamt)) > 1.1 * float(score(photo))


def test_a_passport_holds_a_style_and_says_it_by_name(network):
    for style in dk.styles().values():
        spec = passport.entry(style.objective)
        assert passport.objective(spec).terms == style.objective.terms
        source = passport.picture_spec(dk.sample("china", 48), "sample", "china", 48)
        made = passport.make(network, spec, style.settings, source)
        assert f"--style {style.name} " in passport.command(made)
        other = made | {"network": {**made["network"], "name": "efficientnet_lite1"}}
        assert "--style" not in passport.command(other)


def test_styles_belong_to_their_network(network, dreamnet):
    assert list(styles_of(network)) == list(dk.styles()) and styles_of(dreamnet) == {}
    assert style_of(network, "eyes") is dk.styles()["eyes"]
    with pytest.raises(KeyError, match="unknown style 'eyess'; nearest: eyes"):
        style_of(network, "eyess")
    with pytest.raises(ValueError, match="channels of efficientnet_lite0; given: dreamnet"):
        style_of(dreamnet, "eyes")
    dk.styles().clear()  # a copy
    assert dk.styles()


def test_settings_follow_the_greatest_stride(dreamnet):
    strides = {name: dk.layer_info(dreamnet, name).stride for name in ("conv1", "inception5a")}
    assert strides == {"conv1": (1, 1), "inception5a": (16, 16)}
    shallow, deep = (dk.settings_for(dreamnet, name) for name in strides)
    assert (shallow.octaves, shallow.laplacian, shallow.step_size) == (3, 1, 0.01)
    assert (deep.octaves, deep.laplacian, deep.step_size) == (5, 4, 0.015)
    assert dk.settings_for(dreamnet, tuple(strides)) == deep
    assert dk.settings_for(dreamnet, "") == deep  # the logits see everything
    assert dk.settings_for(dreamnet, "inception_4c/output") == for_stride(8)  # a paper's name
    with pytest.raises(KeyError, match="unknown layer 'conv9'"):
        dk.settings_for(dreamnet, "conv9")


def test_the_balanced_gradient_keeps_the_photo_s_colours():
    """What chroma is for: the same number of steps moves the colour less, the light alike."""
    photo = dk.sample("flower", 64)
    moved = {}
    for chroma in (1.0, 0.2):
        settings = dk.Settings(steps=4, octaves=2, jitter=0, chroma=chroma)
        change = dk.dream(lambda x: x.std(), photo, settings) - photo
        moved[chroma] = float((change - dk.scale_chroma(change, 0.0)).square().mean())
    assert 0 < moved[0.2] < 0.3 * moved[1.0]
    assert torch.isfinite(torch.tensor(list(moved.values()))).all()
