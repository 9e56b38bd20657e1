"""Data sets of torchvision: fetched once, into torch's cache, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import PIL.Image
import torch

from .decoding import decode
from .files import make_folder, one_line
from .image import Image, fit

# name: what its constructor is given; parts with labels, of the size that a network is shown
DATASETS = {
    "Imagenette": {"split": "val", "size": "320px"},
    "Flowers102": {"split": "train"},
    "OxfordIIITPet": {"split": "trainval"},
    "Food101": {"split": "test"},
    "STL10": {"split": "test"},
}
_UNFINISHED, _DAY = re.compile(r"\.\w+-[0-9a-f]{16}"), 86_400  # seconds


@dataclass(frozen=True, eq=False)
class DatasetPictures:
    """The pictures of a data set, which lies in `folder`."""

    folder: Path
    items: Sequence[tuple[PIL.Image.Image, object]]

    def __len__(self) -> int:
        return len(self.items)

    def load(self, index: int, side: int | None = None) -> Image:
        """Picture [1, 3, H, W] of that index; `side` is its longest side in pixels."""
        picture = decode(self.items[index][0])
        return picture if side is None else fit(picture, side)


def datasets_folder() -> Path:
    """Where data sets are kept: beside the folder of torch's weights, which TORCH_HOME moves."""
    return Path(torch.hub.get_dir()) / "datasets"


def dataset_pictures(name: str) -> DatasetPictures:
    """The pictures of a data set, fetched if they are not in torch's cache.

    Raises ValueError in one line if they cannot be fetched or read.
    """
    folder = datasets_folder() / name
    if not folder.is_dir():
        _fetch(name, folder)
    try:
        return DatasetPictures(folder, _open(name, folder, download=False))
    except Exception as error:  # whatever torchvision or the decoder of a list finds wrong
        raise ValueError(
            f"the data set {name} in {str(folder)!r} cannot be read ({one_line(error)}): "
            "delete this folder, and it is fetched again"
        ) from None


def _fetch(name: str, folder: Path) -> None:
    """Downloads into a folder of another name, which becomes `folder` once it is complete."""
    make_folder(folder.parent)
    _tidy(folder.parent)
    with _unfinished(folder) as place:
        try:
            _open(name, place, download=True)
        except Exception as error:  # no connection, a full disk, a wrong hash: one line for all
            reason = one_line(getattr(error, "reason", None) or error)
            raise ValueError(
                f"the data set {name} is not in {str(folder)!r} and could not be fetched "
                f"({reason}); the sample photos and your own folders need no connection"
            ) from None
        for archive in place.rglob("*"):
            if archive.suffix in (".tgz", ".gz", ".zip") and archive.is_file():
                archive.unlink()  # its contents have been unpacked
        with contextlib.suppress(OSError):  # another process was faster
            os.replace(place, folder)


def _open(name: str, folder: Path, download: bool) -> Sequence:
    from torchvision import datasets  # takes seconds, so it is imported only for a data set

    return getattr(datasets, name)(str(folder), download=download, **DATASETS[name])


@contextlib.contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    place = folder.with_name(f".{folder.name}-{secrets.token_hex(8)}")
    place.mkdir()
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _tidy(parent: Path) -> None:
    """Removes what a killed process left over a day ago: torchvision would take it for whole."""
    for path in parent.iterdir():
        if _UNFINISHED.fullmatch(path.name) and path.is_dir():
            newest = max((p.lstat().st_mtime for p in (path, *path.rglob("*"))), default=0)
            if time.time() - newest > _DAY:
                shutil.rmtree(path, ignore_errors=True)
