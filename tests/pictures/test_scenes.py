"""Synthetic pictures: the same for the same seed, of any size, and they show what they should."""

import numpy as np
import pytest
import torch

import dreamkit as dk
from dreamkit.pictures.scenes import evening, forest, fractal, horizon, leaves, riverside

SCENES = (evening, horizon, forest, leaves, riverside)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("size", [(48, 64), (33, 20), (1, 1), (1, 9), (9, 1), (7, 2)])
def test_a_scene_is_a_picture_of_any_size(scene, size):
    picture = scene(*size)
    assert picture.shape == (1, 3, *size) and picture.dtype == torch.float32
    assert torch.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1


@pytest.mark.parametrize("scene", SCENES)
def test_the_seed_decides_and_nothing_else(scene):
    torch.manual_seed(1)
    first = scene(48, 64, seed=3)
    torch.manual_seed(2)
    assert torch.equal(first, scene(48, 64, seed=3))
    assert (first - scene(48, 64, seed=4)).abs().mean() > 0.02


@pytest.mark.parametrize("scene", SCENES)
def test_scenes_leave_the_global_generator_alone(scene):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    scene(20, 20)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("scene", SCENES)
def test_no_pixels_no_scene(scene):
    with pytest.raises(ValueError, match="at least 1×1 pixels; given: 0×5"):
        scene(0, 5)


@pytest.mark.parametrize("seed", range(4))
def test_the_horizon_lies_across_the_middle_under_a_blue_sky(seed):
    picture = horizon(120, 160, seed)[0]
    sky, land = picture[:, :20], picture[:, -40:]
    assert sky[2].mean() > sky[0].mean() + 0.05  # blue above
    assert land[1].mean() > land[2].mean() + 0.05  # green and brown below
    steps = picture.mean((0, 2)).diff().abs()  # brightness from row to row
    assert 60 <= int(steps[60:80].argmax()) + 60 <= 70 and sky.mean() > land.mean()


@pytest.mark.parametrize("seed", range(2))
def test_the_riverside_is_a_river_between_trees_and_a_lawn_in_dots(seed):
    picture = riverside(160, 240, seed)[0]
    river, lawn, crown = picture[:, 68:92, 60:], picture[:, 106:128, 40:72], picture[:, :24, :60]
    assert river[2].mean() > river[0].mean() + 0.15  # blue
    assert lawn[:2].mean() > lawn[2].mean() + 0.2 and crown.mean() < 0.3  # yellow-green, dark
    assert crown[1].mean() > crown[0].mean()
    # Dots: nearly one colour inside, another next door, so neighbours differ more than in a sky.
    assert lawn.diff(dim=2).abs().mean() > 0.04


@pytest.mark.parametrize("seed", range(4))
def test_a_forest_is_upright_and_leaves_are_not(seed):
    """Trunks: brightness changes far more across the picture than down it. Leaves: in all ways."""

    def uprightness(picture):
        grey = picture[0].mean(0)[10:80]
        return float(grey.diff(dim=1).abs().mean() / grey.diff(dim=0).abs().mean())

    assert uprightness(forest(120, 160, seed)) > 1.4
    assert 0.7 < uprightness(leaves(120, 160, seed)) < 1.4


@pytest.mark.parametrize("seed", range(4))
def test_leaves_are_mostly_green(seed):
    red, green, blue = leaves(120, 160, seed)[0].unbind()
    assert ((green > red) & (green > blue)).float().mean() > 0.6


def test_a_fractal_field_has_the_slope_it_was_asked_for():
    """NumPy fits a line to the logarithms of the field's spectrum and of the frequency."""
    for slope in (0.8, 1.7):
        field = fractal(256, 256, seed=1, slope=slope).numpy()
        power = np.abs(np.fft.fft2(field)) ** 2
        frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256) * 256, np.fft.fftfreq(256) * 256))
        chosen = (frequency > 3) & (frequency < 100)
        fitted = np.polyfit(np.log(frequency[chosen]), np.log(power[chosen]), 1)[0]
        assert abs(fitted + 2 * slope) < 0.1
        assert abs(field.mean()) < 1e-4 and abs(field.std() - 1) < 1e-4


def test_stretch_draws_a_field_out():
    wide, high = fractal(64, 64, stretch=6.0), fractal(64, 64, stretch=1 / 6)
    assert (
        wide.diff(dim=1).std() < wide.diff(dim=0).std()
        and high.diff(dim=0).std() < high.diff(dim=1).std()
    )


def test_scenes_are_reached_through_the_map():
    assert torch.equal(dk.scenes.leaves(16, 16, seed=2), leaves(16, 16, seed=2))


def test_a_thing_lies_among_its_pieces():
    thing = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(1))
    picture, mask = dk.scenes.among_its_pieces(thing, 20, 30, side=50, tile=4, seed=7)
    assert picture.shape == (1, 3, 50, 50) and torch.equal(
        picture[..., 25:27, 34:42], thing[..., 5:7, 4:12]
    )
    assert mask[26, 38] and not mask[20, 30] and not mask[:20].any() and not mask[:, 46:].any()
    assert set(picture[..., ~mask][0, 0].tolist()) <= set(thing[0, 0].flatten().tolist())
    assert torch.equal(
        picture, dk.scenes.among_its_pieces(thing, 20, 30, side=50, tile=4, seed=7)[0]
    )
    with pytest.raises(ValueError, match="does not fit"):
        dk.scenes.among_its_pieces(thing, 40, 0, side=50)
