"""Neuron groups, activation grids and atlases on pictures whose answers can be worked out."""

import numpy as np
import pytest
import torch

import dreamkit as dk
from dreamkit.inside import activation_atlas, activation_grid, neuron_groups, vector_pictures
from dreamkit.inside.cells import atlas_squares, atlas_vectors, grid_vectors
from dreamkit.inside.neuron_group import factorised

from .colors import colors

QUARTERS = torch.zeros(1, 3, 8, 8)  # red, green / blue, white
QUARTERS[0, 0, :4, :4], QUARTERS[0, 1, :4, 4:], QUARTERS[0, 2, 4:, :4] = 1, 1, 0.5
QUARTERS[0, :, 4:, 4:] = 1


@pytest.fixture(autouse=True)
def _few_steps(request, monkeypatch):
    if "slow" in request.keywords:  # workers would not know of it
        return
    monkeypatch.setattr("dreamkit.inside.channels_by_depth.Recipe.steps", 4)


# ---- groups


def test_a_picture_of_two_colours_has_two_groups():
    photo = torch.zeros(1, 3, 6, 9)
    photo[0, 0, :, :6], photo[0, 1, :, 6:] = 0.8, 0.5  # two thirds red, one third green
    found = neuron_groups(colors(), photo, "0", groups=2)
    np.testing.assert_allclose(found.directions, [[1, 0, 0], [0, 1, 0]], atol=1e-3)
    np.testing.assert_allclose(found.maps[0], photo[0, 0], atol=1e-3)
    np.testing.assert_allclose(found.maps[1], photo[0, 1], atol=1e-3)
    assert found.error < 1e-3 and found.layer == "0"
    assert found.pictures.shape[:2] == (2, 3)


def test_maps_are_never_negative_and_features_below_0_are_channels_of_their_own():
    photo = torch.rand(1, 3, 7, 5, generator=torch.Generator().manual_seed(0))
    for sign in (1, -1):
        maps, directions, error = factorised(colors(sign), photo, "0", 3)
        assert maps.shape == (3, 7, 5) and directions.shape == (3, 3)
        assert maps.min() >= 0 and (sign * directions).min() >= 0 and error < 0.05
        assert maps.sum((1, 2)).diff().max() <= 0  # the largest first
        rebuilt = torch.einsum("ghw,gc->chw", maps, directions)
        assert float((rebuilt - sign * photo[0]).norm() / photo.norm()) == pytest.approx(
            error, abs=1e-4
        )


@pytest.mark.parametrize("groups", [0, 36, 2.0, True])
def test_the_number_of_groups_is_checked(groups):
    with pytest.raises(ValueError, match="from 1 to 35, the cells of layer '0' here"):
        factorised(colors(), torch.rand(1, 3, 7, 5), "0", groups)


def test_groups_need_a_map_and_one_photo():
    with pytest.raises(ValueError, match="layer '1' has no feature map"):
        neuron_groups(colors(), torch.rand(1, 3, 7, 5), "1")
    with pytest.raises(ValueError, match="give one photo"):
        neuron_groups(colors(), torch.rand(2, 3, 7, 5), "0")


# ---- the grid


def test_each_vector_is_the_mean_of_its_part():
    places, vectors, counts = grid_vectors(colors(), QUARTERS, "0", 2)
    assert places.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert vectors.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0.5], [1, 1, 1]]
    assert counts.tolist() == [16] * 4
    _, one, _ = grid_vectors(colors(), QUARTERS, "0", (1, 2))
    np.testing.assert_allclose(one, [[0.5, 0, 0.25], [0.5, 1, 0.5]])


def test_a_cells_picture_is_that_of_its_direction_and_lies_at_its_place():
    grid = activation_grid(colors(), QUARTERS, "0", 2)
    (alone,) = vector_pictures(colors(), "0", torch.tensor([[0.0, 0, 0.5]]), small=True)
    torch.testing.assert_close(grid.pictures[2:3], alone, rtol=0, atol=1e-5)
    side = grid.pictures.shape[-1]
    page = grid.page()
    assert page.shape == (1, 3, 2 * side, 2 * side)
    assert torch.equal(page[..., side:, :side], grid.pictures[2:3])
    assert grid.page(gap=3).shape[-1] == 2 * side + 3


@pytest.mark.parametrize("cells", [0, 9, (2, 9), 1.5])
def test_there_are_no_more_parts_than_cells_of_the_map(cells):
    with pytest.raises(ValueError, match="the map of layer '0' has 8×8 here; given: "):
        grid_vectors(colors(), QUARTERS, "0", cells)


# ---- the atlas


def test_an_atlas_lays_out_what_is_alike_side_by_side():
    generator = torch.Generator().manual_seed(0)
    photos = [
        (0.1 * torch.rand(1, 3, 9, 9, generator=generator) + 0.9 * base.view(1, 3, 1, 1))
        for base in torch.eye(3)
    ]
    places, vectors, counts = atlas_vectors(colors(), photos, "0", side=4)
    assert places.max() < 4 and len(places) == len(vectors) == len(counts)
    assert counts.min() >= 2 and counts.sum() <= 3 * 81
    colour = vectors.argmax(1)  # each square holds one photo's cells only: they are far apart
    assert (vectors.max(1).values > 0.85).all() and colour.unique().tolist() == [0, 1, 2]
    for one in range(3):  # and the squares of one colour are neighbours
        own = places[colour == one].float()
        other = places[colour != one].float()
        assert torch.cdist(own, own).mean() < torch.cdist(own, other).mean()


def test_as_many_cells_are_taken_of_each_photo(monkeypatch):
    monkeypatch.setattr("dreamkit.inside.cells._ENOUGH", 120)
    flat = [torch.full((1, 3, side, side), value) for side, value in ((9, 0.2), (30, 0.8))]
    seen = []
    monkeypatch.setattr(
        "dreamkit.inside.cells.embedded",
        lambda codes, *rest: seen.append(codes) or torch.rand(len(codes), 2),
    )
    atlas_vectors(colors(), flat, "0", side=2)
    values, counts = seen[0][:, 0].unique(return_counts=True)
    np.testing.assert_allclose(values, [0.2, 0.8])
    assert counts.tolist() == [60, 60]


def test_an_atlas_has_a_picture_for_each_filled_square(tmp_path):
    photos = [dk.noise(12, 12, seed) for seed in range(2)]
    atlas = activation_atlas(colors(), photos, "0", side=3, folder=tmp_path, least=5)
    assert len(atlas.pictures) == len(atlas.places) == len(list(tmp_path.glob("*.png")))
    assert atlas.page().shape[-1] % atlas.pictures.shape[-1] == 0


def test_the_nearest_spots_of_a_square_are_those_nearest_to_its_mean(monkeypatch):
    """Of the cells (c / 100)², c from 0 to 99, the mean is 0.32835, between 57 and 58."""
    photo = torch.zeros(1, 3, 1, 100)
    photo[0, 0, 0] = (torch.arange(100) / 100) ** 2
    halves = lambda codes, *rest: (codes[:, :1] > 0.9).float().expand(-1, 2)
    monkeypatch.setattr("dreamkit.inside.cells.embedded", lambda codes, *rest: codes[:, :2] * 0)
    squares = atlas_squares(colors(), [photo], "0", side=1)
    np.testing.assert_allclose(squares.vectors, [[0.32835, 0, 0]], atol=1e-6)
    assert [spot.column for spot in squares.nearest[0]] == [57, 58, 56]
    monkeypatch.setattr("dreamkit.inside.cells.embedded", halves)
    squares = atlas_squares(colors(), [photo], "0", side=2)
    assert squares.places.tolist() == [[0, 0], [1, 1]] and squares.counts.tolist() == [95, 5]
    assert [spot.column for spot in squares.nearest[1]] == [97, 98, 96]  # mean 0.9411


def test_a_photo_may_come_without_a_length_and_a_seed_is_of_32_bits():
    photos = [dk.noise(12, 12, seed) for seed in range(2)]
    listed, streamed = (atlas_vectors(colors(), each, "0", 3) for each in (photos, iter(photos)))
    assert all(torch.equal(a, b) for a, b in zip(listed, streamed, strict=True))
    for seed in (-1, 2**32, 0.5):
        with pytest.raises(ValueError, match=f"from 0 to 4294967295; given: {seed}"):
            activation_atlas(colors(), photos, "0", seed=seed)


@pytest.mark.slow
def test_workers_change_no_byte_and_a_module_of_ones_own_travels(
    tiny_network, tmp_path, monkeypatch
):
    monkeypatch.setattr("dreamkit.inside.cells._ENOUGH", 300)
    photos = [dk.noise(40, 48, seed) for seed in range(3)]
    made = [
        activation_atlas(tiny_network, photos, "5", 4, folder=tmp_path / str(workers), **how)
        for workers, how in ((0, {}), (1, {"workers": 1}), (2, {"workers": 2}))
    ]
    assert len(made[0].pictures) > 12  # several batches
    for other in made[1:]:
        assert torch.equal(other.pictures, made[0].pictures) and other.nearest == made[0].nearest
        assert torch.equal(other.vectors, made[0].vectors) and other.files == made[0].files
    for name in made[0].files:
        (bytes_,) = {(tmp_path / folder / name).read_bytes() for folder in "012"}
        assert bytes_


@pytest.mark.parametrize(
    ("photos", "side", "message"),
    [
        ([], 4, "an atlas needs at least one photo; given: none"),
        ([torch.rand(1, 3, 9, 9)], 0, "side is a whole number from 1 to 64"),
        ([torch.rand(1, 3, 9, 9)], 4, "the photos have only 81 cells at '0'; 100 are needed"),
    ],
)
def test_what_makes_no_atlas_is_refused(photos, side, message):
    with pytest.raises(ValueError, match=message):
        atlas_vectors(colors(), photos, "0", side)
