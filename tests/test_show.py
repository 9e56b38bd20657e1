"""Pictures for notebooks: what becomes of maps and signals."""

import base64
import io
import re

import PIL.Image
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


def test_a_spotlight_lights_what_the_map_marks():
    picture = torch.zeros(1, 3, 4, 8)
    picture[:, 0] = 0.6  # red everywhere
    lit = dk.show.spotlight(picture, torch.tensor([[4.0, -1.0]]), dark=0.5)
    assert torch.allclose(lit[0, :, 2, 0], torch.tensor([0.6, 0.0, 0.0]), atol=1e-6)
    assert torch.allclose(lit[0, :, 2, 7], torch.full((3,), 0.1))  # half of the mean of the three
    dark = dk.show.spotlight(picture, torch.zeros(1, 2), dark=0.5)
    assert torch.allclose(dark, torch.full_like(dark, 0.1))


def test_a_mosaic_has_gutters_and_white_where_tiles_are_missing():
    black = torch.zeros(1, 3, 5, 7)
    page = dk.show.mosaic([black] * 3, columns=2, count=4, side=8, gap=2)
    assert page.shape == (1, 3, 18, 18)
    assert page[..., :8, :8].sum() == 0 and page[..., 10:, :8].sum() == 0
    assert page[..., 8:10, :].min() == page[..., :, 8:10].min() == page[..., 10:, 10:].min() == 1
    assert dk.show.mosaic([], count=9, side=4, gap=1).shape == (1, 3, 14, 14)
    assert dk.show.mosaic([black] * 4, columns=2, count=2, side=8).shape[-2] == 8


def test_lines_show_runs_chance_and_alt_text():
    shown = dk.show.lines(
        {"a": [1, 2], "b": [[0, 1], [2, 5]]}, ("low", "high"), "two lines", chance=0.5, ylim=(0, 5)
    )
    assert shown.alt == "two lines" and shown.data[:2] == b"\xff\xd8"


def test_a_film_loops_and_rests_where_no_motion_is_wanted():
    frames = [torch.full((1, 3, 6, 8), value) for value in (0.0, 0.5, 1.0)]
    shown = dk.show.film(frames, 'from "black"\n to white', fps=10).data
    assert 'alt="from &quot;black&quot; to white"' in shown and 'width="8" height="6"' in shown
    quiet, moving = (_decoded(part) for part in re.findall('base64,([^"]+)', shown))
    assert (moving.format, moving.n_frames, moving.info["loop"]) == ("WEBP", 3, 0)
    moving.seek(1)
    moving.load()  # Pillow knows the duration of a frame once it is decoded
    assert moving.info["duration"] == 100 and abs(moving.convert("L").getpixel((3, 3)) - 128) < 3
    assert quiet.n_frames == 1 and quiet.convert("L").getpixel((3, 3)) > 250  # the last frame
    first, _ = (_decoded(p) for p in re.findall('base64,([^"]+)', _first(frames)))
    assert first.convert("L").getpixel((3, 3)) < 5


def _first(frames):
    return dk.show.film(frames, "the first at rest", still=0).data


def _decoded(base):
    return PIL.Image.open(io.BytesIO(base64.b64decode(base)))


def test_a_film_that_cannot_be_shown_says_why():
    small, large = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 4)
    with pytest.raises(ValueError, match="frames of one size; given: no frames"):
        dk.show.film([], "nothing")
    with pytest.raises(ValueError, match="frames of one size; given: 2×2, 2×4"):
        dk.show.film([small, large], "two sizes")
    with pytest.raises(ValueError, match=r"fps .frames a second. must be from 1 to 50; given: 0"):
        dk.show.film([small], "still", fps=0)
