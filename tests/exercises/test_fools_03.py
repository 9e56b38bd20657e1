"""Lesson 03: answers that are right on the lesson's own case only, or leave the work to others."""

import torch

import dreamkit as dk
from dreamkit.exercises import check


def slope_at_fixed_nudge(score, image, position, nudge):
    up, down = image.clone(), image.clone()
    up[(0, *position)] += 0.05
    down[(0, *position)] -= 0.05
    return (score(up) - score(down)) / 0.1


def slope_at_fixed_position(score, image, position, nudge):
    up, down = image.clone(), image.clone()
    up[0, 2, 1, 3] += nudge
    down[0, 2, 1, 3] -= nudge
    return (score(up) - score(down)) / (2 * nudge)


FOOLS = {
    "the nudge ignored": ("slope", slope_at_fixed_nudge),
    "the position ignored": ("slope", slope_at_fixed_position),
    "backpropagation instead": (
        "slope",
        lambda score, image, position, nudge: dk.gradient(score, image)[(0, *position)],
    ),
    "the power ignored": ("weights", lambda a, power: 3 * a**2 / a.numel()),
    "the count written in": ("weights", lambda a, power: power * a ** (power - 1) / 24),
    "the step size ignored": (
        "one_step",
        lambda image, g, step_size: (image + 0.1 * g / g.std()).clamp(0, 1) if step_size else image,
    ),
    "the package's own step": (
        "one_step",
        lambda image, g, step_size: dk.ascend(image, dk.normalize(g), step_size),
    ),
    "the mean taken away": (
        "one_step",
        lambda image, g, step_size: (image + step_size * (g - g.mean()) / g.std()).clamp(0, 1),
    ),
    "the count written into the gain": (
        "gain",
        lambda g, before, after: (g * (after - before)).mean() * 6,
    ),
    "the promise without the clamp": (
        "gain",
        lambda g, before, after: 0.1 * (g * g).sum() / g.std(),
    ),
}


def test_another_right_answer_is_accepted():
    def by_autograd(activations, power):
        leaf = activations.clone().requires_grad_(True)
        (leaf**power).mean().backward()
        return leaf.grad

    assert check("weights", by_autograd).ok
    assert check("one_step", lambda x, g, s: torch.clamp(x + s * g / g.std(correction=0), 0, 1)).ok
