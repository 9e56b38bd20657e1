"""Films: the endless zoom, dreamt videos, and dreams that walk from one score to another.

Each film is an iterator of pictures. Each picture is rounded to 8 bits before the next one starts
from it, so a frame is exactly what its PNG file holds, and a stopped film can continue from its
last file with the same result.

>>> flat = torch.full((1, 3, 8, 8), 0.5)
>>> quick = Settings(steps=1, octaves=1)
>>> [tuple(frame.shape) for frame in zooming(lambda x: x.mean(), flat, quick, frames=2)]
[(1, 3, 8, 8), (1, 3, 8, 8)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat

import torch

from ..checks.numbers import is_number, is_whole
from ..pictures.flow import Flow, flicker, opencv, optical_flow
from ..pictures.image import Image, check_values
from ..pictures.transforms import motion, move, positive, warp
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

#: The loop of google/deepdream's notebook enlarges by 1 / 0.95 a frame; this is one second of it
#: at 30 frames a second.
NOTEBOOK_ZOOM = 0.95**-30


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
    """The frames [1, 3, H, W] of an endless zoom (google/deepdream, 2015).

    Each frame is the dream before, moved a little and dreamt again. Rates are per second, so that
    the film is the same at any frame rate. ValueError for numbers that are out of range.

    Args:
        score: what to raise; several scores are walked through from first to last (`between`).
        frames, fps: how many frames the whole film has, and how many it shows per second.
        zoom: the enlargement per second; for a factor f per frame give f**fps.
        turn, shift: degrees anticlockwise, and pixels down and to the right, per second.
        first, last: of a stopped film, how many frames it has, and the last of them.
    """
    settings, scores = settings or Settings(), _scores(score)
    if not is_whole(frames, 1):
        raise ValueError(f"frames is a whole number of at least 1; given: {frames!r}")
    movement = motion(1 / positive("fps", fps), zoom, turn, shift)
    _check_last(first, last)
    start = last if first else image
    check_values(start)

    def zoomed(picture: Image) -> Iterator[Image]:
        for index in range(first, frames):
            if index:
                picture = move(picture, *movement)
            picture = _dreamt(scores, picture, settings, index, frames)
            yield picture

    return zoomed(start)


def between(scores: Sequence[Score], position: float, image: Image) -> Score:
    """The score at a place on a walk: 0 is the first score, 1 the second, 0.5 half of each.

    Scores differ in size by orders of magnitude, so each is divided by the standard deviation of
    its gradient at `image`: half-way, both pull equally.

    >>> scores = [lambda x: 1000 * x[:, 0].mean(), lambda x: x[:, 1].mean()]
    >>> half = between(scores, 0.5, torch.rand(1, 3, 4, 4))
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
    """The frames of one picture dreamt under scores that slide from the first to the last.

    It is `dreaming_video` of a video of `frames` equal pictures, without flow; the parameters
    mean the same.
    """
    still = repeat(image, frames)
    more = {"blend": blend, "flow": False, "count": frames, "first": first, "last": last}
    return dreaming_video(scores, still, settings, **more)


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
    """A video's frames [1, 3, H, W], each dreamt from a blend of itself and the dream before.

    Detail adds up over frames, so a few steps a frame are enough. ValueError for numbers that are
    out of range, and if OpenCV is not installed.

    Args:
        score: what to raise; several scores are walked through from first to last (`between`).
        frames: all frames of the video, also when the film continues.
        blend: the share of the dream before, 0 to 1; the rest is the frame itself
            (pytorch-deepdream counts the other way: its 0.85 is a blend of 0.15).
        flow: carry the dream before along the optical flow; where the flow cannot be trusted
            (something came into view) only the frame itself counts. This needs OpenCV.
        count: the number of frames; needed for several scores if `frames` has no length.
        first, last: of a stopped film, how many frames it has, and the last of them.
    """
    settings, scores = settings or Settings(), _scores(score)
    if not is_number(blend, 0, 1):
        raise ValueError(f"blend is the share of the dream before, from 0 to 1; given: {blend!r}")
    if count is None and isinstance(frames, Sequence):
        count = len(frames)
    if len(scores) > 1 and count is None:
        raise ValueError("a walk through several scores needs the number of frames: give count")
    _check_last(first, last)
    if flow:
        opencv()

    def dreams(dreamt: Image | None) -> Iterator[Image]:
        before = None
        for index, frame in enumerate(frames):
            if index >= first:
                start = frame if before is None else _blended(dreamt, before, frame, blend, flow)
                dreamt = _dreamt(scores, start, settings, index, count or 1)
                yield dreamt
            before = frame

    return dreams(last)


def _blended(dreamt: Image, before: Image, frame: Image, blend: float, flow: bool) -> Image:
    """The frame, blended with the dream of the frame before."""
    if before.shape != frame.shape:
        sizes = f"{tuple(before.shape[-2:])}, then {tuple(frame.shape[-2:])}"
        raise ValueError(f"all frames of a video have one size; given: {sizes}")
    dreamt = dreamt.to(frame)
    if not flow:
        return frame + blend * (dreamt - frame)
    found = optical_flow(before, frame)
    return torch.where(found.trusted, frame + blend * (warp(dreamt, found.back) - frame), frame)


def _dreamt(
    scores: list[Score], start: Image, settings: Settings, index: int, frames: int
) -> Image:
    """The dream of one frame, rounded to 8 bits; each frame draws its own random shifts."""
    position = (len(scores) - 1) * index / max(1, frames - 1)
    settings = replace(settings, seed=(settings.seed + index) % 2**63)
    return (dream(between(scores, position, start), start, settings) * 255).round() / 255


def _scores(score: Score | Sequence[Score]) -> list[Score]:
    scores = list(score) if isinstance(score, (list, tuple)) else [score]
    if not scores or not all(callable(each) for each in scores):
        raise ValueError("a film needs a score, or a list of scores to walk through")
    return scores


def _check_last(first: int, last: Image | None) -> None:
    if first and last is None:
        raise ValueError("a film continues from its last frame: give it as last")
