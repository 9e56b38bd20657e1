"""Videos are read frame by frame; films are written as MP4, GIF or WebP, whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np
import PIL.Image
import torch

from ..checks.numbers import is_number
from ..checks.packages import optional_package
from .decoding import to_floats
from .files import check_place, check_source, write_whole
from .image import Image, fit, to_pillow
from .video_frames import fitted, in_time, shown, ticks

# The most frames per second. A GIF counts in hundredths of a second, and viewers need two of them.
MAX_FPS = {".mp4": 1000, ".gif": 50, ".webp": 1000}
# Containers that are one file. A playlist or a list of files could name others.
_FORMATS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,gif,apng,flv,asf,ogg,mjpeg"
_FORMATS += ",dv,mxf,nut,yuv4mpegpipe,rm,wtv,vc1,swf,webp_pipe,png_pipe,jpeg_pipe"
_ALONE = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
_BT709 = 1  # as FFmpeg counts matrices, primaries and transfer curves


@dataclass(frozen=True)
class VideoInfo:
    """The size of an upright video in pixels, its frames per second, and its number of frames."""

    height: int
    width: int
    fps: Fraction
    frames: int


def video_info(path: str | os.PathLike[str]) -> VideoInfo:
    """The size, rate and length of a video as `read_video` gives it, with the same errors.

    If the file does not say how many frames it has, they are counted. The rate is the average.
    """
    with _opened(path) as container:
        stream = container.streams.video[0]
        fps, frames, when = _rate(stream), stream.frames, _ticks(container)
    frames = when[-1] + 1 if when else frames
    first = next(read_video(path), None)
    if first is None:
        raise ValueError(f"{str(path)!r} holds no frames")
    height, width = first.shape[-2:]
    return VideoInfo(height, width, fps, frames or sum(1 for _ in read_video(path)))


def read_video(path: str | os.PathLike[str], side: int | None = None) -> Iterator[Image]:
    """The frames [1, 3, H, W] of a video in [0, 1], one at a time, as a player shows them.

    They are upright or mirrored as the file says, with square pixels, and all of the first one's
    size: a later one of another shape gets black bars. Where the rate varies, frames are repeated
    or left out, so that they follow each other at the average rate. Colours are those of the
    file's tag; untagged HD is BT.709, anything smaller BT.601.

    `side` is the longest side in pixels. Raises FileNotFoundError, or ValueError in one line if
    the file is not a video or PyAV (the extra `film`) is not installed.
    """
    with _opened(path) as container:
        when = _ticks(container)
    with _opened(path) as container:
        aspect, shape = container.streams.video[0].sample_aspect_ratio, None
        for frame in in_time(container.decode(video=0), when):
            pixels = shown(frame, aspect)  # [H, W, 3]
            shape = shape or pixels.shape[:2]
            picture = to_floats(torch.from_numpy(fitted(pixels, shape)))
            yield picture if side is None else fit(picture, side)


def _rate(stream: object) -> Fraction:
    return Fraction(stream.average_rate or stream.base_rate or 25)


def _ticks(container: object) -> list[int] | None:
    """See `ticks`; the times are those of the packets, so that nothing is decoded."""
    stream = container.streams.video[0]
    packets = [(p.pts, p.time_base) for p in container.demux(stream) if p.pts is not None]
    return ticks((pts * base for pts, base in packets), _rate(stream)) if packets else None


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[object]:
    """The video, read from an open file: a name such as `http:…` or a playlist leads nowhere."""
    av = pyav()
    check_source(path, "video")
    try:
        with open(path, "rb") as file, av.open(file, options=_ALONE) as container:
            if not container.streams.video:
                raise ValueError(f"{str(path)!r} has no pictures in it")
            container.streams.video[0].thread_type = "AUTO"
            yield container
    except (av.error.FFmpegError, PermissionError) as error:
        raise ValueError(
            f"{str(path)!r} is not a video that PyAV can read: {error.strerror or error}"
        ) from None


def check_film(path: str | os.PathLike[str], fps: float) -> Path:
    """The path as a Path. ValueError if no film of that rate can be written there."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in MAX_FPS:
        suffixes = ", ".join(MAX_FPS)
        raise ValueError(f"cannot write a film as {str(path)!r}: the name must end in {suffixes}")
    if not is_number(fps, 1, MAX_FPS[suffix]):
        raise ValueError(
            f"fps (frames a second) must be from 1 to {MAX_FPS[suffix]} in a {suffix} file; "
            f"given: {str(fps)[:60]}"
        )
    if suffix == ".mp4":
        pyav()
    check_place(path)
    return path


def write_film(pictures: Iterable[Image], path: str | os.PathLike[str], fps: float = 30) -> None:
    """Write pictures [1, 3, H, W] of one size as MP4 (H.264), GIF or WebP, whole or not at all.

    The suffix of `path` decides the format. H.264 needs even sides: an odd side repeats its last
    row or column. MP4 is BT.709, and tagged so. Raises ValueError for another suffix, for a rate
    that the format does not allow, and if there are no pictures.
    """
    path, rate = check_film(path, fps), Fraction(fps).limit_denominator(10_000)
    frames = (to_pillow(picture) for picture in pictures)
    first = next(frames, None)
    if first is None:
        raise ValueError("a film has at least one frame")
    frames, suffix = itertools.chain([first], frames), path.suffix.lower()
    if suffix == ".mp4":
        write_whole(path, lambda file: _write_mp4(frames, file, rate, first.size))
    else:
        write_whole(path, lambda file: _write_animation(list(frames), file, rate, suffix))


def _write_mp4(
    frames: Iterable[PIL.Image.Image], file: IO[bytes], rate: Fraction, size: tuple[int, int]
) -> None:
    av = pyav()
    width, height = (side + side % 2 for side in size)
    codec, options = "mpeg4", {"q:v": "3"}
    if "libx264" in av.codecs_available:
        # its routines for AVX-512 give other bytes at times, for the same frames
        codec, options = "libx264", {"crf": "18", "x264-params": "cpu-independent=1"}
    else:  # MPEG-4 counts a second in at most 65,535 parts: the nearest rate of that kind
        rate = rate.limit_denominator(int(65_000 / rate))
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.codec_context.thread_count = 1  # nor may the bytes depend on the number of cores
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        coder = stream.codec_context
        coder.colorspace = coder.color_primaries = coder.color_trc = coder.color_range = _BT709
        for frame in frames:
            margins = (0, height - frame.height), (0, width - frame.width), (0, 0)
            pixels = np.pad(np.asarray(frame), margins, mode="edge")
            drawn = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(drawn.reformat(format="yuv420p", dst_colorspace="ITU709")))
        container.mux(stream.encode(None))


def _write_animation(
    frames: list[PIL.Image.Image], file: IO[bytes], rate: Fraction, suffix: str
) -> None:
    unit, kind, options = 1, "WEBP", {"quality": 90, "method": 4}  # unit: of time, in milliseconds
    if suffix == ".gif":
        unit, kind, options = 10, "GIF", {}
    # The end of each frame is rounded, not its duration: so no error adds up.
    ends = [round(1000 * i / (rate * unit)) for i in range(len(frames) + 1)]
    options["duration"] = [unit * (end - start) for start, end in itertools.pairwise(ends)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], loop=0, **options)


def pyav():
    """The module av. ValueError in one line if it is not installed."""
    need, without = "reading videos and writing MP4 need PyAV", "; GIF and WebP work without it"
    return optional_package("av", need, "film", without)
