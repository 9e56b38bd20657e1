"""Films: the endless zoom, videos whose dreamt detail sticks to things, dreams that walk from one score to another.

Each film is an iterator of pictures, and each picture is rounded to 8 bits before the next one is begun from it. So a
frame is exactly what its PNG file holds, and a film that was stopped goes on from its last file as if nothing had been.

>>> flat = torch.full((1, 3, 8, 8), 0.5)
>>> [
...     tuple(frame.shape)
...     for frame in zooming(lambda x: x.mean(), flat, Settings(steps=1, octaves=1), frames=2)
... ]
[(1, 3, 8, 8), (1, 3, 8, 8)]
"""

from __future__ import annotations

import cmath
import math
import numbers
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat

import torch

from ..pictures.flow import Flow, flicker, grid, opencv, optical_flow, sample, warp
from ..pictures.image import Image, check_values
from ..pictures.video import VideoInfo, read_video, video_info, write_film
from .gradients import Score, gradient
from .loop import dream
from .settings import Settings

__all__ = [
    "NOTEBOOK_ZOOM",
    "Flow",
    "VideoInfo",
    "between",
    "dreaming_video",
    "flicker",
    "motion",
    "move",
    "optical_flow",
    "read_video",
    "video_info",
    "walking",
    "warp",
    "write_film",
    "zooming",
]

NOTEBOOK_ZOOM = (
    0.95**-30
)  # a second of google/deepdream's loop, which enlarges by 1 / 0.95 a frame, at 30 frames a second


# --- the endless zoom


def zooming(
    score: Score | Sequence[Score],
    image: Image,
    settings: Settings | None = None,
    *,
    frames: int,
    fps: float = 30,
    zoom: float = NOTEBOOK_ZOOM,
    turn: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    first: int = 0,
    last: Image | None = None,
) -> Iterator[Image]:
    """The frames [1, 3, H, W] of an endless zoom: dream, move the dream a little, dream again (google/deepdream, 2015).

    Rates are per *second*, so that the film is the same at any frame rate: `zoom` is the enlargement (for a factor f
    a frame give f**fps), `turn` degrees against the clock, `shift` how many pixels the middle moves down and right.
    Several scores are walked through from the first frame to the last (see `between`). A stopped film goes on with
    `last`, its last frame, and `first`, the number of frames there are. ValueError for numbers that make no film.
    """
    settings, scores = settings or Settings(), _scores(score)
    if isinstance(frames, bool) or not isinstance(frames, numbers.Integral) or frames < 1:
        raise ValueError(f"frames is a whole number of at least 1; given: {frames!r}")
    factor, offset = motion(1 / _positive("fps", fps), zoom, turn, shift)
    start = _started(image, first, last)
    return _zooming(scores, start, settings, frames, (factor, offset), first)


def _zooming(
    scores: list[Score],
    picture: Image,
    settings: Settings,
    frames: int,
    by: tuple[complex, complex],
    first: int,
) -> Iterator[Image]:
    for index in range(first, frames):
        if index:
            picture = move(picture, *by)
        picture = _dreamt(scores, picture, settings, index, frames)
        yield picture


def motion(
    seconds: float, zoom: float = 1.0, turn: float = 0.0, shift: tuple[float, float] = (0.0, 0.0)
) -> tuple[complex, complex]:
    """How a point z = x + iy, counted from the middle, moves in so many seconds: to factor * z + offset.

    It flows along dz/dt = a z + v, where a holds the zoom and the turn and v is the shift; therefore two moves of half a
    second equal one of a second, whatever is combined. ValueError for a zoom of 0 or less.

    >>> factor, offset = motion(0.5, zoom=4.0, shift=(0.0, 10.0))
    >>> round(abs(factor), 6)
    2.0
    """
    if not all(isinstance(n, numbers.Real) and math.isfinite(n) for n in (turn, *shift)):
        raise ValueError(
            f"turn (degrees) and shift (pixels down, right) are finite numbers; given: {turn!r}, {shift!r}"
        )
    rate = complex(
        math.log(_positive("zoom", zoom)), -math.radians(turn)
    )  # y points down: against the clock is negative
    speed = complex(shift[1], shift[0])
    factor = cmath.exp(rate * seconds)
    return factor, speed * ((factor - 1) / rate if rate else seconds)


def move(image: Image, factor: complex, offset: complex = 0) -> Image:
    """The picture [N, 3, H, W] with every point z (from the middle) brought to factor * z + offset; borders are mirrored.

    Bilinear: the new pixel at z shows the old picture at (z - offset) / factor.

    >>> move(torch.tensor([[[[0.0, 0.5, 1.0]]]]), 1, 1).flatten().tolist()  # one pixel to the right
    [0.5, 0.0, 0.5]
    """
    if factor == 1 and offset == 0:
        return image
    height, width = image.shape[-2:]
    y, x = grid(height, width)
    z = torch.complex(x - (width - 1) / 2, y - (height - 1) / 2)
    z = (z - offset) / factor
    return sample(image, z.real + (width - 1) / 2, z.imag + (height - 1) / 2).clamp(0, 1)


# --- walking from score to score


def between(scores: Sequence[Score], position: float, image: Image) -> Score:
    """The score at a place on a walk: position 0 is the first score, 1 the second, 0.25 a quarter of the way between.

    Scores differ in size by orders of magnitude, so each is divided by the deviation of its gradient at `image`:
    half-way, both pull equally.

    >>> half = between(
    ...     [lambda x: 1000 * x[:, 0].mean(), lambda x: x[:, 1].mean()], 0.5, torch.rand(1, 3, 4, 4)
    ... )
    >>> pull = gradient(half, torch.rand(1, 3, 4, 4))
    >>> torch.allclose(pull[:, 0], pull[:, 1])
    True
    """
    index = min(int(position), len(scores) - 1)
    share = position - index
    if share <= 0 or index == len(scores) - 1:
        return scores[index]
    sizes = [float(gradient(score, image).std()) or 1.0 for score in scores[index : index + 2]]
    here, there = (1 - share) / sizes[0], share / sizes[1]
    return lambda x: here * scores[index](x) + there * scores[index + 1](x)


def walking(
    scores: Sequence[Score],
    image: Image,
    settings: Settings | None = None,
    *,
    frames: int,
    blend: float = 0.85,
    first: int = 0,
    last: Image | None = None,
) -> Iterator[Image]:
    """The frames of one picture dreamt under scores that slide from the first to the last: `dreaming_video` of a still picture."""
    return dreaming_video(
        scores,
        repeat(image, frames),
        settings,
        blend=blend,
        flow=False,
        count=frames,
        first=first,
        last=last,
    )


# --- videos


def dreaming_video(
    score: Score | Sequence[Score],
    frames: Iterable[Image],
    settings: Settings | None = None,
    *,
    blend: float = 0.85,
    flow: bool = True,
    count: int | None = None,
    first: int = 0,
    last: Image | None = None,
) -> Iterator[Image]:
    """A video's frames [1, 3, H, W], dreamt one after the other, each begun from the dream before.

    `blend` is the share of the dream before in a frame's start; the rest is the frame itself (pytorch-deepdream counts
    the other way: its 0.85 is a blend of 0.15). With `flow` that dream is first carried along the optical flow, and
    where the flow cannot be trusted (something came into view) the frame starts plain; this needs OpenCV. Detail adds up
    over frames, so a few steps a frame are enough. `first` and `last` as in `zooming`, with the frames from the beginning;
    `count` is their number, needed to walk through several scores where `frames` has no length.
    """
    scores, settings = _scores(score), settings or Settings()
    if not isinstance(blend, numbers.Real) or not 0 <= blend <= 1:
        raise ValueError(f"blend is the share of the dream before, from 0 to 1; given: {blend!r}")
    count = len(frames) if count is None and isinstance(frames, Sequence) else count
    if len(scores) > 1 and count is None:
        raise ValueError(
            "to walk through several scores the number of frames must be known: give it as count"
        )
    if first and last is None:
        raise ValueError("a film goes on from its last frame: give it as last")
    if flow:
        opencv()
    return _dreaming_video(scores, frames, settings, blend, flow, count or 1, first, last)


def _dreaming_video(
    scores: list[Score],
    frames: Iterable[Image],
    settings: Settings,
    blend: float,
    flow: bool,
    count: int,
    first: int,
    dreamt: Image | None,
) -> Iterator[Image]:
    before = None
    for index, frame in enumerate(frames):
        if index >= first:
            start = frame if before is None else _carried(dreamt, before, frame, blend, flow)
            dreamt = _dreamt(scores, start, settings, index, count)
            yield dreamt
        before = frame


def _carried(dreamt: Image, before: Image, frame: Image, blend: float, flow: bool) -> Image:
    """What the dream of a frame is begun from: the frame, with a share of the dream before laid over where it belongs."""
    if before.shape != frame.shape:
        raise ValueError(
            f"the frames of a video are of one size; given: {tuple(before.shape[-2:])}, then {tuple(frame.shape[-2:])}"
        )
    if not flow:
        return frame + blend * (dreamt.to(frame) - frame)
    found = optical_flow(before, frame)
    return torch.where(
        found.trusted, frame + blend * (warp(dreamt.to(frame), found.back) - frame), frame
    )


# --- their parts


def _dreamt(
    scores: list[Score], start: Image, settings: Settings, index: int, frames: int
) -> Image:
    """The dream of one frame, in steps of 1 / 255. Each frame has random shifts of its own."""
    position = (len(scores) - 1) * index / max(1, frames - 1)
    settings = replace(settings, seed=(settings.seed + index) % 2**63)
    return (dream(between(scores, position, start), start, settings) * 255).round() / 255


def _scores(score: Score | Sequence[Score]) -> list[Score]:
    scores = list(score) if isinstance(score, (list, tuple)) else [score]
    if not scores or not all(callable(each) for each in scores):
        raise ValueError("a film needs a score, or a list of scores to walk through")
    return scores


def _started(image: Image, first: int, last: Image | None) -> Image:
    if first and last is None:
        raise ValueError("a film goes on from its last frame: give it as last")
    start = last if first else image
    check_values(start)
    return start


def _positive(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < math.inf:
        raise ValueError(f"{name} is a number above 0; given: {value!r}")
    return float(value)
