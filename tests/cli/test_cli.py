"""The command line as a user sees it: results, messages and exit statuses."""

import os
import re
import signal
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import PIL.Image
import pytest
import torch

import dreamkit as dk
from dreamkit import passport
from dreamkit.cli import console as _console
from dreamkit.cli.app import call
from dreamkit.cli.options import DEFAULT_LAYERS

from ..pictures.test_image import bomb, truncated
from ..processes import program

pytestmark = pytest.mark.usefixtures("loaded_once")

QUICK = ["--network", "dreamnet", "--side", "48", "--steps", "2", "--octaves", "2"]


def dream_by_recipe(name: str, *more: str) -> int:
    """The exit status of a quick `dreamkit dream --recipe`."""
    quick = [*QUICK[:2], "--side", "96", "--layer", "conv2", "--octaves", "2"]
    return call(["dream", "--recipe", name, *quick, *more])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- as a process


def test_the_first_dream():
    """One whole process: status 0, and plain progress lines because stderr is a pipe."""
    process = program("dream", "--side", "64", "--steps", "2", "--octaves", "2", fresh=True)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert re.fullmatch(
        r"dream\.png: 64×43, the style animals of efficientnet_lite0, 4 steps in [\d.]+ s\n", out
    )
    assert err == "dreamkit: octave 1 of 2, 46×31\ndreamkit: octave 2 of 2, 64×43\n"
    dreamt, photo = dk.load_image("dream.png"), dk.sample("china", side=64)
    assert dreamt.shape == photo.shape and 0.005 < (dreamt - photo).abs().mean() < 0.2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_the_picture_so_far(number, status, folder, capsys):
    process = program(
        "dream", "--side", "128", "--steps", "5000", "--octaves", "2", "-o", "half.png"
    )
    first = process.stderr.readline()  # the first step is done
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (status, ""), err
    assert first == "dreamkit: octave 1 of 2, 91×61\n"
    said = re.fullmatch(
        r"dreamkit: stopped at step (\d+) of 5000 in octave 1 of 2; "
        r"saved the picture so far, 128×85, as 'half.png'\n",
        err,
    )
    assert said and os.listdir(folder) == ["half.png"]
    with PIL.Image.open("half.png") as file:
        file.load()  # whole, and of the size it would have had in the end
        assert file.size == (128, 85)
    assert dk.read_passport("half.png")["stopped"] == int(said[1])
    if int(said[1]) < 50:
        assert call(["again", "half.png"]) == 0
        assert "difference 0 of 255" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe is something else on Windows")
def test_a_closed_pipe_ends_it_quietly():
    process = program("layers")
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait(timeout=120) == 1
    process.stderr.close()


# --- what it makes


def test_the_same_seed_gives_the_same_bytes():
    for name, seed in (("a.png", "3"), ("b.png", "3"), ("c.png", "4")):
        assert call(["dream", "chelsea", *QUICK, "--seed", seed, "-o", name]) == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert not torch.equal(dk.load_image("a.png"), dk.load_image("c.png"))


def test_every_setting_is_a_flag(capsys):
    others = dk.Settings(
        steps=1,
        step_size=0.02,
        octaves=3,
        octave_ratio=1.2,
        jitter=2,
        smoothing=2.5,
        tile=40,
        seed=9,
        laplacian=2,
        chroma=0.5,
    )
    assert all(getattr(others, spec.name) != spec.default for spec in fields(others))
    flags = [
        part
        for spec in fields(others)
        for part in (f"--{spec.name.replace('_', '-')}", str(getattr(others, spec.name)))
    ]
    assert call(["dream", *QUICK[:2], "--side", "96", *flags]) == 0
    net = dk.load_network("dreamnet")
    dk.save_image(
        dk.dream(
            dk.scorer(net, dk.layer(DEFAULT_LAYERS["dreamnet"])), dk.sample("china", 96), others
        ),
        "expected.png",
    )
    assert torch.equal(dk.load_image("dream.png"), dk.load_image("expected.png"))
    capsys.readouterr()
    assert call(["dream", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for spec in fields(others):
        assert f"--{spec.name.replace('_', '-')}" in shown and spec.metadata["help"] in shown


@pytest.mark.parametrize(
    ("flags", "objective"),
    [
        (["--layer", "conv2", "--channel", "3"], dk.channel("conv2", 3)),
        (["--logit", "banana"], dk.logit("banana")),
        (["--logit", "7"], dk.logit(7)),
        (["--layer", "inception3b"], dk.layer("inception3b")),
    ],
)
def test_what_to_dream_of(flags, objective):
    assert call(["dream", *QUICK, *flags]) == 0
    net = dk.load_network("dreamnet")
    settings = replace(dk.settings_for(net, objective.layers), steps=2, octaves=2)
    dk.save_image(
        dk.dream(dk.scorer(net, objective), dk.sample("china", 48), settings), "expected.png"
    )
    assert torch.equal(dk.load_image("dream.png"), dk.load_image("expected.png"))


def test_a_guide(capsys):
    dk.save_image(dk.sample("flower", 40), "guide.png")
    assert call(["dream", *QUICK, "--layer", "inception3b", "--guide", "guide.png"]) == 0
    net = dk.load_network("dreamnet")
    wanted = dk.guide("inception3b", dk.capture(net, dk.load_image("guide.png"), "inception3b"))
    settings = replace(dk.settings_for(net, "inception3b"), steps=2, octaves=2)
    dk.save_image(
        dk.dream(dk.scorer(net, wanted), dk.sample("china", 48), settings), "expected.png"
    )
    assert torch.equal(dk.load_image("dream.png"), dk.load_image("expected.png"))
    assert call(["again", "dream.png"]) == 2
    assert "'guide.png': give it with --guide PICTURE" in capsys.readouterr().err
    assert call(["again", "dream.png", "--guide", "guide.png"]) == 0


def test_a_large_photo_is_taken_smaller_and_a_small_one_as_it_is(capsys):
    quick = [*QUICK[:2], "--steps", "1", "--octaves", "1", "--layer", "conv1"]
    PIL.Image.new("RGB", (1500, 30), (90, 120, 60)).save("wide photo.jpg")
    PIL.Image.new("RGB", (37, 30), (90, 120, 60)).save("small.jpg")
    assert call(["dream", "wide photo.jpg", *quick]) == 0
    assert (
        "'wide photo.jpg' has 1500×30 pixels; taken at 1024×20 (--side changes that)"
        in capsys.readouterr().err
    )
    assert dk.load_image("dream.png").shape == (1, 3, 20, 1024)
    assert call(["dream", "small.jpg", *quick]) == 0
    assert dk.load_image("dream.png").shape == (1, 3, 30, 37)


def test_no_steps_give_the_photo_back():
    assert call(["dream", "--side", "48", "--steps", "0"]) == 0
    assert (dk.load_image("dream.png") - dk.sample("china", 48)).abs().max() <= 0.5 / 255 + 1e-6


def test_a_silent_layer_is_one_line_of_warning(capsys):
    from safetensors.torch import save_file

    state = {
        name: torch.zeros(value.shape)
        for name, value in dk.load_network("dreamnet").module.state_dict().items()
    }
    save_file(state, "dead.safetensors")
    assert call(["dream", *QUICK, "--weights", "dead.safetensors"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert (
        sum("warning: layer('" in line and "is silent" in line for line in lines) == 1
        and len(lines) == 3
    )


def test_a_flat_picture_and_random_weights_are_said_in_one_line_each(capsys):
    PIL.Image.new("RGB", (48, 40), (90, 120, 60)).save("flat.png")
    quick = [*QUICK[:2], "--steps", "1", "--octaves", "1", "--layer", "conv2"]
    assert call(["dream", "flat.png", *quick]) == 0
    assert capsys.readouterr().err.endswith(
        "dreamkit: 'flat.png' is one flat colour: whatever appears in it is the network's own\n"
    )
    assert call(["dream", "china", "--side", "48", "--weights", "random", *quick]) == 0
    told = capsys.readouterr().err
    assert told.endswith(
        "dreamkit: random weights: the network has learnt nothing, "
        "so what appears is texture without meaning\n"
    )


def test_layers_are_listed_as_they_run(capsys):
    assert call(["layers", "dreamnet"]) == 0
    head, *rows, last = capsys.readouterr().out.splitlines()
    net = dk.load_network("dreamnet")
    assert head.split() == [
        "layer",
        "type",
        "channels",
        "stride",
        "sees",
        "(pixels)",
        "also",
        "called",
    ]
    assert [row.removeprefix("*").split()[0] for row in rows] == list(dk.layer_names(net))
    assert [row[1:].split()[0] for row in rows if row.startswith("*")] == list(
        dk.suggested_layers(net)
    )
    conv1 = next(row for row in rows if " conv1 " in row).split()
    assert conv1[1:6] == [
        "conv1",
        "Conv",
        "48",
        "1",
        "7",
    ]  # 7×7, stride 1, 48 channels: as the architecture says
    assert (
        " ".join(next(row for row in rows if " inception4c " in row).split()[6:])
        == "inception_4c/output, mixed4c"
    )
    assert "dreamkit dream --network dreamnet --layer" in last


def test_layers_need_no_weights_and_a_paper_s_name_is_understood(capsys, monkeypatch):
    monkeypatch.setattr(
        torch.hub, "download_url_to_file", lambda *a, **k: pytest.fail("it fetched weights")
    )
    assert call(["layers", "squeezenet1_1"]) == 0
    row = next(row for row in capsys.readouterr().out.splitlines() if " features.12 " in row)
    assert row.split()[1:] == ["features.12", "Fire", "512", "16", "207", "fire9,", "fire9/concat"]
    assert call(["dream", *QUICK, "--layer", "inception_3a/output", "--channel", "1000"]) == 2
    assert "'inception_3a/output' has 208, from 0 to 207" in capsys.readouterr().err


def test_layers_of_another_network(capsys):
    assert call(["layers", "squeezenet1_1", "--weights", "random"]) == 0
    assert "features.12" in capsys.readouterr().out


def test_features_are_drawn_as_a_sheet(capsys):
    assert call(["features", "china", *QUICK[:4], "--layer", "conv2", "-o", "sheet.png"]) == 0
    assert capsys.readouterr().out == "sheet.png: 32 of the 112 maps of conv2\n"
    sheet = dk.load_image("sheet.png")
    assert min(sheet.shape[-2:]) > 300 and sheet.std() > 0.05
    assert (
        call(
            [
                "features",
                "china",
                *QUICK[:4],
                "--layer",
                "conv2",
                "--channels",
                "5",
                "-o",
                "one.jpg",
            ]
        )
        == 0
    )
    assert dk.load_image("one.jpg").numel() < sheet.numel()


def test_samples_are_listed_with_their_credits(capsys):
    assert call(["samples"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        [line.split()[0] for line in lines] == list(dk.samples())
        and "CC BY 2.0" in lines[0]
        and "640×427" in lines[0]
    )


def test_version_and_help(capsys):
    assert call(["--version"]) == 0
    assert capsys.readouterr().out == f"dreamkit {dk.__version__}\n"
    assert call([]) == 0
    shown = capsys.readouterr().out
    assert all(
        name in shown
        for name in ("dream", "again", "layers", "features", "samples", "doctor", "lab")
    )


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("caffe", {"step_size": 3.0}),
        ("pytorch", {"smoothing": 1.0}),
        ("tensorflow", {"tile": 24}),
        ("keras", {"max_loss": 0.001}),
    ],
)
def test_a_recipe_gets_what_was_given_and_the_rest_as_published(name, given, capsys):
    flags = [
        part
        for flag, value in given.items()
        for part in (f"--{flag.replace('_', '-')}", str(value))
    ]
    assert dream_by_recipe(name, "--steps", "1", *flags) == 0
    objective = {
        "tensorflow": dk.layer("conv2", power=1),
        "keras": dk.layer("conv2", border=2),
    }.get(name, dk.layer("conv2"))
    follow = getattr(dk.recipes, name)
    *_, last = follow(
        dk.load_network("dreamnet"), objective, dk.sample("china", 96), steps=1, octaves=2, **given
    )
    dk.save_image(last, "expected.png")
    assert torch.equal(dk.load_image("dream.png"), dk.load_image("expected.png"))


def test_figures_are_said_one_by_one_with_captions_so_far(monkeypatch, capsys):
    def make(network, seed):
        yield dk.figures.Picture("grey", torch.full((1, 3, 8, 8), 0.5), "grey", {"seed": seed})

    def stop(network, seed):
        yield dk.figures.Picture("white", torch.ones(1, 3, 8, 8), "white", {"seed": seed})
        raise _console.Stopped(2)

    for name, maker in (("strokes", make), ("clouds", stop)):
        monkeypatch.setitem(
            dk.figures.FIGURES,
            name,
            dk.figures.Figure(name, "dreamnet", "shown", "known", "guess", maker),
        )
    assert call(["figures", "strokes", "-o", "whole", "--seed", "4"]) == 0
    assert capsys.readouterr().out.startswith(
        "whole: strokes, 1 pictures\nwhole: 1 pictures with captions.md"
    )
    assert dk.read_passport("whole/strokes-01-grey.png")["seed"] == 4
    assert call(["figures", "strokes", "clouds", "-o", "half"]) == 130
    assert (
        "stopped after 1 of 2 figures; the pictures so far are in 'half'" in capsys.readouterr().err
    )
    assert sorted(os.listdir("half")) == [
        "captions.md",
        "clouds-01-white.png",
        "strokes-01-grey.png",
    ]


# --- mistakes

MISTAKES = [
    (["dream", "nowhere.jpg"], "no picture at 'nowhere.jpg'"),
    (
        ["dream", "chinna"],
        "no picture at 'chinna', and no sample of this name; samples: china, flower",
    ),
    (["dream", ".", "-o", "."], "'.' is the folder the pictures come from"),
    (["dream", "text.jpg"], "'text.jpg' is not a picture that Pillow can read"),
    (["dream", "cut.jpg"], "'cut.jpg' is a broken picture: .*truncated"),
    (["dream", "empty.png"], "'empty.png' is not a picture"),
    (["dream", "bomb.png"], "more than 178 megapixels"),
    (
        ["dream", "dot.png"],
        r"1×1 pixels .* is too small for layer '[\w.]+': it needs at least \d+×\d+",
    ),
    (["dream", "a\nb\x1b[31m.png"], r"no picture at 'a\\nb\\x1b\[31m.png'"),
    (["dream", "-o", "missing/a.png"], "the folder 'missing' does not exist; make it first"),
    (
        ["dream", "-o", "a.gif"],
        r"cannot save as 'a.gif': the name must end in .png, .jpg, .jpeg, .webp",
    ),
    (["dream", "-o", "."], "must end in"),
    (
        ["dream", "photo.png", "-o", "photo.png"],
        "'photo.png' is a picture it is made from; give the result another name with -o",
    ),
    (
        ["dream", *QUICK[:2], "--layer", "inception4z"],
        "unknown layer 'inception4z'; nearest: inception4., inception4., inception4.",
    ),
    (
        ["dream", *QUICK[:2], "--layer", "conv1", "--channel", "48"],
        "channel 48 is out of range: layer 'conv1' has 48, from 0 to 47",
    ),
    (["dream", *QUICK[:2], "--layer", "conv1", "--channel", "-1"], "channel -1 is out of range"),
    (["dream", *QUICK[:2], "--logit", "bananna"], "unknown class 'bananna'; nearest: banana"),
    (
        ["dream", *QUICK[:2], "--logit", "200"],
        "class 200 is out of range: .* has 200, from 0 to 199",
    ),
    (["dream", "--logit", "banana", "--layer", "block1a"], "a --logit has no --layer"),
    (["dream", "--style", "eyes", "--layer", "block1a"], "a --style has no --layer"),
    (["dream", "--style", "eye"], "unknown style 'eye'; nearest: eyes, "),
    (
        ["dream", *QUICK[:2], "--style", "eyes"],
        "the style eyes names channels of efficientnet_lite0; given: dreamnet",
    ),
    (
        ["dream", "--channel", "1", "--guide", "flower"],
        "give one of --channel, --logit, --guide and --style",
    ),
    (["dream", "--guide", "nowhere.png"], "no picture at 'nowhere.png'"),
    (["dream", "--network", "dreamnett"], "unknown network 'dreamnett'; nearest: dreamnet, "),
    (["dream", "--weights", "text.jpg"], "'text.jpg' is not a readable weights file"),
    (["dream", "--weights", "nowhere.pt"], "no weights at 'nowhere.pt'"),
    (["dream", "--device", "abacus"], "device 'abacus' cannot be used here; always there: 'cpu'"),
    (
        ["dream", "--precision", "float8"],
        "precision must be one of float32, bfloat16, float64, auto; given: 'float8'",
    ),
    (
        ["dream", "--steps", "-1"],
        r"steps \(gradient steps an octave\) must be a whole number from 0 to 10000; given: -1",
    ),
    (["dream", "--step-size", "nan"], "step_size .* must be a number from 0.0 .*; given: nan"),
    (["dream", "--step-size", "-0.5"], "step_size .*; given: -0.5"),
    (["dream", "--octaves", "0"], "octaves .* from 1 to 32; given: 0"),
    (["dream", "--octave-ratio", "0.5"], "octave_ratio"),
    (["dream", "--seed", "-3"], "seed .*; given: -3"),
    (
        ["dream", "--side", "0"],
        "side is the longest side in pixels, a whole number from 1 to 65536; given: 0",
    ),
    (["dream", "--side", "99999"], "given: 99999"),
    (["dream", "--steps", "many"], "invalid value for '--steps'"),
    (
        ["dream", "--recipe", "cafe"],
        "recipe must be one of caffe, pytorch, tensorflow, keras; given: 'cafe'",
    ),
    (
        ["dream", "--recipe", "caffe", "--smoothing", "1"],
        "the caffe recipe has no smoothing; it takes steps, step_size",
    ),
    (
        ["dream", "--recipe", "caffe", "--steps", "-1"],
        "'steps' of the caffe recipe must be a whole number from 0 to 10000; given: -1",
    ),
    (
        ["dream", "--recipe", "tensorflow", "--octaves", "32", "--octave-ratio", "16"],
        "the largest octave would have",
    ),
    (["dream", "--clip"], "--clip is an option of --recipe"),
    (["figures", "banana"], "unknown figure 'banana'; nearest: "),
    (["figures", "--seed", "-1"], "--seed is a whole number"),
    (["figures", "--weights", "random"], "belong to a network"),
    (["dream", "--foo"], "no such option: --foo"),
    (
        ["dream", "china", "flower", "-o", "a.png"],
        "several pictures go to a folder; given: -o 'a.png'",
    ),
    (["dreem"], "no such command 'dreem'"),
    (["layers", "nonet"], "unknown network 'nonet'; nearest: "),
    (["features", "china"], "missing option '--layer'"),
    (
        ["features", "china", "--layer", "conv1", "--channels", "3,x"],
        "whole numbers with commas between, as 3,14,15; given: '3,x'",
    ),
    (
        ["features", "china", *QUICK[:2], "--layer", "conv1", "--channels", "48"],
        "channel 48 is out of range: layer 'conv1' has 48",
    ),
    (
        ["features", "china", *QUICK[:2], "--layer", "fc"],
        "layer 'fc' has no feature maps, only 200 numbers; layers with maps: conv1",
    ),
    (["again", "photo.png"], "'photo.png' carries no dreamkit passport"),
    (["again"], "missing argument"),
]


@pytest.mark.parametrize(
    ("arguments", "message"),
    MISTAKES,
    ids=[" ".join(a).encode("unicode_escape").decode() for a, _ in MISTAKES],
)
def test_a_mistake_is_one_clear_line_and_status_2(arguments, message, folder, capsys):
    files = {
        "text.jpg": b"Dear Sir",
        "cut.jpg": truncated("JPEG"),
        "empty.png": b"",
        "bomb.png": bomb(20_000, 20_000),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    PIL.Image.new("RGB", (1, 1)).save("dot.png")
    dk.save_image(dk.noise(40, 40), "photo.png")
    before = {name: Path(name).read_bytes() for name in os.listdir()}
    small = (
        ["--side", "48"]
        if arguments[0] == "dream" and "--side" not in arguments and "dot.png" not in arguments
        else []
    )
    assert call([*arguments, *small]) == 2
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    lines = [line for line in lines if not re.match(r"dreamkit: octave \d", line)]
    assert len(lines) == 1 and lines[0].startswith("dreamkit: ") and re.search(message, lines[0]), (
        shown.err
    )
    assert "Traceback" not in shown.err and "\x1b" not in shown.err and shown.out == ""
    assert {
        name: Path(name).read_bytes() for name in os.listdir()
    } == before  # nothing new, nothing changed


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere"
)
def test_a_folder_that_may_not_be_written(folder, capsys):
    (folder / "closed").mkdir(mode=0o500)
    assert call(["dream", "-o", "closed/a.png"]) == 2
    assert "cannot write 'closed/a.png': Permission denied" in capsys.readouterr().err


# --- signals


def test_the_callers_signal_handlers_and_threads_are_put_back():
    before = (
        [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        torch.get_num_threads(),
    )
    call(["dream", *QUICK])
    call(["again", "dream.png"])
    call(["dream", "nowhere.jpg"])
    assert before == (
        [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        torch.get_num_threads(),
    )


def test_a_stop_before_the_first_step_saves_nothing(monkeypatch, capsys):
    def interrupted(*arguments, **options):
        signal.raise_signal(signal.SIGINT)
        time.sleep(5)

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("this process ignores Ctrl-C")
    monkeypatch.setattr(dk, "load_network", interrupted)
    assert call(["dream"]) == 130
    assert (
        capsys.readouterr().err == "dreamkit: stopped; nothing was saved\n" and os.listdir() == []
    )


# --- the photo


@pytest.mark.parametrize("change", ["replaced", "deleted"])
def test_a_photo_that_changes_during_the_dream_does_not_lose_it(change, monkeypatch, capsys):
    """Stopped in the first octave: the photo is needed once more, at full size."""
    dk.save_image(dk.sample("china", 96), "photo.png")
    photo, real, steps = dk.load_image("photo.png"), dk.scorer, []

    def scorer(network, objective):
        score = real(network, objective)

        def disturbed(image):
            if len(steps) == 1:
                if change == "replaced":
                    dk.save_image(dk.noise(50, 20), "photo.png")
                else:
                    os.remove("photo.png")
                signal.raise_signal(signal.SIGTERM)
            steps.append(1)
            return score(image)

        return disturbed

    net = dk.load_network("dreamnet")
    score = real(net, dk.layer("conv2"))
    settings = replace(dk.settings_for(net, "conv2"), steps=5, octaves=2)
    first = next(dk.dreaming(score, photo, settings))

    class Disturbed:
        name, network, objective = score.name, score.network, score.objective

        def __call__(self, image):
            return scorer(net, dk.layer("conv2"))(image)

    monkeypatch.setattr(dk, "scorer", lambda network, objective: Disturbed())
    quick = [*QUICK[:2], "--layer", "conv2", "--steps", "5", "--octaves", "2"]
    assert call(["dream", "photo.png", *quick]) == 143
    assert "stopped at step 1 of 5 in octave 1 of 2; saved" in capsys.readouterr().err
    expected = passport.full_size(first, photo, settings)
    dk.save_image(expected, "expected.png")
    assert torch.equal(dk.load_image("dream.png"), dk.load_image("expected.png"))
    assert dk.read_passport("dream.png")["stopped"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["zoom", "photo.webp", "-o", "photo.webp"],
        ["zoom", "china", "--guide", "photo.webp", "-o", "photo.webp"],
        ["film", "video.gif", "--guide", "photo.webp", "-o", "photo.webp"],
        ["film", "video.gif", "-o", "video.gif"],
        ["dream", "china", "--guide", "photo.webp", "-o", "photo.webp"],
        ["features", "photo.webp", "--layer", "conv1", "-o", "photo.webp"],
        ["again", "photo.webp", "-o", "photo.webp"],
    ],
)
def test_no_input_is_overwritten(arguments, monkeypatch, capsys):
    if arguments[0] == "film":
        pytest.importorskip("av")
    dk.save_image(dk.noise(40, 40), "photo.webp")
    dk.film.write_film([dk.noise(40, 40)], "video.gif", 10)
    before = {name: Path(name).read_bytes() for name in os.listdir()}
    monkeypatch.setattr(dk, "load_network", lambda *_, **__: pytest.fail("it went on"))
    assert call(arguments) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(r"dreamkit: '\w+\.\w+' is a picture it is made from; .*-o\n", told), told
    assert {name: Path(name).read_bytes() for name in os.listdir()} == before
