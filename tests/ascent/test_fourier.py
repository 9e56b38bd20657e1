"""Pictures held as spectra: transform against NumPy, colours against photos, views, growth."""

import numpy as np
import pytest
import torch

import dreamkit as dk
from dreamkit.ascent import fourier


@pytest.mark.parametrize("height, width", [(8, 10), (9, 7), (2, 2)])
def test_the_picture_is_the_inverse_transform_by_numpy(height, width):
    held = fourier.spectrum(height, width, seed=1, strength=0.3).double()
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    weight = 0.25 / np.maximum(np.hypot(fy, fx), 1 / max(height, width))
    complex_ = (held[0, ..., 0] + 1j * held[0, ..., 1]).numpy() * weight
    planes = np.fft.irfft2(complex_, s=(height, width), norm="ortho")
    expected = 1 / (
        1
        + np.exp(
            -np.einsum("rc,chw->rhw", np.array(fourier.COLORS, np.float32).astype(float), planes)
        )
    )
    np.testing.assert_allclose(fourier.to_image(held, width)[0].numpy(), expected, atol=1e-6)


def test_the_colours_are_those_of_the_sample_photos():
    torch.testing.assert_close(
        torch.tensor(fourier.COLORS), fourier.color_directions(), atol=2e-3, rtol=0
    )


def test_noise_of_a_spectrum_is_a_faint_haze_of_any_size():
    for side in (32, 96):
        image = fourier.to_image(fourier.spectrum(side, side), side)
        assert 0.001 < float(image.std()) < 0.1 and abs(float(image.mean()) - 0.5) < 0.1


def test_views_that_move_nothing_change_nothing_and_a_shift_is_a_shift(picture):
    generator = torch.Generator().manual_seed(0)
    torch.testing.assert_close(
        fourier.random_view(picture, fourier.Views(0, 0, 0), generator), picture, atol=1e-5, rtol=0
    )
    seen = fourier.random_view(
        picture, fourier.Views(shift=5, scale=0, turn=0), torch.Generator().manual_seed(2)
    )
    generator.manual_seed(2)
    draws = [2 * torch.rand((), generator=generator).item() - 1 for _ in range(4)]
    dy, dx = 5 * draws[2], 5 * draws[3]
    y, x = 20, 24  # away from the borders, by bilinear interpolation by hand
    top, left = int(np.floor(y + dy)), int(np.floor(x + dx))
    fy, fx = y + dy - top, x + dx - left
    corner = picture[0, 0, top : top + 2, left : left + 2]
    expected = (
        corner * torch.tensor([[(1 - fy) * (1 - fx), (1 - fy) * fx], [fy * (1 - fx), fy * fx]])
    ).sum()
    assert abs(float(seen[0, 0, y, x] - expected)) < 1e-4


def test_growing_raises_the_score_and_repeats_itself(dreamnet):
    score = dk.scorer(dreamnet, dk.logit("king penguin"))
    pictures = list(fourier.growing(score, 48, 48, steps=25, seed=3))
    assert len(pictures) == 25 and pictures[0].shape == (1, 3, 48, 48)
    assert score(pictures[-1]) > score(pictures[0]) + 3
    assert all(p.min() >= 0 and p.max() <= 1 and not p.requires_grad for p in pictures)
    for again, first in zip(
        fourier.growing(score, 48, 48, steps=3, seed=3), pictures, strict=False
    ):
        assert torch.equal(again, first)


def test_one_step_of_adam_by_hand():
    """Adam's first step moves each coefficient by the rate, along its gradient's sign (2014)."""
    weights = torch.randn(1, 3, 6, 6, generator=torch.Generator().manual_seed(7))
    score = lambda x: (x * weights).sum()
    start = fourier.spectrum(6, 6, seed=2)
    (after,) = fourier.growing(
        score, 6, 6, steps=1, rate=0.05, views=fourier.Views(0, 0, 0), start=start
    )
    slope = dk.gradient(lambda c: score(fourier.to_image(c, 6)), start)
    expected = fourier.to_image(start + 0.05 * slope / (slope.abs() + 1e-8), 6)
    torch.testing.assert_close(after, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: fourier.spectrum(1, 8), "at least 2×2 pixels; given: 1×8"),
        (lambda: fourier.growing(lambda x: x.mean(), steps=-1), "steps must be 0 or more"),
        (lambda: fourier.growing(lambda x: x.mean(), rate=0), "rate above 0"),
    ],
)
def test_messages(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_callers_gradient_mode_is_left_alone_between_pictures():
    with torch.no_grad():
        for _ in fourier.growing(lambda x: x.mean(), 8, 8, steps=2):
            assert not torch.is_grad_enabled()
