"""The panel with a grey square over the picture."""

import pytest
import torch

import dreamkit as dk

from ..inside.plain import Plain, of

inside = dk.inside


@pytest.fixture(scope="module")
def photo():
    return dk.sample("coffee", 40)[..., :24, 4:36].contiguous()  # [1, 3, 24, 32]


def test_the_panel_says_what_the_square_changes(photo):
    network = of(Plain())
    with dk.widgets.cover(network, photo, "c", ["relu2", "relu3"]) as panel:
        assert (
            panel.layer.value == "relu3"
            and "probability of c" in panel.text.value
            and panel.pictures.value.count("<img") == 3
        )
        before = panel.text.value
        panel.size.value, panel.down.value, panel.across.value = 16, 12, 16
        assert panel.wait(20) and panel.error is None and panel.text.value != before
        view = dk.widgets.covered_view(network, photo, 2, "relu3", panel.channel.value, 12, 16, 16)
        assert (
            torch.equal(view.picture, inside.covered(photo, 12, 16, 16))
            and view.text.splitlines()[0] in panel.text.value
        )
        panel.layer.value = "relu2"
        assert panel.wait(20) and panel.error is None and "relu2" in panel.text.value
    with pytest.raises(ValueError, match="'fc' has no feature maps"):
        dk.widgets.cover(network, photo, layers=["fc"])
