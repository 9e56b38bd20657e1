"""Collections of pictures that are loaded when they are needed: samples, a folder, or tensors."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from ..pictures.formats import HEIF_HINT, HEIF_SUFFIXES, picture_suffixes
from ..pictures.image import Image, load_image
from ..pictures.samples import sample, samples
from .arguments import check_one

Pictures = str | os.PathLike[str] | Sequence[Image] | None

_sample = lru_cache(maxsize=64)(sample)


@dataclass(frozen=True)
class Source:
    """One picture: `load` returns it, and `name` is the same for all sizes of one photo."""

    name: str
    load: Callable[[], Image]


def sources_of(pictures: Pictures, sides: tuple[int, ...]) -> tuple[Hashable, tuple[Source, ...]]:
    """A key and the sources of a collection; the same pictures have the same key.

    `pictures` is a folder, a sequence of images [1, 3, H, W], or None for the sample photos; each
    file and sample is one source for each of `sides`. Raises ValueError for a collection that does
    not exist or is empty.
    """
    if pictures is None:
        found = [Source(name, partial(_sample, name, side)) for name in samples() for side in sides]
        return ("samples", sides), tuple(found)
    if isinstance(pictures, (str, os.PathLike)):
        files = _picture_files(Path(pictures))
        found = [Source(p.name, partial(load_image, p, side)) for p in files for side in sides]
        return (tuple((p, p.stat().st_mtime_ns) for p in files), sides), tuple(found)
    images = list(pictures)
    if not images:
        raise ValueError("the collection must have at least one picture; given: none")
    for image in images:
        check_one(image)
    # an id is unique as long as its image exists: the source holds it
    key = tuple((id(image), image._version) for image in images)
    found = [Source(f"picture {i}", lambda image=image: image) for i, image in enumerate(images)]
    return key, tuple(found)


def _picture_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(
            "pictures must be a folder, a sequence of images, or None; "
            f"given: {str(folder)!r}, which is not a folder"
        )
    suffixes = picture_suffixes()
    files = [path for path in folder.resolve().iterdir() if path.is_file()]
    if found := sorted(path for path in files if path.suffix.lower() in suffixes):
        return found
    photos = [path for path in files if path.suffix.lower() in HEIF_SUFFIXES]
    allowed = f"{len(photos)} HEIC: {HEIF_HINT}" if photos else ", ".join(suffixes)
    raise ValueError(f"the folder {str(folder)!r} has no pictures ({allowed})")
