"""Pictures for notebooks: what becomes of maps and signals."""

import pytest
import torch

import dreamkit as dk

from .inside.plain import Plain, of

inside = dk.inside


@pytest.fixture(scope="module")
def photo():
    return dk.sample("coffee", 40)[..., :24, 4:36].contiguous()  # [1, 3, 24, 32]


def test_maps_go_into_the_pictures(photo):
    network = of(Plain())
    assert dk.show.signed(
        torch.tensor([-2.0, 0, 2]).reshape(1, 3, 1, 1), 1.0
    ).flatten().tolist() == [0, 0.5, 1]
    assert (dk.show.signed(torch.zeros(1, 3, 2, 2)) == 0.5).all()
    colour = inside.guided_backprop(network, photo, 1)
    assert torch.equal(
        dk.show.overlay(photo, colour), dk.show.overlay(photo, colour[0].abs().amax(0))
    )
    assert torch.equal(
        dk.show.heat(inside.saliency(network, photo, 1)),
        dk.show.heat(inside.saliency(network, photo, 1)[0, 0]),
    )
    with pytest.raises(ValueError, match="a map must be"):
        dk.show.heat(colour[0])


def test_charts_are_jpegs_with_alt_text():
    curves = dk.show.curves(
        {"true": ([1, 2], [3, 4]), "promised": ([1, 2], [3, 5])},
        "x",
        "y",
        "two  curves",
        log="y",
        dashed=["promised"],
    )
    bars = dk.show.bars({"photos": [0.1, 0.3]}, "share", "one bar")
    for chart, alt in ((curves, "two curves"), (bars, "one bar")):
        assert chart.data[:2] == b"\xff\xd8" and chart.alt == alt
