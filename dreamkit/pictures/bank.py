"""Collections of pictures: the sample photos, a folder, or a data set that torchvision fetches.

A collection loads a picture when it is asked for, so it may be larger than the memory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import overload

import torch

from ..checks.names import unknown
from ..checks.numbers import is_whole
from .datasets import DATASETS, dataset_pictures
from .formats import HEIF_HINT, HEIF_SUFFIXES, picture_suffixes
from .image import Image, load_image
from .samples import sample, samples

SIDE = 256  # pixels: the longest side of a picture taken out of a collection

_sample = lru_cache(maxsize=64)(sample)


@dataclass(frozen=True)
class Source:
    """One picture: `load(side)` returns it [1, 3, H, W] with a longest side of `side` pixels."""

    name: str
    load: Callable[[int | None], Image]


@dataclass(frozen=True, eq=False)
class Collection(Sequence[Image]):
    """A sequence of pictures, each loaded when it is asked for; `names` says where it comes from.

    `key` is the same for two collections of the same pictures.
    """

    name: str
    sources: tuple[Source, ...]
    key: tuple

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(source.name for source in self.sources)

    def __len__(self) -> int:
        return len(self.sources)

    @overload
    def __getitem__(self, index: int) -> Image: ...

    @overload
    def __getitem__(self, index: slice) -> Collection: ...

    def __getitem__(self, index: int | slice) -> Image | Collection:
        if isinstance(index, slice):
            return self._part(range(len(self))[index])
        return self.sources[index].load(SIDE)

    def __repr__(self) -> str:
        return f"Collection({self.name!r}, {len(self)} pictures)"

    def _part(self, chosen: Sequence[int]) -> Collection:
        part = tuple(self.sources[i] for i in chosen)
        return Collection(self.name, part, (*self.key, tuple(chosen)))


def collection(
    name_or_folder: str | os.PathLike[str] = "samples", count: int | None = None, seed: int = 0
) -> Collection:
    """A collection of pictures: a sequence of Images [1, 3, H, W] of up to 256 pixels a side.

    It goes wherever a collection is taken, for example `top_patches(…, pictures=collection(…))`.

    Args:
        name_or_folder: "samples" for the sample photos; one of torchvision's data sets
            ("Imagenette", "Flowers102", "OxfordIIITPet", "Food101", "STL10"); or a folder, whose
            subfolders count too. A folder of such a name in the present directory is
            "./Imagenette".
        count: how many pictures, drawn at random without repetition; by default all.
        seed: of that draw.

    A data set is downloaded by torchvision when it is first asked for (Imagenette: 342 MB; Food101
    and STL10: gigabytes), into the folder "datasets" of `torch.hub.get_dir()`, beside the weights.
    Each has the licence of its authors. Raises KeyError for a name that is neither known nor a
    folder; ValueError if the folder has no pictures, if there are fewer than `count`, and if a
    data set cannot be fetched.

    >>> photos = collection("samples", count=3)
    >>> len(photos), max(photos[0].shape)
    (3, 256)
    """
    if count is not None and not is_whole(count, 1):
        raise ValueError(f"count must be a whole number of at least 1; given: {count!r}")
    found = _whole(name_or_folder)
    if count is None:
        return found
    if count > len(found):
        raise ValueError(f"{found.name!r} has {len(found)} pictures; asked for: {count}")
    order = torch.randperm(len(found), generator=torch.Generator().manual_seed(seed))
    return found._part(sorted(order[:count].tolist()))


def _whole(given: str | os.PathLike[str]) -> Collection:
    name = given if isinstance(given, str) else ""
    if name == "samples":
        sources = tuple(Source(name, partial(_sample, name)) for name in samples())
        return Collection("samples", sources, ("samples",))
    if name in DATASETS:
        pictures = dataset_pictures(name)
        parts = (Source(f"{name} {i}", partial(pictures.load, i)) for i in range(len(pictures)))
        return Collection(name, tuple(parts), (name, str(pictures.folder)))
    if not isinstance(given, (str, os.PathLike)) or not os.path.isdir(given):
        shown = str(given) if isinstance(given, os.PathLike) else given
        raise unknown("collection", shown, ("samples", *DATASETS), "or give a folder of pictures")
    folder = Path(given)
    files = picture_files(folder)
    names = [path.relative_to(folder.resolve()).as_posix() for path in files]
    sources = tuple(
        Source(name, partial(load_image, path)) for name, path in zip(names, files, strict=True)
    )
    marks = "\n".join(f"{path} {path.stat().st_mtime_ns}" for path in files)
    return Collection(str(given), sources, (hashlib.sha256(marks.encode()).hexdigest(),))


def picture_files(folder: Path) -> list[Path]:
    """The pictures in a folder and its subfolders, sorted; hidden files and folders are left out.

    Raises ValueError if there are none.
    """
    suffixes, found, photos = picture_suffixes(), [], 0
    for parent, folders, files in os.walk(folder.resolve()):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        shown = [name for name in sorted(files) if not name.startswith(".")]
        found += [Path(parent, name) for name in shown if name.lower().endswith(suffixes)]
        photos += sum(name.lower().endswith(HEIF_SUFFIXES) for name in shown)
    if found:
        return sorted(found)
    allowed = f"{photos} HEIC: {HEIF_HINT}" if photos else ", ".join(suffixes)
    raise ValueError(f"the folder {str(folder)!r} has no pictures ({allowed})")
