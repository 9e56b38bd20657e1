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
        (lambda: fourier.growing(lambda x: x.mean(), noise=-1), "noise must be 0 or more"),
        (lambda: fourier.growing(lambda x: x.mean(), count=0), "count 1 or more; given: 0, 0"),
        (lambda: fourier.Prior(power=-1), "a power of at least 0"),
        (lambda: fourier.Prior(limits=(0, 0.4)), r"limits above 0; given: 1.0, inf, \(0, 0.4\)"),
    ],
)
def test_messages(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_prior_weighs_by_its_power_and_keeps_the_mean_square():
    held = fourier.spectrum(12, 10, seed=1, strength=0.3)
    planes = planes_of(fourier.to_image(held, 10, fourier.Prior(power=1.5)))
    fy, fx = np.fft.fftfreq(12)[:, None], np.fft.rfftfreq(10)[None]
    frequency = np.maximum(np.hypot(fy, fx), 1 / 12)
    weight = frequency**-1.5
    weight *= np.sqrt(np.mean((0.25 / frequency) ** 2) / np.mean(weight**2))
    complex_ = (held[0, ..., 0] + 1j * held[0, ..., 1]).numpy() * weight
    expected = np.fft.irfft2(complex_, s=(12, 10), norm="ortho")
    np.testing.assert_allclose(planes, expected, atol=1e-4)


def planes_of(image: torch.Tensor) -> np.ndarray:
    """The planes [3, H, W] of the uncorrelated colours of a picture, by NumPy."""
    x = image[0].numpy().astype(float)
    return np.einsum("cr,rhw->chw", np.linalg.inv(np.array(fourier.COLORS)), np.log(x / (1 - x)))


def test_no_frequency_is_above_the_limit_which_rises_to_its_last_value_at_seven_tenths():
    prior = fourier.Prior(limits=(0.1, 0.4))
    assert [round(prior.limit(done), 6) for done in (0, 0.35, 0.7, 1)] == [0.1, 0.175, 0.4, 0.4]
    held, frequency = (
        fourier.spectrum(16, 16, 2, 0.3),
        np.hypot(np.fft.fftfreq(16)[:, None], np.fft.rfftfreq(16)[None]),
    )
    for done, limit in ((0, 0.1), (0.35, 0.175), (1, 0.4)):
        loud = abs(np.fft.rfft2(planes_of(fourier.to_image(held, 16, prior, done))))
        assert loud[:, frequency > limit].max() < 1e-3 < loud[:, frequency <= limit].min()


def test_growth_with_a_cap_is_no_louder_than_photos():
    prior, score = fourier.Prior(cap=0.5), lambda x: (x[..., 1:] - x[..., :-1]).square().sum()
    (*_, free), (*_, capped) = (
        fourier.growing(score, 24, 24, 12, 0.5, fourier.Views(0, 0, 0), prior=how)
        for how in (None, prior)
    )
    frequency = np.hypot(np.fft.fftfreq(24)[:, None], np.fft.rfftfreq(24)[None]).clip(1 / 24)
    scale, power = np.array(fourier.AMPLITUDES).T[..., None, None]
    most = 0.5 * scale / frequency**power
    loud = lambda image: abs(np.fft.rfft2(planes_of(image), norm="ortho"))
    inner = np.s_[:, :, 1:12]  # the first and last column are tied by the picture being real
    assert (loud(capped) <= most * 1.01)[inner].all() and (loud(free) > most)[inner].any()


def test_each_step_sees_so_many_views_under_noise_that_fades():
    seen = []
    score = lambda x: seen.append(x.detach()) or x.mean()
    list(
        fourier.growing(
            score, 8, 8, steps=4, rate=1e-9, views=fourier.Views(0, 0, 0), noise=0.2, count=3
        )
    )
    assert len(seen) == 12
    grain = [float((view - seen[-1].mean()).std()) for view in seen]
    for step, expected in enumerate((0.2, 0.15, 0.1, 0.05)):
        assert all(abs(one - expected) < 0.05 for one in grain[3 * step : 3 * step + 3])
    assert not torch.equal(seen[0], seen[1])


def test_the_rate_falls_along_a_cosine_to_a_tenth():
    """With a constant gradient each step of Adam is as long as its rate."""
    start, ways = torch.zeros(1, 3, 4, 3, 2).double(), []
    for cosine in (False, True):
        pictures = list(
            fourier.growing(
                lambda x: x[:, 0].sum() * 1e4,
                4,
                4,
                20,
                1e-5,
                fourier.Views(0, 0, 0),
                start=start,
                cosine=cosine,
            )
        )
        ways.append([float(p[0, 0, 0, 0]) - 0.5 for p in pictures])
    constant, falling = (np.diff(way) for way in ways)
    rates = [0.55 + 0.45 * np.cos(np.pi * step / 20) for step in range(1, 20)]
    np.testing.assert_allclose(falling / constant, rates, atol=0.02)


def test_a_batch_grows_as_each_alone(dreamnet):
    rows = lambda indices: lambda x: dk.capture(dreamnet, x, "")[""][range(len(x)), indices].sum()
    start = fourier.spectrum(32, 32, 1)
    grow = lambda indices: list(
        fourier.growing(
            rows(indices),
            32,
            32,
            3,
            views=fourier.Crops(24),
            noise=0.1,
            count=2,
            start=start.expand(len(indices), -1, -1, -1, -1),
            prior=fourier.Prior(1.2, 2.0),
        )
    )[-1]
    both = grow([3, 30])
    torch.testing.assert_close(both, torch.cat([grow([3]), grow([30])]), atol=1e-3, rtol=0)
    assert (both[0] - both[1]).abs().max() > 0.02


def test_the_callers_gradient_mode_is_left_alone_between_pictures():
    with torch.no_grad():
        for _ in fourier.growing(lambda x: x.mean(), 8, 8, steps=2):
            assert not torch.is_grad_enabled()
