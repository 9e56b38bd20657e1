"""The ladder of the course: one photo dreamt with one more idea at each stage.

Photo, layer, seed, step size and total number of steps are the same at every stage, so that a strip
of the five pictures shows the effect of each idea. The numbers are those of `settings_for`: the
last stage is the dream that lesson 08 makes of the same photo and layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ascent.gradients import Score, gradient
from ..ascent.loop import dream
from ..ascent.settings import Settings
from ..ascent.steps import ascend
from ..checks.names import unknown
from ..networks.network import Network
from ..networks.suggestions import layer_at
from ..objectives.objective import layer as whole_layer
from ..objectives.scorer import scorer
from ..objectives.styles import for_stride, settings_for
from ..pictures.image import Image, check_values
from ..pictures.samples import sample

OCTAVES = 4
SIDE = 320  # of the default photo: large enough for the things that a deep layer draws
DEPTH = 0.7  # of the default layer


def ladder(
    network: Network,
    image: Image | None = None,
    layer: str | None = None,
    steps: int = 40,
    seed: int = 0,
    rungs: Sequence[str] | None = None,
) -> dict[str, Image]:
    """The dreams {stage: [1, 3, H, W]} of one photo, each stage with one more idea.

    The stages are "plain", "normalised", "smoothed", "jittered" and "with octaves". Step size,
    smoothing, bands, colour and jitter are those of `settings_for(network, layer)`; "smoothed" is
    the first stage that blurs the gradient, balances its bands and takes out colour.

    Args:
        image: the photo, by default the sample photo china at 320 pixels.
        layer: the layer to excite, by default the one at depth 0.7.
        steps: total number of steps of each stage; the four octaves take `steps // 4` each.
        seed: of the random shifts.
        rungs: names of the wanted stages, in the wanted order; by default all.

    Raises KeyError for an unknown stage, ValueError for fewer than 4 steps or an invalid picture.

    >>> from dreamkit import load_network
    >>> network, photo = load_network("dreamnet"), sample("china", 48)
    >>> list(ladder(network, photo, steps=4, rungs=["plain", "normalised"]))
    ['plain', 'normalised']
    """
    image = sample("china", SIDE) if image is None else image
    check_values(image)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < OCTAVES:
        raise ValueError(
            f"steps must be a whole number of at least {OCTAVES}, one for each octave; "
            f"given: {steps!r}"
        )
    chosen = tuple(RUNGS) if rungs is None else tuple(rungs)
    for rung in chosen:
        if rung not in RUNGS:
            raise unknown("rung", rung, RUNGS)
    name = layer or layer_at(network, DEPTH)
    score, settings = scorer(network, whole_layer(name)), settings_for(network, name)
    return {rung: RUNGS[rung](score, image, steps, seed, settings) for rung in chosen}


_SHALLOW = for_stride(1)


def plain(
    score: Score, image: Image, steps: int, seed: int, settings: Settings = _SHALLOW
) -> Image:
    """Steps along the raw gradient times a constant that makes the first step a normalised one."""
    size = gradient(score, image).std(correction=0)
    constant = settings.step_size / size if size > 0 else 0.0
    for _ in range(steps):
        image = ascend(image, gradient(score, image) * constant, 1.0)
    return image


def normalised(
    score: Score, image: Image, steps: int, seed: int, settings: Settings = _SHALLOW
) -> Image:
    """Each gradient is divided by its standard deviation: every step is as long as the first."""
    raw = replace(settings, smoothing=0.0, laplacian=0, chroma=1.0)
    return smoothed(score, image, steps, seed, raw)


def smoothed(
    score: Score, image: Image, steps: int, seed: int, settings: Settings = _SHALLOW
) -> Image:
    """As `normalised`, and each gradient is blurred, its bands balanced, its colour reduced."""
    return jittered(score, image, steps, seed, replace(settings, jitter=0))


def jittered(
    score: Score, image: Image, steps: int, seed: int, settings: Settings = _SHALLOW
) -> Image:
    """As `smoothed`, and before each step the picture is rolled over the network's grid."""
    return dream(score, image, replace(settings, steps=steps, octaves=1, seed=seed))


def with_octaves(
    score: Score, image: Image, steps: int, seed: int, settings: Settings = _SHALLOW
) -> Image:
    """As `jittered`, with the steps divided among four sizes from small to large: DeepDream."""
    settings = replace(settings, steps=steps // OCTAVES, octaves=OCTAVES, seed=seed)
    return dream(score, image, settings)


RUNGS = {
    "plain": plain,
    "normalised": normalised,
    "smoothed": smoothed,
    "jittered": jittered,
    "with octaves": with_octaves,
}
