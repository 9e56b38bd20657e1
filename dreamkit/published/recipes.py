"""The published implementations of DeepDream, each a short function in the same verbs, so that they can be laid side by side.

    recipe      published as                                           octaves grow by
    caffe       google/deepdream, dream.ipynb, 2015                    the photo and the enlarged detail
    pytorch     gordicaleksa/pytorch-deepdream, 2020                   the whole picture
    tensorflow  TensorFlow's tutorial, plain and tiled, 2019           the whole picture, in 8 bits
    keras       keras-io's example, Chollet, 2020                      the whole picture and what shrinking lost

Each program counts in a space of its own: grey levels minus a mean, mean and deviation taken out, or [-1, 1]. Here
every picture stays in [0, 1], and what such a space changes is written out: a step of s grey levels is s / 255; a
gradient with respect to (x - mean) / std is std times the one with respect to x, and a step along it std times as
long; in [-1, 1] the gradient and the step are half as large. Differences of the means cancel in all of them, and
resizing commutes with all of them, so the pictures are the published ones to the rounding of the last digit.

What comes from the user is the network (with its own mean and deviation) and the objective, of which each docstring
names the published one.
"""

from __future__ import annotations

import functools
import inspect
import math
import numbers
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..ascent.gradients import Score, gradient, value_and_gradient, warn_if_silent
from ..ascent.steps import ascend, draw_shift, normalize, roll, smooth
from ..networks.network import Network
from ..objectives.objective import Objective
from ..objectives.scorer import scorer
from ..pictures.image import Image, check_values
from ..pictures.scales import resize

NAMES = ("caffe", "pytorch", "tensorflow", "keras")

# name: (kind, least, greatest) of every number that a recipe takes
LIMITS = {
    "steps": (numbers.Integral, 0, 10_000), "step_size": (numbers.Real, 0, 1e3), "octaves": (numbers.Integral, 1, 32),
    "octave_ratio": (numbers.Real, 1, 16), "jitter": (numbers.Integral, 0, 65_536), "smoothing": (numbers.Real, 0, 256),
    "tile": (numbers.Integral, 0, 65_536), "max_loss": (numbers.Real, 0, math.inf), "seed": (numbers.Integral, 0, 2**63 - 1),
}  # fmt: skip


def _recipe(function: Callable[..., Iterator[Image]]) -> Callable[..., Iterator[Image]]:
    """The recipe, which now answers for a wrong picture, layer or number when it is called, not at its first step."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def start(*args, **keywords) -> Iterator[Image]:
        given = signature.bind(*args, **keywords).arguments
        check_values(given["image"])
        scorer(given["network"], given["objective"])
        for name, value in given.items():
            if name in LIMITS and not (
                value is None and "None" in signature.parameters[name].annotation
            ):
                _check_number(function.__name__, name, value)
        return function(*args, **keywords)

    return start


@_recipe
def caffe(
    network: Network,
    objective: Objective,
    image: Image,
    *,
    steps: int = 10,
    step_size: float = 1.5,
    octaves: int = 4,
    octave_ratio: float = 1.4,
    jitter: int = 32,
    clip: bool = True,
    seed: int = 0,
) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of google/deepdream's `dream.ipynb` (Mordvintsev, Olah & Tyka, 2015).

    `step_size` is in grey levels of 255: how far a pixel moves in the mean (mean |g| is divided out, with no epsilon).
    Sizes are a chain of corner-aligned bilinear zooms, as `scipy.ndimage.zoom(order=1)` makes them, and with its fault
    (see `_zoom`); the detail found so far is zoomed and laid over the photo of each size. With `clip=False` only what
    is yielded is clipped, never what goes on. There: iter_n, step_size, octave_n, octave_scale, jitter, clip; the
    objective is 1/2 Σ a² at inception_4c/output, here `dk.layer(name)`, since a factor cancels.

    >>> from dreamkit import layer, load_network
    >>> picture = torch.linspace(0.1, 0.9, 3 * 40 * 56).view(1, 3, 40, 56)
    >>> [
    ...     tuple(p.shape[-2:])
    ...     for p in caffe(load_network("dreamnet"), layer("conv1"), picture, steps=1, octaves=3)
    ... ]
    [(21, 29), (29, 40), (40, 56)]
    """
    score, generator, silent = (
        scorer(network, objective),
        torch.Generator().manual_seed(seed),
        False,
    )
    mean = torch.tensor(network.mean, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    photos = [image.detach()]
    for _ in range(octaves - 1):
        size = [round(side * (1 / octave_ratio)) for side in photos[0].shape[-2:]]
        photos.insert(0, mean + _zoom(photos[0] - mean, size))
    detail = torch.zeros_like(photos[0])
    for photo in photos:
        detail = _zoom(detail, photo.shape[-2:])
        x = photo + detail  # not clipped before its first step
        for _ in range(steps):
            dy, dx = draw_shift(jitter, generator)
            x = roll(x, (dy, dx))
            g = gradient(score, x)
            silent = silent or warn_if_silent(g, score)
            x = ascend(x, normalize(g, by="mean_abs"), step_size / 255, clip)
            x = roll(x, (-dy, -dx))
            yield x.clamp(0, 1)
        detail = x - photo


@_recipe
def pytorch(
    network: Network,
    objective: Objective,
    image: Image,
    *,
    steps: int = 10,
    step_size: float = 0.09,
    octaves: int = 4,
    octave_ratio: float = 1.8,
    jitter: int = 32,
    smoothing: float = 0.5,
    seed: int = 0,
) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of gordicaleksa/pytorch-deepdream (2020).

    `step_size` is in units of the standardised picture, (x - mean) / std with the network's mean and std, for each
    deviation of the gradient. The gradient is the average of three Gaussian blurs (9×9 pixels; half, once and twice
    σ), where σ = `smoothing` + 2 (t + 1) / steps grows with the step t; then its mean is taken away and it is divided
    by its unbiased deviation. The whole picture is resized from octave to octave. ValueError where an octave has
    a side below 10 pixels, at which the program stops. There: num_gradient_ascent_iterations, lr, pyramid_size,
    pyramid_ratio, spatial_shift_size, smoothing_coefficient; the objective is mean a² (VGG16, relu4_3), `dk.layer(name)`.

    >>> from dreamkit import layer, load_network
    >>> picture = torch.linspace(0.1, 0.9, 3 * 40 * 56).view(1, 3, 40, 56)
    >>> [
    ...     tuple(p.shape[-2:])
    ...     for p in pytorch(load_network("dreamnet"), layer("conv1"), picture, steps=1, octaves=3)
    ... ]
    [(12, 17), (22, 31), (40, 56)]
    """
    score, generator, silent = (
        scorer(network, objective),
        torch.Generator().manual_seed(seed),
        False,
    )
    std = torch.tensor(network.std, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    sizes = [
        [round(side * octave_ratio ** (k - octaves + 1)) for side in image.shape[-2:]]
        for k in range(octaves)
    ]
    if min(sizes[0]) < 10:
        raise ValueError(
            f"the smallest octave would be {sizes[0][0]}×{sizes[0][1]} pixels, and this recipe wants sides of at least 10: "
            "take a larger picture, fewer octaves or a smaller octave_ratio"
        )
    x = image.detach()
    for size in sizes:
        x = resize(x, size, "bilinear")
        for t in range(steps):
            dy, dx = draw_shift(jitter, generator)
            x = roll(x, (dy, dx))
            g = std * gradient(score, x)  # with respect to (x - mean) / std
            silent = silent or warn_if_silent(g, score)
            sigma = (t + 1) / steps * 2.0 + smoothing
            g = sum(smooth(g, sigma * c, radius=4) for c in (0.5, 1.0, 2.0)) / 3
            x = ascend(x, std * normalize(g, by="standardize"), step_size)
            x = roll(x, (-dy, -dx))
            yield x


@_recipe
def tensorflow(
    network: Network,
    objective: Objective,
    image: Image,
    *,
    steps: int = 50,
    step_size: float = 0.01,
    octaves: int = 5,
    octave_ratio: float = 1.3,
    jitter: int | None = None,
    tile: int = 0,
    seed: int = 0,
) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of TensorFlow's DeepDream tutorial (2019); the last has the size of the photo.

    `step_size` is in units of [-1, 1], half of which are ours, for each deviation of the gradient (plus 1e-8). Octaves
    lie around the photo's own size (octave_ratio^-2 … octave_ratio^2 for five), and the whole picture is resized. The
    plain form (`tile=0`) has no jitter, and cuts the picture down to 8 bits after each octave. The tiled form (in the
    tutorial tile=512, steps=100) rolls the picture by [-jitter, jitter) pixels, a tile unless given otherwise, takes
    the gradient in tiles of which the last along each side is dropped unless it is the only one, and keeps its
    fractions up to the last octave. At the end either is cut to 8 bits, brought to the size of the photo and rounded to
    8 bits. There: steps, step_size, range(-2, 3), OCTAVE_SCALE, tile_size; the objective is the sum of mean a at mixed3
    and mixed5, `dk.layer(name, power=1) + dk.layer(other, power=1)`.

    >>> from dreamkit import layer, load_network
    >>> picture = torch.linspace(0.1, 0.9, 3 * 40 * 56).view(1, 3, 40, 56)
    >>> [
    ...     tuple(p.shape[-2:])
    ...     for p in tensorflow(load_network("dreamnet"), layer("conv1", power=1), picture, steps=1)
    ... ]
    [(23, 33), (30, 43), (40, 56), (52, 72), (40, 56)]
    """
    score, generator, silent = (
        scorer(network, objective),
        torch.Generator().manual_seed(seed),
        False,
    )
    jitter = tile if jitter is None else jitter
    powers = range(-(octaves // 2), (octaves + 1) // 2)
    sizes = [
        [int(np.float32(side) * np.float32(octave_ratio**k)) for side in image.shape[-2:]]
        for k in powers
    ]  # 130 / 1.3 is 100
    x = image.detach()
    for octave, size in enumerate(sizes, 1):
        x = resize(x, size, "bilinear")
        for step in range(1, steps + 1):
            dy, dx = (
                torch.randint(-jitter, jitter, (2,), generator=generator).tolist()
                if jitter
                else (0, 0)
            )
            x = roll(x, (dy, dx))
            g = (
                _most_tiles(score, x, tile) if tile else gradient(score, x)
            ) / 2  # with respect to 2 x - 1
            silent = silent or warn_if_silent(g, score)
            x = ascend(x, normalize(g, by="std", epsilon=1e-8), step_size / 2)
            x = roll(x, (-dy, -dx))
            if step == steps and (octave == octaves or not tile):
                levels = torch.floor(x * 255)  # as a cast to uint8 does
                x = (
                    torch.round(resize(levels, image.shape[-2:], "bilinear"))
                    if octave == octaves
                    else levels
                ) / 255
            yield x


@_recipe
def keras(
    network: Network,
    objective: Objective,
    image: Image,
    *,
    steps: int = 20,
    step_size: float = 0.01,
    octaves: int = 3,
    octave_ratio: float = 1.4,
    jitter: int = 0,
    max_loss: float | None = 15.0,
    seed: int = 0,
) -> Iterator[Image]:
    """The pictures [N, 3, h, w] after each step of keras-io's DeepDream example (Chollet, 2016; this form 2020).

    `step_size` is in units of [-1, 1], half of which are ours, for each mean |g| of the gradient (taken as 1e-6 where it
    is less). An octave ends early, after its step, once the score before that step was above `max_loss` (None: never).
    At its end what the photo lost by being as small as the octave before is added. Nothing is clipped on the way, only
    what is yielded; the example has no jitter. There: iterations, step, num_octave, octave_scale, max_loss; the
    objective is 1 mixed4 + 1.5 mixed5 + 2 mixed6 + 2.5 mixed7, each `dk.layer(name, border=2)`.

    >>> from dreamkit import layer, load_network
    >>> picture = torch.linspace(0.1, 0.9, 3 * 40 * 56).view(1, 3, 40, 56)
    >>> [
    ...     tuple(p.shape[-2:])
    ...     for p in keras(load_network("dreamnet"), layer("conv1", border=2), picture, steps=1)
    ... ]
    [(20, 28), (28, 40), (40, 56)]
    """
    score, generator, silent = (
        scorer(network, objective),
        torch.Generator().manual_seed(seed),
        False,
    )
    sizes = [
        [int(side / octave_ratio**k) for side in image.shape[-2:]] for k in reversed(range(octaves))
    ]
    x = image.detach()
    shrunk = resize(x, sizes[0], "bilinear")
    for size in sizes:
        x = resize(x, size, "bilinear")
        photo = resize(image.detach(), size, "bilinear")
        for step in range(1, steps + 1):
            dy, dx = draw_shift(jitter, generator)
            x = roll(x, (dy, dx))
            loss, g = value_and_gradient(score, x)
            g = g / 2  # with respect to 2 x - 1
            silent = silent or warn_if_silent(g, score)
            x = ascend(x, normalize(g, by="mean_abs", least=1e-6), step_size / 2, clip=False)
            x = roll(x, (-dy, -dx))
            ended = step == steps or (max_loss is not None and loss > max_loss)
            if ended:
                x = x + (photo - resize(shrunk, size, "bilinear"))
            yield x.clamp(0, 1)
            if ended:
                break
        shrunk = photo


def _zoom(image: Tensor, size: Sequence[int]) -> Tensor:
    """What `scipy.ndimage.zoom(order=1)` makes of the picture: corner-aligned bilinear, but for a fault that the program inherits.

    At about one length in twenty (from 128 to 91 for one) rounding puts the last row or column a hair beyond the
    border, and SciPy fills it with zeros: in the program's space the mean colour, or no detail.
    """
    zoomed = resize(image, size, "corners")
    beyond = [
        new > 1 and (new - 1) * ((old - 1) / (new - 1)) > old - 1
        for old, new in zip(image.shape[-2:], size, strict=True)
    ]
    if any(beyond):
        zoomed = F.pad(
            zoomed[..., : size[0] - beyond[0], : size[1] - beyond[1]],
            (0, int(beyond[1]), 0, int(beyond[0])),
        )
    return zoomed


def _most_tiles(score: Score, image: Image, tile: int) -> Tensor:
    """The gradient [N, 3, H, W] in tiles, zero where the tutorial's loop never comes: along each side it drops the last tile of several."""
    result = torch.zeros_like(image)
    tops, lefts = (list(range(0, side, tile))[:-1] or [0] for side in image.shape[-2:])
    for top in tops:
        for left in lefts:
            here = (..., slice(top, top + tile), slice(left, left + tile))
            result[here] = gradient(score, image[here])
    return result


def _check_number(recipe: str, name: str, value: object) -> None:
    kind, low, high = LIMITS[name]
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        whole = "a whole number" if kind is numbers.Integral else "a number"
        raise ValueError(
            f"{name} of the {recipe} recipe must be {whole} from {low} to {high}; given: {value!r}"
        )
