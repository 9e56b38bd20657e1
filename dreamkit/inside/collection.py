"""Pictures to test a network on without a data set: class pictures, small faces, written digits.

The class pictures are dreams of the robust network, one for each class, grown from the same noise.
They are not photos, but their labels are known. `weights/class-pictures.webp` holds them in label
order: rows of 20 pictures of 64×64 pixels with 2 pixels of white between neighbours
(`python -m dreamkit.training.card --pages classes` makes such a page). The faces come with
scikit-image, the digits with scikit-learn.
"""

from __future__ import annotations

from collections.abc import Collection

import torch

from ..checks.numbers import is_whole
from ..networks.zoo import FOLDER
from ..pictures.image import Image, load_image
from ..pictures.scales import resize

_SIDE, _GAP, _COLUMNS = 64, 2, 20  # of class-pictures.webp, in pixels and pictures

#: (top, bottom, left, right) in pixels of the faces, which are roughly aligned.
#: The last two hold no part of a face.
FACE_PARTS = {
    "left eye": (18, 30, 6, 30),
    "right eye": (18, 30, 34, 58),
    "nose": (30, 42, 20, 44),
    "mouth": (44, 56, 20, 44),
    "forehead": (0, 12, 20, 44),
    "corner": (52, 64, 0, 24),
}


def class_pictures(labels: Collection[str] | None = None) -> tuple[Image, tuple[str, ...]]:
    """Pictures [N, 3, 64, 64] that "dreamnet-robust" grew for its classes, and their N labels.

    With `labels` only the pictures of these classes are returned; unknown labels are ignored.

    >>> pictures, labels = class_pictures(["goldfish", "no such class"])
    >>> tuple(pictures.shape), labels
    ((1, 3, 64, 64), ('goldfish',))
    """
    page = load_image(FOLDER / "class-pictures.webp")
    known = (FOLDER / "labels.txt").read_text("utf-8").splitlines()
    wanted = [i for i, label in enumerate(known) if labels is None or label in labels]
    pictures = page.new_empty(len(wanted), 3, _SIDE, _SIDE)
    for picture, index in zip(pictures, wanted, strict=True):
        top, left = (place * (_SIDE + _GAP) for place in divmod(index, _COLUMNS))
        picture.copy_(page[0, :, top : top + _SIDE, left : left + _SIDE])
    return pictures, tuple(known[index] for index in wanted)


def faces(count: int = 20) -> Image:
    """Up to 100 grey faces [count, 3, 64, 64] in [0, 1], enlarged from 25×25 pixels.

    They are from "Labeled Faces in the Wild" (Huang et al., 2007) and come with scikit-image.
    Raises ValueError for another count.
    """
    from skimage.data import lfw_subset

    if not is_whole(count, 1, 100):
        raise ValueError(f"count must be a whole number from 1 to 100; given: {count!r}")
    grey = torch.from_numpy(lfw_subset()[:count]).float()
    return resize(grey[:, None].expand(-1, 3, -1, -1).contiguous(), (_SIDE, _SIDE), "bicubic")


def digits(count: int = 1797, side: int = 16) -> tuple[Image, tuple[int, ...]]:
    """Up to 1,797 digits written by hand [count, 3, side, side], white on black, and their values.

    They are the test set of "Optical recognition of handwritten digits" (Alpaydin & Kaynak, 1998),
    8×8 pixels each, and come with scikit-learn. Raises ValueError for another count.

    >>> pictures, values = digits(3, side=8)
    >>> tuple(pictures.shape), values
    ((3, 3, 8, 8), (0, 1, 2))
    """
    from sklearn.datasets import load_digits

    if not is_whole(count, 1, 1797):
        raise ValueError(f"count must be a whole number from 1 to 1797; given: {count!r}")
    data = load_digits()
    grey = torch.from_numpy(data.images[:count]).float() / 16
    pictures = grey[:, None].expand(-1, 3, -1, -1).contiguous()
    return resize(pictures, (side, side), "bicubic").clamp(0, 1), tuple(
        data.target[:count].tolist()
    )
