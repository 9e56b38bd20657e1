"""An atlas: its pictures, its files, browsing, continuing, and the same bytes with any workers."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.atlas import channels as drawn
from dreamkit.atlas.cluster import cluster, worker_count
from dreamkit.atlas.folder import file_of
from dreamkit.cli.app import call

from ..markup import Page

pytestmark = pytest.mark.usefixtures("loaded_once")

QUICK = dk.atlas.PictureSettings(side=16, steps=2, batch=4)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made(dreamnet, tmp_path_factory):
    return dk.atlas(
        dreamnet,
        ["inception3a", "conv1"],
        tmp_path_factory.mktemp("made") / "atlas",
        channels=[0, 1, 2, 3, 30],
        settings=QUICK,
    )


@pytest.fixture
def small(made, tmp_path):
    """A copy of one small atlas, for the test to change."""
    return dk.atlas.open(shutil.copytree(made.folder, tmp_path / "atlas"))


def test_the_module_is_called_and_gives_an_atlas(made):
    small = made
    assert (
        list(small.layers) == ["conv1", "inception3a"] and len(small) == 10
    )  # in the order in which they run
    assert small.channels("conv1") == (0, 1, 2, 3, 30) and small.picture("conv1", 30).shape == (
        1,
        3,
        16,
        16,
    )
    assert small.layers["conv1"] == {"channels": 48, "field": 7, "labels": []}
    assert {"atlas.json", "index.html", "conv1/0030.png", "inception3a/0000.png"} < set(
        files(small.folder)
    )
    manifest = json.loads((small.folder / "atlas.json").read_text())
    entry = manifest["layers"][0]["pictures"]["30"]
    assert (
        entry["sha256"]
        == hashlib.sha256((small.folder / "conv1/0030.png").read_bytes()).hexdigest()
    )
    assert (
        manifest["network"]["sha256"] == dk.load_network("dreamnet").digest
        and manifest["recipe"]["steps"] == 2
    )
    with pytest.raises(KeyError, match="unknown layer 'conv9'"):
        small.channels("conv9")
    with pytest.raises(KeyError, match="no picture of channel 5 of layer 'conv1'"):
        small.file("conv1", 5)


def test_the_module_opens_folders_and_shadows_no_builtin(small):
    import builtins

    from dreamkit.atlas import build, folder

    assert dk.atlas.open is dk.atlas.open_atlas and len(dk.atlas.open(small.folder)) == 10
    for module in (dk.atlas, build, folder):
        named = {name for name in vars(module) if not name.startswith("_")}
        assert not named & set(dir(builtins)), module


def test_an_atlas_of_an_older_version_opens_and_goes_on(small, dreamnet):
    """The manifest has called the settings "recipe" since the first version."""
    path = small.folder / "atlas.json"
    data = json.loads(path.read_text())
    assert list(data) == ["atlas", "network", "recipe", "versions", "layers"]
    assert data["recipe"] == {"side": 16, "steps": 2, "rate": 0.1, "seed": 0, "batch": 4}
    for layer in data["layers"]:
        layer["pictures"].pop("0")
    path.write_text(json.dumps(data))
    assert dk.atlas.open(small.folder).head["settings"] == data["recipe"]
    layers = ["conv1", "inception3a"]
    made = list(dk.atlas.making(dreamnet, layers, small.folder, channels=[0, 1], settings=QUICK))
    assert made[0] == (2, 4) and made[-1] == (4, 4)


def test_what_the_settings_allow_is_what_a_manifest_may_say(small):
    path = small.folder / "atlas.json"
    for name, value in (("rate", 0), ("rate", 1e-5), ("seed", 2**62), ("side", 8)):
        with pytest.raises(ValueError, match=f"'{name}' of an atlas"):
            dk.atlas.PictureSettings(**{name: value})
        data = json.loads(path.read_text())
        data["recipe"] |= {name: value}
        (small.folder / "atlas.json").write_text(json.dumps(data))
        with pytest.raises(ValueError, match=f"'{name}' of its recipe must be"):
            dk.atlas.open(small.folder)
        data["recipe"] |= {"rate": 0.1, "seed": 0, "side": 16}
        path.write_text(json.dumps(data))


def test_a_channels_picture_does_not_depend_on_its_company(small, dreamnet, tmp_path):
    alone = dk.atlas(dreamnet, "inception3a", tmp_path / "alone", channels=[30], settings=QUICK)
    assert alone.file("inception3a", 30).read_bytes() == small.file("inception3a", 30).read_bytes()
    assert small.file("inception3a", 30).read_bytes() != small.file("inception3a", 3).read_bytes()


def test_more_steps_excite_the_channel_more(dreamnet):
    few, many = (
        drawn.channel_pictures(
            dreamnet, "inception3b", [3, 9, 77, 200], dk.atlas.PictureSettings(side=24, steps=steps)
        )[1]
        for steps in (1, 16)
    )
    assert all(later > 1.5 * early for early, later in zip(few, many, strict=True)), (few, many)


@pytest.mark.parametrize("relu", [nn.ReLU, nn.ReLU6])
def test_a_silent_channel_wakes_and_only_it(relu):
    """relu(x - 2) is silent for all pictures, and wakes only by the redirected gradient."""
    module = nn.Sequential(nn.Conv2d(3, 2, 1), relu())
    with torch.no_grad():
        module[0].weight.fill_(1.0)
        module[0].bias.copy_(torch.tensor([-2.0, 2.0]))
    net = dk.as_network(module, (0, 0, 0), (1, 1, 1), "shy")
    start = torch.full((2, 3, 4, 4), 0.5)
    features = dk.capture(net, start, "1")["1"]
    assert not features[:, 0].any() and features[:, 1].all()
    awake = drawn.with_redirected_relus(net)
    assert torch.equal(
        dk.capture(awake, start, "1")["1"], features
    )  # nothing changes but the gradient
    slope = dk.gradient(lambda x: -dk.capture(awake, x, "1")["1"][[0, 1], [0, 1]].sum(), start)
    assert torch.equal(slope, torch.full_like(slope, -1.0))
    assert not dk.gradient(lambda x: dk.capture(net, x, "1")["1"][0, 0].sum(), start).any()
    assert (
        min(
            drawn.channel_pictures(net, "1", [0, 1], dk.atlas.PictureSettings(side=16, steps=40))[1]
        )
        > 0
    )


def test_the_gradient_of_a_relu6_by_the_table():
    """One cell a picture, so each gradient that would be 0 is redirected; both signs of it."""
    x = torch.tensor([-1.0, 3.0, 6.0, 7.0]).view(4, 1).requires_grad_()
    result = drawn._Redirected.apply(x, 6.0)
    assert result.flatten().tolist() == [0, 3, 6, 6]
    for sign, wanted in ((1, [0, 1, 1, 1]), (-1, [-1, -1, -1, 0])):
        above = torch.full((4, 1), float(sign))
        assert torch.autograd.grad(result, x, above, True)[0].flatten().tolist() == wanted
    both = torch.tensor([[-1.0, 3.0, 7.0]], requires_grad=True)  # not silent: as torch has it
    drawn._Redirected.apply(both, 6.0).sum().backward()
    assert both.grad.tolist() == [[0, 1, 0]]


def test_going_on_skips_what_is_there_and_mends_what_is_damaged(small, dreamnet):
    kept = files(small.folder)
    for path in ("conv1/0001.png", "inception3a/0030.png"):
        (small.folder / path).write_bytes(b"half a pict")
    before = os.stat(small.folder / "conv1/0000.png").st_mtime_ns
    counts = list(
        dk.atlas.making(
            dreamnet,
            ["inception3a", "conv1"],
            small.folder,
            channels=[0, 1, 2, 3, 30],
            settings=QUICK,
        )
    )
    assert counts == [(8, 10), (9, 10), (10, 10)]
    assert (
        files(small.folder) == kept
        and os.stat(small.folder / "conv1/0000.png").st_mtime_ns == before
    )


def test_stopping_keeps_what_is_done_and_ends_with_the_same_bytes(small, dreamnet, tmp_path):
    making = dk.atlas.making(
        dreamnet,
        ["conv1", "inception3a"],
        tmp_path / "again",
        channels=[0, 1, 2, 3, 30],
        settings=QUICK,
    )
    assert [next(making), next(making)] == [(0, 10), (4, 10)]
    making.close()
    assert len(dk.atlas.open(tmp_path / "again")) == 4 and (tmp_path / "again/index.html").exists()
    dk.atlas(
        dreamnet, "conv1", tmp_path / "again", channels=[0, 1, 2, 3, 30], settings=QUICK
    )  # layer by layer, if you like
    dk.atlas(dreamnet, "inception3a", tmp_path / "again", channels=[0, 1, 2, 3, 30], settings=QUICK)
    assert files(tmp_path / "again") == files(small.folder)


def test_another_atlas_or_somebodys_folder_is_refused(small, dreamnet, tmp_path):
    with pytest.raises(ValueError, match="holds another atlas, which differs in settings steps"):
        dk.atlas(
            dreamnet,
            "conv1",
            small.folder,
            settings=dk.atlas.PictureSettings(side=16, steps=3, batch=4),
        )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="exists and is not an atlas"):
        dk.atlas(dreamnet, "conv1", tmp_path / "mine", settings=QUICK)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"layers": ["conv9"]}, "unknown layer 'conv9'"),
        ({"channels": [48]}, "channel 48 is out of range: layer 'conv1' has 48"),
        ({"channels": [-1]}, "channel -1"),
        ({"layers": []}, "at least one layer"),
        ({"workers": 0}, 'from 1 to 1024, or "auto"; given: 0'),
        ({"workers": "all"}, """from 1 to 1024, or "auto"; given: 'all'"""),
        ({"workers": 2, "scheduler": "tcp://x"}, "give one of workers, scheduler and client"),
    ],
)
def test_mistakes_are_named(given, said, dreamnet, tmp_path):
    with pytest.raises((ValueError, KeyError), match=said):
        dk.atlas(
            dreamnet,
            **{"layers": ["conv1"], "folder": tmp_path / "none", "settings": QUICK} | given,
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [("side", 8), ("steps", 0), ("rate", float("nan")), ("seed", -1), ("batch", True)],
)
def test_settings_are_checked(name, value):
    with pytest.raises(ValueError, match=f"'{name}' of an atlas must be"):
        dk.atlas.PictureSettings(**{name: value})


@pytest.mark.parametrize(
    "text", ["", "[]", '{"atlas": 1}', "[" * 100_000, '{"atlas": 2, "network": {}}']
)
def test_a_broken_manifest_is_one_line(text, small):
    (small.folder / "atlas.json").write_text(text)
    with pytest.raises(ValueError, match="is broken") as caught:
        dk.atlas.open(small.folder)
    assert "\n" not in str(caught.value)


def test_no_layer_name_leaves_the_folder():
    for name in ("../../etc", "a/b", "..", "", "<script>", "C:\\x", "ф" * 300, "a\nb"):
        path = Path(file_of(name, 3))
        assert (
            not path.is_absolute()
            and len(path.parts) == 2
            and ".." not in path.parts
            and path.name == "0003.png"
        )
    assert file_of("a/b", 0) != file_of("a_b", 0)  # two layers never share a folder


def test_the_page_shows_every_picture_and_fetches_nothing(small):
    text = (small.folder / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    shown = [image for image in page.all("img") if "src" in image]
    assert len(shown) == 10 and all(
        (small.folder / image["src"]).is_file() and image["alt"] for image in shown
    )
    assert shown[4]["alt"].startswith("conv1, channel 30 of 48: mean activation ")
    assert "://" not in text and not page.all("link") and "src" not in page.all("script")[0]
    assert len({a["id"] for a in page.all("a")}) == 10


NASTY = "\"><script>alert(1)</script>'&"


def test_names_on_the_page_are_text(tmp_path):
    module = nn.Sequential()
    module.add_module(NASTY, nn.Conv2d(3, 2, 3))
    module.add_module("flat", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)))
    net = dk.as_network(module, (0, 0, 0), (1, 1, 1), NASTY, (NASTY, NASTY))
    made = dk.atlas(net, [NASTY, "flat"], tmp_path / "nasty", settings=QUICK)
    page = Page((made.folder / "index.html").read_text(encoding="utf-8"))
    assert len(page.all("script")) == 1 and len([i for i in page.all("img") if "src" in i]) == 4
    assert NASTY in page.all("img")[0]["alt"] and NASTY in page.all("img")[2]["alt"]
    panel = dk.widgets.atlas(made)
    shown = Page("".join(part.value for part in (panel.text, panel.shown, panel.around)))
    assert not shown.all("script") and NASTY in shown.all("img")[0]["alt"]
    panel.close()


def test_the_panel_browses(small):
    panel = dk.widgets.atlas(small.folder)
    assert "conv1, channel 0 of 48" in panel.text.value and panel.error is None
    panel.channel.value = 30
    panel.run()
    assert (
        "conv1, channel 30 of 48" in panel.text.value
        and "channels 0, 1, 2, 3, 30" in panel.around.value
    )
    panel.layer.value = "inception3a"
    panel.run()
    assert "inception3a, channel 0 of 208" in panel.text.value and panel.error is None
    panel.close()


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = [
        "atlas",
        "--network",
        "dreamnet",
        "--layer",
        "conv1",
        "--channels",
        "3,5",
        "--side",
        "16",
        "--steps",
        "1",
        "-o",
        "mine",
    ]
    assert call(arguments) == 0
    said = capsys.readouterr()
    assert (
        said.out.startswith("mine/index.html: 2 pictures, made in ")
        and said.err == "dreamkit: picture 2 of 2, 0 s left\n"
    )
    assert call(arguments) == 0 and "2 pictures (2 were there already)" in capsys.readouterr().out
    assert (
        call([*arguments, "--seed", "1"]) == 2 and "holds another atlas" in capsys.readouterr().err
    )
    assert call(["atlas", "--scheduler", "nonsense", "-o", "new"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "no Dask scheduler answers at 'nonsense'" in error


# --- with workers


def test_auto_is_one_worker_for_each_core_that_may_be_used(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5}, raising=False)
    assert worker_count("auto") == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert worker_count("auto") == 1
    with cluster(workers="auto") as client:  # one core: this process does the work, without Dask
        assert client is None


@pytest.mark.slow
def test_workers_change_no_byte_and_a_dead_one_costs_its_batch(dreamnet, tmp_path):
    """Two workers, of which one is killed in the middle, against this process alone."""
    from dreamkit.atlas.cluster import cluster

    settings, channels = dk.atlas.PictureSettings(side=32, steps=12, batch=4), list(range(16))
    alone = dk.atlas(
        dreamnet, ["conv2", "inception4c"], tmp_path / "alone", channels=channels, settings=settings
    )
    with cluster(2) as client:
        assert all(
            address.startswith("tls://127.0.0.1:") for address in client.scheduler_info()["workers"]
        )
        killed, counts = None, []
        for done, _ in dk.atlas.making(
            dreamnet,
            ["conv2", "inception4c"],
            tmp_path / "two",
            channels=channels,
            client=client,
            settings=settings,
        ):
            counts.append(done)
            if done >= 8 and killed is None:
                busy = next(worker for worker, tasks in client.processing().items() if tasks)
                killed = next(
                    pid for worker, pid in client.run(os.getpid).items() if worker == busy
                )
                os.kill(killed, signal.SIGKILL)
        assert killed is not None and counts == list(range(0, 33, 4))  # each batch came once
        assert (
            client.run_on_scheduler(finished) <= 8 + 1
        )  # of the eight, the dead one's was done again
    assert files(tmp_path / "two") == files(alone.folder)


def finished(dask_scheduler) -> int:
    """How many jobs were worked out in all, those counted twice whose results were lost."""
    return sum(entry[1:3] == ("processing", "memory") for entry in dask_scheduler.transition_log)


@pytest.mark.slow
def test_a_module_of_ones_own_travels(tiny_network, tmp_path):
    alone = dk.atlas(tiny_network, "6", tmp_path / "alone", settings=QUICK)
    there = dk.atlas(tiny_network, "6", tmp_path / "there", settings=QUICK, workers=1)
    assert files(there.folder) == files(alone.folder)


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_of_it(tmp_path):
    lines = [
        "import dreamkit as dk",
        "network = dk.load_network('dreamnet')",
        "quick = dk.atlas.PictureSettings(side=16, steps=1)",
        "dk.atlas(network, 'conv1', 'atlas', channels=[0], workers=1, settings=quick)",
    ]
    for name, guard in (("bare", ""), ("guarded", "if __name__ == '__main__':")):
        indent = "    " if guard else ""
        script = "\n".join([lines[0], guard, *(indent + line for line in lines[1:])])
        (tmp_path / f"{name}.py").write_text(script)
        ran = subprocess.run(
            [sys.executable, f"{name}.py"], cwd=tmp_path, capture_output=True, text=True
        )
        assert (ran.returncode == 0) == bool(guard), ran.stderr
        said = ran.stderr.strip().splitlines()[-1:]
        assert guard or 'must stand under if __name__ == "__main__":' in said[0]


def test_a_channel_below_zero_is_raised_before_its_activation():
    convolution = nn.Conv2d(3, 1, 1)
    with torch.no_grad():
        convolution.weight.fill_(1.0)
        convolution.bias.fill_(-5.0)  # at most -2: always below 0
    network = dk.as_network(nn.Sequential(convolution, nn.ReLU()), (0, 0, 0), (1, 1, 1))
    settings = dk.atlas.PictureSettings(side=16, steps=40)
    _, (first,) = dk.atlas.channel_pictures(
        network, "0", [0], dk.atlas.PictureSettings(side=16, steps=1)
    )
    _, (last,) = dk.atlas.channel_pictures(network, "0", [0], settings)
    assert last > first + 0.3
