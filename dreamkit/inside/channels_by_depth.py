"""Channel pictures: what a channel responds to, drawn as its depth in the network asks for.

A shallow channel sees a few pixels and responds to an edge; a deep one sees objects. One recipe
does not fit both: noise and crops bring out an object and blur an edge. So the recipe follows from
the receptive field.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from ..ascent.fourier import Crops, Prior, growing, spectrum
from ..ascent.gradients import Score
from ..atlas.channels import with_redirected_relus
from ..checks.numbers import check_index
from ..networks.activations import channels_before
from ..networks.layers import layer_info, share_layers
from ..networks.network import Network
from ..objectives.objective import Objective
from ..objectives.scorer import scorer
from ..pictures.image import Image

_EDGE = 8  # pixels: a receptive field that sees an edge
_OBJECT = 8 / 7  # a receptive field that sees an object, in sides of the training pictures
_LEAST, _MOST = 48, 160  # pixels: sides of the pictures of edges and of objects


@dataclass(frozen=True)
class Recipe:
    """How the pictures of a layer's channels grow.

    Args:
        depth: 0 for edges, 1 for objects: the place of the receptive field, by its logarithm,
            between 8 pixels and somewhat more than the side of the training pictures.
        side: of the pictures, in pixels.
        margin: pixels drawn beyond each edge and cut off: there shallow layers see their padding.
    """

    depth: float
    side: int
    margin: int

    @property
    def steps(self) -> int:
        return round(60 + 80 * self.depth)

    @property
    def canvas(self) -> int:
        return self.side + 2 * self.margin

    @property
    def strength(self) -> float:
        """Of the noise at the start: louder at the edges, where one silent input silences all."""
        return 0.1 ** (1 + self.depth)

    @property
    def crops(self) -> Crops:
        """Of edges in their own size and direction, of objects in many."""
        usual = round((0.875 - 0.075 * self.depth) * self.canvas)
        least, most = 0.875 - 0.425 * self.depth, 0.875 + 0.225 * self.depth
        return Crops(usual, least, most, 12 * self.depth)

    @property
    def prior(self) -> Prior:
        first, last = 0.5 - 0.48 * self.depth, 0.5 - 0.2 * self.depth  # cycles a pixel
        return Prior(1 + 0.2 * self.depth, limits=(first, last))

    def growing(
        self, score: Score, start: Tensor, steps: int, rate: float, seed: int
    ) -> Iterator[Image]:
        """The pictures [N, 3, side, side] after each step, from N spectra of noise."""
        inner = slice(self.margin, self.margin + self.side)
        for picture in growing(
            score,
            self.canvas,
            self.canvas,
            steps,
            rate,
            self.crops,
            seed,
            start,
            prior=self.prior,
            noise=0.2 * self.depth**2,
            cosine=True,
        ):
            yield picture[..., inner, inner]


def recipe(network: Network, layer: str) -> Recipe:
    """The recipe for a layer's channels. Raises KeyError for an unknown layer."""
    field = layer_info(network, layer).field
    whole = _OBJECT * network.side
    seen = max(field.size) if field else whole
    depth = min(1.0, max(0.0, math.log(seen / _EDGE) / math.log(whole / _EDGE)))
    most = max(_LEAST, min(_MOST, network.side * 3 // 2))
    side = round(_LEAST + (most - _LEAST) * depth)
    return Recipe(depth, side, round((1 - depth) * side / 6))


def channel_picture(
    network: Network, layer: str, channels: int | Sequence[int], seed: int = 0
) -> Image:
    """Pictures [channels, 3, S, S] of what each channel of a layer responds to, grown from noise.

    The score is the sum of the channel's map before its activation, where it has one: a channel
    that is silent for noise has a gradient there; and ReLUs that are silent themselves redirect
    theirs. Where a cell sees less than 32 pixels it is the sum of the softplus, since the sum of an
    edge filter cancels out over a picture; from 2 to 7 pixels that of the difference from the map's
    mean, so that the edge appears, and not only the colour of one of its sides.

    Args:
        channels: one index, or several, which grow in one batch, each as it would alone.
        seed: of the noise and the random views.

    S is from 48 to 160 pixels, the deeper the larger, and at most 1.5 times the side of the
    pictures that the network was trained on. Raises KeyError for an unknown layer, ValueError for
    a channel that does not exist. A channel whose weights are all zero stays grey.
    """
    wanted = [channels] if isinstance(channels, int) else list(channels)
    plan, objective = recipe(network, layer), _each(network, layer, wanted)
    awake = share_layers(network, with_redirected_relus(network))
    start = spectrum(plan.canvas, plan.canvas, seed, plan.strength)
    start = start.expand(len(wanted), -1, -1, -1, -1)
    steps = plan.growing(scorer(awake, objective), start, plan.steps, 0.06, seed)
    return deque(steps, maxlen=1).pop()


def _each(network: Network, layer: str, channels: Sequence[int]) -> Objective:
    """The objective that raises for picture i of a batch the map of channel i."""
    info = layer_info(network, layer)
    if not channels:
        raise ValueError("a channel picture needs at least one channel; given: none")
    for index in channels:
        check_index("channel", index, info.channels, f"layer {layer!r}")
    places = channels_before(network, layer, channels)
    field = max(info.field.size) if info.field else math.inf

    def formula(features: Mapping[str, Tensor]) -> Tensor:
        maps = [features[name][i, index] for i, (name, index) in enumerate(places)]
        if field >= 32:
            return sum(cells.sum() for cells in maps)
        if 1 < field < _EDGE:
            maps = [cells - cells.mean() for cells in maps]
        return sum(F.softplus(cells).sum() for cells in maps)

    names = tuple(dict.fromkeys(name for name, _ in places))
    return Objective(names, formula, f"channels of {layer!r}")
