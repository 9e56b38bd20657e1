"""The ladder of the course: one photo dreamt with one more idea at each stage.

Photo, layer, seed, step size and total number of steps are the same at every stage, so that a strip
of the five pictures shows the effect of each idea.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..ascent.gradients import Score, gradient
from ..ascent.loop import dream
from ..ascent.settings import Settings
from ..ascent.steps import ascend
from ..checks.names import unknown
from ..networks.network import Network
from ..networks.suggestions import layer_at
from ..objectives.objective import layer as whole_layer
from ..objectives.scorer import scorer
from ..pictures.image import Image, check_values
from ..pictures.samples import sample

OCTAVES = 4
SMOOTHING = 1.0  # pixels (the default of Settings is 1.5): enough for its effect to be visible
SIDE = 224  # of the default photo: the five stages then take about twelve seconds on two cores


def ladder(
    network: Network,
    image: Image | None = None,
    layer: str | None = None,
    steps: int = 40,
    seed: int = 0,
    rungs: Sequence[str] | None = None,
) -> dict[str, Image]:
    """The dreams {stage: [1, 3, H, W]} of one photo, each stage with one more idea.

    The stages are "plain", "normalised", "smoothed", "jittered" and "with octaves". They use the
    step size and the jitter of `Settings()`, and from "smoothed" on a blur of 1 pixel.

    - image: the photo, by default the sample photo china at 224 pixels
    - layer: the layer to excite, by default the one at depth 0.8
    - steps: total number of steps of each stage; the four octaves take `steps // 4` each
    - seed: of the random shifts
    - rungs: names of the wanted stages, in the wanted order; by default all

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
    score = scorer(network, whole_layer(layer or layer_at(network, 0.8)))
    return {rung: RUNGS[rung](score, image, steps, seed) for rung in chosen}


def plain(score: Score, image: Image, steps: int, seed: int) -> Image:
    """Steps along the raw gradient times a constant that makes the first step a normalised one."""
    size = gradient(score, image).std(correction=0)
    constant = Settings().step_size / size if size > 0 else 0.0
    for _ in range(steps):
        image = ascend(image, gradient(score, image) * constant, 1.0)
    return image


def normalised(score: Score, image: Image, steps: int, seed: int) -> Image:
    """Each gradient is divided by its standard deviation: every step is as long as the first."""
    return dream(score, image, Settings(steps=steps, octaves=1, smoothing=0.0, jitter=0, seed=seed))


def smoothed(score: Score, image: Image, steps: int, seed: int) -> Image:
    """As `normalised`, and each gradient is blurred, so that less fine noise adds up."""
    settings = Settings(steps=steps, octaves=1, smoothing=SMOOTHING, jitter=0, seed=seed)
    return dream(score, image, settings)


def jittered(score: Score, image: Image, steps: int, seed: int) -> Image:
    """As `smoothed`, and before each step the picture is rolled over the network's grid."""
    return dream(score, image, Settings(steps=steps, octaves=1, smoothing=SMOOTHING, seed=seed))


def with_octaves(score: Score, image: Image, steps: int, seed: int) -> Image:
    """As `jittered`, with the steps divided among four sizes from small to large: DeepDream."""
    steps //= OCTAVES
    settings = Settings(steps=steps, octaves=OCTAVES, smoothing=SMOOTHING, seed=seed)
    return dream(score, image, settings)


RUNGS = {
    "plain": plain,
    "normalised": normalised,
    "smoothed": smoothed,
    "jittered": jittered,
    "with octaves": with_octaves,
}
