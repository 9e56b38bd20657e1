"""The cells of many photos: which are drawn, where they lie, how many photos are held at a time."""

import weakref

import pytest
import torch

from dreamkit.inside.photo_cells import drawn_cells

from .colors import colors


def numbered(rows: int, columns: int, red: float) -> torch.Tensor:
    """A photo whose every cell tells its row (green) and its column (blue)."""
    photo = torch.full((1, 3, rows, columns), red)
    photo[0, 1] = torch.arange(rows)[:, None] / 100
    photo[0, 2] = torch.arange(columns) / 100
    return photo


def test_each_cell_is_the_one_of_the_photo_that_its_spot_names():
    photos = [numbered(7, 20, 0.25), numbered(30, 9, 0.75)]
    codes, spots = drawn_cells(colors(), photos, "0", seed=3, enough=160)
    assert codes.shape == (160, 3) and len(set(spots)) == 160
    for code, spot in zip(codes, spots, strict=True):
        first = spot.photo == "photo 0"
        assert (spot.rows, spot.columns) == ((7, 20) if first else (30, 9))
        expected = [0.25 if first else 0.75, spot.row / 100, spot.column / 100]
        torch.testing.assert_close(code, torch.tensor(expected))


def test_a_photos_cells_depend_on_the_seed_and_its_number_alone():
    photo = numbered(12, 12, 0.5)

    def spots(count: int, seed: int) -> list[list[tuple[int, int]]]:
        _, found = drawn_cells(colors(), [photo] * count, "0", seed, enough=120)
        names = [f"photo {n}" for n in range(count)]
        return [[s[1:3] for s in found if s.photo == name] for name in names]

    one, four = spots(1, 0), spots(4, 0)
    assert [len(each) for each in four] == [30] * 4
    assert four[0] == one[0][:30]  # however many photos follow
    assert len({tuple(each) for each in (*four, *spots(4, 1), *spots(4, 2**32 - 1))}) == 12


def test_photos_have_their_names_if_they_have_any():
    class Album(list):
        names = ("cat", "dog")

    _, spots = drawn_cells(colors(), Album([numbered(9, 9, 0.1)] * 2), "0", 0, 120)
    assert [spot.photo for spot in spots] == ["cat"] * 60 + ["dog"] * 60


def test_photos_are_taken_one_by_one_and_not_kept():
    made, most = [], []

    def photos():
        for _ in range(9):
            most.append(sum(each() is not None for each in made))
            photo = numbered(20, 20, 0.5)
            made.append(weakref.ref(photo))
            yield photo
            del photo

    codes, _ = drawn_cells(colors(), photos(), "0", 0, 180)
    assert len(codes) == 180 and len(made) == 9 and max(most) <= 1


@pytest.mark.parametrize("photos", [[], iter(())])
def test_no_photos_make_no_atlas(photos):
    with pytest.raises(ValueError, match="an atlas needs at least one photo; given: none"):
        drawn_cells(colors(), photos, "0", 0, 200)
