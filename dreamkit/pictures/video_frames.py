"""Decoded video frames as a player shows them: upright, with square pixels, in time, in sRGB."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
import PIL.Image

_BT709, _UNTAGGED = "ITU709", 2


def shown(frame: object, aspect: Fraction | None) -> np.ndarray:
    """The frame's bytes [H, W, 3] as a player shows them.

    `aspect` is width / height of one pixel. An HD frame without a colour tag is BT.709, as players
    take it; a smaller one is BT.601.
    """
    width = frame.width
    if aspect and aspect != 1 and Fraction(1, 8) <= aspect <= 8:  # beyond that a header is broken
        width = max(1, round(width * aspect))
    options = {"format": "rgb24", "width": width, "height": frame.height}
    hd = frame.width >= 1280 or frame.height > 576
    if hd and int(frame.colorspace) == _UNTAGGED and "yuv" in frame.format.name:
        options["src_colorspace"] = _BT709
    return _upright(frame.to_ndarray(**options), _matrix(frame))


def _matrix(frame: object) -> tuple[int, int, int, int]:
    """(a, b, c, d): column x and row y are shown at column a·x + c·y and row b·x + d·y."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
            return a, b, c, d
    return 1, 0, 0, 1


def _upright(pixels: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """The pixels after the matrix, which is taken as the nearest of quarter turns and mirrors."""
    a, b, c, d = matrix
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels, a, d = pixels.swapaxes(0, 1), c, b
    rows, columns = (slice(None, None, -1 if sign < 0 else 1) for sign in (d, a))
    return pixels[rows, columns].copy()


def fitted(pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The pixels at this height and width; another shape gets black bars, as players do it."""
    height, width = shape
    if pixels.shape[:2] == shape:
        return pixels
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    size = [max(1, round(n * scale)) for n in (pixels.shape[1], pixels.shape[0])]
    page = PIL.Image.new("RGB", (width, height))
    picture = PIL.Image.fromarray(pixels).resize(size, PIL.Image.Resampling.BICUBIC)
    page.paste(picture, ((width - size[0]) // 2, (height - size[1]) // 2))
    return np.array(page)


def ticks(times: Iterable[Fraction], fps: Fraction) -> list[int] | None:
    """When each frame is shown, in frames of a constant rate; None if the rate is constant.

    The first is shown at 0. Containers round times, and film in 3:2 steps is constant on average:
    a rate varies if one frame is shown over twice as long as another.
    """
    times = sorted(times)
    gaps = [after - before for before, after in itertools.pairwise(times)]
    if not gaps or min(gaps) <= 0 or max(gaps) < 2 * min(gaps):
        return None
    # A half goes down, so that the last frame does not begin at the film's end.
    return [math.ceil((time - times[0]) * fps - Fraction(1, 2)) for time in times]


def in_time(frames: Iterable[object], when: list[int] | None) -> Iterator[object]:
    """The frames at a constant rate: each is repeated until the next one, or left out if late."""
    if when is None:
        yield from frames
        return
    following = iter([*when[1:], when[-1] + 1])
    now = 0
    for frame in frames:
        until = next(following, now + 1)
        for _ in range(until - now):
            yield frame
        now = max(now, until)
