"""Lesson 11: steps that are right for the lesson's own numbers only, or left to the package."""

import torch

import dreamkit as dk
from dreamkit.exercises import all_exercises, check

CAFFE = all_exercises()["caffe_step"].solution
TENSORFLOW = all_exercises()["tensorflow_step"].solution
BLURS = all_exercises()["three_blurs"].solution

FOOLS = {
    "1.5 levels, whatever is asked": ("caffe_step", lambda x, g, n: CAFFE(x, g, 1.5)),
    "an epsilon in Caffe's step": (
        "caffe_step",
        lambda x, g, n: (x + n / 255 * g / (g.abs().mean() + 1e-8)).clamp(0, 1),
    ),
    "the package's verbs": (
        "caffe_step",
        lambda x, g, n: dk.ascend(x, dk.normalize(g, by="mean_abs"), n / 255),
    ),
    "0.01, whatever is asked": ("tensorflow_step", lambda x, g, s: TENSORFLOW(x, g, 0.01)),
    "no epsilon in TensorFlow's": (
        "tensorflow_step",
        lambda x, g, s: (x + s / 2 * g / g.std(correction=0)).clamp(0, 1),
    ),
    "the epsilon before the halving": (
        "tensorflow_step",
        lambda x, g, s: (x + s / 2 * g / (g.std(correction=0) + 1e-8)).clamp(0, 1),
    ),
    "the package's verbs in [-1, 1]": (
        "tensorflow_step",
        lambda x, g, s: dk.ascend(x, dk.normalize(g / 2, by="std", epsilon=1e-8), s / 2),
    ),
    "ten steps, whatever is asked": ("three_blurs", lambda g, t, n: BLURS(g, t, 10)),
    "the fourth step's blur": ("three_blurs", lambda g, t, n: BLURS(g, 3, n)),
    "the first picture of a batch": (
        "three_blurs",
        lambda g, t, n: BLURS(g[:1], t, n).expand_as(g),
    ),
}


def test_the_solutions_are_the_programs_own_steps():
    """With a score whose gradient is known, one step of each recipe is one of the exercise."""
    image = 0.3 + 0.4 * torch.rand(1, 3, 24, 30, generator=torch.Generator().manual_seed(1))
    weights = torch.randn(image.shape, generator=torch.Generator().manual_seed(2))
    network = dk.as_network(torch.nn.Identity(), (0.5,) * 3, (0.5,) * 3)
    wanted = dk.Objective(("",), lambda features: (features[""] * weights).sum(), "weights")
    one = {"steps": 1, "octaves": 1, "jitter": 0}
    (caffe,) = dk.recipes.caffe(network, wanted, image, **one)
    (pytorch,) = dk.recipes.pytorch(network, wanted, image, **one)
    gradient = 2 * weights  # the network sees 2 x - 1
    assert torch.allclose(CAFFE(image, gradient, 1.5), caffe, atol=1e-6)
    (tensorflow,) = dk.recipes.tensorflow(network, wanted, image, **one)
    ours = TENSORFLOW(image, gradient, 0.01)
    assert torch.floor(torch.floor(ours * 255) / 255 * 255.5).sub(tensorflow * 255).abs().max() <= 1
    blurred = BLURS(gradient / 2, 0, 1)
    standard = (blurred - blurred.mean()) / blurred.std()
    assert torch.allclose((image + 0.09 * 0.5 * standard).clamp(0, 1), pytorch, atol=1e-5)


def test_other_right_answers_are_accepted():
    assert check("caffe_step", lambda x, g, n: torch.clip(x + g * (n / 255 / g.abs().mean()), 0, 1))
    short = lambda x, g, s: (x + s / 2 * (g / 2) / ((g / 2).std(correction=0) + 1e-8)).clamp(0, 1)
    assert check("tensorflow_step", short).ok
