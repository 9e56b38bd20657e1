"""Blurs along an axis, and the two of a pyramid: SciPy and the definition are the oracles."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from scipy import ndimage

from dreamkit.pictures.filters import (
    ACROSS,
    BINOMIAL,
    DOWN,
    correlate,
    enlarge,
    halve,
    mirror_pad,
)

SIDES = some.integers(1, 9)


def picture(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height * 100 + width)
    return torch.randn(2, 3, height, width, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("axis", [DOWN, ACROSS])
@pytest.mark.parametrize("kernel", [(1.0,), (0.25, 0.5, 0.25), BINOMIAL])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_blur_along_an_axis_is_scipys(axis, kernel, layout):
    image = picture(8, 7).contiguous(memory_format=layout)
    theirs = ndimage.correlate1d(image.numpy(), kernel, axis=axis)
    margin = len(kernel) // 2
    inner = torch.from_numpy(theirs).narrow(axis, margin, image.shape[axis] - 2 * margin)
    torch.testing.assert_close(correlate(image, kernel, axis), inner)
    every = inner[..., ::2, :] if axis == DOWN else inner[..., ::2]
    torch.testing.assert_close(correlate(image, kernel, axis, step=2), every)


@given(SIDES, SIDES)
def test_halve_is_scipys_blur_of_every_second_pixel(height, width):
    image = picture(height, width)
    blurred = image.numpy()
    for axis in (DOWN, ACROSS):  # SciPy takes no mirror of a single pixel
        if image.shape[axis] > 1:
            blurred = ndimage.correlate1d(blurred, BINOMIAL, axis=axis, mode="mirror")
    torch.testing.assert_close(halve(image), torch.from_numpy(blurred)[..., ::2, ::2])


@given(SIDES, SIDES)
def test_enlarge_blurs_zeros_away_and_stays_flat(height, width):
    small = picture((height + 1) // 2, (width + 1) // 2)
    spread, comb = np.zeros((2, 3, height, width)), np.zeros((height, width))
    spread[..., ::2, ::2], comb[::2, ::2] = small, 1
    kernel = np.outer(BINOMIAL, BINOMIAL)
    blur = lambda x: ndimage.correlate(
        x, kernel.reshape((1,) * (x.ndim - 2) + (5, 5)), mode="constant"
    )
    ours = enlarge(small, torch.empty(2, 3, height, width))
    torch.testing.assert_close(ours, torch.from_numpy(blur(spread) / blur(comb)))


def test_all_of_it_has_a_gradient():
    image = picture(5, 4).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: enlarge(halve(x), x), image)


@pytest.mark.parametrize("length", [1, 2, 3, 5])
@pytest.mark.parametrize("margin", [0, 1, 2, 4, 9])
def test_mirror_pad_is_numpy_reflect_by_any_margin(length, margin):
    image = picture(4, length)
    theirs = np.pad(image.numpy(), ((0, 0), (0, 0), (2, 2), (margin, margin)), mode="reflect")
    assert np.array_equal(mirror_pad(image, 2, margin).numpy(), theirs)
