"""Orientation selectivity against gratings shown to the filter."""

import math

import pytest
import torch

from dreamkit import orientation_selectivity


def grating(angle, frequency, side=11, phase=0.0):
    y, x = torch.meshgrid(*[torch.arange(side, dtype=torch.float64) - side // 2] * 2, indexing="ij")
    return torch.cos(2 * math.pi * frequency * (x * math.cos(angle) + y * math.sin(angle)) + phase)


def windowed(angle, frequency=0.2, side=11):
    y, x = torch.meshgrid(*[torch.arange(side, dtype=torch.float64) - side // 2] * 2, indexing="ij")
    return grating(angle, frequency, side) * torch.exp(-(x**2 + y**2) / (2 * 2.5**2))


@pytest.mark.parametrize("angle", [0.0, 0.4, math.pi / 4, math.pi / 2, 2.5])
def test_a_grating_is_selective_whatever_its_direction(angle):
    flat = windowed(angle).expand(1, 3, 11, 11)
    plaid = (windowed(angle) + windowed(angle + math.pi / 2)).expand(1, 3, 11, 11)
    upright = orientation_selectivity(windowed(0.0).expand(1, 3, 11, 11)).item()
    assert (
        orientation_selectivity(flat).item() == pytest.approx(upright, abs=0.01) and upright > 0.85
    )
    assert orientation_selectivity(plaid).item() < 0.1


def test_blobs_flat_colours_and_nothing_prefer_no_direction():
    y, x = torch.meshgrid(*[torch.arange(11.0) - 5] * 2, indexing="ij")
    blob = torch.exp(-(x**2 + y**2) / 8).expand(1, 3, 11, 11)
    flat = torch.tensor([1.0, -2.0, 0.5]).view(1, 3, 1, 1).expand(1, 3, 11, 11)
    assert orientation_selectivity(blob).item() < 0.02
    assert orientation_selectivity(flat).item() == 0
    assert orientation_selectivity(torch.zeros(1, 3, 5, 5)).item() == 0


def test_it_agrees_with_gratings_shown_to_the_filter():
    """The filter's response to gratings of both phases at the same frequencies, summed by hand."""
    filters = torch.randn(3, 3, 7, 7, generator=torch.Generator().manual_seed(5)).double()
    filters[1] = windowed(0.7, side=7)
    for number, wanted in enumerate(orientation_selectivity(filters).tolist()):
        weights = filters[number] - filters[number].mean((1, 2), keepdim=True)
        pull, total = 0j, 0.0
        for fy in range(-16, 16):
            for fx in range(-16, 16):
                frequency, angle = math.hypot(fy, fx) / 32, math.atan2(fy, fx)
                if 0 < frequency < 0.5:
                    shown = [grating(angle, frequency, 7, phase) for phase in (0.0, math.pi / 2)]
                    energy = sum(float((weights * g).sum((1, 2)).square().sum()) for g in shown)
                    total += energy
                    pull += energy * complex(math.cos(2 * angle), math.sin(2 * angle))
        assert wanted == pytest.approx(abs(pull) / total, abs=1e-6)


def test_filters_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"filters must be \[C, 3, k, k\]"):
        orientation_selectivity(torch.zeros(3, 5, 5))
