"""Sheets: many pictures on one page, each with a short text under it."""

import io
import math
from collections.abc import Mapping
from pathlib import Path

from PIL import Image as pillow
from PIL import ImageDraw, ImageFont

import dreamkit as dk
from dreamkit.pictures.files import write_whole
from dreamkit.pictures.image import to_pillow

GAP, SIZE, LEADING = 4, 11, 12  # pixels
INK, FAINT = "#111111", "#b3261e"  # of a text, and of one that is marked


def labelled(
    pictures: Mapping[str, dk.Image],
    columns: int,
    marked: frozenset[str] = frozenset(),
    size: int = SIZE,
) -> pillow.Image:
    """A white page of named pictures in rows of `columns`, with cells as large as the largest.

    The `marked` names are red.
    """
    if not pictures:
        raise ValueError("a sheet needs at least one picture")
    shown = {name: to_pillow(image) for name, image in pictures.items()}
    width, height = (
        max(side) for side in zip(*(picture.size for picture in shown.values()), strict=True)
    )
    font = ImageFont.load_default(size)
    lines = {name: wrapped(name, width, font) for name in shown}
    step = LEADING * size // SIZE
    cell = height + 2 + step * max(map(len, lines.values())) + GAP
    page = pillow.new(
        "RGB",
        (columns * (width + GAP) + GAP, math.ceil(len(shown) / columns) * cell + GAP),
        "white",
    )
    draw = ImageDraw.Draw(page)
    for place, (name, picture) in enumerate(shown.items()):
        left, top = GAP + place % columns * (width + GAP), GAP + place // columns * cell
        page.paste(picture, (left, top))
        for row, line in enumerate(lines[name]):
            draw.text(
                (left, top + height + 1 + row * step), line, FAINT if name in marked else INK, font
            )
    return page


def wrapped(text: str, width: float, font: ImageFont.FreeTypeFont) -> list[str]:
    """The words of the text in lines of at most `width` pixels; a longer word has its own line."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def save(page: pillow.Image, path: str, most: int = 1_200_000) -> None:
    """Writes the page as WebP, at the best quality that keeps it under `most` bytes.

    ValueError where none does.
    """
    for quality in range(90, 20, -5):
        file = io.BytesIO()
        page.save(file, "WEBP", quality=quality, method=6)
        if file.tell() < most:
            write_whole(Path(path), lambda target, data=file: target.write(data.getvalue()))
            return
    raise ValueError(f"a page of {page.width}×{page.height} pixels does not fit into {most} bytes")
