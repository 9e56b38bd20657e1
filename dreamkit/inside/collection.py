"""Pictures to ask a network about, where no data set is at hand: class pictures that a network grew itself, and small faces.

The class pictures are the robust network's own, one a class, each risen from the same noise (`python -m dreamkit.training.card
--pages classes` makes such a page): no photos, but their labels are known. The faces lie in scikit-image's wheel.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..networks.zoo import FOLDER
from ..pictures.image import Image, load_image
from ..pictures.scales import resize

SIDE, GAP, COLUMNS = 64, 2, 20  # of the page of class pictures

# (top, bottom, left, right) in pixels of the faces, which are roughly aligned; the last two hold no part of a face
FACE_PARTS = {
    "left eye": (18, 30, 6, 30),
    "right eye": (18, 30, 34, 58),
    "nose": (30, 42, 20, 44),
    "mouth": (44, 56, 20, 44),
    "forehead": (0, 12, 20, 44),
    "corner": (52, 64, 0, 24),
}


def class_pictures(labels: Sequence[str] | None = None) -> tuple[Image, tuple[str, ...]]:
    """Pictures [N, 3, 64, 64] and their labels: what "dreamnet-robust" grew for each of its classes, or for those of `labels` it knows.

    >>> pictures, labels = class_pictures(["goldfish", "no such class"])
    >>> tuple(pictures.shape), labels
    ((1, 3, 64, 64), ('goldfish',))
    """
    page, own = (
        load_image(FOLDER / "card" / "dreamnet-robust-classes.webp"),
        (FOLDER / "labels.txt").read_text("utf-8").split("\n"),
    )
    wanted = [
        index for index, label in enumerate(own) if label and (labels is None or label in labels)
    ]
    step = SIDE + GAP
    corners = [(at // COLUMNS * step, at % COLUMNS * step) for at in wanted]
    pictures = [page[..., top : top + SIDE, left : left + SIDE] for top, left in corners]
    return (torch.cat(pictures) if pictures else page.new_empty(0, 3, SIDE, SIDE)), tuple(
        own[index] for index in wanted
    )


def faces(count: int = 20) -> Image:
    """Up to 100 grey faces [count, 3, 64, 64] in [0, 1]: 25×25 pixels from "Labeled Faces in the Wild" (Huang et al., 2007), enlarged.

    They come with scikit-image, as its `lfw_subset`. KeyError where that is not installed, ValueError for another count.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 100:
        raise ValueError(f"there are 100 faces; given: {count!r}")
    found = importlib.util.find_spec(
        "skimage"
    )  # finds the folder without importing the (large) package
    if found is None or not found.submodule_search_locations:
        raise KeyError("the faces come with the package skimage, which is not installed")
    grey = torch.from_numpy(
        np.load(Path(found.submodule_search_locations[0]) / "data" / "lfw_subset.npy")[:count]
    ).float()
    return resize(grey[:, None].expand(-1, 3, -1, -1).contiguous(), (SIDE, SIDE), "bicubic")
