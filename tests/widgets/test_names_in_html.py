"""A name may hold anything: wherever one becomes HTML it stays text, and whole."""

from html.parser import HTMLParser

import pytest
import torch

from dreamkit import show
from dreamkit.exercises import Verdict
from dreamkit.widgets import parts
from dreamkit.widgets.panel import Panel

NASTY = """<script>alert(1)</script>"'& <img src=x onerror=alert(1)>"""
PICTURE = torch.zeros(1, 3, 4, 4)


class Page(HTMLParser):
    """The tags and the visible text of a page; in `alts` the alt texts, unescaped."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.alts, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attributes)
        self.alts += [value for name, value in attributes if name == "alt"]

    def handle_data(self, data):
        self.text += data


def in_slides() -> str:
    import nbformat

    from notebooks import slides

    picture = nbformat.v4.new_output(
        "display_data", {"image/jpeg": "AAAA"}, metadata={"image/jpeg": {"alt": NASTY}}
    )
    return slides._shown(picture) + slides._shown(nbformat.v4.new_output("stream", text=NASTY))


PAGES = {
    "caption and alt": lambda: parts.picture_html(PICTURE, NASTY, NASTY),
    "alt of dk.show": lambda: parts.picture_html(show.picture(PICTURE, NASTY), "other", NASTY),
    "text": lambda: parts.text_html(NASTY),
    "code": lambda: parts.code_html(NASTY, NASTY),
    "status": lambda: parts.status_html(NASTY),
    "slider": lambda: parts.fallback_html(parts.choice(NASTY, [(NASTY, 1)], 1)),
    "slides": in_slides,
    "exercise": lambda: Verdict(NASTY, False, NASTY)._repr_html_(),
}


SLOW = {"slides": pytest.mark.slow}  # nbconvert takes seconds to import


@pytest.mark.parametrize("name", [pytest.param(name, marks=SLOW.get(name, ())) for name in PAGES])
def test_a_name_stays_text(name):
    page = Page(PAGES[name]())
    assert "script" not in page.tags and page.tags.count("img") == len(page.alts)
    assert NASTY in page.text and all(alt == NASTY for alt in page.alts)


@pytest.mark.parametrize("naughty", ["\x1b]0;t\x07", "\x9b31m", "\r", "\x00", "\u2028", "\u202e"])
def test_the_plain_text_of_a_panel_holds_no_control_characters(naughty):
    panel = Panel(f"a{naughty}b")
    with panel:
        plain = panel._repr_mimebundle_()["text/plain"]
    assert plain == f"a{repr(naughty)[1:-1]}b (a live panel)"
