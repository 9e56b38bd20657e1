"""Films in a notebook: a looping animation with alt text, and a still in place of motion."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable

from IPython.display import HTML

from ..checks.numbers import is_number
from ..pictures.image import Image, to_pillow

_QUALITY = 60  # of the WebP; frames follow each other fast


def film(frames: Iterable[Image], alt: str, fps: float = 8, still: int = -1) -> HTML:
    """Pictures [1, 3, H, W] of one size as a film that loops: an animated WebP with alt text.

    Args:
        alt: the alt text; it should say what moves.
        fps: frames a second, from 1 to 50.
        still: the frame shown in place of the film where the reader's system asks for reduced
            motion, by default the last.

    ValueError for no frames, frames of several sizes, or another `fps`.

    >>> import torch
    >>> shown = film([torch.zeros(1, 3, 4, 6), torch.ones(1, 3, 4, 6)], "black, then white")
    >>> 'alt="black, then white"' in shown.data
    True
    """
    drawn = [to_pillow(frame) for frame in frames]
    if not is_number(fps, 1, 50):
        raise ValueError(f"fps (frames a second) must be from 1 to 50; given: {fps!r}")
    sizes = sorted({picture.size for picture in drawn})
    if len(sizes) != 1:
        given = ", ".join(f"{height}×{width}" for width, height in sizes) or "no frames"
        raise ValueError(f"a film needs frames of one size; given: {given}")
    moving, quiet = (
        _webp(drawn, save_all=True, append_images=drawn[1:], duration=round(1000 / fps), loop=0),
        _webp([drawn[still]]),
    )
    width, height = sizes[0]
    text = html.escape(" ".join(alt.split()))
    return HTML(
        f'<picture><source media="(prefers-reduced-motion: reduce)" srcset="{quiet}">'
        f'<img src="{moving}" alt="{text}" width="{width}" height="{height}"></picture>'
    )


def _webp(pictures: list, **options: object) -> str:
    """The first picture, or with `save_all` the animation, as the address of a WebP."""
    file = io.BytesIO()
    pictures[0].save(file, "WEBP", quality=_QUALITY, method=4, **options)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
