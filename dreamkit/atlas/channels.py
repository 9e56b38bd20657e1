"""Pictures of what channels respond to: many in a batch, each grown alone from the same noise."""

from __future__ import annotations

import io
import math
from collections import deque
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..ascent.fourier import Views, growing, spectrum
from ..checks import fields
from ..networks.clipping import ReLU6
from ..networks.features import capture
from ..networks.hooks import copy_module
from ..networks.layers import layer_info
from ..networks.network import Network
from ..pictures.image import Image, to_pillow
from .cluster import Ticket, network_of

# What each field of PictureSettings may be: checked when made, and when a manifest is read.
LIMITS = {
    "side": fields.integer(16, 1024),
    "steps": fields.integer(1, 4096),
    "rate": fields.number(1e-4, 10),
    "seed": fields.integer(0, 2**62 - 1),
    "batch": fields.integer(1, 1024),
}
_VIEWS = Views(shift=4, scale=0.1, turn=8)


@dataclass(frozen=True)
class PictureSettings:
    """How each picture of an atlas is made; checked when constructed.

    >>> PictureSettings(side=8)
    Traceback (most recent call last):
    ValueError: 'side' of an atlas must be a whole number from 16 to 1024; given: 8
    """

    side: int = 64  # of the picture, in pixels
    steps: int = 32  # of Adam
    rate: float = 0.1  # the learning rate of Adam
    seed: int = 0  # of the noise and of the random views
    batch: int = 16  # channels at a time

    def __post_init__(self) -> None:
        fields.take(vars(self), "an atlas", LIMITS)


def channel_pictures(
    network: Network, layer: str, channels: list[int], settings: PictureSettings | None = None
) -> tuple[Image, list[float]]:
    """Pictures [len(channels), 3, side, side] that excite one channel each, and their activations.

    Gradient ascent on a picture held as a spectrum. The objective is the mean of the channel's map,
    in which cells with a larger activation count for more; a value below 0, which a layer before
    its activation has, counts once. ReLUs redirect their gradient where a channel is silent for the
    noise (`with_redirected_relus`). An activation is the mean of the map; 0 means that the channel
    stayed silent all the same.

    >>> from dreamkit import load_network
    >>> channel_pictures(
    ...     load_network("dreamnet"), "conv1", [0, 5], PictureSettings(side=16, steps=2)
    ... )[0].shape
    torch.Size([2, 3, 16, 16])
    """
    settings = settings or PictureSettings()
    margin, awake = _margin(network, layer, settings.side), with_redirected_relus(network)
    side = settings.side + 2 * margin

    def score(pictures: Image) -> Tensor:
        cells = _cells(awake, layer, channels, pictures)
        weights = 1 + cells.clamp(min=0) / (cells.detach().abs().mean(1, keepdim=True) + 1e-6)
        return (cells * weights).mean(1).sum()  # the sum: each picture's gradient is its own

    start = spectrum(side, side, settings.seed).expand(len(channels), -1, -1, -1, -1)
    steps = growing(score, side, side, settings.steps, settings.rate, _VIEWS, settings.seed, start)
    pictures = deque(steps, maxlen=1).pop()
    pictures = pictures[..., margin : side - margin, margin : side - margin]
    with torch.no_grad():
        return pictures, _cells(network, layer, channels, pictures).float().mean(1).tolist()


def batch(
    given: Network | Ticket, layer: str, channels: list[int], settings: PictureSettings
) -> list[tuple[bytes, float]]:
    """(PNG file, mean activation) of each channel: one job of an atlas, run by any worker.

    A short batch is filled up, so that the arithmetic of a picture never depends on the size of its
    batch.
    """
    filled = channels + channels[-1:] * (settings.batch - len(channels))
    pictures, activations = channel_pictures(network_of(given), layer, filled, settings)
    return [(_png(pictures[i]), activations[i]) for i in range(len(channels))]


def with_redirected_relus(network: Network) -> Network:
    """A copy of the network with the same features, whose ReLUs and ReLU6s redirect their gradient.

    A channel that is silent for noise has no gradient, and gradient ascent could not wake it.
    Lucid's redirected ReLU (Olah, Mordvintsev & Schubert, "Feature Visualization", 2017), here for
    each picture of a batch by itself.
    """
    module = copy_module(network.module)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) in (nn.ReLU, nn.ReLU6, ReLU6):
                setattr(parent, name, _RedirectedReLU(getattr(child, "max_val", math.inf)))
    return replace(network, module=module)


class _RedirectedReLU(nn.Module):
    def __init__(self, top: float):
        super().__init__()
        self.top = top  # infinite for a ReLU, 6 for a ReLU6

    def forward(self, x: Tensor) -> Tensor:
        return _Redirected.apply(x, self.top)


class _Redirected(torch.autograd.Function):
    """ReLU whose backward pass depends on whether the picture's plain gradient is zero everywhere.

    Backward pass for the input x and the incoming gradient g of minus the score:

        plain gradient, g where x > 0 | x     | g   | given back
        ------------------------------+-------+-----+-----------------------------------
        not zero somewhere            | > 0   | any | g
        not zero somewhere            | <= 0  | any | 0, as for a plain ReLU
        zero everywhere               | >= 0  | any | g
        zero everywhere               | < 0   | < 0 | g: the descent raises x towards 0
        zero everywhere               | < 0   | > 0 | 0: the descent would lower x further

    Above the top of a ReLU6 it is as below 0, with the signs of g the other way round.
    """

    @staticmethod
    def forward(ctx: object, x: Tensor, top: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.top = top
        return x.clamp(0, top)

    @staticmethod
    def backward(ctx: object, above: Tensor) -> tuple[Tensor, None]:
        (x,), top = ctx.saved_tensors, ctx.top
        plain = torch.ops.aten.hardtanh_backward(above, x, 0, top)
        if plain[..., :1].flatten(1).any(1).all():  # a look at one column nearly always suffices
            return plain, None
        silent = ~plain.flatten(1).any(1)  # [N]
        if not silent.any():
            return plain, None
        further = ((x < 0) & (above > 0)) | ((x > top) & (above < 0))
        redirected = torch.where(further, 0, above)
        return torch.where(silent.view(-1, *[1] * (x.dim() - 1)), redirected, plain), None


def _cells(network: Network, layer: str, channels: list[int], pictures: Image) -> Tensor:
    """[N, cells]: for picture i the values of channel i (one cell if the layer has no maps)."""
    values = capture(network, pictures, layer)[layer]
    if values.dim() == 3:  # tokens have their channels last
        values = values.transpose(1, 2)
    return values[torch.arange(len(channels)), torch.tensor(channels)].reshape(len(channels), -1)


def _margin(network: Network, layer: str, side: int) -> int:
    """Pixels drawn beyond each edge and cut off: there the padding of shallow layers shows."""
    field = layer_info(network, layer).field
    size = max(field.size) if field else side
    return size if size <= side // 4 else 0


def _png(picture: Tensor) -> bytes:
    file = io.BytesIO()
    to_pillow(picture).save(file, "PNG")
    return file.getvalue()
