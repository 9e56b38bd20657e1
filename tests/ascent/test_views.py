"""Random crops: place and scale by hand on a ramp, mirrored edges, and what is refused."""

import pytest
import torch

from dreamkit.ascent.views import Crops, random_view


def ramp(height: int, width: int) -> torch.Tensor:
    """A picture [1, 3, height, width] whose channels hold the row, the column and a half."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([rows, columns, torch.full_like(rows, 0.5)])[None].float()


def test_a_crop_of_the_whole_at_its_own_size_is_the_picture(picture):
    square = picture[..., :40, :40]
    seen = random_view(square, Crops(40, 1, 1, 0), torch.Generator().manual_seed(1))
    torch.testing.assert_close(seen, square, atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_a_crop_of_a_ramp_is_a_ramp_that_lies_inside_it(seed):
    seen = random_view(ramp(32, 48), Crops(8, 0.5, 0.5, 0), torch.Generator().manual_seed(seed))
    assert seen.shape == (1, 3, 8, 8)  # of a crop of 16×16 pixels: two pixels a step
    rows, columns = seen[0, 0], seen[0, 1]
    torch.testing.assert_close(rows.diff(dim=0), torch.full((7, 8), 2.0), atol=1e-4, rtol=0)
    torch.testing.assert_close(columns.diff(dim=1), torch.full((8, 7), 2.0), atol=1e-4, rtol=0)
    # the middle of the first of eight cells of a crop [0, 16] is 1, a half more than pixel 0.5
    assert 0.5 <= float(rows[0, 0]) <= 32 - 16 + 0.5 and 0.5 <= float(columns[0, 0]) <= 32.5


def test_crops_lie_all_over_the_picture():
    generator = torch.Generator().manual_seed(0)
    left = [
        float(random_view(ramp(32, 48), Crops(8, 0.5, 0.5, 0), generator)[0, 1, 0, 0])
        for _ in range(60)
    ]
    assert min(left) < 4 and max(left) > 29


def test_what_a_crop_sees_beyond_the_edge_is_mirrored():
    """Twice the picture's side, anywhere: each row of the ramp is seen about twice."""
    seen = random_view(ramp(32, 32), Crops(64, 2, 2, 0), torch.Generator().manual_seed(3))
    assert float(seen[:, :2].min()) >= 0 and float(seen[:, :2].max()) <= 31
    slopes = seen[0, 1, 5].diff()
    assert (slopes > 0.9).sum() >= 28 and (slopes < -0.9).sum() >= 28


def test_a_turned_crop_of_a_ramp_rises_along_the_turned_axis():
    view = Crops(16, 0.5, 0.5, 40)
    seen = random_view(ramp(64, 64), view, torch.Generator().manual_seed(2))[0, 1]
    across, down = float(seen.diff(dim=1).mean()), float(seen.diff(dim=0).mean())
    assert across**2 + down**2 == pytest.approx(4, abs=1e-3)  # two pixels a step, in any direction
    assert 0.05 < abs(down) < 2 * torch.sin(torch.tensor(40 * torch.pi / 180))


def test_all_pictures_of_a_batch_are_seen_alike(picture):
    both = torch.cat([picture, 1 - picture])
    seen = random_view(both, Crops(24), torch.Generator().manual_seed(0))
    torch.testing.assert_close(seen[1], 1 - seen[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("wrong", [(0,), (8, 0.0), (8, 0.9, 0.5)])
def test_crops_that_see_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="0 < least <= most; given: "):
        Crops(*wrong)
