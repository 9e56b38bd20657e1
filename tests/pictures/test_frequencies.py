"""Power spectra: of waves whose frequency is known."""

import pytest
import torch

import dreamkit as dk


def wave(down, across, height=48, width=64):
    """A wave of so many cycles down and across the field."""
    rows, columns = torch.arange(height)[:, None] / height, torch.arange(width) / width
    return torch.cos(2 * torch.pi * (down * rows + across * columns)).expand(1, 3, -1, -1)


@pytest.mark.parametrize(("down", "across"), [(12, 0), (0, 16), (9, 12)])
def test_the_strongest_ring_is_that_of_the_wave(down, across):
    frequency, power = dk.spectrum(wave(down, across) + 5.0, rings=12)
    wanted = ((down / 48) ** 2 + (across / 64) ** 2) ** 0.5
    assert abs(float(frequency[power.argmax()]) - wanted) < 1 / 24


def test_the_share_of_two_waves_is_that_of_their_squared_amplitudes():
    field = 2 * wave(4, 4) + wave(18, 8)
    assert dk.fine_share(field) == pytest.approx(1 / 5, abs=0.01)
    assert dk.fine_share(field, limit=0.45) == pytest.approx(0, abs=0.01)


def test_the_share_of_noise_is_that_of_the_area():
    noise = torch.randn(4, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    assert dk.fine_share(noise) == pytest.approx(1 - torch.pi / 16, abs=0.01)


def test_a_gradient_between_opposite_borders_is_no_fine_detail():
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    assert dk.fine_share(ramp) < 1e-4
