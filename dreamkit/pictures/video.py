"""Film files: videos read; frames kept in a folder as they come; films written as MP4, GIF or WebP, whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np
import torch
from PIL import Image as pillow

from .files import check_place, make_folder, write_whole
from .image import Image, fit, load_image, save_image, to_pillow

SUFFIXES = (".mp4", ".gif", ".webp")
MOST_FPS = {
    ".mp4": 1000,
    ".gif": 50,
    ".webp": 1000,
}  # a GIF counts in hundredths of a second, and viewers need two


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself: size in pixels (upright), frames a second, and how many frames there are."""

    height: int
    width: int
    fps: Fraction
    frames: int


def video_info(path: str | os.PathLike[str]) -> VideoInfo:
    """The size, rate and length of a video; where the file does not say how long it is, its frames are counted. Errors as `read_video`."""
    with _opened(path) as container:
        stream = container.streams.video[0]
        fps, frames = stream.average_rate or stream.base_rate or Fraction(25), stream.frames
    first = next(read_video(path), None)
    if first is None:
        raise ValueError(f"{str(path)!r} holds no frames")
    height, width = first.shape[-2:]
    return VideoInfo(height, width, Fraction(fps), frames or sum(1 for _ in read_video(path)))


def read_video(path: str | os.PathLike[str], side: int | None = None) -> Iterator[Image]:
    """The frames [1, 3, H, W] of a video in [0, 1], upright, one at a time; `side` is the longest side in pixels.

    FileNotFoundError or ValueError in one line where there is no video, or PyAV (the extra `film`) is missing.
    """
    with _opened(path) as container:
        for frame in container.decode(video=0):
            quarters = (
                round(getattr(frame, "rotation", 0) / 90) % 4
            )  # how phones say which side is up
            pixels = torch.from_numpy(np.rot90(frame.to_ndarray(format="rgb24"), quarters).copy())
            picture = (
                pixels.permute(2, 0, 1)[None].to(
                    torch.float32, memory_format=torch.contiguous_format
                )
                / 255
            )
            yield picture if side is None else fit(picture, side)


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[object]:
    av = pyav()
    if not os.path.exists(path):
        raise FileNotFoundError(f"no video at {str(path)!r}")
    if not os.path.isfile(path):
        raise ValueError(f"{str(path)!r} is not a file")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f"{str(path)!r} has no pictures in it")
            container.streams.video[0].thread_type = "AUTO"
            yield container
    except av.error.FFmpegError as error:
        raise ValueError(
            f"{str(path)!r} is not a video that PyAV can read: {error.strerror or error}"
        ) from None


def check_film(path: str | os.PathLike[str], fps: float) -> Path:
    """The path, where a film of that rate could be written; asked before the work. ValueError where not."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"cannot write a film as {str(path)!r}: the name must end in {', '.join(SUFFIXES)}"
        )
    if not (
        isinstance(fps, (int, float, Fraction))
        and math.isfinite(fps)
        and 1 <= fps <= MOST_FPS[suffix]
    ):
        raise ValueError(
            f"fps (frames a second) must be from 1 to {MOST_FPS[suffix]} in a {suffix} file; given: {fps}"
        )
    if suffix == ".mp4":
        pyav()
    check_place(path)
    return path


def write_film(pictures: Iterable[Image], path: str | os.PathLike[str], fps: float = 30) -> None:
    """Writes pictures [1, 3, H, W] of one size as MP4 (H.264), GIF or WebP by the suffix of `path`, whole or not at all.

    H.264 has even sides: an odd one repeats its last row or column. ValueError for another suffix, a rate that the
    format has not, or no pictures.
    """
    path, rate = check_film(path, fps), Fraction(fps).limit_denominator(10_000)
    frames = (to_pillow(picture) for picture in pictures)
    first = next(frames, None)
    if first is None:
        raise ValueError("a film has at least one frame")
    everything = (frame for part in ([first], frames) for frame in part)
    if path.suffix.lower() == ".mp4":
        write_whole(path, lambda file: _write_mp4(everything, file, rate, first.size))
    else:
        write_whole(path, lambda file: _write_pillow(everything, file, rate, path.suffix.lower()))


def _write_mp4(
    frames: Iterable[pillow.Image], file: IO[bytes], rate: Fraction, size: tuple[int, int]
) -> None:
    av = pyav()
    width, height = (side + side % 2 for side in size)
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(
            codec, rate=rate, options={"crf": "18"} if codec == "libx264" else {"q:v": "3"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            pixels = np.asarray(frame)
            pixels = np.pad(
                pixels,
                ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0)),
                mode="edge",
            )
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def _write_pillow(
    frames: Iterable[pillow.Image], file: IO[bytes], rate: Fraction, suffix: str
) -> None:
    frames = list(frames)
    unit, kind = (
        (10, "GIF") if suffix == ".gif" else (1, "WEBP")
    )  # milliseconds in the format's unit of time
    ends = [
        round(1000 * i / (rate * unit)) for i in range(len(frames) + 1)
    ]  # rounded in sum, so that no drift adds up
    durations = [unit * (b - a) for a, b in itertools.pairwise(ends)]
    options = {"quality": 90, "method": 4} if kind == "WEBP" else {}
    frames[0].save(
        file, kind, save_all=True, append_images=frames[1:], duration=durations, loop=0, **options
    )


class Reel:
    """The frames of a film in the making, as numbered PNG files in the folder `FILM.frames` beside it.

    With `recipe` (plain data) it knows which film they belong to: a stopped one goes on only as the same film.
    ValueError where frames are there already and `resume` is False, or where they are another film's.
    """

    def __init__(self, output: Path, recipe: Mapping[str, object], resume: bool = False):
        self.output, self.recipe = output, json.loads(json.dumps(recipe))
        self.folder = output.with_name(output.name + ".frames")
        self.kept = 0
        if self.folder.exists():
            self._take_up(resume)

    def _take_up(self, resume: bool) -> None:
        paper = self.folder / "film.json"
        if not paper.is_file():
            raise ValueError(f"{str(self.folder)!r} is in the way: the frames would go there")
        if not resume:
            raise ValueError(
                f"{str(self.folder)!r} holds the frames of a film that was stopped: --resume goes on with it; "
                "to begin again, remove that folder"
            )
        try:
            begun = json.loads(paper.read_text(encoding="utf-8"))
        except ValueError:
            begun = None
        if not isinstance(begun, dict):
            raise ValueError(f"{str(paper)!r} is broken; remove the folder and begin again")
        changed = sorted(
            name
            for name in begun.keys() | self.recipe.keys()
            if begun.get(name) != self.recipe.get(name)
        )
        if changed:
            raise ValueError(
                f"{str(self.folder)!r} holds another film, which differs in its {', '.join(changed)}: give the same "
                "flags again, or remove that folder"
            )
        while self._file(self.kept).is_file():
            self.kept += 1

    def _file(self, index: int) -> Path:
        return self.folder / f"{index + 1:06}.png"

    def last(self) -> Image | None:
        """The last frame that was kept."""
        return load_image(self._file(self.kept - 1)) if self.kept else None

    def add(self, picture: Image, passport: Mapping[str, object] | None = None) -> None:
        """Keeps one more frame. ValueError where it cannot be written; the first then leaves no folder behind."""
        try:
            if not self.kept:
                self._begin()
            save_image(picture, self._file(self.kept), passport)
        except ValueError:
            if not self.kept:
                self.clear()
            raise
        self.kept += 1

    def _begin(self) -> None:
        make_folder(self.folder)
        paper = json.dumps(self.recipe, indent=1, sort_keys=True).encode()
        write_whole(self.folder / "film.json", lambda file: file.write(paper))

    def develop(self, fps: float) -> None:
        """Writes the film of all frames kept."""
        write_film((load_image(self._file(index)) for index in range(self.kept)), self.output, fps)

    def clear(self) -> None:
        """Removes the frames; whatever else somebody put into the folder stays."""
        for file in [
            *(self._file(index) for index in range(self.kept)),
            self.folder / "film.json",
            *self.folder.glob(".dreamkit-*"),
        ]:
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def pyav():
    """The module av. ValueError in one line where it is missing."""
    try:
        import av
    except ImportError:
        raise ValueError(
            "reading videos and writing MP4 need PyAV: pip install 'dreamkit[film]' brings it; "
            "GIF and WebP are written without"
        ) from None
    return av
