"""Dreams with an ONNX step file, without torch: needs only NumPy and onnxruntime.

This file imports nothing of dreamkit, so a copy of it is a program of its own (with Pillow to read
and write the pictures):  python alone.py step.onnx photo.jpg dream.png
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np


class Step:
    """A step file of `dk.onnx.export_step`: `step(picture)` gives (score, gradient).

    Picture and gradient are [N, 3, H, W], the picture in [0, 1]. `threads`: how many compute.
    Raises ValueError for a file or a picture that cannot be run.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int | None = None):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            with open(path, "rb") as file:  # as bytes, so that it cannot load data of other files
                self._session = onnxruntime.InferenceSession(
                    file.read(), options, providers=["CPUExecutionProvider"]
                )
        except Exception as error:
            raise ValueError(f"onnxruntime cannot run {str(path)!r}: {_one_line(error)}") from None
        if [output.name for output in self._session.get_outputs()] != ["score", "gradient"]:
            raise ValueError(
                f"{str(path)!r} does not give a score and a gradient; "
                "dk.onnx.export_step writes files that do"
            )

    def __call__(self, picture: np.ndarray) -> tuple[float, np.ndarray]:
        picture = np.ascontiguousarray(picture, np.float32)
        try:
            score, gradient = self._session.run(None, {"picture": picture})
        except Exception as error:
            raise ValueError(
                f"the step cannot take a picture {list(picture.shape)}: {_one_line(error)}"
            ) from None
        return float(score), gradient


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


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
    """The picture after each step of a dream, as from `dk.dreaming`, but without torch.

    picture: [N, 3, H, W] in [0, 1].
    steps, octaves: how many steps at each size, and how many sizes, from small to large.
    step_size: how far a step goes along the gradient, which has a standard deviation of 1.
    ratio: how much larger each size is than the one before.
    jitter, sigma: the largest random shift and the gradient's blur, in pixels.
    seed: of the shifts, which are NumPy's: other ones than `dk.dreaming` draws.
    """
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
    """The picture [..., H, W] at another size: area means where it shrinks, else linear."""
    rows, columns = (_weights(old, new) for old, new in zip(picture.shape[-2:], size, strict=True))
    return (rows @ picture @ columns.T).astype(np.float32)


def _weights(old: int, new: int) -> np.ndarray:
    """The share of each old pixel in each new one, [new, old]."""
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
    *_, dreamt = dreaming(Step(file), picture)
    Image.fromarray(np.rint(dreamt[0].transpose(1, 2, 0) * 255).astype(np.uint8)).save(target)


if __name__ == "__main__":
    import sys

    _main(sys.argv[1:])
