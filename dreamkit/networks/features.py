"""The features of a picture at the layers of a network, and its most probable classes.

Features come as maps [N, C, h, w], also those of transformers (see `layouts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from ..pictures.image import Image, check_image
from .ends import probabilities
from .hooks import Reached, hooked
from .layers import layer_infos
from .module_errors import MODULE_ERRORS
from .network import Network, autocast, module_for, standardize
from .outputs import chosen_output, class_names, scores_of
from .picture_sizes import check_least_size, size_error
from .trial import LayerInfo


def capture(
    network: Network,
    image: Image,
    layers: Iterable[str] | str,
    infos: Mapping[str, LayerInfo] | None = None,
) -> dict[str, Tensor]:
    """The features {name: tensor} of the named layers for a picture, most often [N, C, h, w].

    The forward pass stops after the last layer asked for: the rest of the network costs nothing,
    and the fixed input size of a classifier does not matter. Features have the picture's dtype and
    device, and carry its gradient if it has one. Those of a transformer are maps as well: channels
    first, tokens laid out as their patches lie, the class token left out.

    Args:
        network: the Network.
        image: [N, 3, H, W], RGB in [0, 1].
        layers: names of layers, aliases included; "" is the network's output, of several tensors
            the one that `as_network` was told.
        infos: what `layer_infos(network, layers)` gave; with it no name is looked up again.

    Raises KeyError for an unknown layer, and ValueError for a tensor that is not a picture, or a
    picture of a size that the network does not take. Other errors of the module are not changed.

    >>> import torch
    >>> from dreamkit.networks.network import as_network
    >>> net = as_network(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (0, 0, 0), (1, 1, 1))
    >>> capture(net, torch.rand(1, 3, 8, 8), ["1"])["1"].shape
    torch.Size([1, 8, 6, 6])
    """
    given = (layers,) if isinstance(layers, str) else tuple(dict.fromkeys(layers))
    check_image(image)
    infos = layer_infos(network, given) if infos is None else infos
    wanted = {infos[name].name: infos[name] for name in given if name}  # two aliases may be one
    check_least_size(image, wanted.values())
    if not given:
        return {}
    last = None if "" in given else max(wanted.values(), key=lambda info: info.place)
    watch = _Watch(wanted, last.name if last else "")
    module = module_for(network, image)
    try:
        with autocast(network, image), hooked(module, watch.names, watch.note):
            watch.reached[""] = module(standardize(network, image))
    except MODULE_ERRORS as error:
        if explained := size_error(network, image, last, error):
            raise explained from None
        raise
    if "" in given:
        watch.reached[""] = chosen_output(watch.reached[""], network.output)
    reached = {name: watch.reached[infos[name].name if name else ""] for name in given}
    return {name: features.to(image.device, image.dtype) for name, features in reached.items()}


class _Watch:
    """Collects `reached`, {name: features} of the wanted layers, in one forward pass."""

    def __init__(self, infos: Mapping[str, LayerInfo], last: str) -> None:
        self.infos, self.last = infos, last
        self.calls_left = {name: info.calls for name, info in infos.items()}
        self.grids = dict.fromkeys(info.layout.grid for info in infos.values() if info.layout.grid)
        self.names = {*infos, *self.grids}
        self.reached: dict[str, Tensor] = {}

    def note(self, name: str, layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        if name in self.grids:
            self.grids[name] = tuple(output.shape[-2:])
        if name not in self.infos:
            return
        self.calls_left[name] -= 1
        if self.calls_left[name] == 0:
            layout = self.infos[name].layout
            features = self._features(name, layer, inputs, output)
            self.reached[name] = layout.lay(features, self.grids.get(layout.grid))
            if name == self.last:
                raise Reached

    def _features(self, name: str, layer: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
        raw = getattr(layer, "raw_weight", None)
        if raw is not None:  # a folded convolution: what it gave before its BatchNorm
            return layer._conv_forward(inputs[0], raw, layer.raw_bias)
        return output if name == self.last else output.clone()  # an in-place ReLU may come next


def classify(network: Network, image: Image, top: int = 5) -> list[tuple[str, float]]:
    """The `top` most probable classes of one picture as (label, probability), the best first.

    A network that ends in its own softmax or sigmoid is recognised (see `probabilities`). With one
    output and two labels, they are the classes that it tells apart: its value is the second's.

    Raises ValueError for more than one picture, or a network whose output is not [1, classes].
    """
    logits = capture(network, image, "")[""]
    if (logits.dim() != 2 and logits[:1].numel() != logits.shape[1]) or len(logits) != 1:
        raise ValueError(
            "classify takes one picture and a network that ends in classes; its output here: "
            f"{tuple(logits.shape)}"
        )
    shares = probabilities(network, scores_of(logits.detach()))
    if shares.shape[1] == 1 and len(network.labels) == 2:
        shares = torch.cat([1 - shares, shares], 1)
    best = shares[0].topk(min(top, shares.shape[1]))
    labels = class_names(network, shares.shape[1])
    return [(labels[i], float(p)) for p, i in zip(best.values, best.indices, strict=True)]
