"""Pictures of directions, caricatures: what grows, what is kept, what is refused."""

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.inside import caricature_picture, vector_pictures

from .colors import colors


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr("dreamkit.inside.channels_by_depth.Recipe.steps", 40)


def test_a_direction_in_the_space_of_colours_is_that_colour():
    vectors = torch.tensor([[1.0, 0, 0], [0, 1, 1]])
    (pictures,) = vector_pictures(colors(), "0", vectors)
    red, cyan = pictures.mean((2, 3))
    assert red[0] > red[1:].max() + 0.1 and cyan[1:].min() > cyan[0] + 0.1


def test_small_pictures_have_half_the_side():
    large, small = (
        next(vector_pictures(colors(), "0", torch.ones(1, 3), s)) for s in (False, True)
    )
    assert large.shape[-1] == 2 * small.shape[-1]


def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch():
    vectors = torch.tensor([[1.0, 0, 0], [0, 1, 1]])
    (both,) = vector_pictures(colors(), "0", vectors, small=True)
    (alone,) = vector_pictures(colors(), "0", vectors[1:], small=True)
    torch.testing.assert_close(both[1:], alone, rtol=0, atol=1e-5)


def test_pictures_come_in_batches_and_are_taken_from_the_folder(tmp_path, monkeypatch):
    vectors = torch.rand(14, 3, generator=torch.Generator().manual_seed(0))
    made = list(vector_pictures(colors(), "0", vectors, True, folder=tmp_path / "kept"))
    assert [len(batch) for batch in made] == [12, 2]
    assert len(list((tmp_path / "kept").iterdir())) == 14
    never = lambda *given: pytest.fail("drawn again")
    monkeypatch.setattr("dreamkit.inside.directions._grown", never)
    again = list(vector_pictures(colors(), "0", vectors, True, folder=tmp_path / "kept"))
    torch.testing.assert_close(torch.cat(again), torch.cat(made), rtol=0, atol=0.5 / 255 + 1e-6)


def test_other_weights_have_other_files(tmp_path):
    for network in (colors(), colors(-1)):
        list(vector_pictures(network, "0", torch.ones(1, 3), True, folder=tmp_path))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (torch.ones(2, 4), r"directions in layer '0' are \[K, 3\]; given: \[2, 4\]"),
        (torch.ones(3), r"directions in layer '0' are \[K, 3\]; given: \[3\]"),
        (torch.ones(0, 3), r"directions in layer '0' are \[K, 3\]; given: \[0, 3\]"),
        (torch.zeros(1, 3), "finite numbers that are not all 0"),
        (torch.full((1, 3), torch.nan), "finite numbers that are not all 0"),
    ],
)
def test_what_are_no_directions_is_refused_before_anything_grows(vectors, message):
    with pytest.raises(ValueError, match=message):
        vector_pictures(colors(), "0", vectors)


# ---- caricatures


def test_a_caricature_has_the_photos_size_and_goes_towards_its_colours():
    photo = torch.zeros(1, 3, 64, 96)
    photo[:, 0, :, :48], photo[:, 2, :, 48:] = 1, 1  # red beside blue
    found = caricature_picture(colors(), photo, "0", steps=40)
    assert found.shape == photo.shape
    left, right = found[0, :, :, :40].mean((1, 2)), found[0, :, :, 56:].mean((1, 2))
    assert left[0] > left[2] + 0.05 and right[2] > right[0] + 0.05


def test_the_same_seed_gives_the_same_caricature():
    photo = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    made = [caricature_picture(colors(), photo, "0", steps=2, seed=seed) for seed in (3, 3, 4)]
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


def test_a_caricature_is_of_one_photo_at_a_layer_with_a_map():
    with pytest.raises(ValueError, match="give one photo"):
        caricature_picture(colors(), torch.rand(2, 3, 64, 64), "0")
    with pytest.raises(ValueError, match="layer '1' has no feature map"):
        caricature_picture(colors(), dk.noise(64, 64), "1")


def test_a_direction_that_noise_does_not_wake_is_drawn_all_the_same():
    """Its ReLU is silent for grey noise: redirected, the gradient finds the way up."""
    module = nn.Sequential(nn.Conv2d(3, 1, 1), nn.ReLU())
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1))
        module[0].bias.fill_(-0.9)  # active only where red is above 0.9
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1), "sleeper")
    (picture,) = vector_pictures(network, "1", torch.ones(1, 1))
    red, green, blue = picture.mean((0, 2, 3))
    assert red > max(green, blue) + 0.1
