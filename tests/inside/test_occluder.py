"""Occlusion panels and their chart, square by square."""

import pytest
import torch

import dreamkit as dk

from .plain import Plain, of

inside = dk.inside


def test_panels_are_what_each_square_does(photo):
    network = of(Plain())
    panels = inside.occlusion_panels(
        network, photo, "c", "relu3", size=10, stride=8, others=[photo.flip(3)]
    )
    assert panels.probability.shape == panels.activity.shape == panels.best.shape == (1, 1, 3, 4)
    whole = dk.capture(network, photo, ("relu3", ""))
    assert (
        panels.channel == int(whole["relu3"][0].sum((1, 2)).argmax())
        and panels.name(panels.index) == "c"
    )
    assert panels.uncovered == pytest.approx(
        (float(whole["relu3"][0, panels.channel].sum()), float(whole[""].softmax(1)[0, 2])),
        rel=1e-5,
    )
    for row in range(3):
        for column in range(4):
            grey = photo.clone()
            top, left = 8 * row + 4 - 5, 8 * column + 4 - 5
            for y in range(max(0, top), min(24, top + 10)):
                grey[0, :, y, max(0, left) : min(32, left + 10)] = 0.5
            seen = dk.capture(network, grey, ("relu3", ""))
            assert float(panels.activity[0, 0, row, column]) == pytest.approx(
                float(seen["relu3"][0, panels.channel].sum()), rel=1e-4
            )
            assert float(panels.probability[0, 0, row, column]) == pytest.approx(
                float(seen[""].softmax(1)[0, 2]), rel=1e-4
            )
            assert int(panels.best[0, 0, row, column]) == int(seen[""].argmax())
    assert torch.equal(panels.projection, inside.project(network, photo, "relu3", panels.channel))
    ((other, signal),) = panels.others
    assert torch.equal(signal, inside.project(network, other, "relu3", panels.channel))
    assert dk.inside.occlusion_chart(photo, panels).alt.startswith(
        "A grey square slides over the picture: the probability of c"
    )


def test_wrong_arguments_raise_errors(photo):
    network = of(Plain())
    for call, message in (
        (
            lambda: inside.occlusion_panels(network, photo.repeat(2, 1, 1, 1)),
            "one picture .* is needed",
        ),
        (lambda: inside.occlusion_panels(network, photo, size=0), "given: size 0, stride 4"),
        (lambda: inside.occlusion_panels(network, photo, 4), "class 4 is out of range"),
        (lambda: inside.occlusion_panels(network, photo, layer="fc"), "'fc' has no feature maps"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
