"""The constants are what is measured on the sample photos."""

import torch

from dreamkit.ascent import photo_statistics


def test_the_amplitudes_are_those_of_the_sample_photos():
    found, held = photo_statistics.photo_amplitudes(), torch.tensor(photo_statistics.AMPLITUDES)
    torch.testing.assert_close(found, held, atol=2e-3, rtol=0)


def test_the_spectrum_of_a_wave_is_at_its_frequency():
    """A faint wave of 12 periods: the sigmoid's slope at a half is a quarter."""
    wave = 0.5 + 0.01 * torch.cos(2 * torch.pi * 12 * torch.arange(192) / 192)
    photo = wave.expand(1, 3, 192, 192)
    spectrum = photo_statistics._spectrum_of(photo, 192)
    assert (spectrum.amax((1, 2)) == spectrum[:, 0, 12]).all()
    colors = torch.linalg.inv(torch.tensor(photo_statistics.COLORS).double()).sum(1)
    # the amplitude of a real wave is shared by two frequencies; a Hann window halves its sum, and
    # is divided by the root of its mean square, which is 3/8 on each axis
    expected = colors.abs() * 0.04 / 2 * 192 / 4 / (3 / 8)
    torch.testing.assert_close(spectrum[:, 0, 12], expected, rtol=0.02, atol=0)
