"""Checks, before a file is written, that onnxruntime computes from a graph what torch computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from .graph import PICTURE
from .model_files import one_line
from .running import quiet_session

TOLERANCE = 1e-4  # relative
Expected = Callable[[Tensor], dict[str, Tensor]]  # what torch gives for a picture, by output


def random_pictures(
    size: tuple[int, int], fixed: tuple[int, int] | None, seed: int = 1
) -> list[Tensor]:
    """Two pictures of the given size and, unless the size is fixed, one of another size."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [(2, 3, *size)] + ([] if fixed else [(1, 3, size[0] + 33, size[1] + 48)])
    return [torch.rand(shape, generator=generator) for shape in sizes]


def check_features(data: bytes, expected: Expected, pictures: Iterable[Tensor]) -> None:
    """Raises ValueError unless all features agree to 1e-4 of the largest value of their layer."""
    for picture in pictures:
        for name, value, other in _pairs(data, expected, picture):
            difference = float((value - other).abs().max())
            if not difference <= TOLERANCE * float(value.abs().max()) + 1e-10:
                raise _mismatch(name, picture, difference)


def check_step(data: bytes, expected: Expected, tries: Sequence[Sequence[Tensor]]) -> None:
    """Raises ValueError unless score and gradient agree: the norm of the difference, relative.

    Each of `tries` holds a picture of each size. At each size one picture must agree to 1e-4, or
    else the closest of them to 1e-3: where a ReLU or a max-pool is within rounding of its kink,
    the gradient jumps, and float32, in torch as in onnxruntime, is off from float64 by 1e-4 to
    5e-3. A mistake in the graph shows in every picture.
    """
    for pictures in zip(*tries, strict=True):
        closest = float("inf")
        for picture in pictures:
            pairs = _pairs(data, expected, picture)
            worst = max(float((v - o).norm() / v.norm().clamp(min=1e-9)) for _, v, o in pairs)
            closest = min(closest, worst)
            if closest <= TOLERANCE:
                break
        if not closest <= 10 * TOLERANCE:
            raise _mismatch("gradient", pictures[0], closest)


def _pairs(
    data: bytes, expected: Expected, picture: Tensor
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(output, what torch gives, what onnxruntime gives) for each output, in float64."""
    wanted = {name: value.detach().double().cpu() for name, value in expected(picture).items()}
    try:
        given = quiet_session(data).run(list(wanted), {PICTURE: picture.numpy()})
    except Exception as error:
        raise ValueError(
            f"onnxruntime could not run the graph at {list(picture.shape)}: {one_line(error)}"
        ) from None
    for (name, value), other in zip(wanted.items(), given, strict=True):
        if value.shape != other.shape:
            raise _mismatch(name, picture, float("inf"))
        yield name, value, torch.from_numpy(other).double()


def _mismatch(name: str, picture: Tensor, difference: float) -> ValueError:
    return ValueError(
        f"the ONNX graph does not give what torch gives for {name!r} at {list(picture.shape)} "
        f"(off by {difference:.2g})"
    )
