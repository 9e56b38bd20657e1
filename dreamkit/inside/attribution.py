"""Attribution maps: which pixels count for an answer, computed in six ways by captum.

Every function takes a Network, pictures [N, 3, H, W] in [0, 1] and a target, and returns a map of
the pictures' size. The target is a class (index or label), any Objective, or None for the most
probable class of a single picture. A class out of range raises ValueError, an unknown label
KeyError.

captum reads a network through hooks on its modules. It therefore gets a copy of the network: the
same weights in separate module objects, no ReLU in place, and one module for each *call* of a
ReLU. So networks that reuse one ReLU or call it as a function give correct maps, other threads
are not affected, and no hook remains. captum computes in the precision of the weights.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks.features import capture, layer_at, layer_info, share_layers
from ..networks.network import Network, isolated, module_for
from ..objectives.objective import Features, Objective, logit
from ..pictures.image import Image, check_image
from .relus import Rectifiers

Target = int | str | Objective | None

_BATCH = 16  # pictures in one forward pass where a method makes many pictures of one
_warning_lock = threading.Lock()  # all threads share Python's warning filters


def saliency(network: Network, image: Image, target: Target = None) -> Tensor:
    """The largest |gradient| of each pixel's three colours, [N, 1, H, W].

    It says how much the target would change with the pixel (Simonyan, Vedaldi & Zisserman, "Deep
    inside convolutional networks", 2013).

    >>> from dreamkit.networks.network import as_network
    >>> module = nn.Sequential(nn.Conv2d(3, 1, 1), nn.Flatten())
    >>> network = as_network(module, (0, 0, 0), (1, 1, 1))
    >>> found = saliency(network, torch.zeros(1, 3, 1, 1), target=0)
    >>> found.item() == module[0].weight.abs().max().item()
    True
    """
    from captum.attr import Saliency

    readable, picture = _readable(network, image, target)
    return _like(image, Saliency(readable).attribute(picture).amax(1, keepdim=True))


def guided_backprop(network: Network, image: Image, target: Target = None) -> Tensor:
    """The gradient [N, 3, H, W] where a ReLU passes only positive signals at active places.

    A signal passes down through a ReLU where both the signal and the ReLU's input are positive
    (Springenberg et al., "Striving for simplicity", 2014). Raises ValueError for a network that
    calls no ReLU.
    """
    from captum.attr import GuidedBackprop

    return _by_relus(GuidedBackprop, network, image, target)


def deconvolution(network: Network, image: Image, target: Target = None) -> Tensor:
    """The gradient [N, 3, H, W] where a ReLU passes every positive signal, active or not.

    This is the rule of the deconvnet, applied to an answer (Zeiler & Fergus, "Visualizing and
    understanding convolutional networks", 2013). To project one activation as they did, see
    `project`. Raises ValueError for a network that calls no ReLU.
    """
    from captum.attr import Deconvolution

    return _by_relus(Deconvolution, network, image, target)


def integrated_gradients(
    network: Network, image: Image, target: Target = None, baseline: float = 0.0, steps: int = 32
) -> Tensor:
    """How much each value adds to the answer between a plain grey picture and this one.

    The result is [N, 3, H, W]. Its sum over a picture approaches, with more `steps` on the line
    from the picture of grey value `baseline`, the target's value for the picture minus its value
    for the plain one (Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", 2017).
    """
    from captum.attr import IntegratedGradients

    if steps < 1:
        raise ValueError(f"steps must be at least 1; given: {steps!r}")
    readable, picture = _readable(network, image, target)
    found = IntegratedGradients(readable).attribute(
        picture,
        torch.full_like(picture, baseline),
        n_steps=steps,
        internal_batch_size=max(_BATCH, len(picture)),
    )
    return _like(image, found)


def occlusion(
    network: Network,
    image: Image,
    target: Target = None,
    size: int = 16,
    stride: int = 8,
    grey: float = 0.5,
) -> Tensor:
    """How much the answer falls while a grey square hides the pixel, [N, 1, H, W].

    A pixel's value is the mean over all squares that hide it. Zeiler & Fergus show one value for
    each place of the square instead: see `occlusion_panels`.

    - `size`: the side of the square in pixels, at most the picture's shorter side
    - `stride`: the distance between neighbouring squares in pixels, from 1 to `size`
    - `grey`: the value of the square's pixels
    """
    from captum.attr import Occlusion

    shorter = min(image.shape[-2:])
    if not 1 <= size <= shorter or not 1 <= stride <= size:
        raise ValueError(
            f"size must be from 1 to {shorter} pixels (the picture's shorter side) and stride from "
            f"1 to size; given: size {size}, stride {stride}"
        )
    readable, picture = _readable(network, image, target)
    with torch.no_grad():
        found = Occlusion(readable).attribute(
            picture, (3, size, size), (3, stride, stride), grey, perturbations_per_eval=_BATCH
        )
    return _like(image, found[:, :1])


def grad_cam(network: Network, image: Image, target: Target = None, layer: str = "") -> Tensor:
    """The sum of a layer's maps, each weighted by its mean gradient, cut at 0: [N, 1, H, W].

    The sum is enlarged to the picture's size by bilinear interpolation (Selvaraju et al.,
    "Grad-CAM", 2016). By default the layer is the last one with maps. Raises ValueError for a
    layer without maps and for one on which the target does not depend.
    """
    from captum.attr import LayerGradCam

    layer = layer or layer_at(network, 1.0)
    info = layer_info(network, layer)
    if info.layout.kind != "map":  # captum sees the module's own output, which must be [N, C, h, w]
        raise ValueError(
            f"layer {layer!r} has no feature maps; the default layer is {layer_at(network, 1.0)!r}"
        )
    readable, picture = _readable(network, image, target)
    try:
        found = LayerGradCam(readable, readable.module.get_submodule(info.name)).attribute(
            picture, relu_attributions=True
        )
    except (AssertionError, RuntimeError) as error:
        # captum's two messages for a layer that the target does not reach
        if not any(words in str(error) for words in ("in the graph", "Forward hook")):
            raise
        raise ValueError(
            f"the target {readable.objective.name} does not depend on layer {layer!r}"
        ) from None
    size = tuple(image.shape[-2:])
    return _like(image, F.interpolate(found, size=size, mode="bilinear", align_corners=False))


class _Readable(nn.Module):
    """The module that captum reads: pictures in, one number for each picture out.

    `relus` holds one module for each ReLU call of a forward pass, or is empty for plain ReLUs.
    """

    def __init__(self, network: Network, objective: Objective) -> None:
        super().__init__()
        self.network, self.objective, self.module = network, objective, network.module
        self.relus = nn.ModuleList()

    def forward(self, image: Image) -> Tensor:
        waiting = iter(self.relus)
        with Rectifiers(lambda x: next(waiting)(x) if self.relus else F.relu(x)):
            features = capture(self.network, image, self.objective.layers)
            return torch.stack([self._value(features, i) for i in range(len(image))])

    def _value(self, features: dict[str, Tensor], index: int) -> Tensor:
        one = Features({name: values[index : index + 1] for name, values in features.items()})
        one.labels = self.network.labels
        return self.objective.formula(one)


class _Relu(nn.Module):
    """Computes a ReLU without being an nn.ReLU, so that captum hooks only the ReLUs it is given."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x)


def _readable(network: Network, image: Image, target: Target) -> tuple[_Readable, Tensor]:
    """The copy of the network that captum reads, and a copy of the picture with a gradient."""
    check_image(image)
    objective = _objective(network, image, target)
    plain = replace(network, module=module_for(network, image), precision="float32")
    twin = share_layers(network, isolated(plain))
    relus: dict[nn.Module, nn.Module] = {}  # one module under several names stays one
    for layer in list(twin.module.modules()):
        if hasattr(layer, "inplace"):
            layer.inplace = False
        for name, child in list(layer._modules.items()):
            if type(child) is nn.ReLU:
                setattr(layer, name, relus.setdefault(child, _Relu()))
    return _Readable(twin, objective), image.detach().clone().requires_grad_()


def _objective(network: Network, image: Image, target: Target) -> Objective:
    """The Objective of a target; None becomes the most probable class of the one picture."""
    if isinstance(target, Objective):
        return target
    if target is None:
        if len(image) != 1:
            raise ValueError(f"target must be given for more than one picture; given: {len(image)}")
        with torch.no_grad():
            target = int(capture(network, image, "")[""].argmax())
    return logit(target)


def _by_relus(method: type, network: Network, image: Image, target: Target) -> Tensor:
    """The map of a captum method that changes the gradient of nn.ReLU modules."""
    readable, picture = _readable(network, image, target)
    calls = nn.ModuleList()

    def count(x: Tensor) -> Tensor:
        calls.append(nn.ReLU())
        return F.relu(x)

    with torch.no_grad(), Rectifiers(count):
        capture(readable.network, picture[:1], readable.objective.layers)
    if not calls:
        raise ValueError(
            f"{method.__name__} needs a network that calls ReLUs; network {network.name!r} calls "
            f"none on the way to {readable.objective.name}"
        )
    readable.relus = calls
    with _warning_lock, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Setting backward hooks on ReLU")
        return _like(image, method(readable).attribute(picture))


def _like(image: Image, found: Tensor) -> Tensor:
    return found.detach().to(image)
