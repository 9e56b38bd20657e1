"""A dream by an ONNX step file with NumPy and onnxruntime only: this module imports neither torch nor the rest of dreamkit.

Copied out of the package it works by itself:  python alone.py step.onnx photo.jpg dream.png  (with Pillow for the pictures)
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np


class Step:
    """One step file (`dk.onnx.export_step`), ready to run: `step(picture)` gives (score, gradient) of a picture [N, 3, H, W] in [0, 1]."""

    def __init__(self, path: str | os.PathLike[str], threads: int | None = None):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            with open(
                path, "rb"
            ) as file:  # from memory: data in other files is then out of its reach
                self._session = onnxruntime.InferenceSession(
                    file.read(), options, providers=["CPUExecutionProvider"]
                )
        except Exception as error:
            raise ValueError(
                f"onnxruntime cannot run {str(path)!r}: {' '.join(str(error).split())[:200]}"
            ) from None
        if [output.name for output in self._session.get_outputs()] != ["score", "gradient"]:
            raise ValueError(
                f"{str(path)!r} gives no score and gradient; such a file is written by dk.onnx.export_step"
            )

    def __call__(self, picture: np.ndarray) -> tuple[float, np.ndarray]:
        picture = np.ascontiguousarray(picture, np.float32)
        try:
            score, gradient = self._session.run(None, {"picture": picture})
        except Exception as error:
            raise ValueError(
                f"no step for a picture {list(picture.shape)}: {' '.join(str(error).split())[:200]}"
            ) from None
        return float(score), gradient


def dreaming(
    step: Step,
    picture: np.ndarray,
    steps: int = 10,
    step_size: float = 0.01,
    octaves: int = 4,
    ratio: float = 1.4,
    jitter: int = 16,
    sigma: float = 1.5,
    seed: int = 0,
) -> Iterator[np.ndarray]:
    """The pictures after each step of a dream, octave by octave from small to large: `dk.dreaming` once more, without torch."""
    random, detail = np.random.default_rng(seed), None
    height, width = picture.shape[-2:]
    for octave in reversed(range(octaves)):
        base = resize(
            picture, (max(1, round(height / ratio**octave)), max(1, round(width / ratio**octave)))
        )
        dreamt = base if detail is None else np.clip(base + resize(detail, base.shape[-2:]), 0, 1)
        for _ in range(steps):
            shift = random.integers(-jitter, jitter, 2, endpoint=True)
            rolled = np.roll(dreamt, shift, (-2, -1))
            uphill = blur(step(rolled)[1], sigma)
            size = uphill.std(axis=(1, 2, 3), keepdims=True)
            rolled = np.clip(rolled + step_size * uphill / np.where(size > 0, size, 1), 0, 1)
            dreamt = np.roll(rolled, -shift, (-2, -1)).astype(np.float32)
            yield dreamt
        detail = dreamt - base


def blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """The picture blurred by a Gaussian, mirrored at the borders."""
    reach = int(4 * sigma + 0.5)
    if reach == 0:
        return picture
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    for axis in (-2, -1):
        pads = [(0, 0)] * picture.ndim
        pads[axis] = (reach, reach)
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(picture, pads, "reflect"), 2 * reach + 1, axis
        )
        picture = windows @ (kernel / kernel.sum()).astype(np.float32)
    return picture


def resize(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The picture [..., H, W] at another size: each side the mean of what lies under a pixel, or linear between pixels where it grows."""
    rows, columns = (_weights(old, new) for old, new in zip(picture.shape[-2:], size, strict=True))
    return (rows @ picture @ columns.T).astype(np.float32)


def _weights(old: int, new: int) -> np.ndarray:
    """[new, old]: how much of each old pixel goes into each new one."""
    weights, at = np.zeros((new, old)), np.arange(new)
    if new < old:
        for i in at:
            first, last = i * old // new, -(-(i + 1) * old // new)
            weights[i, first:last] = 1 / (last - first)
        return weights
    place = np.clip((at + 0.5) * old / new - 0.5, 0, old - 1)
    below = np.floor(place).astype(int)
    weights[at, below] += 1 - (place - below)
    weights[at, np.minimum(below + 1, old - 1)] += place - below
    return weights


def _main(arguments: list[str]) -> None:
    from PIL import Image

    file, photo, target = arguments
    with Image.open(photo) as opened:
        picture = np.asarray(opened.convert("RGB"), np.float32).transpose(2, 0, 1)[None] / 255
    for picture in dreaming(Step(file), picture):
        pass
    Image.fromarray(np.rint(picture[0].transpose(1, 2, 0) * 255).astype(np.uint8)).save(target)


if __name__ == "__main__":
    import sys

    _main(sys.argv[1:])
