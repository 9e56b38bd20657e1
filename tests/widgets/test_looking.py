"""The panel that draws what a layer sees at a place of a photo."""

import pytest
import torch

import dreamkit as dk
from dreamkit.inside import vector_pictures

from ..inside.colors import colors


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr("dreamkit.inside.channels_by_depth.Recipe.steps", 6)


@pytest.fixture
def photo():
    made = torch.zeros(1, 3, 24, 32)
    made[:, 0, :, :16], made[:, 1, :, 16:] = 1, 1  # red beside green
    return made


def test_what_is_seen_is_the_picture_of_the_features_there(photo):
    seen = dk.widgets.looked(colors(), photo, "0", 12, 3)
    (red,) = vector_pictures(colors(), "0", torch.tensor([[1.0, 0, 0]]))
    torch.testing.assert_close(seen.seen, red)
    assert seen.text == "0 at row 12, column 3. Strongest channels: 0, 1, 2"
    assert seen.photo.shape == photo.shape and not torch.equal(seen.photo, photo)  # it is marked


def test_the_small_picture_comes_first(photo):
    from dreamkit.widgets.looking import looking

    found = [update for update in looking(colors(), photo, "0", 12, 30) if update]
    small, large = (update.seen.shape[-1] for update in found)
    assert 2 * small == large
    assert all(update.seen[0, 1].mean() > update.seen[0, 0].mean() for update in found)


def test_a_silent_place_is_grey_and_says_so(photo):
    black = torch.zeros_like(photo)
    seen = dk.widgets.looked(colors(), black, "0", 0, 0)
    assert seen.text.endswith("It is silent there") and seen.seen.unique().tolist() == [0.5]


def test_the_sliders_move_the_place_and_a_known_place_is_not_drawn_again(photo, monkeypatch):
    with dk.widgets.look(colors(), photo, ["0"]) as panel:
        assert panel.text.value.count("row 12, column 16") == 1
        assert panel.pictures.value.count("<img") == 2
        panel.across.value = 4
        assert panel.wait(20) and panel.error is None
        assert "row 12, column 4" in panel.text.value
        never = lambda *given: pytest.fail("drawn again")
        monkeypatch.setattr("dreamkit.widgets.looking.looking", never)
        panel.across.value = 16
        assert panel.wait(20) and panel.error is None
        assert "row 12, column 16" in panel.text.value


def test_a_layer_without_maps_is_refused(photo):
    with pytest.raises(ValueError, match="'1' has no feature maps"):
        dk.widgets.look(colors(), photo, ["1"])
