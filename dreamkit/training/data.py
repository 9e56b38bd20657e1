"""Tiny ImageNet in memory: one uint8 tensor a split, from the official folder or from zips, and augmentation in batches."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Iterator
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


@dataclass(frozen=True)
class Split:
    """Pictures uint8 [N, 3, H, W] and their labels int64 [N], the index of the class in `classes` (sorted wnids)."""

    pictures: Tensor
    labels: Tensor
    classes: tuple[str, ...]

    def to(self, device: torch.device | str) -> Split:
        return Split(self.pictures.to(device), self.labels.to(device), self.classes)


def read_split(folder: str | Path, split: str, cache: str | Path | None = None) -> Split:
    """All pictures of `split` ("train" or "val"), decoded once; with `cache`, a folder, decoded once for all runs.

    `folder` holds either the official layout (`train/<wnid>/images/*.JPEG`, `val/images/*.JPEG` and
    `val/val_annotations.txt`) or zips whose members are `<split>/<wnid>/<picture>`. Labels number the sorted wnids of
    `classes.txt` or `wnids.txt` where there is one, else of the split. Pictures are in order of wnid, then of name.
    Raises ValueError with one line on what is missing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(
            f"no folder {folder}: give the one that holds Tiny ImageNet (train/ and val/, or zips of them)"
        )
    entries = sorted(
        zip_entries(folder, split) or folder_entries(folder, split), key=lambda entry: entry[:2]
    )
    if not entries:
        raise ValueError(
            f"no {split} pictures in {folder}: expected {split}/<wnid>/… in the folder or in zips in it"
        )
    classes = class_list(folder) or tuple(sorted({wnid for wnid, _, _ in entries}))
    index = {wnid: label for label, wnid in enumerate(classes)}
    if unknown := sorted({wnid for wnid, _, _ in entries} - set(index)):
        raise ValueError(f"{folder}: {split} has class {unknown[0]}, which the class list has not")
    labels = torch.tensor([index[wnid] for wnid, _, _ in entries])
    return Split(
        cached(entries, split, Path(cache)) if cache else decode(entries, split), labels, classes
    )


Entry = tuple[str, str, Callable[[], bytes]]  # wnid, name, and how to read it


def zip_entries(folder: Path, split: str) -> list[Entry]:
    """The split's pictures in all zips of the folder."""
    entries = []
    for path in sorted(folder.glob("*.zip")):
        try:
            archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise ValueError(f"{path} is no zip file, or was cut off on its way") from None
        for name in archive.namelist():
            parts = name.split("/")
            if parts[0] == split and len(parts) >= 3 and name.lower().endswith(SUFFIXES):
                entries.append(
                    (parts[1], parts[-1], lambda archive=archive, name=name: archive.read(name))
                )
    return entries


def folder_entries(folder: Path, split: str) -> list[Entry]:
    """The split's pictures in folders; the official `val` keeps its wnids in `val_annotations.txt`."""
    annotations = folder / split / "val_annotations.txt"
    if annotations.exists():
        rows = [line.split("\t") for line in annotations.read_text().splitlines() if line.strip()]
        return [(row[1], row[0], (folder / split / "images" / row[0]).read_bytes) for row in rows]
    paths = [path for path in (folder / split).glob("*/**/*") if path.suffix.lower() in SUFFIXES]
    return [
        (path.relative_to(folder / split).parts[0], path.name, path.read_bytes) for path in paths
    ]


def class_list(folder: Path) -> tuple[str, ...]:
    """The sorted wnids of `classes.txt` or `wnids.txt`, or () where the folder has neither."""
    for path in (folder / "classes.txt", folder / "wnids.txt"):
        if path.exists():
            return tuple(
                sorted(line.split()[0] for line in path.read_text().splitlines() if line.strip())
            )
    return ()


def decode(entries: list[Entry], split: str) -> Tensor:
    """The pictures as one uint8 tensor [N, 3, H, W], decoded by a thread a core (Pillow lets go of the interpreter lock)."""
    first = picture_array(entries[0][1], entries[0][2]())
    pictures = np.empty((len(entries), 3, *first.shape[:2]), np.uint8)

    def fill(job: tuple[int, str, bytes]) -> None:
        at, name, data = job
        array = picture_array(name, data)
        if array.shape != first.shape:
            raise ValueError(
                f"{split} picture {name} is {array.shape[1]}×{array.shape[0]}, the first {first.shape[1]}×{first.shape[0]}"
            )
        pictures[at] = array.transpose(2, 0, 1)

    jobs: Iterator = ((at, name, read()) for at, (_, name, read) in enumerate(entries))
    with (
        ThreadPool(os.cpu_count()) as pool,
        tqdm(total=len(entries), desc=f"decoding {split}", unit=" pictures", leave=False) as bar,
    ):
        while part := list(
            islice(jobs, 2000)
        ):  # a part at a time: the pool would else read every file at once
            bar.update(len(pool.map(fill, part)))
    return torch.from_numpy(pictures)


def picture_array(name: str, data: bytes) -> np.ndarray:
    """The picture as uint8 [H, W, 3]; a few of Tiny ImageNet's are grey."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError:
        raise ValueError(f"{name} cannot be read as a picture") from None


def cached(entries: list[Entry], split: str, cache: Path) -> Tensor:
    """The decoded pictures from `cache`, made there first if need be; mapped, so that several runs share one copy in memory."""
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
    """Float pictures [N, 3, side, side] in [0, 1]: each a random crop, perhaps mirrored, of its own brightness and contrast.

    Crops hold `smallest` to all of the area at an aspect of 0.85 to 1.18; one bilinear sampling does crop, mirror and
    resize for the whole batch on the pictures' device (edges reflect). Contrast ±20 % about the mean, brightness ±0.08.
    """
    count = len(pictures)
    area, aspect, x, y, mirror, contrast, brightness = torch.rand(7, count, generator=generator).to(
        pictures.device
    )
    area, aspect = (
        smallest + (1 - smallest) * area,
        torch.exp((2 * aspect - 1) * 0.163),
    )  # exp(0.163) = 1.18 = 1 / 0.85
    width, height = (
        (area * aspect).sqrt(),
        (area / aspect).sqrt(),
    )  # share of the side; over 1 reflects
    theta = torch.zeros(count, 2, 3, device=pictures.device)
    theta[:, 0, 0] = width * torch.where(mirror < 0.5, -1.0, 1.0)
    theta[:, 1, 1] = height
    theta[:, 0, 2] = (2 * x - 1) * (1 - width).clamp(min=0)
    theta[:, 1, 2] = (2 * y - 1) * (1 - height).clamp(min=0)
    grid = F.affine_grid(theta, [count, 3, side, side], align_corners=False)
    crops = F.grid_sample(
        pictures.float() / 255,
        grid,
        mode="bilinear",
        padding_mode="reflection",
        align_corners=False,
    )
    mean = crops.mean((1, 2, 3), keepdim=True)
    contrast, brightness = 0.8 + 0.4 * contrast, 0.16 * brightness - 0.08
    return (
        (crops - mean) * contrast[:, None, None, None] + mean + brightness[:, None, None, None]
    ).clamp(0, 1)
