"""Exercises of lesson 12, zoom and film."""

from __future__ import annotations

import torch

from ..pictures.transforms import move
from . import Condition, Exercise, Mistake
from .checking import close, on, uniform

_MASK = uniform(1, 1, 6, 3, seed=5) > 0.5
_FRAMES = uniform(1, 3, 4, 5), uniform(1, 3, 4, 5, seed=1), uniform(1, 1, 4, 5, seed=2) > 0.5, 0.8


def _blended(frame, carried, blend):
    return frame + blend * (carried - frame)


def _flows(height: int = 4, width: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """A flow, and one that returns from it: in the left half exactly, in the right roughly."""
    back = 6 * uniform(1, 2, height, width) - 3
    forth = -back + 0.1 * uniform(1, 2, height, width, seed=1)
    forth[..., 3:] += torch.tensor([-2.0, 1.5])[None, :, None, None]
    return back, forth


def _returns(back, forth):
    return (back + forth).square().sum(1, keepdim=True) < 1


def _zoom(
    dream, picture, factor, count, moved=move, first=True, onward=lambda start, dreamt: dreamt
):
    """The frames of a zoom; the options make the mistakes that students make."""
    found = []
    for _ in range(count):
        dreamt = dream(picture)
        found.append(dreamt if first else moved(dreamt, factor))
        picture = moved(onward(picture, dreamt), factor)
    return found


def _same_frames(given: object, wanted: list[torch.Tensor]) -> bool:
    """Whether both are lists of as many frames, and nearly the same ones."""
    return len(given) == len(wanted) and all(map(close, given, wanted))


def _brighter(image: torch.Tensor) -> torch.Tensor:
    """Stands for a dream: a change that depends on the position and on what was there."""
    return (image + 0.1 * torch.linspace(0, 1, image.shape[-1]) * (1 + image)).clamp(0, 1)


_PICTURE = 0.5 * uniform(1, 3, 9, 12, seed=7)

EXERCISES = (
    Exercise(
        "endless_zoom",
        "12",
        "The endless zoom",
        6,
        2,
        _zoom,
        same=on(_brighter, _PICTURE, 1.2, 4, compare=_same_frames),
        checks=(
            Condition(
                lambda f: len(f(_brighter, _PICTURE.clone(), 1.2, 4)) == 4,
                "a list of `count` frames is wanted, one for each dream",
            ),
            Mistake(
                "never enlarged",
                lambda dream, picture, factor, count: _zoom(dream, picture, 1, count),
                "the frames do not move: enlarge each dream before the next one begins from it",
            ),
            Mistake(
                "every frame from the photo",
                lambda dream, picture, factor, count: [
                    dream(move(picture, factor**k)) for k in range(count)
                ],
                "each frame is dreamt from the photo: the next one begins from the dream before",
            ),
            Mistake(
                "the enlarged dream kept",
                lambda *given: _zoom(*given, first=False),
                "the frames are kept after they were enlarged: keep the dream, then enlarge it",
            ),
            Mistake(
                "away from it",
                lambda dream, picture, factor, count: _zoom(dream, picture, 1 / factor, count),
                "that zooms out: dk.film.move(picture, factor) enlarges if factor is above 1",
            ),
            Mistake(
                "the picture itself first",
                lambda dream, picture, factor, count: [
                    picture,
                    *_zoom(dream, picture, factor, count - 1),
                ],
            ),
        ),
        cases=(
            (_brighter, 0.6 * uniform(1, 3, 7, 8, seed=8), 1.05, 3),
            (lambda image: 1 - image, uniform(1, 3, 6, 10, seed=9), 1.5 + 0.2j, 2),
        ),
        compare=_same_frames,
        write=("zooming",),
        otherwise="close: dream, keep, enlarge, and begin again from the enlarged dream",
        praise="dream, keep, enlarge: each frame begins from what the last one drew",
    ),
    Exercise(
        "per_frame",
        "12",
        "A rate per second",
        4,
        1,
        lambda rate, fps: rate ** (1 / fps),
        checks=(
            Condition(
                lambda f: abs(f(4.0, 30) - 4.0) > 1e-9 or abs(f(4.0, 15) - 8.0) > 1e-9,
                "tuned to 30 frames, where the factor of a frame would be the rate of a second: "
                "take a root",
            ),
            Condition(
                lambda f: abs(f(4.0, 2) - 16) > 1e-9,
                "the power is upside down: 1 / fps, so that fps of them make the rate",
            ),
            Condition(
                lambda f: abs(f(4.0, 2) - 2.5) > 1e-9,
                "that adds up; enlargements multiply, so it is too much: take a root",
            ),
            Condition(
                lambda f: abs(f(6.0, 2) - 3.0) > 1e-9,
                "divided: but the factors of a second are *multiplied*, so take a root",
            ),
            Condition(
                lambda f: all(
                    abs(f(r, n) ** n - r) < 1e-6 for r in (0.5, 2.0, 4.66) for n in (1, 12, 30, 60)
                ),
                "not yet: fps such factors, multiplied, make the rate",
            ),
            Mistake("rate divided by fps", lambda rate, fps: rate / fps),
            Mistake("an even share of the growth", lambda rate, fps: 1 + (rate - 1) / fps),
            Mistake("power upside down", lambda rate, fps: rate**fps),
            Mistake("tuned to thirty frames", lambda rate, fps: rate * 30 / fps),
        ),
        cases=((7.3, 25), (0.2, 9)),
        compare=lambda given, wanted: abs(given - wanted) < 1e-6,
        praise="the fps-th root: at any frame rate a second is a second",
    ),
    Exercise(
        "begin",
        "12",
        "What a frame is begun from",
        6,
        2,
        lambda frame, carried, trusted, blend: torch.where(
            trusted, _blended(frame, carried, blend), frame
        ),
        same=on(*_FRAMES),
        checks=(
            Condition(
                lambda f: f(*_FRAMES).shape == (1, 3, 4, 5),
                "the result should have the size of the frame",
            ),
            Mistake(
                "mask not used",
                lambda frame, carried, trusted, blend: _blended(frame, carried, blend),
                "the mask is not used: where the flow is not trusted, use the frame itself",
            ),
            Mistake(
                "mask turned round",
                lambda frame, carried, trusted, blend: torch.where(
                    trusted, frame, _blended(frame, carried, blend)
                ),
                "the mask is the wrong way round: the dream goes where it *is* trusted",
            ),
            Mistake(
                "black instead of the frame",
                lambda frame, carried, trusted, blend: _blended(frame, carried, blend) * trusted,
                "where it is not trusted the picture is black: put the frame there",
            ),
            Mistake(
                "share the other way",
                lambda frame, carried, trusted, blend: torch.where(
                    trusted, _blended(carried, frame, blend), frame
                ),
                "blend is the share of the *dream*; here it is the frame's",
            ),
        ),
        cases=(
            (uniform(1, 3, 6, 3, seed=3), uniform(1, 3, 6, 3, seed=4), _MASK, 0.35),
            (
                uniform(2, 3, 2, 7, seed=6),
                uniform(2, 3, 2, 7, seed=7),
                uniform(2, 1, 2, 7) > 0.3,
                1,
            ),
        ),
        otherwise="not yet: frame + blend * (carried - frame) where trusted, else the frame",
        praise="the dream where its place is known, the plain frame where something came into view",
    ),
    Exercise(
        "returns",
        "12",
        "There and back again",
        6,
        3,
        _returns,
        same=on(*_flows()),
        checks=(
            Condition(
                lambda f: f(*_flows()).shape[1] == 1,
                "one answer for each pixel is wanted, [1, 1, H, W]: sum over the two components, "
                "with keepdim=True",
            ),
            Mistake(
                "difference",
                lambda back, forth: _returns(back, -forth),
                "subtracted: a flow that returns is the *opposite* of the one that went, so their "
                "sum is small",
            ),
            Mistake(
                "turned round",
                lambda back, forth: ~_returns(back, forth),
                "the wrong way round: True means that the flow returns",
            ),
            Mistake(
                "summed with signs",
                lambda back, forth: (back + forth).sum(1, keepdim=True) < 1,
                "left and right, up and down cancel out: square before you sum",
            ),
            Mistake("each component by itself", lambda back, forth: (back + forth).abs() < 1),
        ),
        cases=(_flows(7, 5), (uniform(2, 2, 3, 8, seed=2), 1 - uniform(2, 2, 3, 8, seed=3))),
        compare=torch.equal,
        otherwise="not yet: the squared length of back + forth, below 1",
        praise="what goes there and does not come back was covered by something, or came into view",
    ),
)
