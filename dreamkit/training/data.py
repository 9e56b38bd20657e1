"""Tiny ImageNet in memory: one uint8 tensor for each split, and augmentation in batches."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")
AT_A_TIME = 2000  # files read before they are decoded: the pool would read all of them at once
Entry = tuple[str, str, Callable[[], bytes]]  # wnid, name, and how to read it


@dataclass(frozen=True)
class Split:
    """Pictures uint8 [N, 3, H, W] and labels int64 [N], which are indices into `classes`."""

    pictures: Tensor
    labels: Tensor
    classes: tuple[str, ...]

    def to(self, device: torch.device | str) -> Split:
        """The same split with its tensors on a device."""
        return Split(self.pictures.to(device), self.labels.to(device), self.classes)


def read_split(folder: str | Path, split: str, cache: str | Path | None = None) -> Split:
    """All pictures of `split` ("train" or "val"), in order of class, then of name.

    `folder` holds the official layout (`train/<wnid>/images/*.JPEG`, `val/images/*.JPEG` and
    `val/val_annotations.txt`), or zips with members `<split>/<wnid>/<picture>`. Classes are the
    sorted wnids of `classes.txt` or `wnids.txt`, or of the split if neither exists. With `cache`, a
    folder, the pictures are decoded once for all runs. Raises ValueError for missing or broken
    data.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"no folder {folder}; it must hold train/ and val/, or zips of them")
    entries = zip_entries(folder, split) or folder_entries(folder, split)
    if not entries:
        raise ValueError(
            f"no {split} pictures in {folder}: expected {split}/<wnid>/… or zips of it"
        )
    entries = sorted(entries, key=lambda entry: entry[:2])
    found = sorted({wnid for wnid, _, _ in entries})
    classes = class_list(folder) or tuple(found)
    if unknown := [wnid for wnid in found if wnid not in classes]:
        raise ValueError(f"{folder}: class {unknown[0]} of {split} is not in the class list")
    index = {wnid: label for label, wnid in enumerate(classes)}
    labels = torch.tensor([index[wnid] for wnid, _, _ in entries])
    pictures = cached(entries, split, Path(cache)) if cache else decode(entries, split)
    return Split(pictures, labels, classes)


def zip_entries(folder: Path, split: str) -> list[Entry]:
    """The split's pictures in all zips of the folder."""
    entries = []
    for path in sorted(folder.glob("*.zip")):
        try:
            archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise ValueError(f"{path} is not a complete zip file") from None
        for name in archive.namelist():
            top, *middle, last = name.split("/")
            if top == split and middle and name.lower().endswith(SUFFIXES):
                read = lambda archive=archive, name=name: archive.read(name)
                entries.append((middle[0], last, read))
    return entries


def folder_entries(folder: Path, split: str) -> list[Entry]:
    """The split's pictures in folders; the official `val` lists wnids in `val_annotations.txt`."""
    top = folder / split
    if (top / "val_annotations.txt").exists():
        lines = (top / "val_annotations.txt").read_text().splitlines()
        rows = [line.split("\t") for line in lines if line.strip()]
        return [(row[1], row[0], (top / "images" / row[0]).read_bytes) for row in rows]
    paths = [path for path in top.glob("*/**/*") if path.suffix.lower() in SUFFIXES]
    return [(path.relative_to(top).parts[0], path.name, path.read_bytes) for path in paths]


def class_list(folder: Path) -> tuple[str, ...]:
    """The sorted wnids of `classes.txt` or `wnids.txt`, or () if the folder has neither."""
    for path in (folder / "classes.txt", folder / "wnids.txt"):
        if path.exists():
            lines = path.read_text().splitlines()
            return tuple(sorted(line.split()[0] for line in lines if line.strip()))
    return ()


def decode(entries: list[Entry], split: str) -> Tensor:
    """The pictures as one uint8 tensor [N, 3, H, W], decoded by one thread for each core.

    Threads run side by side because Pillow releases Python's interpreter lock.
    """
    first = picture_array(entries[0][1], entries[0][2]())
    pictures = np.empty((len(entries), 3, *first.shape[:2]), np.uint8)

    def fill(job: tuple[int, str, bytes]) -> None:
        i, name, data = job
        array = picture_array(name, data)
        if array.shape != first.shape:
            given, wanted = (f"{a.shape[1]}×{a.shape[0]} pixels" for a in (array, first))
            raise ValueError(f"{split} picture {name} has {given}, the first has {wanted}")
        pictures[i] = array.transpose(2, 0, 1)

    jobs = ((i, name, read()) for i, (_, name, read) in enumerate(entries))
    with (
        ThreadPool(os.cpu_count()) as pool,
        tqdm(total=len(entries), desc=f"decoding {split}", unit=" pictures", leave=False) as bar,
    ):
        while part := list(islice(jobs, AT_A_TIME)):
            bar.update(len(pool.map(fill, part)))
    return torch.from_numpy(pictures)


def picture_array(name: str, data: bytes) -> np.ndarray:
    """The picture as uint8 [H, W, 3]; a few of Tiny ImageNet's pictures are grey."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError:
        raise ValueError(f"{name} cannot be read as a picture") from None


def cached(entries: list[Entry], split: str, cache: Path) -> Tensor:
    """The decoded pictures from the folder `cache`, written there first if they are missing.

    The file is mapped, so that several runs share one copy in memory.
    """
    names = "\n".join(f"{wnid}/{name}" for wnid, name, _ in entries)
    path = cache / f"{split}-{hashlib.sha256(names.encode()).hexdigest()[:12]}.npy"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npy")
        np.save(part, decode(entries, split).numpy())
        part.replace(path)
    return torch.from_numpy(np.load(path, mmap_mode="c"))


def augment(
    pictures: Tensor, side: int, generator: torch.Generator, smallest: float = 0.65
) -> Tensor:
    """Random crops [N, 3, side, side] in [0, 1] of uint8 pictures, with random mirroring and light.

    Each crop has `smallest` to all of the area and an aspect of 0.85 to 1.18; half of them are
    mirrored. The contrast changes by up to 20 % about the mean, the brightness by up to 0.08. One
    bilinear sampling on the pictures' device crops, mirrors and resizes; edges are reflected.
    """
    count = len(pictures)
    draws = torch.rand(7, count, generator=generator).to(pictures.device)
    area, aspect, x, y, mirror, contrast, brightness = draws
    area = smallest + (1 - smallest) * area
    aspect = torch.exp((2 * aspect - 1) * 0.163)  # exp(0.163) = 1.18 = 1 / 0.85
    width, height = (area * aspect).sqrt(), (area / aspect).sqrt()  # of the side; over 1: reflected
    theta = torch.zeros(count, 2, 3, device=pictures.device)
    theta[:, 0, 0] = width * torch.where(mirror < 0.5, -1.0, 1.0)
    theta[:, 1, 1] = height
    theta[:, 0, 2] = (2 * x - 1) * (1 - width).clamp(min=0)
    theta[:, 1, 2] = (2 * y - 1) * (1 - height).clamp(min=0)
    grid = F.affine_grid(theta, [count, 3, side, side], align_corners=False)
    source = pictures.float() / 255
    crops = F.grid_sample(source, grid, padding_mode="reflection", align_corners=False)
    mean = crops.mean((1, 2, 3), keepdim=True)
    contrast, brightness = 0.8 + 0.4 * contrast, 0.16 * brightness - 0.08
    shape = (-1, 1, 1, 1)
    return ((crops - mean) * contrast.view(shape) + mean + brightness.view(shape)).clamp(0, 1)
