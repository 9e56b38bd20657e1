"""The kinds of objectives: for each its formula, its values and how they are written down.

A new kind is a formula on features (`formulas.py`), an entry in `KINDS` and the function that users
call (`objective.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real

from torch import Tensor

from ..checks import fields as checks
from ..checks.numbers import is_number
from ..pictures.image import MAX_SIDE
from . import formulas
from .picture_info import PictureInfo

MOST = 1e6  # of a number in a direction
_INDEX = checks.integer(0, 10**6)
_COSINE = checks.number(0, 16)


@dataclass(frozen=True)
class Kind:
    """All that dreamkit knows of one kind of objective.

    `fields` holds for each value the check that it must pass in a passport, in the order of the
    parameters of the function that users call.
    """

    formula: Callable[..., Tensor]  # (features, layer, **values) -> a number, summed over a batch
    fields: Mapping[str, checks.Kind]
    flags: Mapping[str, str] = field(default_factory=dict)  # {value: its command-line flag}
    at_layer: bool = True  # otherwise it is taken at the network's output
    by_cells: bool = True  # whether it adds up over the cells of feature maps, as tiles need
    of_features: bool = True  # otherwise it is taken of the picture itself


@dataclass(frozen=True)
class Term:
    """One part of an objective as data: `weight` times the formula of `kind` at `layer`.

    A value `picture` is the PictureInfo of a guide or photo; in a passport its features are not
    there.
    """

    kind: str
    layer: str  # "" for the network's output
    values: Mapping[str, object]
    weight: float = 1.0

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose features it needs."""
        return (self.layer,) if KINDS[self.kind].of_features else ()

    def formula(self, features: Mapping[str, Tensor]) -> Tensor:
        """The value of the kind, without the weight."""
        return KINDS[self.kind].formula(features, self.layer, **self.values)

    def call(self, guide: str = "", brief: bool = False) -> str:
        """The Python call that makes it, without the weight; `guide` is the code of its features.

        With `brief`, a vector is only counted.

        >>> Term("layer", "conv1", {"power": 1.0, "border": 0}).call()
        "layer('conv1', power=1)"
        """
        kind = KINDS[self.kind]
        arguments = ([repr(self.layer)] if kind.at_layer else []) + ([guide] if guide else [])
        for name, check in kind.fields.items():
            value, optional = self.values[name], isinstance(check, checks.Default)
            if name != "picture" and not (optional and value == check.value):
                arguments.append(f"{name}=" * optional + _text(value, brief))
        return f"{self.kind}({', '.join(arguments)})"


def _text(value: object, brief: bool) -> str:
    """A value as Python code: numbers as short as they can be without loss."""
    if isinstance(value, tuple):
        return f"[{len(value)} numbers]" if brief else repr(list(value))
    if isinstance(value, Real) and not isinstance(value, Integral):
        short = f"{value:g}"
        return short if float(short) == value else repr(float(value))
    return repr(value) if isinstance(value, str) else str(value)


# --- the registry


def _label(value: object, where: str) -> int | str:
    return checks.text(value, where) if isinstance(value, str) else _INDEX(value, where)


def _picture(value: object, where: str) -> PictureInfo:
    return PictureInfo.read(value, "the guide picture")


def vector(value: object, where: str) -> tuple[float, ...]:
    """The numbers of a direction, one for each channel. Raises ValueError for anything else."""
    numbers = value if isinstance(value, (list, tuple)) else ()
    finite = all(is_number(number, -MOST, MOST) for number in numbers)
    if not (1 <= len(numbers) <= 2**16 and finite and any(numbers)):
        raise ValueError(
            f"{where} must be a list of numbers, one for each channel, from {-MOST:g} to {MOST:g} "
            f"and not all 0; given: {checks.short(value)}"
        )
    return tuple(float(number) for number in numbers)


KINDS = {
    "layer": Kind(
        formulas.of_layer,
        {
            "power": checks.Default(checks.number(0, 16), 2),
            "border": checks.Default(checks.integer(0, MAX_SIDE), 0),
        },
    ),
    "channel": Kind(
        formulas.of_channel,
        {"index": _INDEX, "before_activation": checks.Default(checks.truth, False)},
        {"index": "channel"},
    ),
    "neuron": Kind(formulas.of_neuron, {"index": _INDEX, "y": _INDEX, "x": _INDEX}),
    "logit": Kind(
        formulas.of_logit, {"label": _label}, {"label": "logit"}, at_layer=False, by_cells=False
    ),
    "guide": Kind(formulas.of_guide, {"picture": _picture}, {"picture": "guide"}),
    "direction": Kind(
        formulas.of_direction, {"vector": vector, "cosine": checks.Default(_COSINE, 2)}
    ),
    "caricature": Kind(
        formulas.of_caricature, {"cosine": checks.Default(_COSINE, 1), "picture": _picture}
    ),
    "diversity": Kind(formulas.of_diversity, {}, by_cells=False),
    "penalty": Kind(
        formulas.of_penalty,
        {"what": checks.one_of(*formulas.PENALTIES)},
        at_layer=False,
        by_cells=False,
        of_features=False,
    ),
}
