"""Collections of pictures that are loaded when they are needed: samples, a folder, or tensors."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial

from ..pictures.bank import Collection, collection
from ..pictures.image import Image
from .arguments import check_one

Pictures = str | os.PathLike[str] | Sequence[Image] | None


@dataclass(frozen=True)
class Source:
    """One picture: `load` returns it, and `name` is the same for all sizes of one photo."""

    name: str
    load: Callable[[], Image]


def sources_of(pictures: Pictures, sides: tuple[int, ...]) -> tuple[Hashable, tuple[Source, ...]]:
    """A key and the sources of a collection; the same pictures have the same key.

    `pictures` is a folder, what `dk.collection` returns, a sequence of images [1, 3, H, W], or None
    for the sample photos; each file and sample is one source for each of `sides`. Raises ValueError
    for a collection that does not exist or is empty.
    """
    if pictures is None:
        pictures = collection("samples")
    if isinstance(pictures, (str, os.PathLike)):
        if not os.path.isdir(pictures):
            raise ValueError(
                "pictures must be a folder, a sequence of images, or None; "
                f"given: {str(pictures)!r}, which is not a folder"
            )
        pictures = collection(os.path.abspath(pictures))
    if isinstance(pictures, Collection):
        found = [Source(s.name, partial(s.load, side)) for s in pictures.sources for side in sides]
        return (pictures.key, sides), tuple(found)
    images = list(pictures)
    if not images:
        raise ValueError("the collection must have at least one picture; given: none")
    for image in images:
        check_one(image)
    # an id is unique as long as its image exists: the source holds it
    key = tuple((id(image), image._version) for image in images)
    found = [Source(f"picture {i}", lambda image=image: image) for i, image in enumerate(images)]
    return key, tuple(found)
