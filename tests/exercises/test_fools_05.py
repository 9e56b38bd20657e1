"""Lesson 05: answers that are right on the lesson's own case only, or leave the work to others."""

import torch
from torch.nn import functional as F

import dreamkit as dk
from dreamkit.exercises import check


def three_channels(gradient, sigma):
    """The lesson's cell of old: three channels, whatever is given."""
    radius = int(4 * sigma + 0.5)
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).expand(3, 1, 1, -1)
    padded = F.pad(gradient, (radius,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, weights, groups=3), weights.mT, groups=3)


def two_bands(gradient, sigma):
    low = dk.smooth(gradient, sigma)
    return dk.normalize(low, by="rms") + dk.normalize(gradient - low, by="rms")


FOOLS = {
    "three channels, sigma ignored": ("smooth", lambda g, sigma: three_channels(g, 1.0)),
    "three channels": ("smooth", three_channels),
    "the package's own blur": ("smooth", dk.smooth),
    "the package's own blur, wrapped": ("smooth", lambda g, sigma: dk.smooth(g, sigma)),
    "sigma ignored": ("two_bands", lambda g, sigma: two_bands(g, 1.0)),
    "the package's own pyramid": ("two_bands", lambda g, sigma: dk.smooth_laplacian(g, 1)),
    "each channel by itself": (
        "two_bands",
        lambda g, sigma: torch.cat([two_bands(one, sigma) for one in g.split(1, 1)], 1),
    ),
    "the share ignored": (
        "less_colour",
        lambda g, share: g if share == 1 else torch.lerp(luma(g), g, 0.25),
    ),
    "the package's own chroma": ("less_colour", dk.scale_chroma),
    "the first picture only": ("less_colour", lambda g, share: torch.lerp(luma(g[:1]), g, share)),
}


def luma(gradient):
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    return (gradient * weights).sum(1, keepdim=True).expand_as(gradient)


def test_other_right_answers_are_accepted():
    assert check("two_bands", two_bands).ok
    assert check("less_colour", lambda g, share: share * g + (1 - share) * luma(g)).ok
