"""The steps in less memory are the plain steps: the same bytes, and the same numbers in strips."""

import itertools

import pytest
import torch

import dreamkit as dk
from dreamkit.ascent import _lean, loop


def wavy(x):
    return (x**3).mean() + x[..., ::2, :].square().mean()


wavy.name = "wavy"


@pytest.mark.parametrize(
    "tile, jitter, smoothing", list(itertools.product((0, 9), (0, 5), (0.0, 1.5)))
)
def test_both_forms_give_the_same_bytes(picture, tile, jitter, smoothing):
    settings = dk.Settings(
        steps=3, octaves=3, octave_ratio=1.5, tile=tile, jitter=jitter, smoothing=smoothing, seed=4
    )
    plain = list(loop._dream_steps(wavy, picture, settings))
    lean = list(_lean.dream_steps(wavy, picture.clone(), settings))
    assert len(plain) == len(lean) == 9
    assert all(torch.equal(one, other) for one, other in zip(plain, lean, strict=True))


@pytest.mark.parametrize("laplacian, chroma", [(3, 1.0), (0, 0.4), (2, 0.4)])
def test_both_forms_balance_the_gradient_alike(picture, laplacian, chroma):
    settings = dk.Settings(steps=3, octaves=2, laplacian=laplacian, chroma=chroma)
    batch = torch.cat([picture, picture.flip(-1) * 0.5])
    plain = list(loop._dream_steps(wavy, batch, settings))
    lean = list(_lean.dream_steps(wavy, batch.clone(), settings))
    assert all(torch.equal(one, other) for one, other in zip(plain, lean, strict=True))
    unchanged = list(loop._dream_steps(wavy, batch, dk.Settings(steps=3, octaves=2)))
    assert not torch.allclose(plain[-1], unchanged[-1], atol=1e-3)


def test_a_silent_picture_of_a_batch_stays_silent_in_place():
    gradient = torch.rand(2, 3, 8, 9, generator=torch.Generator().manual_seed(0)) - 0.5
    gradient[1] = 0
    plain = dk.smooth_laplacian(gradient, 2)
    assert torch.equal(_lean.smooth_laplacian_(gradient.clone(), 2), plain)
    assert not plain[1].any()


def test_both_forms_give_the_same_bytes_through_a_network(dreamnet):
    photo, settings = dk.sample("china", 96), dk.Settings(steps=2, octaves=2)
    score = dk.scorer(dreamnet, dk.layer("inception4c"))
    *_, plain = loop._dream_steps(score, photo, settings)
    *_, lean = _lean.dream_steps(score, photo, settings)
    assert torch.equal(plain, lean)


def test_octaves_of_one_size_and_no_steps(picture):
    for settings in (dk.Settings(steps=1, octaves=3, octave_ratio=1.0), dk.Settings(steps=0)):
        plain = list(loop._dream_steps(wavy, picture, settings))
        lean = list(_lean.dream_steps(wavy, picture, settings))
        assert [p.shape for p in plain] == [p.shape for p in lean]
        assert all(torch.equal(one, other) for one, other in zip(plain, lean, strict=True))


def test_a_large_picture_takes_the_lean_form(picture, monkeypatch):
    taken = []
    monkeypatch.setattr(_lean, "dream_steps", lambda *given: taken.append(given) or iter([]))
    settings = dk.Settings(steps=1, octaves=1)
    assert len(list(dk.dreaming(wavy, picture, settings))) == 1 and not taken
    monkeypatch.setattr(loop, "LARGE", picture.shape[-1] * picture.shape[-2] - 1)
    assert not list(dk.dreaming(wavy, picture, settings)) and len(taken) == 1


def test_strips_give_the_same_numbers(monkeypatch):
    image = torch.rand(1, 3, 300, 7, generator=torch.Generator().manual_seed(0)).double() - 0.4
    monkeypatch.setattr(_lean, "STRIP", 400)
    for plain, in_place in (
        (dk.normalize, _lean.normalize_),
        (lambda g: dk.roll(g, (-5, 3)), lambda g: _lean.roll_(g, (-5, 3))),
        (lambda g: dk.smooth(g, 2.0), lambda g: _lean.smooth_(g, 2.0)),
        (lambda g: dk.smooth_laplacian(g, 3), lambda g: _lean.smooth_laplacian_(g, 3)),
        (lambda g: dk.scale_chroma(g, 0.3), lambda g: _lean.scale_chroma_(g, 0.3)),
    ):
        assert torch.allclose(in_place(image.clone()), plain(image), rtol=0, atol=1e-12)


def test_strips_of_a_flat_gradient_are_not_divided(monkeypatch):
    monkeypatch.setattr(_lean, "STRIP", 400)
    for value in (0.0, 1e-3):
        flat = torch.full((1, 3, 300, 7), value)
        assert torch.equal(_lean.normalize_(flat.clone()), flat)


@pytest.mark.parametrize("height", [1, 2, 3, 5, 61, 64])
@pytest.mark.parametrize("strip", [1, 50, 130])
def test_bands_in_strips_of_any_height_are_those_of_the_whole(monkeypatch, height, strip):
    image = torch.rand(2, 3, height, 7, generator=torch.Generator().manual_seed(0)).double() - 0.4
    monkeypatch.setattr(_lean, "STRIP", strip)
    whole = dk.smooth_laplacian(image, 4)
    assert torch.allclose(_lean.smooth_laplacian_(image.clone(), 4), whole, rtol=0, atol=1e-12)
