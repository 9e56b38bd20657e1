"""Sizes and pyramids, against OpenCV, SciPy and answers worked out by hand."""

import math

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage

import dreamkit as dk
from dreamkit.pictures.scales import octave_sizes

SIZES = [(1, 1), (1, 2), (2, 2), (1, 7), (3, 2), (8, 8), (9, 7), (16, 5), (33, 40)]


def picture(
    height: int, width: int, batch: int = 1, dtype: torch.dtype = torch.float64
) -> torch.Tensor:
    return torch.rand(
        batch,
        3,
        height,
        width,
        generator=torch.Generator().manual_seed(height * 100 + width),
        dtype=dtype,
    )


def planes(image: torch.Tensor) -> np.ndarray:
    """[H, W, 3] of the first picture, as OpenCV and SciPy like it."""
    return image[0].permute(1, 2, 0).numpy().copy()


@pytest.mark.parametrize(
    ("factors", "size"),
    [((2, 2), (8, 10)), ((3, 4), (12, 16)), ((1, 5), (7, 20)), ((6, 1), (18, 5))],
)
def test_area_is_the_mean_of_each_block(factors, size):
    image = picture(*size)
    (fy, fx), (height, width) = factors, size
    blocks = image.reshape(1, 3, height // fy, fy, width // fx, fx).mean((3, 5))
    assert torch.allclose(dk.resize(image, (height // fy, width // fx)), blocks, atol=1e-14)


@pytest.mark.parametrize("size", [(9, 13), (23, 31), (5, 8)])
def test_area_enlarges_as_bilinear_does(size):
    image = picture(5, 8)
    assert torch.equal(dk.resize(image, size), dk.resize(image, size, how="bilinear"))


def test_area_treats_each_side_by_itself():
    image = picture(8, 6)
    halved = image.reshape(1, 3, 4, 2, 6).mean(3)
    assert torch.allclose(
        dk.resize(image, (4, 11)), dk.resize(halved, (4, 11), how="bilinear"), atol=1e-14
    )


@pytest.mark.parametrize("size", [(7, 9), (20, 33), (40, 12), (1, 1), (13, 18)])
def test_bilinear_is_opencv_inter_linear(size):
    image = picture(13, 17)
    theirs = cv2.resize(planes(image), size[::-1], interpolation=cv2.INTER_LINEAR)
    assert (
        np.abs(planes(dk.resize(image, size, how="bilinear")) - theirs).max() < 1e-6
    )  # OpenCV's weights are float32


@pytest.mark.parametrize("size", [(7, 9), (20, 33), (40, 12), (26, 34), (1, 1)])
def test_corners_is_scipy_zoom_of_order_one(size):
    image = picture(13, 17)
    theirs = ndimage.zoom(
        planes(image), (size[0] / 13, size[1] / 17, 1), order=1, grid_mode=False, mode="nearest"
    )
    assert theirs.shape[:2] == size
    assert np.abs(planes(dk.resize(image, size, how="corners")) - theirs).max() < 1e-12


def test_bicubic_stays_in_the_range_of_each_picture():
    step = torch.zeros(2, 3, 8, 8)
    step[0, ..., 4:], step[1, ..., 4:] = 1.0, 0.5
    large = dk.resize(step, (21, 21), how="bicubic")
    assert large[0].max() == 1 and large[1].max() == 0.5 and large.min() == 0


@pytest.mark.parametrize("how", ["area", "bilinear", "corners", "bicubic"])
def test_resize_batch_dtype_flatness_and_identity(how):
    pair = picture(9, 12, batch=2)
    together = dk.resize(pair, (14, 7), how)
    assert torch.allclose(
        together, torch.cat([dk.resize(one[None], (14, 7), how) for one in pair]), atol=1e-15
    )
    assert together.dtype == torch.float64 and together.shape == (2, 3, 14, 7)
    assert dk.resize(pair.float(), (14, 7), how).dtype == torch.float32
    assert torch.allclose(
        dk.resize(torch.full((1, 3, 9, 12), 0.3), (14, 7), how), torch.tensor(0.3)
    )
    assert dk.resize(pair, (9, 12), how) is pair


@pytest.mark.parametrize(
    ("size", "how", "message"),
    [
        ((4, 4), "cubic", "how must be one of area, bilinear, corners, bicubic; given: 'cubic'"),
        ((0, 4), "area", "a picture has at least 1×1 pixels; given: 0×4"),
        (
            (4.5, 4),
            "area",
            r"a size is two whole numbers \(height, width\), in pixels; given: \(4.5, 4\)",
        ),
        (4, "area", r"a size is two whole numbers \(height, width\), in pixels; given: 4"),
        (
            (4, 4, 3),
            "area",
            r"a size is two whole numbers \(height, width\), in pixels; given: \(4, 4, 3\)",
        ),
    ],
)
def test_resize_says_what_is_wrong(size, how, message):
    with pytest.raises(ValueError, match=message):
        dk.resize(picture(5, 5), size, how)


def test_octaves_of_the_2015_sky():
    assert octave_sizes(575, 1024, 4, 1.4) == [(210, 373), (293, 522), (411, 731), (575, 1024)]


@pytest.mark.parametrize(
    ("count", "ratio"), [(1, 1.4), (4, 1.4), (5, 1.3), (3, 2.0), (3, 1.0), (20, 2.0)]
)
def test_octaves_run_from_small_to_large_and_end_with_the_picture(count, ratio):
    image = picture(33, 40)
    found = dk.octaves(image, count, ratio)
    assert [tuple(o.shape[-2:]) for o in found] == [
        (max(1, round(33 / ratio**k)), max(1, round(40 / ratio**k)))
        for k in range(count - 1, -1, -1)
    ]
    assert found[-1] is image
    assert all(
        torch.equal(o, dk.resize(image, o.shape[-2:])) for o in found
    )  # each from the original, none from another octave


@pytest.mark.parametrize(
    ("count", "ratio"),
    [(0, 1.4), (-2, 1.4), (1.5, 1.4), (True, 1.4), (3, 0.5), (3, 0), (3, math.nan), (3, math.inf)],
)
def test_octaves_say_what_is_wrong(count, ratio):
    with pytest.raises(
        ValueError,
        match="octaves need a whole count of at least 1 and a ratio of at least 1; given: ",
    ):
        dk.octaves(picture(5, 5), count, ratio)


@pytest.mark.parametrize("levels", [0, 1, 2, 4, 7])
@pytest.mark.parametrize("size", SIZES)
def test_split_and_merge_is_the_identity(size, levels):
    image = picture(*size, batch=2)
    bands = dk.laplacian_split(image, levels)
    assert len(bands) == levels + 1
    assert torch.allclose(dk.laplacian_merge(bands), image, atol=1e-14)


def test_split_by_hand():
    line = torch.tensor(
        [[[[0.0, 16.0, 0.0, 0.0, 0.0]]]], dtype=torch.float64
    )  # one row: the column kernel changes nothing
    band, rest = dk.laplacian_split(line, 1)
    # Mirrored, the line is 0 16 | 0 16 0 0 0 | 0 0; the kernel 1 4 6 4 1 over 16, at every second
    # pixel, gives 8, 4, 0.
    assert torch.allclose(rest, torch.tensor([[[[8.0, 4, 0]]]], dtype=torch.float64))
    # Enlarged: even pixels have weight 6, and 1 to each side; odd pixels have 4 and 4. Each is
    # divided by the sum of its weights.
    up = torch.tensor([(6 * 8 + 4) / 7, 6, (8 + 6 * 4) / 8, 2, 4 / 7], dtype=torch.float64)
    assert torch.allclose(band[0, 0, 0], line[0, 0, 0] - up)


@pytest.mark.parametrize("size", SIZES)
def test_a_flat_picture_has_only_the_coarsest_band(size):
    *fine, rest = dk.laplacian_split(torch.full((1, 3, *size), 0.3, dtype=torch.float64), 3)
    assert all(band.abs().max() < 1e-15 for band in fine)
    assert torch.allclose(rest, torch.tensor(0.3, dtype=torch.float64))


def test_each_band_holds_its_own_frequencies():
    x = torch.arange(128, dtype=torch.float64)
    for level, period in enumerate((4, 10, 20, 40)):
        wave = torch.sin(2 * torch.pi * x / period).expand(1, 3, 128, 128)
        energy = [float(band.square().mean()) for band in dk.laplacian_split(wave, 4)]
        assert int(np.argmax(energy)) == level, (period, energy)


@pytest.mark.parametrize("levels", [-1, 1.5, True])
def test_split_says_what_is_wrong(levels):
    with pytest.raises(ValueError, match="levels must be a whole number, 0 or more; given: "):
        dk.laplacian_split(picture(5, 5), levels)


def test_merge_wants_bands_from_fine_to_coarse():
    bands = dk.laplacian_split(picture(9, 7), 2)
    for wrong in ([], bands[::-1], bands[::2]):
        with pytest.raises(
            ValueError, match="bands go from fine to coarse, each half the size of the one before"
        ):
            dk.laplacian_merge(wrong)
