"""Exercises of lesson 12, zoom and film."""

from __future__ import annotations

import torch

from . import Condition, Exercise, Mistake


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def _begin(frame, carried, trusted, blend):
    return torch.where(trusted, frame + blend * (carried - frame), frame)


def _begin_other_way(frame, carried, trusted, blend):
    return torch.where(trusted, carried + blend * (frame - carried), frame)


def _begin_untrusting(frame, carried, trusted, blend):
    return frame + blend * (carried - frame)


def _begin_turned(frame, carried, trusted, blend):
    return torch.where(trusted, frame, frame + blend * (carried - frame))


def _begin_black(frame, carried, trusted, blend):
    return (frame + blend * (carried - frame)) * trusted


def _begins(answer, wrong):
    given = _random(1, 3, 4, 5), _random(1, 3, 4, 5, seed=1), _random(1, 1, 4, 5, seed=2) > 0.5, 0.8
    a, b = answer(*given), wrong(*given)
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-6)


def _returns(back, forth):
    return (back + forth).square().sum(1, keepdim=True) < 1


def _returns_minus(back, forth):
    return (back - forth).square().sum(1, keepdim=True) < 1


def _returns_turned(back, forth):
    return ~_returns(back, forth)


def _returns_each(back, forth):
    return (back + forth).abs() < 1


def _returns_signed(back, forth):
    return (back + forth).sum(1, keepdim=True) < 1


def _flows() -> tuple[torch.Tensor, torch.Tensor]:
    """A flow, and the flow that comes back: to where it began in the left half, a few pixels off, up or down, in the right."""
    back = 6 * _random(1, 2, 4, 6) - 3
    forth = -back + 0.1 * _random(1, 2, 4, 6, seed=1)
    forth[..., 3:] += torch.tensor([-2.0, 1.5])[None, :, None, None]
    return back, forth


def _same_mask(answer, wrong):
    a, b = answer(*_flows()), wrong(*_flows())
    return a.shape == b.shape and bool((a == b).all())


EXERCISES = (
    Exercise(
        "per_frame",
        "12",
        "A rate per second",
        4,
        1,
        lambda rate, fps: rate ** (1 / fps),
        (
            Condition(
                lambda f: abs(f(4.0, 30) - 4.0) > 1e-9 or abs(f(4.0, 15) - 8.0) > 1e-9,
                "tuned to 30 frames, where the factor of a frame would be the rate of a second: take a root",
            ),
            Condition(
                lambda f: abs(f(4.0, 2) - 16) > 1e-9,
                "the power is upside down: 1 / fps, so that fps of them make the rate",
            ),
            Condition(
                lambda f: abs(f(4.0, 2) - 2.5) > 1e-9,
                "that adds up; enlargements multiply, so it overshoots: take a root",
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
        ),
        (
            Mistake("rate divided by fps", lambda rate, fps: rate / fps),
            Mistake("an even share of the growth", lambda rate, fps: 1 + (rate - 1) / fps),
            Mistake("power upside down", lambda rate, fps: rate**fps),
            Mistake("tuned to thirty frames", lambda rate, fps: rate * 30 / fps),
        ),
        "the fps-th root: at any frame rate a second is a second",
    ),
    Exercise(
        "begin",
        "12",
        "What a frame is begun from",
        6,
        2,
        _begin,
        (
            Condition(
                lambda f: (
                    f(*(_random(1, 3, 4, 5),) * 2, _random(1, 1, 4, 5) > 0.5, 0.5).shape
                    == (1, 3, 4, 5)
                ),
                "the result should have the size of the frame",
            ),
            Condition(
                lambda f: not _begins(f, _begin_untrusting),
                "the mask is not used: where the flow is not trusted, the frame itself should stand",
            ),
            Condition(
                lambda f: not _begins(f, _begin_turned),
                "the mask is turned round: the dream goes where it *is* trusted",
            ),
            Condition(
                lambda f: not _begins(f, _begin_black),
                "where it is not trusted the picture is black: put the frame there",
            ),
            Condition(
                lambda f: not _begins(f, _begin_other_way),
                "blend is the share of the *dream*; here it is the frame's",
            ),
            Condition(
                lambda f: _begins(f, _begin),
                "not yet: frame + blend * (carried - frame) where trusted, else the frame",
            ),
        ),
        (
            Mistake("mask not used", _begin_untrusting),
            Mistake("mask turned round", _begin_turned),
            Mistake("black instead of the frame", _begin_black),
            Mistake("share the other way", _begin_other_way),
        ),
        "the dream where we know where it belongs, the plain frame where something came into view",
    ),
    Exercise(
        "returns",
        "12",
        "There and back again",
        6,
        3,
        _returns,
        (
            Condition(
                lambda f: f(*_flows()).shape[1] == 1,
                "one answer a pixel is wanted, [1, 1, H, W]: sum over the two components, with keepdim=True",
            ),
            Condition(
                lambda f: not _same_mask(f, _returns_minus),
                "subtracted: a flow that returns is the *opposite* of the one that went, so their sum is small",
            ),
            Condition(
                lambda f: not _same_mask(f, _returns_turned),
                "turned round: True should stand where it returns",
            ),
            Condition(
                lambda f: not _same_mask(f, _returns_signed),
                "left and right, up and down cancel out: square before you sum",
            ),
            Condition(
                lambda f: _same_mask(f, _returns),
                "not yet: the squared length of back + forth, below 1",
            ),
        ),
        (
            Mistake("difference", _returns_minus),
            Mistake("turned round", _returns_turned),
            Mistake("each component by itself", _returns_each),
            Mistake("summed with signs", _returns_signed),
        ),
        "what goes there and does not come back was covered by something, or came into view",
    ),
)
