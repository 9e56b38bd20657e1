"""Videos as a player shows them: tiny films are made by PyAV, answers by NumPy and formulas."""

import io
import struct
from fractions import Fraction

import numpy as np
import PIL.Image
import pytest
import torch

import dreamkit as dk
from dreamkit.pictures.video import read_video, video_info, write_film
from dreamkit.pictures.video_frames import in_time, ticks

av = pytest.importorskip("av")

CORNERS = np.zeros((32, 48, 3), np.uint8)  # each corner has its own grey
CORNERS[:16, :24], CORNERS[:16, 24:], CORNERS[16:, :24] = 220, 150, 80


def film(path, frames, times=None, aspect=None, colorspace=None):
    """Frames [H, W, 3], at these times in tenths of a second, as MP4."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10, options={"q:v": "1"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=colorspace or "ITU601")
            frame.pts, frame.time_base = (times[index] if times else index), Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def with_matrix(path, a, b, c, d):
    """The film with this display matrix in its track header."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44
    numbers = [a * 65536, b * 65536, 0, c * 65536, d * 65536, 0, 0, 0, 2**30]
    data[start : start + 36] = struct.pack(">9i", *numbers)
    path.write_bytes(data)
    return path


def greys(path) -> list[np.ndarray]:
    return [frame[0].mean(0).numpy() * 255 for frame in read_video(path)]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), lambda p: p),
        ((-1, 0, 0, 1), np.fliplr),  # a front camera
        ((1, 0, 0, -1), np.flipud),
        ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
        ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),  # a phone held upright
        ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
        ((0, 1, 1, 0), lambda p: p.T),
        ((0, -1, -1, 0), lambda p: np.rot90(p.T, 2)),
    ],
)
def test_turned_and_mirrored_films(matrix, expected, tmp_path):
    path = with_matrix(film(tmp_path / "a.mp4", [CORNERS] * 2), *matrix)
    wanted = expected(CORNERS[..., 0])
    [seen, _] = greys(path)
    assert seen.shape == wanted.shape and np.abs(seen - wanted).mean() < 6
    assert (video_info(path).height, video_info(path).width) == wanted.shape


@pytest.mark.parametrize(
    ("aspect", "width"), [((4, 3), 64), ((1, 2), 24), ((16, 11), 70), ((1, 1), 48)]
)
def test_pixels_that_are_not_square(aspect, width, tmp_path):
    path = film(tmp_path / "a.mp4", [CORNERS] * 2, aspect=Fraction(*aspect))
    info = video_info(path)
    assert (info.height, info.width, info.frames) == (32, width, 2)
    turned = with_matrix(path, 0, 1, -1, 0)
    assert (video_info(turned).height, video_info(turned).width) == (width, 32)


def test_a_size_that_changes_midway_gets_bars(tmp_path):
    file = io.BytesIO()
    for size in ((48, 32), (48, 32), (96, 64), (32, 48)):
        PIL.Image.new("RGB", size, (200, 200, 200)).save(file, "JPEG", quality=95)
    (tmp_path / "a.mjpeg").write_bytes(file.getvalue())
    frames = greys(tmp_path / "a.mjpeg")
    assert [frame.shape for frame in frames] == [(32, 48)] * 4
    assert all(np.abs(frame - 200).max() < 4 for frame in frames[:3])
    assert frames[3][:, :12].max() == 0 and frames[3][:, 36:].max() == 0  # 21 columns of 48
    assert np.abs(frames[3][:, 16:32] - 200).max() < 4


def test_a_rate_that_varies_keeps_its_time(tmp_path):
    levels, times = range(20, 220, 20), (0, 1, 2, 3, 4, 5, 6, 7, 18, 19)
    path = film(tmp_path / "a.mp4", [np.full((32, 48, 3), v, np.uint8) for v in levels], times)
    info, seen = video_info(path), [round(frame.mean() / 20) - 1 for frame in greys(path)]
    assert info.fps == 5 and info.frames == len(seen) == 10
    for tick, picture in enumerate(seen):  # none is over half a frame early, or late
        assert times[picture] / 10 <= (tick + 0.5) / 5
        assert picture == 9 or times[picture + 1] / 10 >= (tick + 0.5) / 5


def test_ticks_by_hand():
    tenths = lambda *times: [Fraction(t, 10) for t in times]
    assert ticks(tenths(5, 6, 7, 8), Fraction(10)) is None
    assert ticks(tenths(0, 2, 1, 3), Fraction(10)) is None  # packets come in order of decoding
    assert ticks(tenths(0, 1, 5, 6), Fraction(10)) == [0, 1, 5, 6]
    assert ticks(tenths(0, 2, 5, 7, 10), Fraction(4)) is None  # film in 3:2 steps
    assert ticks(tenths(3), Fraction(4)) is None and ticks(tenths(1, 1, 5), Fraction(4)) is None
    assert [*in_time("abcd", [0, 1, 5, 6])] == [*"abbbbcd"]
    assert [*in_time("abcd", [0, 0, 0, 4])] == [*"ccccd"]
    assert [*in_time("abc", None)] == [*"abc"]
    assert [*in_time("abc", [0, 3])] == [*"aaabc"]  # more frames than packets


RED = (200, 40, 60)


@pytest.mark.parametrize("size", [(32, 48), (720, 1280)])
def test_films_are_written_as_bt709_and_tagged(size, tmp_path):
    picture = torch.tensor(RED).view(1, 3, 1, 1).expand(1, 3, *size) / 255
    write_film([picture] * 2, tmp_path / "a.mp4", 10)
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
    light = np.dot((0.2126, 0.7152, 0.0722), RED) / 255  # BT.709's formula
    assert abs(int(frame.to_ndarray(format="yuv420p")[8, 8]) - (16 + 219 * light)) <= 1.5
    assert int(frame.colorspace) == 1
    back = next(read_video(tmp_path / "a.mp4"))[0, :, 8, 8] * 255
    assert np.abs(back.numpy() - RED).max() < 4


@pytest.mark.parametrize(("size", "space"), [((720, 1280), "ITU709"), ((32, 48), "ITU601")])
def test_untagged_films(size, space, tmp_path):
    pixels = np.full((*size, 3), RED, np.uint8)
    path = film(tmp_path / "a.mp4", [pixels] * 2, colorspace=space)
    assert np.abs(next(read_video(path))[0, :, 8, 8].numpy() * 255 - RED).max() < 5


@pytest.mark.parametrize("name", ["concat:a.mp4|a.mp4", "http:a", "tcp:1", "file:a.mp4", "pipe:0"])
def test_a_file_name_is_never_a_protocol(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "a.mp4", [CORNERS] * 2)
    (tmp_path / name).write_bytes((tmp_path / "a.mp4").read_bytes())
    assert video_info(name).frames == 2
    (tmp_path / name).write_bytes(b"no video")
    with pytest.raises(ValueError, match="is not a video"):
        video_info(name)


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile {0}\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{0}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{0}\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "{0}",
    ],
)
def test_a_list_of_files_leads_nowhere(text, tmp_path):
    film(tmp_path / "a.mp4", [CORNERS] * 2)
    (tmp_path / "list.m3u8").write_text(text.format(tmp_path / "a.mp4"))
    with pytest.raises(ValueError, match="is not a video"):
        dk.film.video_info(tmp_path / "list.m3u8")


RATES = [1, 2.5, 23.976, 24000 / 1001, 29.97, Fraction(30000, 1001), 59.9401, 119.88, 999.99, 1000]


@pytest.mark.parametrize("libx264", [True, False])
@pytest.mark.parametrize("fps", RATES)
def test_every_rate_is_written_by_either_codec(fps, libx264, tmp_path, monkeypatch):
    if not libx264:
        monkeypatch.setattr(av, "codecs_available", av.codecs_available - {"libx264"})
    path = tmp_path / "film.mp4"
    write_film([torch.full((1, 3, 16, 16), grey) for grey in (0.2, 0.8, 0.5)], path, fps)
    info = video_info(path)
    assert info.frames == 3 and float(info.fps) == pytest.approx(float(fps), rel=2e-5)


@pytest.mark.parametrize("fps", [0.5, 0, -24, 1000.5, float("nan"), float("inf"), 10**400])
@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp"])
def test_a_rate_that_no_film_has_is_one_line_that_says_which_are_allowed(fps, suffix, tmp_path):
    most = 50 if suffix == ".gif" else 1000
    with pytest.raises(ValueError, match=f"must be from 1 to {most} in a {suffix} file") as caught:
        write_film([torch.zeros(1, 3, 16, 16)], tmp_path / f"film{suffix}", fps)
    assert len(str(caught.value)) < 150 and not list(tmp_path.iterdir())
