"""The panels in JupyterLab in Chromium, from the keyboard: lessons 01 and 08 as shipped."""

import os
import shutil
import time
from pathlib import Path

import pytest

import dreamkit as dk

from ..browser import CHROMIUM, Notebook, lab

pytestmark = pytest.mark.browser

LESSONS = Path(__file__).parents[2] / "notebooks"
SHOTS = os.environ.get("DREAMKIT_SHOTS")  # a folder for pictures of the panels, for people
SMALL = """
import dreamkit as dk
network, photo = dk.load_network("dreamnet"), dk.sample("china", 160)
---
blurred = lambda sigma: (dk.smooth(photo, sigma), f"blurred by {sigma}")
dk.widgets.slide("smoothing σ (pixels)", [0.0, 1.0, 2.0], blurred)
---
dk.widgets.compare(network, photo, values=[0, 1, 2], objective=dk.layer("conv2"))
---
def make(value):
    if value:
        raise ValueError("<b>not</b> that one")
    return photo
dk.widgets.slide("broken", [0, 1], make)
---
dk.widgets.cover(network, photo)
---
settings = dk.atlas.PictureSettings(side=24, steps=2, batch=3)
made = dk.atlas(network, ["conv1", "conv2"], "atlas", channels=range(3), settings=settings)
dk.widgets.atlas(made.folder)
---
dk.widgets.look(network, photo, ["conv2", "inception3b"])
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a JupyterLab and its folder: copies of the lessons and a small notebook."""
    pytest.importorskip("playwright.sync_api", reason="the playwright package is not installed")
    if not Path(CHROMIUM).exists():
        if os.environ.get("DREAMKIT_REQUIRE_BROWSER"):
            pytest.fail(f"no Chromium at {CHROMIUM}")
        pytest.skip(f"no Chromium at {CHROMIUM}; on Debian: apt-get install chromium")
    import nbformat

    folder, private = tmp_path_factory.mktemp("served"), tmp_path_factory.mktemp("jupyter")
    for lesson in LESSONS.glob("0[18]_*.ipynb"):
        shutil.copy(lesson, folder)
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in SMALL.split("---\n")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "small.ipynb")
    with lab(folder, private) as address:
        yield address, folder


@pytest.fixture
def opened(served):
    """Opens a notebook by name; at the end nothing may have been complained of in the console."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1100})
        made = []

        def notebook(name):
            made.append(Notebook(page, served[0], name))
            return made[-1]

        yield notebook
        complaints = [text for each in made for text in each.complaints]
        browser.close()
    assert complaints == []


def status(panel) -> str:
    return panel.locator("[role=status]").first.inner_text()


def picture(panel) -> tuple[str, int]:
    """(alt text, width in the file) of the panel's first picture."""
    image = panel.locator("img").first
    return image.get_attribute("alt"), image.evaluate(
        "image => image.decode().then(() => image.naturalWidth)"
    )


def slider(panel, label: str):
    """The handle, which takes the keyboard, of the slider so labelled."""
    row = panel.locator(
        ".widget-hslider, .widget-inline-hbox", has=panel.page.get_by_text(label, exact=True)
    ).first
    return row.locator("[role=slider]")


def button(panel, name: str):
    return panel.get_by_role("button", name=name, exact=True)


def until(page, condition, seconds: float = 60) -> float:
    """Seconds until the condition held."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it never came about"
        page.wait_for_timeout(5)
    return time.monotonic() - begun


def scroll_bars(panel) -> list[str]:
    """The boxes of the panel that hold more than they show."""
    return panel.evaluate("""area => [...area.querySelectorAll('.jupyter-widgets')].filter(box =>
        /auto|scroll/.test(getComputedStyle(box).overflow)
        && (box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1))
        .map(box => box.className)""")


def shot(notebook, panel, name: str) -> None:
    if SHOTS:
        notebook.screenshot(panel, Path(SHOTS) / f"{name}.png")


def no_errors(notebook) -> bool:
    kinds = ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr")
    return all(
        notebook.page.locator(f".jp-OutputArea [data-mime-type='{kind}']").count() == 0
        for kind in kinds
    )


def lesson(number: str) -> str:
    found = sorted(LESSONS.glob(f"{number}_*.ipynb"))
    assert found, f"lesson {number} is not built: python notebooks/build.py {number}"
    return found[0].name


def test_lesson_01_the_layer_slider_moves_by_keyboard(opened):
    notebook = opened(lesson("01"))
    before = notebook.panel("dk.widgets.explore(")
    assert picture(before)[1] > 0 and picture(before)[0].startswith(
        "Feature map of"
    )  # as saved, before anything has run
    assert before.locator("button, [role=slider]").count() == 0
    notebook.run_all()
    assert no_errors(notebook)
    panel = notebook.panel("dk.widgets.explore(")
    until(notebook.page, lambda: panel.locator("[role=slider]").count() == 2)
    for label in ("layer", "channel", "layer"):
        alt = picture(panel)[0]
        slider(panel, label).focus()
        notebook.page.keyboard.press("ArrowLeft")
        until(notebook.page, lambda old=alt: picture(panel)[0] != old, 20)
        until(notebook.page, lambda: status(panel) == "ready")
    said = panel.inner_text()  # "zeros: 93 %", or that nothing in this picture wakes the channel
    assert (
        picture(panel)[1] >= 160
        and "zero" in said
        and "strongest channels here" in said
        and panel.locator("img").count() == 2
    )
    assert scroll_bars(panel) == []
    shot(notebook, panel, "explore")


def test_lesson_08_start_stop_retarget_branch_and_save(opened, served):
    notebook = opened(lesson("08"))
    assert picture(notebook.panel("dk.widgets.studio("))[1] > 0
    notebook.run_all()
    assert no_errors(notebook)
    page, panel = notebook.page, notebook.panel("dk.widgets.studio(")
    until(page, lambda: button(panel, "Start").count() == 1)
    slider(panel, "steps").focus()
    page.keyboard.press("End")  # long enough to be stopped on the way
    until(page, lambda: "steps=50" in panel.inner_text())

    _start_and_stop(page, panel)
    button(panel, "Start").click()
    until(page, lambda: status(panel).startswith("running"))
    button(panel, "Start").click()
    until(page, lambda: "already running" in status(panel))
    layers = dk.widgets.studio(dk.course_network(), dk.noise(32, 32)).layer.options
    wanted = layers[
        layers.index(panel.locator("pre").inner_text().split("dk.layer('")[1].split("'")[0]) - 2
    ]
    slider(panel, "layer").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")  # while it runs: the latest wins
    until(
        page,
        lambda: f"layer('{wanted}')" in picture(panel)[0] and status(panel).startswith("running"),
    )
    button(panel, "Stop").click()
    until(page, lambda: status(panel).startswith("stopped"))

    slider(panel, "frame").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    until(page, lambda: status(panel).startswith("frame 1"))
    button(panel, "Save").click()
    until(page, lambda: status(panel).startswith("saved"))
    passport = dk.read_passport(served[1] / status(panel).split()[1])  # the first free name
    assert passport["objective"]["name"] == wanted and passport["stopped"] == 1
    button(panel, "Branch").click()
    until(page, lambda: status(panel).startswith("running"))
    button(panel, "Stop").click()
    until(page, lambda: status(panel).startswith("stopped"))
    button(panel, "Continue").click()
    until(page, lambda: status(panel).startswith(("going on", "done")))
    button(panel, "Stop").click()
    until(page, lambda: status(panel).startswith(("stopped", "nothing runs")))
    assert scroll_bars(panel) == []
    shot(notebook, panel, "studio")


def _start_and_stop(page, panel, tries: int = 3) -> None:
    """Stop takes effect in under half a second, and the picture then stays the same.

    The best of three counts: the machine may have other work.
    """
    took = []
    for _ in range(tries):
        button(panel, "Start").click()
        first = picture(panel)[0]
        until(page, lambda old=first: picture(panel)[0] != old, 20)
        button(panel, "Stop").click()
        took.append(until(page, lambda: status(panel).startswith("stopped")))
        alt = picture(panel)[0]
        page.wait_for_timeout(300)
        assert picture(panel)[0] == alt
        if took[-1] < 0.5:
            return
    raise AssertionError(f"Stop took {took} seconds")


def test_slide_and_compare_and_an_error(opened):
    notebook = opened("small.ipynb")
    notebook.run_all()
    page = notebook.page
    panel = notebook.panel("smoothing σ")
    until(page, lambda: panel.locator("[role=slider]").count() == 1)
    slider(panel, "smoothing σ (pixels)").focus()
    page.keyboard.press("End")
    until(page, lambda: "blurred by 2.0" in panel.inner_text())
    assert (
        picture(panel) == ("smoothing σ (pixels): 2. blurred by 2.0", 160)
        and scroll_bars(panel) == []
    )
    shot(notebook, panel, "slide")

    panel = notebook.panel("dk.widgets.compare(")
    slider(panel, "steps").focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: "steps: 2" in picture(panel)[0] and status(panel) == "ready")
    assert panel.locator("img").count() == 2 and scroll_bars(panel) == []
    shot(notebook, panel, "compare")

    panel = notebook.panel('"broken"')
    slider(panel, "broken").focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: status(panel) == "ValueError: <b>not</b> that one")
    shot(notebook, panel, "error")


def test_a_square_over_the_picture_and_an_atlas(opened):
    notebook = opened("small.ipynb")
    notebook.run_all()
    assert no_errors(notebook)
    page, panel = notebook.page, notebook.panel("dk.widgets.cover(")
    until(page, lambda: panel.locator("[role=slider]").count() == 5)
    seen = lambda: [image.get_attribute("src") for image in panel.locator("img").all()]
    for label in ("square (pixels)", "column", "layer"):
        before = seen()
        slider(panel, label).focus()
        page.keyboard.press("ArrowLeft")
        until(page, lambda old=before: status(panel) == "ready" and seen() != old)
    assert (
        "uncovered" in panel.inner_text()
        and panel.locator("img").count() == 3
        and scroll_bars(panel) == []
    )
    shot(notebook, panel, "cover")

    panel = notebook.panel("dk.widgets.atlas(")
    assert "conv1" in panel.inner_text() and picture(panel)[0].startswith("What conv1")
    slider(panel, "channel").focus()
    page.keyboard.press("End")
    until(page, lambda: "channel 2" in picture(panel)[0])
    slider(panel, "layer").focus()
    page.keyboard.press("End")
    until(
        page,
        lambda: picture(panel)[0].startswith("What conv2") and "channel 0" in picture(panel)[0],
    )
    assert panel.locator("img").count() == 2 and scroll_bars(panel) == []
    shot(notebook, panel, "atlas")


def test_a_place_is_looked_at_and_the_small_picture_comes_at_once(opened):
    notebook = opened("small.ipynb")
    notebook.run_all()
    page, panel = notebook.page, notebook.panel("dk.widgets.look(")
    until(page, lambda: panel.locator("[role=slider]").count() == 3)
    seen = lambda: [image.get_attribute("src") for image in panel.locator("img").all()]
    until(page, lambda: status(panel) == "ready")
    for label in ("row", "column", "layer"):
        before = seen()
        slider(panel, label).focus()
        page.keyboard.press("ArrowLeft")
        until(page, lambda old=before: seen() != old)
        until(page, lambda: status(panel) == "ready")
    assert panel.locator("img").count() == 2 and scroll_bars(panel) == []
    assert picture(panel)[0].startswith("The photo. conv2 at row")
    shot(notebook, panel, "look")
