"""Pictures of what channels look for, many at once: each grows from the same faint noise, and none knows of the others."""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn

from ..ascent.fourier import Views, growing, spectrum
from ..networks.features import capture
from ..networks.layers import layer_info
from ..networks.network import Network
from ..objectives.objective import Objective
from ..objectives.scorer import scorer
from ..pictures.image import Image, to_pillow
from .cluster import Ticket, network_of

_BOUNDS = {
    "side": (16, 1024),
    "steps": (1, 4096),
    "rate": (1e-4, 10.0),
    "seed": (0, 2**62 - 1),
    "batch": (1, 1024),
}
_VIEWS = Views(shift=4, scale=0.1, turn=8)


@dataclass(frozen=True)
class Recipe:
    """How each picture of an atlas is grown: the side of the pictures in pixels, steps of Adam and their rate, seed, channels a batch."""

    side: int = 64
    steps: int = 32
    rate: float = 0.1
    seed: int = 0
    batch: int = 16

    def __post_init__(self) -> None:
        for spec in fields(self):
            value, (low, high) = getattr(self, spec.name), _BOUNDS[spec.name]
            kinds = int if spec.type == "int" else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                kind = "whole number" if kinds is int else "number"
                raise ValueError(
                    f"{spec.name} of an atlas is a {kind} from {low} to {high}; given: {value!r}"
                )


def portraits(
    network: Network, layer: str, channels: list[int], recipe: Recipe | None = None
) -> tuple[Image, list[float]]:
    """Pictures [len(channels), 3, side, side] that excite one channel each, and how strongly they do: the mean of its map.

    Gradient ascent on the mean of the map, in which cells that answer more count for more, on a picture held as a
    spectrum. A channel that is silent for noise, and would have no gradient, is woken through its ReLU (`waking`).
    0 marks a channel that stayed silent all the same.

    >>> from dreamkit import load_network
    >>> portraits(load_network(), "conv1", [0, 5], Recipe(side=16, steps=2))[0].shape
    torch.Size([2, 3, 16, 16])
    """
    recipe = recipe or Recipe()
    margin, score = (
        _margin(network, layer, recipe.side),
        scorer(waking(network), _each(layer, channels)),
    )
    side = recipe.side + 2 * margin
    start = spectrum(side, side, recipe.seed).expand(len(channels), -1, -1, -1, -1)
    for pictures in growing(
        score, side, side, recipe.steps, recipe.rate, _VIEWS, recipe.seed, start
    ):
        pass
    pictures = pictures[..., margin : side - margin, margin : side - margin]
    with torch.no_grad():
        maps = _maps(capture(network, pictures, layer)[layer], channels)
    return pictures, maps.float().mean(1).tolist()


def batch(
    given: Network | Ticket, layer: str, channels: list[int], recipe: Recipe
) -> list[tuple[bytes, float]]:
    """(PNG file, activation) of each channel. A part of a batch is filled up to a whole one: the arithmetic is always the same."""
    filled = channels + channels[-1:] * (recipe.batch - len(channels))
    pictures, activations = portraits(network_of(given), layer, filled, recipe)
    return [
        (_png(picture), activation)
        for picture, activation in zip(pictures[: len(channels)], activations, strict=False)
    ]


def waking(network: Network) -> Network:
    """A copy whose ReLUs let the gradient through for a picture that has none behind them, so that a silent channel can wake.

    The picture's features stay as they are. (Lucid's redirected ReLU: Olah, Mordvintsev & Schubert, 2017; here for each
    picture of a batch alone.)
    """
    module = copy.deepcopy(network.module)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.ReLU:
                setattr(parent, name, _Waking())
    return replace(network, module=module)


class _Waking(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return _Redirected.apply(x)


class _Redirected(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: object, above: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        plain = above * (x > 0)
        silent = plain.flatten(1).abs().amax(1) == 0
        if not silent.any():
            return plain
        # Descent on minus the score: below zero, only what would rise may pass.
        redirected = torch.where((x < 0) & (above > 0), torch.zeros_like(above), above)
        return torch.where(silent.view(-1, *[1] * (x.dim() - 1)), redirected, plain)


def _each(layer: str, channels: list[int]) -> Objective:
    """Of picture i of a batch, channel i: the sum over pictures, so that each one's gradient is its own."""

    def formula(features: dict[str, Tensor]) -> Tensor:
        cells = _maps(features[layer], channels)
        weights = 1 + cells / (cells.detach().abs().mean(1, keepdim=True) + 1e-6)
        return (cells * weights).mean(1).sum()

    return Objective((layer,), formula, f"channels of {layer!r}")


def _maps(values: Tensor, channels: list[int]) -> Tensor:
    """Of picture i the cells of channel i: [N, cells]; one cell where the layer has no maps."""
    values = (
        values.transpose(1, 2) if values.dim() == 3 else values
    )  # tokens have their channels last
    return values[torch.arange(len(channels)), torch.tensor(channels)].reshape(len(channels), -1)


def _margin(network: Network, layer: str, side: int) -> int:
    """Pixels grown beyond each edge and cut off: the rim of a picture is where the padding of shallow layers shows."""
    field = layer_info(network, layer).field
    size = max(field.size) if field else side
    return size if size <= side // 4 else 0


def _png(picture: Tensor) -> bytes:
    file = io.BytesIO()
    to_pillow(picture).save(file, "PNG")
    return file.getvalue()
