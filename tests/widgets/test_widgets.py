"""Panels without a browser: one worker, the latest wins, all in text, and nothing left behind."""

import dataclasses
import html
import io
import itertools
import re
import threading
import time

import ipywidgets
import pytest
import torch
from PIL import Image

import dreamkit as dk
from dreamkit import passport
from dreamkit.passport import python as passport_python
from dreamkit.widgets import panel as panels
from dreamkit.widgets.parts import (
    choice,
    fallback_html,
    settings_of,
    settings_sliders,
    status_html,
    walk,
)

SECONDS = 20.0  # long enough for a busy machine; nothing here needs more than a few tenths


@pytest.fixture
def opened():
    """Opens panels that the test's end closes; then no thread of theirs may be left."""
    made = []

    def keep(panel):
        made.append(panel)
        return panel

    yield keep
    for panel in made:
        panel.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("dreamkit panel")]


@pytest.fixture
def network(tiny_network):
    return tiny_network


@pytest.fixture
def photo():
    return dk.sample("china", side=40)


def text(widget: ipywidgets.HTML) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "\n", widget.value))


def alts(value: str) -> list[str]:
    return [html.unescape(alt) for alt in re.findall(r'<img alt="([^"]*)"', value)]


def until(condition, seconds=SECONDS) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.002)
    return False


class Gate:
    """A `make` for `slide` that waits in each call until it is let through."""

    def __init__(self):
        self.calls, self.go = [], threading.Event()

    def __call__(self, value):
        self.calls.append(value)
        assert self.go.wait(SECONDS)
        return torch.full((1, 3, 8, 8), 0.5), f"made {value}"


# --- slide


def test_slide_makes_each_value_once_and_shows_it_with_text_and_alt(opened):
    calls = []

    def make(value):
        calls.append(value)
        return torch.full((1, 3, 8, 8), 0.5), f"value is {value}"

    panel = opened(dk.widgets.slide("σ (pixels)", [0.0, 1.5], make))
    assert calls == [0.0] and "value is 0.0" in text(panel.text)
    for value in (1.5, 0.0, 1.5):
        panel.value = value
        assert panel.wait(SECONDS) and f"value is {value}" in text(panel.text)
    assert calls == [0.0, 1.5]
    assert alts(panel.pictures.value) == ["σ (pixels): 1.5. value is 1.5"]
    assert (
        panel.slider.description == "σ (pixels)"
        and panel.slider.label == "1.5"
        and panel.slider.continuous_update is False
    )


def test_slide_takes_pictures_of_every_kind(opened, photo):
    several = {"one": photo, "two": photo}
    for made, expected in (
        (photo, 1),
        ((photo, "words"), 1),
        (several, 2),
        (dk.show.picture(photo, "shown"), 1),
    ):
        panel = opened(dk.widgets.slide("v", [1], lambda value, made=made: made))
        assert len(alts(panel.pictures.value)) == expected
    assert "one" in text(opened(dk.widgets.slide("v", [1], lambda value: several)).pictures)
    assert alts(panel.pictures.value) == ["shown"]


def test_slide_shows_what_a_generator_gives_as_it_comes_and_keeps_the_last(opened):
    go = threading.Event()

    def make(value):
        yield torch.zeros(1, 3, 8, 8), "half-way"
        assert value == 0 or go.wait(SECONDS)
        yield torch.ones(1, 3, 8, 8), "there"

    panel = opened(dk.widgets.slide("v", [0, 1], make))
    assert "there" in text(panel.text)
    panel.value = 1
    assert until(lambda: "half-way" in text(panel.text))
    go.set()
    assert panel.wait(SECONDS) and "there" in text(panel.text) and panel.views[1][1] == "there"


def test_the_latest_wins_and_stale_pictures_are_dropped(opened):
    gate = Gate()
    gate.go.set()
    panel = opened(dk.widgets.slide("v", range(5), gate))
    gate.go.clear()
    panel.value = 1
    assert until(lambda: gate.calls == [0, 1])
    for value in (2, 3, 4):  # while 1 is at work: 2 and 3 are never begun
        panel.value = value
    assert "made 0" in text(panel.text)
    gate.go.set()
    assert panel.wait(SECONDS)
    assert gate.calls == [0, 1, 4] and "made 4" in text(panel.text)


def test_a_callback_returns_at_once(opened):
    gate = Gate()
    gate.go.set()
    panel = opened(dk.widgets.slide("v", [0, 1], gate))
    gate.go.clear()
    begun = time.monotonic()
    panel.value = 1
    assert time.monotonic() - begun < 0.5 and panel.busy and "working" in text(panel.status)
    gate.go.set()


def test_an_error_shows_in_the_status_line_and_is_kept_until_the_next_job(opened, capsys):
    def make(value):
        if value == 1:
            raise ValueError("no such <script>alert(1)</script>")
        return torch.zeros(1, 3, 8, 8)

    panel = opened(dk.widgets.slide("v", [0, 1], make))
    panel.value = 1
    assert panel.wait(SECONDS) and isinstance(panel.error, ValueError)
    assert (
        "ValueError: no such <script>" in text(panel.status)
        and "<script>" not in panel.status.value
    )
    assert 'data-error="true"' in panel.status.value
    panel.value = 0
    assert panel.wait(SECONDS) and panel.error is None and "data-error" not in panel.status.value
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, MemoryError])
def test_a_worker_outlives_every_kind_of_error(opened, kind):
    def make(value):
        if value == 1:
            raise kind("enough")
        return torch.zeros(1, 3, 8, 8), f"made {value}"

    panel = opened(dk.widgets.slide("v", [0, 1, 2], make))
    for good in (2, 0):
        panel.value = 1
        assert panel.wait(SECONDS) and isinstance(panel.error, kind)
        assert f"{kind.__name__}: enough" in text(panel.status)
        panel.value = good
        assert panel.wait(SECONDS) and panel.error is None and f"made {good}" in text(panel.text)


def test_an_error_in_the_first_picture_is_raised_in_the_cell():
    with pytest.raises(ZeroDivisionError):
        dk.widgets.slide("v", [0], lambda value: 1 / value)
    with pytest.raises(ValueError, match="at least one value"):
        dk.widgets.slide("v", [], lambda value: value)
    with pytest.raises(ValueError, match="the slider stops at 1, 2; given: 3"):
        dk.widgets.slide("v", [1, 2], lambda value: value, start=3)
    for nothing in (lambda value: (yield from ()), lambda value: None):
        with pytest.raises(ValueError, match=r"make must give a picture, .* it gave none"):
            dk.widgets.slide("v", [1], nothing)


def test_drawings_are_rare_and_the_last_is_always_drawn(opened, monkeypatch):
    def make(value):
        for i in range(200):
            time.sleep(0.002)
            yield torch.zeros(1, 3, 8, 8), f"picture {i}"

    panel = opened(dk.widgets.slide("v", [0, 1], make))
    seen = []
    panel.text.observe(lambda change: seen.append(time.monotonic()), names="value")
    panel.value = 1
    assert panel.wait(SECONDS) and "picture 199" in text(panel.text)
    gaps = [b - a for a, b in itertools.pairwise(seen)]
    assert 3 <= len(seen) <= 30 and min(gaps) > 0.9 / panels.MOST_UPDATES


def test_names_are_escaped_everywhere(opened, photo):
    evil = '"><script>alert(1)</script>'
    panel = opened(dk.widgets.slide(evil, [evil], lambda value: ({evil: photo}, evil)))
    whole = panel._repr_mimebundle_()["text/html"]
    assert "<script" not in whole and alts(panel.pictures.value)[0].count("<script>") == 4
    assert "<script" not in status_html(evil)


# --- opening, closing, saving


@pytest.mark.slow
def test_twenty_panels_leave_no_thread_and_no_widget(network, photo):
    registry = ipywidgets.widgets.widget._instances
    threads, before = threading.active_count(), len(registry)
    for i in range(20):
        with dk.widgets.studio(
            network, photo, settings=dk.Settings(steps=3, octaves=1, jitter=2)
        ) as panel:
            panel.start()
            if i % 2:
                assert panel.wait(SECONDS)
    assert threading.active_count() == threads and len(registry) == before
    panel.close()  # twice does no harm
    panel.submit()  # nor does work for a closed panel
    assert threading.active_count() == threads


def test_an_idle_worker_ends_and_the_next_job_starts_another(opened, monkeypatch):
    monkeypatch.setattr(panels, "IDLE_SECONDS", 0.01)
    panel = opened(
        dk.widgets.slide("v", [0, 1], lambda value: (torch.zeros(1, 3, 8, 8), f"made {value}"))
    )
    for value in (1, 0, 1):
        panel.value = value
        assert panel.wait(SECONDS) and until(lambda: panel._thread is None)
        assert f"made {value}" in text(panel.text)


def test_running_a_cell_again_closes_its_panel(monkeypatch):
    class Shell:
        def get_parent(self):
            return {"metadata": {"cellId": "cell-1"}, "header": {"msg_id": self.execution}}

    shell = Shell()
    shell.execution = "a"
    monkeypatch.setattr(panels, "_shown", {})
    monkeypatch.setattr(panels.sys.modules["IPython"], "get_ipython", lambda: shell)
    make = lambda value: torch.zeros(1, 3, 8, 8)
    first, second = dk.widgets.slide("v", [0], make), dk.widgets.slide("v", [0], make)
    assert not first._closed and not second._closed  # two panels of one execution live side by side
    shell.execution = "b"
    third = dk.widgets.slide("v", [0], make)
    assert first._closed and second._closed and not third._closed
    third.close()


def test_a_panel_puts_a_plain_page_beside_the_widget(opened, network, photo):
    panel = opened(
        dk.widgets.studio(
            network, photo, source="china", settings=dk.Settings(steps=2, octaves=2, jitter=0)
        )
    )
    bundle = panel.run(3)._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.box.model_id
    page = bundle["text/html"]
    assert alts(page) == [
        f"Dream of layer('{panel.layer.value}') on china, step 3 of 4, octave 2 of 2"
    ]
    assert (
        "octaves: <b>2</b>" in page
        and "layer: <b>" in page
        and "<button" not in page
        and "widget" not in page
    )
    data = re.search(r"base64,([^\"]+)", page).group(1)
    assert Image.open(io.BytesIO(__import__("base64").b64decode(data))).size == (40, 27)


def test_every_control_says_in_text_what_it_is(opened, network, photo):
    made = (
        dk.widgets.explore(network, photo),
        dk.widgets.studio(network, photo),
        dk.widgets.compare(
            network, photo, dk.Settings(1), dk.Settings(1, jitter=0), along="octaves", values=[1]
        ),
    )
    for panel in map(opened, made):
        controls = [
            w
            for w in walk(panel.box)
            if isinstance(
                w,
                (
                    ipywidgets.SelectionSlider,
                    ipywidgets.IntSlider,
                    ipywidgets.FloatSlider,
                    ipywidgets.Button,
                    ipywidgets.Text,
                    ipywidgets.FileUpload,
                ),
            )
        ]
        assert controls and all(c.description for c in controls)
        assert 'role="status" aria-live="polite"' in panel.status.value
        pictures = "".join(w.value for w in walk(panel.box) if isinstance(w, ipywidgets.HTML))
        assert all(alts(pictures)) and pictures.count("<img") == len(alts(pictures)) > 0
        assert not any(isinstance(w, ipywidgets.Image) for w in walk(panel.box))


# --- explore


def test_the_explorer_says_of_a_map_what_numpy_says(opened, network, photo):
    view = dk.widgets.view(network, photo, "2", 1)
    values = dk.capture(network, photo, "2")["2"][0, 1].numpy()
    y, x = divmod(values.argmax(), values.shape[1])
    assert (
        f"zeros: {(values == 0).mean():.0%}; maximum: {values.max():.3g}, "
        f"at row {y}, column {x} of the map" in view.text
    )
    assert f"a map of {values.shape[0]} × {values.shape[1]} cells for 27 × 40 pixels" in view.text
    assert (
        view.over.shape == photo.shape
        and view.alone.shape == photo.shape
        and not torch.equal(view.over, view.alone)
    )
    panel = opened(dk.widgets.explore(network, photo, ["2"], channel=1))
    assert view.text.splitlines()[1] in text(panel.text)


def test_the_maximum_is_marked_where_it_is():
    net = dk.as_network(
        torch.nn.Sequential(torch.nn.Conv2d(3, 1, 1, bias=False), torch.nn.ReLU()),
        (0, 0, 0),
        (1, 1, 1),
    )
    net.module[0].weight.fill_(1 / 3)
    photo = torch.full((1, 3, 60, 90), 0.25)
    photo[..., 50, 80] = 0.9
    view = dk.widgets.view(net, photo, "1", 0)
    assert (
        "at row 50, column 80 of the map (bottom right, marked)" in view.text
        and "maximum: 0.9" in view.text
    )
    white = (view.over == 1).all(1)[0].nonzero()
    assert (
        len(white)
        and white.min(0).values.tolist() == [44, 74]
        and white.max(0).values.tolist() == [58, 88]
    )


def test_the_channel_slider_follows_the_layer(opened, network, photo):
    panel = opened(dk.widgets.explore(network, photo, ["2", "6"], channel=5))
    assert (panel.channel.max, panel.channel.value) == (5, 5)
    panel.layer.value = "6"
    assert (
        panel.wait(SECONDS) and panel.channel.max == 7 and "6, channel 5 of 8" in text(panel.text)
    )
    panel.channel.value = 7
    panel.layer.value = "2"
    assert (
        panel.wait(SECONDS)
        and (panel.channel.max, panel.channel.value) == (5, 5)
        and "2, channel 5 of 6" in text(panel.text)
    )
    assert panel.error is None


def test_a_slider_move_is_answered_fast_and_before_the_channel_is_understood(opened, dreamnet):
    panel = opened(
        dk.widgets.explore(dreamnet, dk.sample("china", 320), ["conv2", "inception4c"], channel=3)
    )
    took = []
    for channel in range(4, 10):
        time.sleep(0.1)
        begun = time.monotonic()
        panel.channel.value = channel
        assert until(lambda c=channel: f"channel {c} of" in text(panel.text))
        took.append(time.monotonic() - begun)
        assert "growing" in text(panel.likes)
    assert min(took) < 0.1  # the least of six: other work on the machine is not at issue


def test_what_a_channel_likes_excites_it_and_silence_is_said(network, opened, photo):
    grown = dk.widgets.liked(network, "6", 2)
    score = dk.scorer(network, dk.channel("6", 2))
    assert score(grown) > 1.2 * score(dk.noise(128, 128, contrast=0.2)) and grown.shape == (
        1,
        3,
        128,
        128,
    )
    dead = dk.as_network(
        torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.ReLU()), (0, 0, 0), (1, 1, 1)
    )
    dead.module[0].weight.fill_(0.0)
    dead.module[0].bias.fill_(-1.0)
    assert dk.widgets.liked(dead, "1", 0, photo) is None
    panel = opened(dk.widgets.explore(dead, photo, ["1"]))
    assert "silent" in text(panel.likes) and "all zero" in text(panel.text)


def test_the_explorer_refuses_layers_without_maps(network, photo):
    with pytest.raises(
        ValueError, match="layer '9' has no feature maps to show; layers with maps: 0"
    ):
        dk.widgets.explore(network, photo, ["9"])
    with pytest.raises(KeyError, match="unknown layer 'conv9'"):
        dk.widgets.explore(network, photo, ["conv9"])
    with pytest.raises(ValueError, match="at least one layer"):
        dk.widgets.explore(network, photo, [])
    with pytest.raises(ValueError, match="channel 6 is out of range: layer '2' has 6, from 0 to 5"):
        dk.widgets.view(network, photo, "2", 6)


# --- studio

SHORT = dk.Settings(steps=3, octaves=2, jitter=2)


def studio(network, photo, **more):
    return dk.widgets.studio(
        network,
        photo,
        source="china",
        layers=["2", "6"],
        settings=more.pop("settings", SHORT),
        **more,
    )


def expected(network, photo, layer="2", settings=SHORT):
    return list(dk.dreaming(dk.scorer(network, dk.layer(layer)), photo, settings))


def slow(panel, seconds=0.05):
    """Makes every step of the panel's runs take a while, and counts how many go on at once."""
    state = {"now": 0, "most": 0}

    def target():
        objective = panel_target().objective

        def formula(features):
            state["now"] += 1
            state["most"] = max(state["most"], state["now"])
            time.sleep(seconds)
            state["now"] -= 1
            return objective.formula(features)

        wanted = panel_target()
        return type(
            "Slow",
            (),
            {
                "objective": dk.Objective(objective.layers, formula, objective.name),
                "spec": wanted.spec,
                "__eq__": lambda self, other: self.spec == other.spec,
                "layer": wanted.layer,
                "name": wanted.name,
            },
        )()

    panel_target = panel._target
    panel._target = target
    return state


def test_the_studio_dreams_what_dream_dreams(opened, network, photo):
    panel = opened(studio(network, photo))
    panel.start()
    assert panel.wait(SECONDS) and panel.error is None
    assert [f.step for f in panel.frames] == [1, 2, 3, 4, 5, 6]
    for frame, picture in zip(panel.frames, expected(network, photo), strict=True):
        assert torch.equal(frame.picture, picture)
    assert "done: step 6 of 6" in text(panel.status) and panel.frame.max == panel.frame.value == 6


def test_a_silent_layer_is_said_where_the_dream_ends(opened, photo):
    dead = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
    torch.nn.init.zeros_(dead[0].weight)
    torch.nn.init.constant_(dead[0].bias, -1.0)
    network = dk.as_network(dead, (0.5,) * 3, (0.25,) * 3, "dead")
    panel = opened(dk.widgets.studio(network, photo, source="china", layers=["1"], settings=SHORT))
    with pytest.warns(UserWarning, match="is silent"):
        panel.run()
    assert (
        "nothing changed: layer('1') is silent for this picture; "
        "try another layer, channel or picture" in text(panel.status)
    )
    panel.sliders["step_size"].value = 0.0  # then nothing moves because nothing was to move
    with pytest.warns(UserWarning, match="is silent"):
        panel.run()
    assert "nothing changed" not in text(panel.status)


def test_run_goes_in_step_without_a_thread(opened, network, photo):
    panel, threads = opened(studio(network, photo)), threading.active_count()
    assert panel.run(2) is panel and [f.step for f in panel.frames] == [1, 2]
    assert panel.run(3).frames[-1].step == 5 and panel.run().frames[-1].step == 6
    assert threading.active_count() == threads
    assert torch.equal(panel.frames[-1].picture, expected(network, photo)[-1])
    panel.sliders["steps"].value = 1
    assert [f.run.total for f in panel.run(1).frames] == [2]  # other settings: a run of their own


def test_stop_is_obeyed_and_continue_takes_up_the_very_same_dream(opened, network, photo):
    panel = opened(studio(network, photo, settings=dk.Settings(steps=20, octaves=2, jitter=2)))
    slow(panel, 0.02)
    panel.start()
    assert until(lambda: len(panel.frames) >= 3)
    begun = time.monotonic()
    panel.stop()
    assert time.monotonic() - begun < 0.5 and "stopped after step" in text(panel.status)
    count = len(panel.frames)
    time.sleep(0.15)
    assert len(panel.frames) == count == panel.frame.value and not panel.busy
    panel.go_on()
    assert panel.wait(SECONDS)
    whole = expected(network, photo, settings=dk.Settings(steps=20, octaves=2, jitter=2))
    assert [f.step for f in panel.frames] == list(range(1, 41)) and torch.equal(
        panel.frames[-1].picture, whole[-1]
    )


@pytest.mark.parametrize("step", [1, 4])
def test_continue_after_an_interrupt_takes_up_the_very_same_dream(opened, network, photo, step):
    """The interrupt ends the generator of the dream, which cannot go on."""
    panel = opened(studio(network, photo))
    calls = itertools.count(1)

    def interrupt(module, inputs):
        if next(calls) == step:
            raise KeyboardInterrupt

    panel.network.module.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        panel.run()
    assert [f.step for f in panel.frames] == list(range(1, step))
    panel.go_on()
    assert panel.wait(SECONDS) and panel.error is None
    assert [f.step for f in panel.frames] == [1, 2, 3, 4, 5, 6]
    assert torch.equal(panel.frames[-1].picture, expected(network, photo)[-1])


def test_a_second_start_makes_no_second_run(opened, network, photo):
    panel = opened(studio(network, photo))
    state = slow(panel)
    for _ in range(5):
        panel.start()
    run = panel._run
    assert "already running" in text(panel.status) and panel.wait(SECONDS)
    assert panel._run is run and state["most"] == 1 and len(panel.frames) == 6


def test_a_slider_moved_during_a_run_begins_it_anew_and_the_latest_wins(opened, network, photo):
    panel = opened(studio(network, photo))
    state = slow(panel)
    panel.start()
    assert until(lambda: len(panel.frames) >= 2)
    panel.sliders["seed"].value = 5
    panel.layer.value = "6"
    panel.sliders["seed"].value = 7
    assert panel.wait(SECONDS) and panel.error is None and state["most"] == 1
    assert {f.run.settings.seed for f in panel.frames} == {7} and {
        f.run.target.layer for f in panel.frames
    } == {"6"}
    assert torch.equal(
        panel.frames[-1].picture,
        expected(network, photo, "6", dk.Settings(steps=3, octaves=2, jitter=2, seed=7))[-1],
    )


@pytest.fixture(scope="module")
def lite():
    return dk.load_network("efficientnet_lite0")


def test_a_style_moves_the_other_sliders_and_leaves_when_they_choose_a_layer(opened, lite, photo):
    panel = opened(dk.widgets.studio(lite, photo, source="china"))
    styles = dk.styles()
    assert panel.style.value == "animals" and panel._settings() == styles["animals"].settings
    assert "--style animals" in text(panel.recipe)
    panel.style.value = "strokes"
    assert panel.layer.value == "block2b.expand" and panel._settings() == styles["strokes"].settings
    assert panel._target().objective.terms == styles["strokes"].objective.terms
    assert "--style strokes" in text(panel.recipe) and "dk.layer('block2b.expand')" in text(
        panel.recipe
    )
    panel.style.value = "eyes"
    assert len(panel._target().objective.terms) == 6 and panel.channel.value == -1
    panel.layer.value = "block3b.expand"
    assert (
        panel.style.value == ""
        and panel._target().objective.terms == dk.layer("block3b.expand").terms
    )
    assert panel._settings() == dk.settings_for(lite, "block3b.expand")  # they follow the layer …
    panel.sliders["seed"].value = 5
    kept = panel._settings()
    panel.layer.value = "block4a.expand"
    assert panel._settings() == kept  # … until the user moves one
    panel.style.value = "scales"
    panel.channel.value = 3
    assert panel.style.value == "" and panel._target().channel == 3


def test_the_studio_dreams_the_style(opened, lite, photo):
    panel = opened(dk.widgets.studio(lite, photo, source="china"))
    panel.style.value = "strokes"
    panel.sliders["steps"].value, panel.sliders["octaves"].value = 2, 1
    panel.run()
    settings = dataclasses.replace(dk.styles()["strokes"].settings, steps=2, octaves=1)
    score = dk.scorer(lite, dk.styles()["strokes"].objective)
    assert torch.equal(panel.frames[-1].picture, dk.dream(score, photo, settings))
    assert "Dream of the style strokes on china" in alts(panel.picture.value)[0]
    assert passport.command(panel.frames[-1].passport) in text(panel.recipe)


def test_settings_that_were_given_do_not_follow_the_layer(opened, lite, photo):
    given = dk.Settings(steps=3)
    panel = opened(dk.widgets.studio(lite, photo, settings=given))
    assert panel.style.value == ""
    panel.layer.value = "block3b.expand"
    assert panel._settings() == given


def test_a_network_without_styles_has_no_slider_for_them(opened, network, photo):
    assert opened(studio(network, photo)).style is None


def test_branch_goes_on_from_the_frame_shown(opened, network, photo):
    panel = opened(studio(network, photo)).run()
    panel.frame.value = 5
    assert "frame 5: step 5" in text(panel.status) and "step 5 of 6" in text(panel.picture)
    panel.sliders["steps"].value = 1
    panel.branch()
    assert panel.wait(SECONDS) and [f.step for f in panel.frames] == [1, 2, 3, 4, 5, 1, 2]
    fifth = panel.frames[4].whole
    assert torch.equal(
        panel.frames[-1].picture,
        expected(network, fifth, settings=dk.Settings(steps=1, octaves=2, jitter=2))[-1],
    )
    assert "branched" in text(panel.recipe) and "full_size(frame, picture, settings)" in text(
        panel.recipe
    )


@pytest.mark.parametrize("steps", [6, 2])
def test_the_shown_python_repeats_the_dream(opened, dreamnet, steps):
    photo = dk.sample("china", side=64)
    panel = opened(
        dk.widgets.studio(dreamnet, photo, source="china", layer="conv2", settings=SHORT)
    ).run(steps)
    panel.layer.value = "inception3a"
    if steps == 2:
        panel.go_on()  # another layer: a run of its own from the frame stopped at
        assert panel.wait(SECONDS)
    else:
        panel.frame.value = 5
        panel.frame.value = 6  # the recipe is that of the frame shown, not of the sliders
    code = text(panel.recipe).split("\n\ndreamkit")[0].split("# no single")[0].split("\n", 3)[-1]
    code = code[code.index("import dreamkit") if steps == 6 else code.index("from itertools") :]
    names = {}
    exec(code, names)  # our own words, from the panel above
    assert torch.equal(names["picture"], panel.frames[-1].whole)


def test_the_shown_command_line_is_that_of_the_passport(opened, dreamnet):
    panel = opened(
        dk.widgets.studio(
            dreamnet, dk.sample("china", side=64), source="china", layer="conv2", settings=SHORT
        )
    )
    assert "dreamkit dream china --network dreamnet --layer conv2 --side 64 --steps 3" in text(
        panel.recipe
    )
    panel.channel.value = 4
    assert "--layer conv2 --channel 4" in text(panel.recipe) and "dk.channel('conv2', 4)" in text(
        panel.recipe
    )


def test_save_writes_the_shown_frame_with_its_passport_and_never_over_another(
    opened, dreamnet, tmp_path
):
    photo = dk.sample("china", side=64)
    panel = opened(
        dk.widgets.studio(dreamnet, photo, source="china", layer="conv2", settings=SHORT)
    )
    assert panel.save() is None and "nothing to save yet" in text(panel.status)
    panel.run()
    panel.file.value = str(tmp_path / "dream.png")
    first, second = panel.save(), panel.save()
    assert (first.name, second.name) == ("dream.png", "dream-2.png") and "saved" in text(
        panel.status
    )
    assert (dk.load_image(first) - panel.frames[-1].whole).abs().max() <= 0.5 / 255 + 1e-6
    passport = dk.read_passport(first)
    assert passport["source"]["name"] == "china" and passport["objective"] == {
        "kind": "layer",
        "name": "conv2",
    }
    assert "stopped" not in passport and "dk.sample('china', side=64)" in passport_python(passport)
    panel.frame.value = 2
    assert dk.read_passport(panel.save())["stopped"] == 2
    for bad in (tmp_path / "dream.gif", tmp_path / "none" / "dream.png"):
        panel.file.value = str(bad)
        assert (
            panel.save() is None
            and isinstance(panel.error, ValueError)
            and "data-error" in panel.status.value
        )


def test_a_branch_carries_how_it_came_about(opened, dreamnet, tmp_path):
    panel = opened(
        dk.widgets.studio(
            dreamnet, dk.sample("china", side=64), source="china", layer="conv2", settings=SHORT
        )
    ).run(2)
    panel.sliders["seed"].value = 1
    panel.go_on()
    assert panel.wait(SECONDS)
    panel.file.value = str(tmp_path / "d.png")
    passport = dk.read_passport(panel.save())
    assert passport["settings"]["seed"] == 1 and [p["stopped"] for p in passport["before"]] == [2]


def upload(panel, name, data):
    panel.upload.value = (
        {
            "name": name,
            "type": "image/png",
            "size": len(data),
            "content": memoryview(data),
            "last_modified": __import__("datetime").datetime.now(),
        },
    )
    assert panel.wait(SECONDS)


def test_a_picture_of_ones_own_is_checked_and_dreamt_of(opened, network, photo):
    panel = opened(studio(network, photo)).run(2)
    upload(panel, "<script>.png", b"this is no picture")
    assert isinstance(panel.error, ValueError) and "'<script>.png' is not a picture" in text(
        panel.status
    )
    assert "<script>" not in panel.status.value and len(panel.frames) == 2  # what was there stays
    file = io.BytesIO()
    Image.new("RGBA", (30, 60), (255, 0, 0, 128)).save(file, "PNG")
    upload(panel, "mine.png", file.getvalue())
    assert panel.error is None and panel.image.shape == (1, 3, 40, 20) and panel.frames == []
    assert "loaded mine.png: 20 × 40" in text(panel.status)
    panel.start()
    assert (
        panel.wait(SECONDS)
        and len(panel.frames) == 6
        and "dk.load_image('mine.png', side=40)" in text(panel.recipe)
    )


def test_an_error_of_the_network_is_shown_and_the_panel_lives_on(opened, network):
    deep = dk.Settings(steps=2, octaves=32, octave_ratio=2.0)
    panel = opened(studio(network, torch.full((1, 3, 16, 16), 0.5), layer="6", settings=deep))
    panel.start()
    assert (
        panel.wait(SECONDS)
        and isinstance(panel.error, ValueError)
        and "too small" in text(panel.status)
    )
    panel.sliders["octaves"].value = 1
    panel.start()
    assert panel.wait(SECONDS) and panel.error is None and len(panel.frames) == 2


def test_frames_are_capped_but_span_the_whole_way(opened, network, photo, monkeypatch):
    from dreamkit.widgets import live

    monkeypatch.setattr(live, "KEPT_BYTES", 10 * photo.numel() * 4)
    panel = opened(studio(network, photo, settings=dk.Settings(steps=50, octaves=1))).run()
    steps = [f.step for f in panel.frames]
    assert len(steps) <= 10 and steps[0] == 1 and steps[-1] == 50 and panel.frame.max == len(steps)


def test_no_steps_give_no_frames_and_no_error(opened, network, photo):
    panel = opened(studio(network, photo, settings=dk.Settings(steps=0)))
    panel.start()
    assert (
        panel.wait(SECONDS)
        and panel.error is None
        and panel.frames == []
        and "done" in text(panel.status)
    )
    for action in (panel.stop, panel.go_on, panel.branch, panel.save):
        action()
        assert panel.wait(SECONDS) and panel.error is None


def test_sliders_are_made_from_the_fields_of_settings():
    settings = dk.Settings(steps=80, smoothing=1.3)
    sliders = settings_sliders(settings)
    assert (
        list(sliders) == list(dk.Settings.__dataclass_fields__) and settings_of(sliders) == settings
    )
    for name, slider in sliders.items():
        meta = dk.Settings.__dataclass_fields__[name].metadata
        assert (slider.min, slider.step, slider.tooltip) == (
            meta["low"],
            meta["step"],
            meta["help"],
        ) and slider.max >= meta["high"]
        assert slider.description == name.replace("_", " ") and slider.continuous_update is False
    assert sliders["steps"].max == 80  # settings beyond the usual range widen it
    for slider in sliders.values():
        slider.close()


def test_cells_may_use_the_network_while_a_panel_dreams(opened, network, photo):
    panel = opened(studio(network, photo, settings=dk.Settings(steps=50, octaves=2)))
    panel.start()
    with torch.no_grad():
        once = dk.capture(network, photo, "6")["6"]
        while panel.busy:
            assert torch.equal(dk.capture(network, photo, "6")["6"], once)
    assert panel.error is None and len(panel.frames) == 100
    assert not any(module._forward_hooks for module in network.module.modules())
    assert (
        panel.network.module[0].weight is network.module[0].weight
    )  # the weights are shared, not copied


# --- compare


def test_compare_shows_both_dreams_under_one_slider(opened, network, photo):
    left, right = (
        dk.Settings(steps=1, octaves=1, jitter=0),
        dk.Settings(steps=1, octaves=1, jitter=4),
    )
    panel = opened(
        dk.widgets.compare(
            network,
            photo,
            left,
            right,
            along="steps",
            values=[0, 2],
            objective=dk.layer("2"),
            start=2,
        )
    )
    score = dk.scorer(network, dk.layer("2"))
    pictures, words = panel.views[1]
    for caption, settings in (("jitter 0", left), ("jitter 4", right)):
        dreamt = dk.dream(score, photo, dk.Settings(steps=2, octaves=1, jitter=settings.jitter))
        assert (
            torch.equal(pictures[caption], dreamt)
            and f"{caption}: {(dreamt - photo).abs().mean():.3f}" in words
        )
    panel.value = 0
    assert panel.wait(SECONDS) and all(
        torch.equal(picture, photo) for picture in panel.views[0][0].values()
    )
    assert len(alts(panel.pictures.value)) == 2 and "jitter 4" in alts(panel.pictures.value)[1]


def test_compare_goes_along_layers_and_fields_and_nothing_else(opened, network, photo):
    one = dk.Settings(steps=1, step_size=0.012, octaves=1)
    panel = opened(
        dk.widgets.compare(
            network, photo, one, dk.Settings(1, 0.1, 1), along="layer", values=["2", "6"]
        )
    )
    assert panel.value == "6" and set(panel.views[1][0]) == {"step size 0.012", "step size 0.1"}
    panel = opened(dk.widgets.compare(network, photo, one, one, along="smoothing"))
    spec = dk.Settings.__dataclass_fields__["smoothing"]
    assert panel._values[0] == spec.metadata["low"] and panel._values[-1] == min(
        spec.metadata["high"], 2 * spec.default
    )
    assert (
        len(panel._values) == 5
        and panel._values == sorted(panel._values)
        and "same settings" in text(panel.pictures)
    )
    with pytest.raises(
        ValueError, match=r"along is 'layer' or a field of Settings .*given: 'sigma'"
    ):
        dk.widgets.compare(network, photo, along="sigma")


@pytest.mark.parametrize(
    ("options", "value", "said"),
    [
        (("conv1", "conv2"), "conv1", "conv1"),
        (range(3), 0, "0"),
        (("a", "b"), "b", "b"),
        ((("one", 1), ("two", 2)), 1, "one"),
    ],
)
def test_a_choice_says_where_it_stands_before_it_is_moved(options, value, said):
    slider = choice("layer", options, value)
    assert slider.value == value and slider.label == said
    assert fallback_html(slider) == f"<div>layer: <b>{said}</b></div>"
