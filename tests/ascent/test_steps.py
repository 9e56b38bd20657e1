"""The laws of the verbs on a gradient, without a network wherever one is not needed."""

import math
import warnings

import numpy as np
import pytest
import torch
from scipy import ndimage

import dreamkit as dk
from dreamkit.ascent import _lean

OVER = (1, 2, 3)


def values(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def picture(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def squares(x: torch.Tensor) -> torch.Tensor:
    return x.square().sum()


def wavy(x: torch.Tensor) -> torch.Tensor:
    """A mean over points of a curved function: its gradient differs from point to point."""
    return (3 * x + x.square()).sin().mean() if len(x) == 1 else sum(wavy(one[None]) for one in x)


# gradient


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradient_of_the_sum_of_squares_is_2x(dtype):
    image = picture(2, 3, 5, 7).to(dtype)
    found = dk.gradient(squares, image)
    assert torch.equal(found, 2 * image) and found.dtype == dtype


def test_gradient_agrees_with_finite_differences():
    image, h = picture(1, 3, 4, 3), 1e-6
    found = dk.gradient(wavy, image).flatten()
    for at in range(image.numel()):
        step = torch.zeros(image.numel(), dtype=torch.float64)
        step[at] = h
        slope = (wavy(image + step.view_as(image)) - wavy(image - step.view_as(image))) / (2 * h)
        assert found[at] == pytest.approx(float(slope), abs=1e-9)


def test_gradient_leaves_the_picture_alone():
    image = picture(1, 3, 4, 4)
    before = image.clone()
    with torch.no_grad():
        found = dk.gradient(squares, image)
    assert (
        torch.equal(image, before)
        and not image.requires_grad
        and image.grad is None
        and not found.requires_grad
    )
    mine = picture(1, 3, 4, 4).requires_grad_(True)
    dk.gradient(squares, mine)
    dk.tiled_gradient(squares, mine, tile=2, seed=0)
    assert mine.grad is None


@pytest.mark.parametrize(
    ("score", "image", "message"),
    [
        (
            lambda x: x.square(),
            picture(1, 3, 2, 2),
            r"a score must give one number \(a scalar tensor\); given: \(1, 3, 2, 2\)",
        ),
        (lambda x: 3.0, picture(1, 3, 2, 2), "a score must give one number .*; given: float"),
        (
            lambda x: torch.tensor(3.0),
            picture(1, 3, 2, 2),
            "the score does not depend on the picture",
        ),
        (
            lambda x: torch.ones((), requires_grad=True) * 2,
            picture(1, 3, 2, 2),
            "the score does not depend on the picture",
        ),
        (
            squares,
            torch.ones(1, 3, 2, 2, dtype=torch.uint8),
            "floating-point picture; given: torch.uint8",
        ),
        (squares, np.ones((1, 3, 2, 2)), "floating-point picture; given: ndarray"),
    ],
)
def test_gradient_says_what_is_wrong(score, image, message):
    with pytest.raises(ValueError, match=message):
        dk.gradient(score, image)


# tiled_gradient


@pytest.mark.parametrize("seed", [None, 0, 7])
@pytest.mark.parametrize("tile", [1, 2, 5, 8, 64])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (8, 16), (13, 3)])
def test_tiled_is_plain_for_a_pointwise_mean(size, tile, seed):
    image = picture(2, 3, *size)
    assert torch.allclose(
        dk.tiled_gradient(wavy, image, tile, seed), dk.gradient(wavy, image), atol=1e-15
    )


@pytest.mark.parametrize(("size", "tile"), [((10, 9), 4), ((8, 8), 8), ((9, 8), 8), ((5, 31), 7)])
def test_tiles_are_small_enough_and_of_nearly_equal_size(size, tile):
    seen = []

    def score(x):
        seen.append(tuple(x.shape[-2:]))
        return x.mean()

    dk.tiled_gradient(score, picture(1, 3, *size), tile)
    heights, widths = ([shape[axis] for shape in seen] for axis in (0, 1))
    assert sum(h * w for h, w in seen) == size[0] * size[1]
    assert len(seen) == math.ceil(size[0] / tile) * math.ceil(size[1] / tile)
    for sides in (heights, widths):
        assert max(sides) <= tile and max(sides) - min(sides) <= 1


def test_without_a_seed_seams_stay_and_with_one_they_move():
    def differences(x):
        return (
            (x[..., 1:] - x[..., :-1]).square().mean()
        )  # looks across points, so a tile's edge shows

    image = picture(1, 3, 4, 12)
    still = [dk.tiled_gradient(differences, image, 4) for _ in range(2)]
    assert torch.equal(*still)
    moving = [dk.tiled_gradient(differences, image, 4, seed) for seed in range(6)]
    assert torch.equal(moving[3], dk.tiled_gradient(differences, image, 4, 3))
    assert len({tuple(m.flatten().tolist()) for m in moving}) > 2


def test_tiles_of_numpy_integers_are_taken():
    image = picture(1, 3, 6, 6)
    assert torch.equal(
        dk.tiled_gradient(wavy, image, np.int64(4)), dk.tiled_gradient(wavy, image, 4)
    )


@pytest.mark.parametrize("tile", [0, -8, 2.5, True, None, "8"])
def test_tiled_says_what_is_wrong(tile):
    with pytest.raises(
        ValueError, match="tile is a side in pixels, a whole number of at least 1; given: "
    ):
        dk.tiled_gradient(squares, picture(1, 3, 8, 8), tile)


def test_a_tile_too_small_for_the_layer_is_a_clear_error():
    network = dk.load_network("dreamnet")
    score = dk.scorer(network, dk.layer(dk.layer_at(network, 1.0)))
    with pytest.raises(
        ValueError, match=r"a picture of 2×2 pixels .* is too small for layer .* at least"
    ):
        dk.tiled_gradient(score, picture(1, 3, 32, 32).float(), tile=2)


# normalize

NUMPY = {
    "std": lambda g, e=0.0: g / (g.std() + e),
    "mean_abs": lambda g, e=0.0: g / (np.abs(g).mean() + e),
    "rms": lambda g, e=0.0: g / (np.sqrt((g**2).mean()) + e),
    "standardize": lambda g, e=0.0: (g - g.mean()) / (g.std(ddof=1) + e),
}


@pytest.mark.parametrize("by", NUMPY)
def test_normalize_is_numpys_for_each_picture_by_itself(by):
    pair = (
        values(2, 3, 6, 5) * torch.tensor([1.0, 50.0], dtype=torch.float64).view(2, 1, 1, 1) + 0.3
    )
    found = dk.normalize(pair, by)
    assert found.dtype == torch.float64 and dk.normalize(pair.float(), by).dtype == torch.float32
    for one, theirs in zip(found.numpy(), pair.numpy(), strict=True):
        assert np.allclose(one, NUMPY[by](theirs), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("by", NUMPY)
@pytest.mark.parametrize("size", [1e-37, 1e-25, 1e-12, 1e12, 1e30])
def test_normalize_does_not_mind_the_scale(by, size):
    gradient = values(1, 3, 8, 8, dtype=torch.float32)
    assert torch.allclose(dk.normalize(gradient * size, by), dk.normalize(gradient, by), rtol=1e-4)


@pytest.mark.parametrize("by", NUMPY)
def test_zero_stays_zero_beside_one_that_is_not(by):
    pair = torch.cat([torch.zeros(1, 3, 4, 4), values(1, 3, 4, 4, dtype=torch.float32)])
    found = dk.normalize(pair, by)
    assert not found[0].any() and torch.allclose(found[1:], dk.normalize(pair[1:], by))


@pytest.mark.parametrize("value", [0.1, 0.7, 1 / 150528, -1e-20])
@pytest.mark.parametrize("by", ["std", "standardize"])
def test_rounding_errors_of_a_constant_are_not_blown_up(by, value):
    nearly = torch.full((1, 3, 224, 224), value)
    nearly[..., ::2] *= 1 + 2**-23  # the last bit of a float32, as a blur would leave it
    found = dk.normalize(nearly, by)
    assert torch.allclose(
        found, torch.full_like(found, value if by == "std" else 0.0), atol=1e-6 * abs(value)
    )


@pytest.mark.parametrize("by", ["mean_abs", "rms"])
def test_a_constant_becomes_one(by):
    assert torch.allclose(dk.normalize(torch.full((1, 3, 9, 9), -0.1), by), torch.tensor(-1.0))


@pytest.mark.parametrize("by", NUMPY)
def test_epsilon_is_added_to_the_divisor(by):
    gradient = values(1, 3, 5, 5)
    assert np.allclose(
        dk.normalize(gradient, by, epsilon=0.5).numpy(),
        NUMPY[by](gradient.numpy(), 0.5),
        atol=1e-13,
    )
    assert not dk.normalize(torch.zeros(1, 3, 4, 4), by, epsilon=1e-8).any()


def test_the_divisor_is_at_least_so_much():
    gradient = values(2, 3, 5, 5) * torch.tensor([1e-9, 1.0], dtype=torch.float64).view(2, 1, 1, 1)
    found = dk.normalize(gradient, by="mean_abs", least=1e-6)
    assert torch.allclose(found[0], gradient[0] / 1e-6) and torch.allclose(
        found[1:], dk.normalize(gradient[1:], by="mean_abs")
    )
    assert not dk.normalize(torch.zeros(1, 3, 4, 4), least=1e-6).any()


def test_normalize_says_what_is_allowed():
    with pytest.raises(
        ValueError, match="by must be one of std, mean_abs, standardize, rms; given: 'max'"
    ):
        dk.normalize(torch.ones(1, 3, 2, 2), by="max")


# smooth


@pytest.mark.parametrize("sigma", [0.05, 0.3, 0.5, 1.0, 1.7, 4.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 4), (24, 17)])
def test_smooth_is_scipys_gaussian_filter(size, sigma):
    gradient = values(2, 3, *size)
    theirs = ndimage.gaussian_filter(
        gradient.numpy(), (0, 0, sigma, sigma), mode="mirror", truncate=4
    )
    found = dk.smooth(gradient, sigma)
    assert np.abs(found.numpy() - theirs).max() < 1e-13 and found.dtype == torch.float64
    assert dk.smooth(gradient.float(), sigma).dtype == torch.float32


@pytest.mark.parametrize(("sigma", "radius"), [(2.5, 4), (0.5, 4), (1.0, 1)])
def test_smooth_with_a_radius_is_scipys(sigma, radius):
    gradient = values(1, 3, 24, 17)
    theirs = ndimage.gaussian_filter(
        gradient.numpy(), (0, 0, sigma, sigma), mode="mirror", radius=(0, 0, radius, radius)
    )
    assert np.abs(dk.smooth(gradient, sigma, radius).numpy() - theirs).max() < 1e-13


def test_smooth_by_zero_changes_nothing_and_a_flat_one_stays():
    gradient = values(1, 3, 6, 6)
    assert torch.equal(dk.smooth(gradient, 0), gradient)
    assert torch.allclose(dk.smooth(torch.full((1, 3, 7, 5), 0.4), 2.0), torch.tensor(0.4))


@pytest.mark.parametrize("sigma", [-0.1, math.nan, math.inf])
def test_smooth_says_what_is_wrong(sigma):
    with pytest.raises(ValueError, match="sigma is in pixels, 0 or more; given: "):
        dk.smooth(values(1, 3, 4, 4), sigma)


@pytest.mark.parametrize("radius", [-1, 1.5, True])
def test_smooth_says_what_is_wrong_with_a_radius(radius):
    with pytest.raises(
        ValueError, match="radius is in pixels, a whole number of at least 0; given: "
    ):
        dk.smooth(values(1, 3, 4, 4), 1.0, radius)


# smooth_laplacian


@pytest.mark.parametrize("levels", [0, 1, 4])
def test_every_band_comes_to_the_same_strength(levels):
    gradient = values(2, 3, 40, 33) * torch.tensor([1.0, 1e-20], dtype=torch.float64).view(
        2, 1, 1, 1
    )
    bands = dk.laplacian_split(gradient, levels)
    equal = [band / band.square().mean(OVER, keepdim=True).sqrt() for band in bands]
    assert torch.allclose(
        dk.smooth_laplacian(gradient, levels), dk.laplacian_merge(equal), atol=1e-12
    )


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (61, 97)])
def test_a_silent_band_stays_silent(size):
    assert not dk.smooth_laplacian(torch.zeros(1, 3, *size)).any()
    flat = dk.smooth_laplacian(
        torch.full((1, 3, *size), 0.3)
    )  # only its coarsest band holds anything
    assert torch.allclose(flat, torch.ones_like(flat), atol=1e-5)


def test_scale_chroma_keeps_luma_and_scales_the_rest():
    gradient = torch.tensor([[0.5, -1.0, 2.0], [0.25, 0.5, 4.0]]).view(2, 3, 1, 1)
    luma = [0.299 * 0.5 - 0.587 + 0.114 * 2, 0.299 * 0.25 + 0.587 * 0.5 + 0.114 * 4]
    for share in (0.0, 0.4, 1.0, 2.0):
        by_hand = [
            [y + share * (v - y) for v in rgb.flatten().tolist()]
            for y, rgb in zip(luma, gradient, strict=True)
        ]
        ours = dk.scale_chroma(gradient, share).view(2, 3)
        assert torch.allclose(ours, torch.tensor(by_hand), atol=1e-6)
    assert dk.scale_chroma(gradient, 1.0) is gradient


@pytest.mark.parametrize("share", [-0.1, float("nan"), float("inf")])
def test_scale_chroma_says_what_is_wrong(share):
    with pytest.raises(ValueError, match=r"share is a number, 0 or more; given: "):
        dk.scale_chroma(torch.zeros(1, 3, 4, 4), share)


def test_smooth_laplacian_says_what_is_wrong():
    with pytest.raises(ValueError, match="levels must be a whole number, 0 or more; given: -1"):
        dk.smooth_laplacian(values(1, 3, 4, 4), levels=-1)


# roll and ascend


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (0, 4), (-3, 5), (100, -7), (np.int64(2), 1)])
def test_roll_there_and_back(shift):
    image = picture(2, 3, 6, 9)
    there = dk.roll(image, shift)
    assert np.array_equal(there.numpy(), np.roll(image.numpy(), tuple(shift), axis=(2, 3)))
    assert torch.equal(dk.roll(there, (-shift[0], -shift[1])), image)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_in_place_is_the_same_for_batches_in_any_layout(layout):
    for verb, changed in (
        (dk.roll, _lean.roll_),
        (dk.smooth, _lean.smooth_),
        (dk.normalize, _lean.normalize_),
    ):
        image = picture(2, 3, 6, 9).contiguous(memory_format=layout)
        argument = {dk.roll: [(2, -3)], dk.smooth: [1.0], dk.normalize: []}[verb]
        expected = verb(image.clone(), *argument)
        assert not torch.equal(expected, image)
        found = changed(image, *argument)
        assert found.data_ptr() == image.data_ptr() and torch.allclose(
            image, expected, rtol=0, atol=1e-14
        )


@pytest.mark.parametrize("shift", [3, (1,), (1, 2, 3), (0.5, 1), None])
def test_roll_says_what_is_wrong(shift):
    with pytest.raises(
        ValueError, match=r"a shift is two whole numbers \(dy, dx\), in pixels; given: "
    ):
        dk.roll(picture(1, 3, 4, 4), shift)


def test_ascend_steps_and_clamps_and_leaves_its_arguments_alone():
    image, direction = picture(2, 3, 5, 5), values(2, 3, 5, 5)
    kept = image.clone(), direction.clone()
    found = dk.ascend(image, direction, 0.5)
    assert np.allclose(
        found.numpy(), np.clip(image.numpy() + 0.5 * direction.numpy(), 0, 1), atol=1e-15
    )
    assert found.min() == 0 and found.max() == 1 and found.dtype == torch.float64
    assert torch.equal(image, kept[0]) and torch.equal(direction, kept[1])
    assert torch.equal(dk.ascend(image, direction, 0.0), image)
    assert torch.equal(dk.ascend(image, direction, 0.5, clip=False), image + 0.5 * direction)


def test_a_batch_of_two_equals_one_by_one():
    pair = picture(2, 3, 12, 10)

    def step(image):
        uphill = dk.gradient(wavy, image)
        return dk.ascend(
            image, dk.normalize(dk.smooth(uphill, 0.7)) + dk.smooth_laplacian(uphill, 2), 0.05
        )

    assert torch.allclose(step(pair), torch.cat([step(one[None]) for one in pair]), atol=1e-14)


def test_the_verbs_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for by in NUMPY:
            dk.normalize(dk.smooth(torch.zeros(1, 3, 1, 1), 1.0), by)


@pytest.mark.parametrize("by", ["std", "mean_abs", "rms", "standardize"])
def test_normalize_divides_a_gradient_of_one_pixel(by):
    """One value of 786,432: its mean |g| is below float32's epsilon times the value itself."""
    one = torch.zeros(1, 3, 512, 512)
    one[0, 0, 5, 5] = 3.0
    found = dk.normalize(one, by)
    expected = {"mean_abs": one.numel(), "rms": one.numel() ** 0.5}.get(by, one.numel() ** 0.5)
    assert float(found.max()) == pytest.approx(expected, rel=1e-3)


def test_normalize_divides_a_bfloat16_gradient():
    values = torch.linspace(1.0, 1.5, 192, dtype=torch.float64).view(1, 3, 8, 8).bfloat16()
    found = dk.normalize(values).float()
    assert float(found.std(correction=0)) == pytest.approx(1.0, rel=0.02)
