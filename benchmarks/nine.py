"""The nine figures of the 2015 post, ours, on one sheet: `python -m benchmarks.nine FOLDER`.

`dreamkit figures -o FOLDER` makes the pictures; the sheet has a row of them for each figure, under
the figure's name, and is written as FOLDER/sheet.webp or to `-o`.
"""

import argparse
from pathlib import Path

from PIL import Image as pillow
from PIL import ImageDraw, ImageFont

import dreamkit as dk
from benchmarks import sheets
from dreamkit.pictures.image import to_pillow

WIDTH, GAP, HEAD, MOST = 1600, 8, 30, 420  # pixels; a row of pictures is at most MOST high


def sheet(rows: dict[str, list[dk.Image]]) -> pillow.Image:
    """A white page [H, 1600] with a titled row for each list of pictures, as wide as the page."""
    pages = [_row(title, pictures) for title, pictures in rows.items()]
    whole = pillow.new("RGB", (WIDTH, sum(page.height for page in pages)), "white")
    top = 0
    for page in pages:
        whole.paste(page, (0, top))
        top += page.height
    return whole


def _row(title: str, pictures: list[dk.Image]) -> pillow.Image:
    drawn = [to_pillow(picture) for picture in pictures]
    aspects = sum(picture.width / picture.height for picture in drawn)
    height = min(MOST, round((WIDTH - GAP * (len(drawn) + 1)) / aspects))
    page = pillow.new("RGB", (WIDTH, height + HEAD + GAP), "white")
    draw, left = ImageDraw.Draw(page), GAP
    draw.text((GAP, 5), title, sheets.INK, ImageFont.load_default(18))
    for picture in drawn:
        size = round(height * picture.width / picture.height), height
        page.paste(picture.resize(size), (left, HEAD))
        left += size[0] + GAP
    return page


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="made by `dreamkit figures -o FOLDER`")
    parser.add_argument("-o", type=Path, help="the sheet, a WebP file")
    given = parser.parse_args()
    rows = {}
    for number, name in enumerate(dk.figures.names(), 1):
        files = sorted(given.folder.glob(f"{name}-[0-9][0-9]-*.png"))
        if files:
            title = f"{number} · {name} · {dk.figures.figure(name).shown}"
            rows[title] = [dk.load_image(file) for file in files]
    if not rows:
        parser.error(f"{given.folder} holds no figures: dreamkit figures -o {given.folder}")
    sheets.save(sheet(rows), str(given.o or given.folder / "sheet.webp"))


if __name__ == "__main__":
    main()
