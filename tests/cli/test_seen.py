"""`dreamkit grid`, `groups` and `caricature`: sheets, passports, and what is refused."""

import re

import pytest
import torch

import dreamkit as dk
from dreamkit import passport
from dreamkit.cli import seen
from dreamkit.cli.app import call

pytestmark = pytest.mark.usefixtures("loaded_once")

SMALL = ["--network", "dreamnet", "--side", "48", "--layer", "inception4c"]


@pytest.fixture(autouse=True)
def _quick(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dreamkit.inside.channels_by_depth.Recipe.steps", 4)
    monkeypatch.setattr(seen, "STEPS", 2)


COUNTS = {"grid": ["--cells", "3"], "groups": ["--groups", "2"], "caricature": []}


def command(made):
    return [made, "china", *SMALL, *COUNTS[made]]


@pytest.mark.parametrize("made", ["grid", "groups", "caricature"])
def test_a_sheet_is_made_and_made_again(made, capsys):
    assert call(command(made)) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(rf"{made}\.png: {made} of china at inception4c, [\d.]+ s\n", out)
    told = passport.command(dk.read_passport(f"{made}.png"))
    words = ["china", "--network", "dreamnet", "--layer", "inception4c", *COUNTS[made]]
    assert told == " ".join(["dreamkit", made, *words, "--seed", "0", "--side", "48"])
    assert call(["again", f"{made}.png"]) == 0
    assert "greatest difference 0 of 255 grey levels" in capsys.readouterr().out


def test_the_grid_keeps_the_photos_shape_and_its_parts_are_square():
    assert call(command("grid")) == 0  # 48×32: three columns, two rows
    sheet = dk.load_image("grid.png")
    side = sheet.shape[-2] // 2
    assert sheet.shape[-2:] == (2 * side, 6 * side + 8)
    assert float(sheet[..., 3 * side : 3 * side + 8].min()) == 1  # the white between


def test_groups_stand_below_the_photo_lit_where_they_are_active():
    assert call(command("groups")) == 0
    height, width = dk.load_image("groups.png").shape[-2:]
    side = (width - 8) // 2
    assert (height, width) == (round(side * 32 / 48) + 8 + side, 2 * side + 8)


def test_a_caricature_stands_beside_its_photo():
    assert call(command("caricature")) == 0
    sheet, photo = dk.load_image("caricature.png"), dk.sample("china", 48)
    assert sheet.shape[-2:] == (32, 48 + 8 + 48)
    torch.testing.assert_close(sheet[..., :48], photo, rtol=0, atol=0.51 / 255)


def test_the_seed_changes_the_picture():
    for seed in ("0", "1"):
        assert call([*command("caricature"), "--seed", seed, "-o", f"{seed}.png"]) == 0
    assert not torch.equal(dk.load_image("0.png"), dk.load_image("1.png"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["grid", "china", *SMALL, "--cells", "0"], "--cells is a whole number from 1 to 24"),
        (["groups", "china", *SMALL, "--groups", "25"], "--groups is a whole number from 1 to 24"),
        (["grid", "china", *SMALL[:4], "--layer", "fc"], "layer 'fc' has no feature map"),
        (["grid", "china", *SMALL, "--cells", "24"], "the map of layer 'inception4c' has"),
        (["caricature", "nothing.jpg", *SMALL], "nothing.jpg"),
        (["groups", "china", *SMALL, "-o", "groups.txt"], "groups.txt"),
        (["grid", "china", *SMALL, "--seed", "-1"], "seed"),
        (["grid", "china", *SMALL[:4], "--layer", "conv9"], "unknown layer 'conv9'"),
    ],
)
def test_bad_requests_end_with_one_line_and_status_2(words, message, capsys, tmp_path):
    assert call(words) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1 and not list(tmp_path.iterdir())
