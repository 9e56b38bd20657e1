"""The page of an activation atlas: every picture at its place, names as text, nothing fetched."""

import pytest
import torch

import dreamkit as dk
from dreamkit.inside import Cells
from dreamkit.inside.atlas_page import Spot, atlas_page

from ..markup import Page

NASTY = "\"><script>alert(1)</script>'&"


@pytest.fixture
def cells():
    pictures = torch.arange(1, 4).view(3, 1, 1, 1).expand(3, 3, 16, 16) / 4
    nearest = ((Spot("cat", 2, 4, 8, 9), Spot("dog", 0, 1, 8, 9)), (Spot(NASTY, 1, 1, 2, 2),), ())
    places = torch.tensor([[0, 1], [2, 0], [2, 3]])
    return Cells("conv1", places, torch.eye(3), torch.tensor([7, 1, 3]), pictures, nearest)


def test_every_picture_stands_at_its_place_and_is_a_link_to_its_file(cells, tmp_path):
    path = cells.write(tmp_path / "map")
    assert path == tmp_path / "map/index.html"
    text = path.read_text("utf-8")
    page = Page(text)
    links = [link for link in page.all("a") if "id" in link]
    shown = [image for image in page.all("img") if "src" in image]
    assert [link["style"] for link in links] == [
        "grid-row: 1; grid-column: 2",
        "grid-row: 3; grid-column: 1",
        "grid-row: 3; grid-column: 4",
    ]
    for link, image, picture in zip(links, shown, cells.pictures, strict=True):
        assert link["href"] == image["src"]
        kept = dk.load_image(tmp_path / "map" / image["src"])
        torch.testing.assert_close(kept, picture[None], rtol=0, atol=0.51 / 255)
    assert dk.load_image(tmp_path / "map/atlas.png").shape == (1, 3, 3 * 18 - 2, 4 * 18 - 2)
    assert "://" not in text and not page.all("link") and "src" not in page.all("script")[0]


def test_words_tell_the_count_and_the_nearest_places_and_need_no_script(cells, tmp_path):
    text = cells.write(tmp_path, title="Mine").read_text("utf-8")
    words = [image["alt"] for image in Page(text).all("img") if "src" in image]
    assert words == [
        "row 0, column 1: 7 cells; nearest: cat, row 2 of 8, column 4 of 9; "
        "dog, row 0 of 8, column 1 of 9",
        f"row 2, column 0: 1 cell; nearest: {NASTY}, row 1 of 2, column 1 of 2",
        "row 2, column 3: 3 cells",
    ]
    assert "11 cells of photos" in text and "<h1>Mine</h1>" in text and ">7 · cat</a>" in text


def test_names_are_text(cells):
    page = atlas_page(NASTY, NASTY, [((0, 0), "a.png", 1, [Spot(NASTY, 0, 0, 1, 1)])])
    assert len(Page(page).all("script")) == 1
    assert "&lt;script&gt;alert(1)" in page and NASTY not in page


def test_pictures_that_are_kept_are_not_written_again(cells, tmp_path):
    from dataclasses import replace

    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/one.png").write_bytes(b"kept")
    replace(cells, files=("one.png", "two.png", "three.png")).write(tmp_path)
    assert (tmp_path / "pictures/one.png").read_bytes() == b"kept"
    assert (tmp_path / "pictures/two.png").exists() and 'src="pictures/three.png"' in (
        tmp_path / "index.html"
    ).read_text("utf-8")
    cells.write(tmp_path)  # by place: those of another atlas are written over
    cells.write(tmp_path)
    assert len(list((tmp_path / "pictures").iterdir())) == 6


@pytest.mark.browser
def test_click_and_arrow_keys_move_in_the_plane(cells, tmp_path):
    sync = pytest.importorskip("playwright.sync_api")
    from ..browser import CHROMIUM

    path = cells.write(tmp_path)
    with sync.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.goto(path.as_uri())
        page.locator("#s0-1").focus()
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.id") == "s2-0"  # over the empty row
        page.keyboard.press("Enter")
        assert page.locator("dialog p").inner_text().startswith("row 2, column 0: 1 cell;")
        page.keyboard.press("ArrowRight")
        assert page.locator("dialog p").inner_text() == "row 2, column 3: 3 cells"
        page.keyboard.press("ArrowRight")  # there is nothing further
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") == "s2-3"
        assert page.url.endswith("#s2-3") and not errors
        browser.close()
