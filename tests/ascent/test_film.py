"""Films: motion at any frame rate, optical flow, stopped films that continue, files read back."""

import itertools
import os
import re
import signal
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from torch.nn import functional as F

import dreamkit as dk
from dreamkit.ascent import film
from dreamkit.cli.app import call
from dreamkit.pictures.reel import Reel
from dreamkit.pictures.video import read_video, video_info, write_film

from ..processes import program

pytestmark = pytest.mark.usefixtures("loaded_once")

QUICK = dk.Settings(steps=2, octaves=1, jitter=4)
TINY = [
    "--network",
    "dreamnet",
    "--side",
    "48",
    "--steps",
    "1",
    "--octaves",
    "1",
    "--layer",
    "conv2",
]


@pytest.fixture
def photo() -> torch.Tensor:
    return dk.sample("chelsea", 64)


def strided(seed: int = 0):
    """A score that sees the picture in coarse steps, as a network does: 7×7 filters, stride 4."""
    filters = torch.randn(12, 3, 7, 7, generator=torch.Generator().manual_seed(seed))
    filters = filters - filters.mean((1, 2, 3), keepdim=True)
    return lambda x: F.relu(F.conv2d(x, filters, stride=4)).square().mean()


def pan(count: int, height: int = 60, width: int = 80, by: int = 2) -> list[torch.Tensor]:
    """A camera moves to the right over the photo of the cat; a bright box moves to the left."""
    photo, frames = dk.sample("chelsea", 200), []
    for t in range(count):
        frame = photo[..., 20 : 20 + height, by * t : by * t + width].clone()
        frame[..., 20:35, width - 20 - 2 * t : width - 5 - 2 * t] = 0.1 + 0.8 * dk.noise(
            15, 15, seed=1
        )
        frames.append(frame)
    return frames


# --- motion


@pytest.mark.parametrize(
    "rates",
    [
        {"zoom": 3.0},
        {"turn": 40.0},
        {"shift": (5.0, -3.0)},
        {"zoom": 0.5, "turn": -25.0, "shift": (4.0, 7.0)},
    ],
    ids=str,
)
def test_a_second_is_a_second_at_any_frame_rate(rates):
    point = complex(13, -8)
    after = []
    for fps in (1, 15, 24, 60):
        factor, offset = film.motion(1 / fps, **rates)
        z = point
        for _ in range(fps):
            z = factor * z + offset
        after.append(z)
    assert all(abs(z - after[0]) < 1e-9 for z in after) and abs(after[0] - point) > 1


def test_the_rates_mean_what_they_say():
    assert film.motion(1.0, zoom=3.0) == pytest.approx((3.0, 0.0))
    assert film.motion(1.0, turn=90.0)[0] == pytest.approx(
        -1j
    )  # what lay to the right lies above: y points down
    assert film.motion(0.5, shift=(10.0, 4.0)) == (1, pytest.approx(complex(2, 5)))
    assert abs(film.motion(1 / 30, zoom=film.NOTEBOOK_ZOOM)[0]) == pytest.approx(1 / 0.95)


@pytest.mark.parametrize(
    "rates", [{"zoom": 1.3}, {"zoom": 0.8, "turn": 20.0, "shift": (2.5, -1.25)}], ids=str
)
def test_a_move_agrees_with_scipy(photo, rates):
    ndimage = pytest.importorskip("scipy.ndimage")
    factor, offset = film.motion(1.0, **rates)
    inverse = np.array(
        [[(1 / factor).real, (1 / factor).imag], [-(1 / factor).imag, (1 / factor).real]]
    )  # on (y, x)
    middle = (np.array(photo.shape[-2:]) - 1) / 2
    start = middle - inverse @ (middle + np.array([offset.imag, offset.real]))
    moved = film.move(photo.double(), factor, offset)
    for channel in range(3):
        expected = ndimage.affine_transform(
            photo[0, channel].double().numpy(), inverse, start, order=1, mode="mirror"
        )
        np.testing.assert_allclose(moved[0, channel].numpy(), expected, atol=1e-12)


def test_a_zoom_without_a_dream_is_one_enlargement_at_two_frame_rates():
    y, x = torch.meshgrid(torch.linspace(0, 1, 60), torch.linspace(0, 1, 80), indexing="ij")
    smooth = (0.5 + 0.2 * torch.sin(5 * x) + 0.2 * torch.cos(4 * y)).expand(1, 3, -1, -1).double()
    still = dk.Settings(steps=0)
    ends = [
        list(
            film.zooming(
                lambda x: x.sum(), smooth, still, frames=fps + 1, fps=fps, zoom=2.0, turn=10.0
            )
        )[-1]
        for fps in (5, 10)
    ]
    exact = film.move(smooth, *film.motion(1.0, zoom=2.0, turn=10.0))
    for end in ends:
        assert (
            (end - exact).abs().max() < 0.02 < (smooth - exact).abs().max()
        )  # the rest is rounding to 8 bits, ten times


def test_a_zoom_dreams_moves_and_dreams_again(photo):
    score = strided()
    frames = list(film.zooming(score, photo, QUICK, frames=2, fps=10, zoom=4.0))
    first = (dk.dream(score, photo, QUICK) * 255).round() / 255
    assert torch.equal(frames[0], first)
    moved = film.move(first, 4**0.1)
    assert torch.equal(
        frames[1],
        (dk.dream(score, moved, dk.Settings(steps=2, octaves=1, jitter=4, seed=1)) * 255).round()
        / 255,
    )
    assert torch.equal(frames[0], (frames[0] * 255).round() / 255) and film.move(photo, 1) is photo


def test_a_zoom_goes_on_as_if_nothing_had_been(photo, tmp_path):
    whole = list(film.zooming([strided(0), strided(1)], photo, QUICK, frames=5, turn=30.0))
    dk.save_image(whole[1], tmp_path / "2.png")
    rest = film.zooming(
        [strided(0), strided(1)],
        photo,
        QUICK,
        frames=5,
        turn=30.0,
        first=2,
        last=dk.load_image(tmp_path / "2.png"),
    )
    assert all(torch.equal(a, b) for a, b in zip(whole[2:], rest, strict=True))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"frames": 0}, "frames is a whole number"),
        ({"fps": 0}, "fps is a number above 0"),
        ({"zoom": -1}, "zoom is a number above 0"),
        ({"turn": float("nan")}, "finite"),
        ({"first": 3}, "continues from its last frame"),
        ({"score": []}, "needs a score"),
    ],
    ids=str,
)
def test_numbers_that_make_no_film(photo, given, message):
    with pytest.raises(ValueError, match=message):
        film.zooming(given.pop("score", strided()), photo, **({"frames": 2} | given))


# --- walks


def test_a_walk_slides_from_score_to_score(photo):
    red, blue = (lambda x: 1e6 * x[:, 0].mean()), (lambda x: x[:, 2].mean())
    assert (
        film.between([red, blue], 0.0, photo) is red
        and film.between([red, blue], 1.0, photo) is blue
    )
    pull = dk.gradient(film.between([red, blue], 0.25, photo), photo).mean((0, 2, 3))
    assert float(pull[0] / pull[2]) == pytest.approx(3.0, rel=1e-4)
    frames = list(
        film.walking(
            [red, blue],
            torch.full((1, 3, 8, 8), 0.5),
            dk.Settings(steps=2, octaves=1),
            frames=3,
            blend=0.0,
        )
    )
    changes = [(frame - 0.5).mean((0, 2, 3)) for frame in frames]
    assert changes[0][0] > 0.01 > abs(changes[0][2]) and changes[2][2] > 0.01 > abs(changes[2][0])
    assert (
        float(changes[1][0]) == pytest.approx(float(changes[1][2]), abs=0.004)
        and changes[1][0] > 0.005
    )
    with pytest.raises(ValueError, match="give count"):
        film.dreaming_video([red, blue], iter(frames), flow=False)


# --- flow


def test_the_flow_of_a_pan_is_known_and_what_comes_into_view_is_not_trusted():
    pytest.importorskip("cv2")
    frames = pan(2)
    flow = film.optical_flow(*frames)
    ground = torch.ones(60, 80, dtype=torch.bool)
    ground[15:40, 50:] = False
    ground[:, 72:] = False
    assert float(flow.back[0, 0][ground].median()) == pytest.approx(
        2.0, abs=0.2
    )  # the camera goes right: it was further right
    assert float(flow.back[0, 1][ground].median()) == pytest.approx(0.0, abs=0.2)
    assert flow.trusted[0, 0][ground].float().mean() > 0.9
    assert flow.trusted[0, 0, :, -2:].float().mean() < 0.3  # new at the right border
    carried = film.warp(frames[0], flow.back)
    there = (flow.trusted[0, 0] & ground).expand_as(carried)
    assert (carried - frames[1])[there].abs().mean() < 0.3 * (frames[0] - frames[1])[
        there
    ].abs().mean()


def test_flicker_with_flow_is_at_most_half_of_without():
    pytest.importorskip("cv2")
    frames, score = pan(8), strided()
    settings = dk.Settings(steps=4, octaves=2, jitter=4, smoothing=1.0)
    flows = [film.optical_flow(a, b) for a, b in itertools.pairwise(frames)]
    with_flow = list(film.dreaming_video(score, frames, settings))
    without = list(film.dreaming_video(score, frames, settings, flow=False))
    assert all(
        (dreamt - frame).abs().mean() > 0.02
        for dreamt, frame in zip(with_flow, frames, strict=True)
    )  # it does dream
    plain, flowing, fixed = (film.flicker(each, flows) for each in (frames, with_flow, without))
    print(f"flicker {plain:.4f} of the video, {flowing:.4f} with flow, {fixed:.4f} without")
    assert flowing <= fixed / 2


def test_a_video_goes_on_as_if_nothing_had_been():
    pytest.importorskip("cv2")
    frames = pan(4)
    whole = list(film.dreaming_video(strided(), frames, QUICK))
    rest = list(film.dreaming_video(strided(), iter(frames), QUICK, first=2, last=whole[1]))
    assert all(torch.equal(a, b) for a, b in zip(whole[2:], rest, strict=True))


def test_without_opencv_it_is_one_clear_line(monkeypatch, photo):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(
        ValueError, match=r"optical flow needs OpenCV: pip install 'dreamkit\[film\]'"
    ):
        film.dreaming_video(strided(), [photo, photo])
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ValueError, match=r"PyAV: pip install 'dreamkit\[film\]'"):
        write_film([photo], "film.mp4")


# --- files


@pytest.mark.parametrize(
    ("suffix", "fps"),
    [("mp4", 30), ("mp4", 24000 / 1001), ("gif", 12.5), ("gif", 30), ("webp", 30)],
)
def test_a_film_is_read_back_with_its_frames_and_its_rate(tmp_path, suffix, fps):
    frames, path = pan(9, 41, 63), tmp_path / f"film.{suffix}"
    write_film(frames, path, fps)
    assert os.listdir(tmp_path) == [path.name]
    if suffix == "mp4":
        pytest.importorskip("av")
        info, back = video_info(path), list(read_video(path))
        assert (info.height, info.width, info.frames, len(back)) == (42, 64, 9, 9) and float(
            info.fps
        ) == pytest.approx(fps, rel=1e-4)
        assert all(
            (a[..., :41, :63] - b).abs().mean() < 0.06 for a, b in zip(back, frames, strict=True)
        )
    else:
        with PIL.Image.open(path) as file:
            assert (file.size, file.n_frames) == ((63, 41), 9)
            time = 0
            for index in range(9):
                file.seek(index)
                file.load()
                time += file.info["duration"]
        assert time == pytest.approx(9 / fps * 1000, abs=10)


@pytest.mark.parametrize(
    ("name", "fps", "message"),
    [
        ("film.avi", 30, "must end in .mp4, .gif, .webp"),
        ("film.gif", 60, "from 1 to 50 in a .gif"),
        ("film.mp4", 0, "fps"),
        ("nowhere/film.mp4", 30, "'nowhere' does not exist|nowhere' does not exist"),
    ],
)
def test_a_film_that_cannot_be_written(tmp_path, photo, name, fps, message):
    with pytest.raises(ValueError, match=message):
        write_film([photo], tmp_path / name, fps)
    with pytest.raises(ValueError, match="at least one frame"):
        write_film([], tmp_path / "film.gif")
    assert os.listdir(tmp_path) == []


def test_a_film_is_written_whole_or_not_at_all(tmp_path, photo):
    def broken():
        yield photo
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(broken(), tmp_path / "film.mp4")
    assert os.listdir(tmp_path) == []


def test_a_reel_knows_its_film(tmp_path, photo):
    reel = Reel(tmp_path / "a.mp4", {"zoom": 2.0})
    assert reel.last() is None and os.listdir(tmp_path) == []
    reel.add(photo)
    reel.add(1 - photo)
    assert Reel(tmp_path / "a.mp4", {"zoom": 2.0}, resume=True).kept == 2
    assert torch.equal(
        Reel(tmp_path / "a.mp4", {"zoom": 2.0}, resume=True).last(),
        ((1 - photo) * 255).round() / 255,
    )
    with pytest.raises(ValueError, match="holds the frames of a film that was stopped: --resume"):
        Reel(tmp_path / "a.mp4", {"zoom": 2.0})
    with pytest.raises(ValueError, match="another film, which differs in its zoom"):
        Reel(tmp_path / "a.mp4", {"zoom": 3.0}, resume=True)
    (reel.folder / "note.txt").write_text("mine")
    reel.clear()
    assert os.listdir(reel.folder) == ["note.txt"]
    with pytest.raises(ValueError, match="is in the way"):
        Reel(tmp_path / "a.mp4", {}, resume=True)


# --- the commands


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_a_video_dreams_stops_at_a_signal_resumes_and_is_the_same(folder, capsys):
    """Three seconds of 320×240: a film that was stopped and continued has the same bytes."""
    pytest.importorskip("av")
    pytest.importorskip("cv2")
    wide = dk.sample("chelsea", 451)
    write_film([wide[..., 30:270, 4 * t : 4 * t + 320] for t in range(12)], "cat.mp4", 4)
    flags = [
        "cat.mp4",
        *TINY[:2],
        "--steps",
        "1",
        "--step-size",
        "0.02",
        "--octaves",
        "1",
        "--layer",
        "conv2",
    ]
    process = program("film", *flags, "-o", "a.mp4")
    first = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, ""), err
    assert re.fullmatch(r"dreamkit: frame 1 of 12, .* left\n", first)
    said = re.search(
        r"stopped after frame (\d+) of 12; --resume goes on from 'a\.mp4\.frames'\n$", err
    )
    assert said and not os.path.exists("a.mp4")
    kept = sorted(name for name in os.listdir("a.mp4.frames") if name.endswith(".png"))
    assert kept == [f"{n + 1:06}.png" for n in range(int(said[1]))] and len(kept) < 12
    passport = dk.read_passport("a.mp4.frames/000001.png")
    assert (passport["made"], passport["frame"], passport["film"]["frames"]) == ("film", 0, 12)
    before = os.stat("a.mp4.frames/000001.png").st_mtime_ns
    assert (
        call(["film", *flags, "-o", "a.mp4"]) == 2 and "--resume goes on" in capsys.readouterr().err
    )
    assert (
        call(["film", *flags, "--blend", "0.5", "-o", "a.mp4", "--resume"]) == 2
        and "differs in its blend" in capsys.readouterr().err
    )
    assert call(["film", *flags, "-o", "a.mp4", "--resume", "--keep-frames"]) == 0, (
        capsys.readouterr().err
    )
    assert os.stat("a.mp4.frames/000001.png").st_mtime_ns == before
    assert call(["film", *flags, "-o", "b.mp4"]) == 0
    assert Path("a.mp4").read_bytes() == Path("b.mp4").read_bytes() and not os.path.exists(
        "b.mp4.frames"
    )
    info, frames = video_info("a.mp4"), list(read_video("a.mp4"))
    assert (info.height, info.width, info.fps, len(frames)) == (240, 320, 4, 12)
    change = [
        (dreamt - plain).abs().mean()
        for dreamt, plain in zip(frames, read_video("cat.mp4"), strict=True)
    ]
    assert min(change) > 0.01


def test_a_zoom_walks_through_layers_and_loads_its_network_once(folder, capsys, monkeypatch):
    loaded, load = [], dk.load_network
    monkeypatch.setattr(
        dk, "load_network", lambda *given, **more: loaded.append(given) or load(*given, **more)
    )
    assert (
        call(
            [
                "zoom",
                "china",
                *TINY,
                "--layer",
                "conv1",
                "--seconds",
                "0.5",
                "--fps",
                "8",
                "--turn",
                "90",
                "-o",
                "z.webp",
            ]
        )
        == 0
    )
    assert re.fullmatch(
        r"z\.webp: 4 frames, 0\.5 s at 8 a second, made in [\d.]+ s\n", capsys.readouterr().out
    )
    assert len(loaded) == 1 and os.listdir(folder) == ["z.webp"]
    with PIL.Image.open("z.webp") as file:
        assert (file.n_frames, file.size) == (4, (48, 32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["zoom", "china", "-o", "z.avi"], "must end in .mp4, .gif, .webp"),
        (["zoom", "china", "--seconds", "0"], "a film has from 1 to"),
        (["zoom", "china", "--zoom", "0"], "zoom is a number above 0"),
        (["zoom", "china", "--fps", "60", "-o", "z.gif"], "from 1 to 50 in a .gif"),
        (
            ["zoom", "china", "--layer", "conv1", "--layer", "conv2", "--guide", "flower"],
            "not both",
        ),
        (["film", "nowhere.mp4"], "no video at 'nowhere.mp4'"),
        (["film", "text.mp4"], "'text.mp4' is not a video that PyAV can read"),
        (["film", "cat.gif", "--blend", "2"], "blend is the share"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_leaves_nothing(folder, capsys, arguments, message):
    pytest.importorskip("av")
    (folder / "text.mp4").write_bytes(b"Dear Sir")
    write_film(pan(3), "cat.gif", 10)
    assert call(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and re.search(message, lines[0]), lines
    assert sorted(os.listdir(folder)) == ["cat.gif", "text.mp4"]
