"""DeepDream: gradient ascent on a picture, from small to large. It knows no network, only a score."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import torch

from ..pictures.image import Image, check_values
from ..pictures.scales import octave_sizes, resize
from . import memory
from .steps import Score, ascend_from, gradient, normalize_, roll, roll_, rolled_tiles, smooth_

_LARGE = 1024**2  # pixels


def _number(default: float, help: str, low: float, high: float, step: float):
    return field(default=default, metadata={"help": help, "low": low, "high": high, "step": step})


@dataclass(frozen=True)
class Settings:
    """The numbers of a dream, checked when made; change some with `dataclasses.replace`.

    Each field's metadata (help, low, high: the range that sliders offer; step) is the one place from which
    command-line flags and sliders are made.

    >>> Settings(steps=-1)
    Traceback (most recent call last):
    ValueError: steps (gradient steps an octave) must be a whole number from 0 to 10000; given: -1
    """

    steps: int = _number(10, "gradient steps an octave", 0, 50, 1)
    step_size: float = _number(
        0.01,
        "how far one step goes, as a share of the range [0, 1] for each deviation of the gradient",
        0.0,
        0.05,
        0.001,
    )
    octaves: int = _number(4, "number of sizes, from small to large", 1, 8, 1)
    octave_ratio: float = _number(1.4, "size of each octave over the one before", 1.1, 2.0, 0.05)
    jitter: int = _number(16, "greatest random shift before a step, in pixels", 0, 64, 1)
    smoothing: float = _number(
        1.5, "Gaussian blur of the gradient: its standard deviation in pixels", 0.0, 4.0, 0.1
    )
    tile: int = _number(
        0, "side of the tiles the gradient is taken in, in pixels; 0 takes it whole", 0, 1024, 32
    )
    seed: int = _number(0, "seed of the random shifts", 0, 99, 1)

    def __post_init__(self) -> None:
        limits = {
            "steps": (0, 10_000),
            "step_size": (0.0, 1e3),
            "octaves": (1, 32),
            "octave_ratio": (1.0, 16.0),
            "jitter": (0, 65_536),
            "smoothing": (0.0, 256.0),
            "tile": (0, 65_536),
            "seed": (0, 2**63 - 1),
        }
        for spec in fields(self):
            value, (low, high), whole = (
                getattr(self, spec.name),
                limits[spec.name],
                spec.type == "int",
            )
            kind = numbers.Integral if whole else numbers.Real
            if (
                isinstance(value, bool)
                or not isinstance(value, kind)
                or not (math.isfinite(value) and low <= value <= high)
            ):
                raise ValueError(
                    f"{spec.name} ({spec.metadata['help']}) must be a {'whole ' if whole else ''}number "
                    f"from {low} to {high}; given: {value!r}"
                )


def dreaming(score: Score, image: Image, settings: Settings | None = None) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of a dream, octave by octave from small to large.

    At each octave the detail found so far is laid over the original picture of that size, so that no octave has to
    make up again what resizing would have blurred away (google/deepdream, 2015). Raises ValueError for a picture that
    is no picture; warns once where the gradient is zero.

    >>> pictures = list(
    ...     dreaming(
    ...         lambda x: x.mean(), torch.full((1, 3, 8, 8), 0.5), Settings(steps=2, octaves=2)
    ...     )
    ... )
    >>> [tuple(p.shape[-2:]) for p in pictures]
    [(6, 6), (6, 6), (8, 8), (8, 8)]
    """
    settings = settings or Settings()
    check_values(image)
    return _dreaming(score, image.detach(), settings)


def dream(score: Score, image: Image, settings: Settings | None = None) -> Image:
    """The dream [N, 3, H, W]: the last picture of `dreaming`, or the picture itself where there are no steps."""
    result = image
    for result in dreaming(score, image, settings):
        pass
    return result


def _dreaming(score: Score, image: Image, settings: Settings) -> Iterator[Image]:
    # What is no longer needed is dropped and what is the loop's own is changed in place: of a poster memory holds two or three.
    generator = torch.Generator().manual_seed(settings.seed)
    silent = False
    base = dreamt = None
    sizes = octave_sizes(*image.shape[-2:], settings.octaves, settings.octave_ratio)
    for octave, size in enumerate(sizes):
        detail = None if dreamt is None else dreamt - base
        base = dreamt = resize(image, size)
        if octave == len(sizes) - 1:
            del image
        if detail is not None:
            dreamt = resize(detail, size).add_(base).clamp_(0, 1)
        del detail
        if octave == len(sizes) - 1:
            del base
        for _ in range(settings.steps):
            shift = dy, dx = draw_shift(settings.jitter, generator)
            if settings.tile:
                uphill = roll_(
                    rolled_tiles(score, dreamt, settings.tile, _seed(generator), shift), shift
                )
            else:
                uphill = gradient(score, roll(dreamt, shift))
            silent = silent or warn_if_silent(uphill, score)
            uphill = roll_(normalize_(smooth_(uphill, settings.smoothing)), (-dy, -dx))
            dreamt = ascend_from(dreamt, uphill, settings.step_size)
            del uphill
            yield dreamt
    if (
        math.prod(dreamt.shape[-2:]) > _LARGE
    ):  # what a small one leaves is not worth the kernel's time
        memory.hand_back()


def draw_shift(jitter: int, generator: torch.Generator) -> tuple[int, int]:
    """A random shift (dy, dx), each from -jitter to jitter pixels."""
    dy, dx = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
    return dy, dx


def _seed(generator: torch.Generator) -> int:
    return int(torch.randint(2**31, (), generator=generator))


def warn_if_silent(uphill: torch.Tensor, score: Score) -> bool:
    """Whether the gradient is zero everywhere, after a warning that says so. ValueError for a gradient that is no number."""
    if not torch.isfinite(uphill.sum()) and not torch.isfinite(uphill).all():
        name = getattr(score, "name", "the score")
        raise ValueError(
            f"the gradient of {name} holds NaN or infinite values: nothing can be dreamt of it"
        )
    if uphill.any():
        return False
    name = getattr(score, "name", "the score")
    warnings.warn(
        f"{name} is silent: its gradient is zero everywhere, so the picture stays as it is; "
        "try another layer, channel or picture",
        UserWarning,
        stacklevel=3,
    )
    return True
