"""The numbers of a dream. Command line flags and sliders are made from the fields' metadata."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from ..checks.fields import short
from ..checks.numbers import is_number, is_whole

# name: (least, greatest) value; a whole number where the default is one
LIMITS = {
    "steps": (0, 10_000),
    "step_size": (0.0, 1e3),
    "octaves": (1, 32),
    "octave_ratio": (1.0, 16.0),
    "jitter": (0, 65_536),
    "smoothing": (0.0, 256.0),
    "tile": (0, 65_536),
    "seed": (0, 2**63 - 1),
    "laplacian": (0, 16),
    "chroma": (0.0, 16.0),
}


def _number(default: float, description: str, low: float, high: float, step: float):
    metadata = {"help": description, "low": low, "high": high, "step": step}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """The numbers of a dream, checked when made; change some with `dataclasses.replace`.

    Each field's metadata holds `help`, and the range (`low`, `high`) and `step` of its slider.
    `LIMITS` holds the wider range of allowed values. Raises ValueError for any other value.

    >>> Settings(steps=-1)
    Traceback (most recent call last):
    ValueError: steps (gradient steps an octave) must be a whole number from 0 to 10000; given: -1
    """

    steps: int = _number(10, "gradient steps an octave", 0, 50, 1)
    step_size: float = _number(
        0.01,
        "length of one step, in the range [0, 1], for each standard deviation of the gradient",
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
        0,
        "side of the tiles for the gradient, in pixels; 0: the whole picture at once",
        0,
        1024,
        32,
    )
    seed: int = _number(0, "seed of the random shifts", 0, 99, 1)
    laplacian: int = _number(
        0, "levels of a Laplacian pyramid whose bands all get the same strength; 0: none", 0, 6, 1
    )
    chroma: float = _number(
        1.0, "share of the gradient's colour that is kept; 0: only light and dark", 0.0, 2.0, 0.1
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            problem = out_of_limits(value, *LIMITS[spec.name], whole=isinstance(spec.default, int))
            if problem:
                raise ValueError(f"{spec.name} ({spec.metadata['help']}) must be {problem}")


def out_of_limits(value: object, low: float, high: float, whole: bool) -> str:
    """What the value must be and what was given; empty where the value is allowed.

    >>> out_of_limits(2.5, 1, 32, whole=True)
    'a whole number from 1 to 32; given: 2.5'
    """
    if (is_whole if whole else is_number)(value, low, high):
        return ""
    return f"a {'whole ' if whole else ''}number from {low} to {high}; given: {short(value)}"
