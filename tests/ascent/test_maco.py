"""MACO: the amplitudes are those of photos at every step, only the phases change."""

import math

import numpy as np
import pytest
import torch

from dreamkit.ascent.fourier import growing
from dreamkit.ascent.maco import from_phases, growing_phases, phases
from dreamkit.ascent.photo_statistics import AMPLITUDES, COLORS
from dreamkit.ascent.views import Views

STILL = Views(0, 0, 0)


def amplitudes(picture):
    """The amplitudes [3, H, W // 2 + 1] of a picture's uncorrelated colours, by NumPy."""
    values = picture[0].double().numpy()
    planes = np.einsum(
        "dr,rhw->dhw", np.linalg.inv(np.array(COLORS)), np.log(values / (1 - values))
    )
    return np.abs(np.fft.rfft2(planes, norm="ortho"))


def expected(height, width):
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.maximum(np.hypot(fy, fx), 1 / max(height, width))
    made = np.stack([scale / frequency**power for scale, power in AMPLITUDES])
    made[:, 0, 0] = 0
    return made


def test_the_amplitudes_are_those_of_photos():
    picture = from_phases(phases(16, 20, seed=1).double(), 20)
    found, wanted = amplitudes(picture), expected(16, 20)
    inner = np.s_[:, :, 1:-1]  # a real picture has no free phase in the first and last column
    np.testing.assert_allclose(found[inner], wanted[inner], rtol=1e-5)
    assert found[:, 0, 0].max() < 1e-6


def test_phases_are_even_from_minus_pi_to_pi():
    found = phases(32, 32, seed=0, batch=4)
    assert found.shape == (4, 3, 32, 17)
    assert -math.pi <= found.min() < -3 and 3 < found.max() <= math.pi
    assert float(found.std()) == pytest.approx(2 * math.pi / math.sqrt(12), rel=0.02)


def test_the_score_rises_and_the_amplitudes_stay():
    bright = lambda views: views[:, :, 4:8, 4:8].mean()
    made = list(growing_phases(bright, 16, 16, 20, views=STILL, noise=0, batch=2))
    assert len(made) == 20 and made[0].shape == (2, 3, 16, 16)
    assert bright(made[-1]) > bright(made[0]) + 0.05
    inner = np.s_[:, :, 1:-1]
    np.testing.assert_allclose(amplitudes(made[-1])[inner], expected(16, 16)[inner], rtol=1e-3)


def test_numbers_are_checked_before_anything_grows():
    for wrong in ({"steps": -1}, {"rate": 0}, {"noise": -1}, {"count": 0}):
        with pytest.raises(ValueError, match="must be 0 or more"):
            growing_phases(lambda x: x.sum(), 8, 8, **wrong)


def test_a_picture_beside_is_seen_in_the_same_view():
    seen = []
    grey = torch.full((1, 3, 12, 12), 0.5)
    ramp = torch.linspace(0.2, 0.8, 12).expand(1, 3, 12, 12)

    def score(both):
        seen.append(both.detach())
        return both[:1].mean()

    start = torch.zeros(1, 3, 12, 7, 2)  # draws mid-grey
    list(growing(score, 12, 12, 2, start=start, views=Views(3, 0.1, 5), noise=0.1, beside=grey))
    assert [tuple(both.shape) for both in seen] == [(2, 3, 12, 12)] * 2
    torch.testing.assert_close(seen[0][0], seen[0][1])  # the same view, under the same noise
    seen.clear()
    list(growing(score, 12, 12, 1, start=start, views=Views(3, 0, 0), beside=ramp))
    assert not torch.allclose(seen[0][1], ramp[0], atol=1e-3)  # it was shifted too
