"""The ladder of the course: one photo dreamt with one more idea on each rung, so that one strip shows what each idea buys.

Photo, layer, seed, step size and the total number of steps are the same on every rung; only the ideas add up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
SMOOTHING = 1.0  # twice the default of Settings, so that an eye sees what it does
SIDE = 224  # of the default photo: the five rungs then take about twelve seconds on two cores


def ladder(
    network: Network,
    image: Image | None = None,
    layer: str | None = None,
    steps: int = 40,
    seed: int = 0,
    rungs: Sequence[str] | None = None,
) -> dict[str, Image]:
    """The dreams {rung: [1, 3, H, W]} of one photo: plain, normalised, smoothed, jittered and "with octaves", each with one idea more.

    Every rung takes `steps` steps in all (the octaves share them out, `steps // 4` each, so at least 4), with the step size and
    jitter of `Settings()`, and from "smoothed" on a blur of 1 pixel. `image` is by default the sample photo china at 224 pixels,
    `layer` the one at depth 0.8. `rungs` picks some of the five, in your order. KeyError for a rung that is none of them,
    ValueError for too few steps or no picture.

    >>> from dreamkit.networks.zoo import load_network
    >>> list(
    ...     ladder(
    ...         load_network("dreamnet"),
    ...         sample("china", 48),
    ...         steps=4,
    ...         rungs=["plain", "normalised"],
    ...     )
    ... )
    ['plain', 'normalised']
    """
    image = sample("china", SIDE) if image is None else image
    check_values(image)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < OCTAVES:
        raise ValueError(
            f"the ladder shares its steps among {OCTAVES} octaves, so it needs a whole number of at least {OCTAVES}; "
            f"given: {steps!r}"
        )
    chosen = tuple(RUNGS) if rungs is None else tuple(rungs)
    for rung in chosen:
        if rung not in RUNGS:
            raise unknown("rung", rung, RUNGS)
    score = scorer(network, whole_layer(layer or layer_at(network, 0.8)))
    return {rung: RUNGS[rung](score, image, steps, seed) for rung in chosen}


def plain(score: Score, image: Image, steps: int, seed: int) -> Image:
    """The raw gradient times one constant, chosen so that the first step is as long as a normalised one."""
    size = gradient(score, image).std(correction=0)
    constant = Settings().step_size / size if size > 0 else 0.0
    for _ in range(steps):
        image = ascend(image, gradient(score, image) * constant, 1.0)
    return image


def normalised(score: Score, image: Image, steps: int, seed: int) -> Image:
    """Each gradient divided by its own deviation: every step is as long as the first."""
    return dream(score, image, Settings(steps=steps, octaves=1, smoothing=0.0, jitter=0, seed=seed))


def smoothed(score: Score, image: Image, steps: int, seed: int) -> Image:
    """And each gradient blurred a little, so that fine noise adds up less."""
    return dream(
        score, image, Settings(steps=steps, octaves=1, smoothing=SMOOTHING, jitter=0, seed=seed)
    )


def jittered(score: Score, image: Image, steps: int, seed: int) -> Image:
    """And the picture rolled by a random shift before each step, so that no pixel keeps its place on the network's grid."""
    return dream(score, image, Settings(steps=steps, octaves=1, smoothing=SMOOTHING, seed=seed))


def with_octaves(score: Score, image: Image, steps: int, seed: int) -> Image:
    """And the same steps shared out among four sizes, from small to large: the whole algorithm."""
    return dream(
        score,
        image,
        Settings(steps=steps // OCTAVES, octaves=OCTAVES, smoothing=SMOOTHING, seed=seed),
    )


RUNGS: dict[str, Callable[[Score, Image, int, int], Image]] = {
    "plain": plain,
    "normalised": normalised,
    "smoothed": smoothed,
    "jittered": jittered,
    "with octaves": with_octaves,
}
