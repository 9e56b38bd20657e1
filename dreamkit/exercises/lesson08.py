"""Exercises of lesson 08, the whole of DeepDream."""

from __future__ import annotations

import torch

from ..scales import octaves, resize
from . import Condition, Exercise, Mistake


def _picture() -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    return torch.rand(1, 3, 20, 28, generator=generator) * 0.6 + 0.2


def _brighter(image: torch.Tensor) -> torch.Tensor:
    """Stands in for the steps of one octave: what they add depends on the place, so that a lost octave shows."""
    return (image + 0.05 * image.roll(3, -1)).clamp(0, 1)


def _dream_octaves(image, steps_of_one_octave, count, ratio):
    detail = torch.zeros(())
    for base in octaves(image, count, ratio):
        detail = resize(detail, base.shape[-2:]) if detail.dim() else detail
        dreamt = steps_of_one_octave((base + detail).clamp(0, 1))
        detail = dreamt - base
    return dreamt


def _no_original(image, steps_of_one_octave, count, ratio):
    for base in octaves(image, count, ratio):
        image = steps_of_one_octave(resize(image, base.shape[-2:]))
    return image


def _large_to_small(image, steps_of_one_octave, count, ratio):
    detail = torch.zeros(())
    for base in reversed(octaves(image, count, ratio)):
        detail = resize(detail, base.shape[-2:]) if detail.dim() else detail
        dreamt = steps_of_one_octave((base + detail).clamp(0, 1))
        detail = dreamt - base
    return dreamt


def _forgets(image, steps_of_one_octave, count, ratio):
    for base in octaves(image, count, ratio):
        dreamt = steps_of_one_octave(base)
    return dreamt


def _close(a, b):
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-5)


def _run(answer, count=3):
    return answer(_picture(), _brighter, count, 1.4)


EXERCISES = (
    Exercise(
        "octaves", "08", "The loop over octaves", 8, 3, _dream_octaves,
        (
            Condition(lambda f: tuple(_run(f).shape) == (1, 3, 20, 28),
                      "the result has another size than the picture: octaves run from small to large, and the last is the picture itself"),
            Condition(lambda f: _close(_run(f, 1), _brighter(_picture())), "with one octave it should be just the steps on the picture"),
            Condition(lambda f: not _close(_run(f), _forgets(_picture(), _brighter, 3, 1.4)),
                      "each octave starts from the plain photo again: the detail found so far is lost"),
            Condition(lambda f: not _close(_run(f), _no_original(_picture(), _brighter, 3, 1.4)),
                      "the whole picture is enlarged from octave to octave: lay only the *detail* over the original of each size"),
            Condition(lambda f: _close(_run(f), _dream_octaves(_picture(), _brighter, 3, 1.4)),
                      "close, but the detail should be what was dreamt minus that octave's original, enlarged to the next size"),
        ),
        (
            Mistake("large to small", _large_to_small),
            Mistake("detail forgotten", _forgets),
            Mistake("picture enlarged instead of detail", _no_original),
        ),
        "every octave starts from the original of its size with the detail found so far laid over it",
    ),
)
