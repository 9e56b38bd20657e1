"""`scorer` joins an objective to a network: the result is a Score, the one seam of the package."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import torch
from torch import Tensor

from ..ascent import memory
from ..checks.numbers import is_whole
from ..networks.activations import before_activation
from ..networks.features import capture
from ..networks.layers import layer_infos
from ..networks.logits import capture_logits
from ..networks.network import Network
from ..networks.trial import LayerInfo
from ..pictures.image import Image, check_image
from .kinds import KINDS, Term
from .objective import Objective, of_terms
from .tiles import Window, fields_of, parts, tile_that_fits


class Features(dict):
    """Features by layer name, with the network's labels and, for a tile, where its cells lie.

    `logits` are the output, or the values before the softmax that the network ends in; `image` is
    the picture that was looked at.
    """

    image: Image
    labels: tuple[str, ...] = ()
    logits: Tensor | None = None
    windows: Mapping[str, Window] = MappingProxyType({})


def features_of(
    network: Network,
    image: Image,
    layers: Iterable[str],
    infos: Mapping[str, LayerInfo] | None = None,
) -> Features:
    """The Features of a picture at the named layers."""
    layers = tuple(layers)
    found, logits = capture_logits(network, image, layers, infos) if layers else ({}, None)
    features = Features(found)
    features.image, features.labels, features.logits = image, network.labels, logits
    return features


@dataclass(frozen=True)
class Scorer:
    """A Score: it standardises a picture, runs the network and gives the objective's value.

    The network runs only as far as the objective needs.
    """

    network: Network
    objective: Objective
    tile: int | None = None
    # the objective's layers, looked up once and not at every step
    infos: Mapping[str, LayerInfo] | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.objective.name

    def __call__(self, image: Image) -> Tensor:
        if self.network.device.type == "cpu":
            memory.keep()
        tile = self.tile
        if tile is None and self.objective.by_cells:
            check_image(image)
            tile = tile_that_fits(self.network, self.objective.layers, image)
            if tile:
                height, width = image.shape[-2:]
                warnings.warn(
                    f"a gradient of {width}×{height} pixels would not fit into memory as a whole; "
                    f"it is taken in exact tiles of {tile} pixels",
                    UserWarning,
                    stacklevel=2,
                )
        if tile and max(image.shape[-2:]) > tile:
            return _InTiles.apply(image, self, tile)
        return self.objective.formula(self._features(image))

    def _features(self, image: Image) -> Features:
        return features_of(self.network, image, self.objective.layers, self.infos)


class _InTiles(torch.autograd.Function):
    """The value and the gradient of a score, added up over exact tiles.

    The gradient is taken in `forward`, so that the features of only one tile are held at a time.
    """

    @staticmethod
    def forward(context, image: Image, score: Scorer, tile: int) -> Tensor:
        wanted = context.needs_input_grad[0]
        value, gradient = image.new_zeros(()), torch.zeros_like(image) if wanted else None
        for part in parts(score.network, score.objective.layers, image, tile):
            with torch.set_grad_enabled(wanted):
                cut = image[..., part.rows, part.columns].detach().requires_grad_(wanted)
                features = score._features(cut)
                for name, (down, across) in part.cells.items():
                    features[name] = features[name][..., down, across]
                features.windows = part.windows
                share = score.objective.formula(features)
            value += share.detach()
            if wanted and share.requires_grad:
                gradient[..., part.rows, part.columns] += torch.autograd.grad(share, cut)[0]
        context.gradient = gradient
        return value

    @staticmethod
    def backward(context, above: Tensor) -> tuple[Tensor, None, None]:
        return (context.gradient if above == 1 else context.gradient * above), None, None


def resolved(network: Network, objective: Objective) -> Objective:
    """The same objective, with what only the network can tell.

    Each channel before an activation is named by its own layer, and a caricature gets the features
    of its photo. Raises KeyError for an unknown layer, ValueError where there is none before the
    activation.
    """
    terms = [_resolved(network, term) for term in objective.terms]
    same = all(new is old for new, old in zip(terms, objective.terms, strict=True))
    return objective if same else of_terms(terms, objective.name)


def _resolved(network: Network, term: Term) -> Term:
    photo = term.values.get("photo")
    if photo is not None and photo.dim() == 4:
        with torch.no_grad():
            features = capture(network, photo, term.layer)[term.layer]
        if features.dim() != 4:
            raise ValueError(
                f"layer {term.layer!r} has no feature map ({list(features.shape)}) of which there "
                "could be a caricature"
            )
        return replace(term, values={**term.values, "photo": features[0]})
    if not term.values.get("before_activation"):
        return term
    layer, index = before_activation(network, term.layer, term.values["index"])
    return replace(term, layer=layer, values={"index": index, "before_activation": False})


def scorer(network: Network, objective: Objective, tile: int | None = None) -> Scorer:
    """The Score of a picture: how much of `objective` the network finds in it.

    With `tile` (a side in pixels) value and gradient are taken in exact tiles: each is cut out with
    all that its cells see, so that both are those of the whole picture (to rounding) and memory
    stays flat as the picture grows. None does so, with a warning, where a picture would not fit
    into memory; 0 never does.

    Raises KeyError for an unknown layer; ValueError if a tile is asked for and a layer sees all of
    the picture or the objective does not add up over cells; when scored, ValueError for a tile
    smaller than what a cell sees.

    >>> from dreamkit.networks.network import as_network
    >>> from dreamkit.objectives.objective import logit
    >>> net = as_network(torch.nn.Conv2d(3, 2, 1), (0, 0, 0), (1, 1, 1))
    >>> scorer(net, logit(1)).name
    'logit(1)'
    """
    if not isinstance(objective, Objective):
        raise ValueError(
            f"an objective is made by dk.{', dk.'.join(KINDS)} or from them; given: "
            f"{type(objective).__name__}"
        )
    objective = resolved(network, objective)
    infos = layer_infos(network, objective.layers)
    if tile is not None and not is_whole(tile, 0):
        raise ValueError(f"tile is a side in pixels, a whole number of 0 or more; given: {tile!r}")
    if tile:
        if not objective.by_cells:
            raise ValueError(
                f"{objective.name} does not add up over cells, so it cannot be taken in exact "
                "tiles (Settings(tile=…) takes random tiles of anything)"
            )
        fields_of(network, objective.layers)
    return Scorer(network, objective, tile, infos)
