"""Which pixels count for an answer: six ways to ask, worked out by captum.

All take a Network, a picture [N, 3, H, W] in [0, 1] (standardised on the way in, as everywhere) and a target: a class by
index or label, any Objective, or None for the most probable class of one picture. All give maps of the picture's size.

captum hooks modules, so it is handed a twin of the network: the same weights, module objects of its own, no ReLU in
place, and each *call* of a ReLU made by a module of its own. So networks that use one ReLU often or call it as a
function are read right, other threads see nothing, and no hook is left. Captum computes in the weights' precision.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks.features import capture
from ..networks.layers import layer_info, share_layers
from ..networks.network import Network, isolated, module_for
from ..networks.suggestions import layer_at
from ..objectives.objective import Objective, logit
from ..objectives.scorer import Features
from ..pictures.image import Image, check_image
from .relus import Rectifiers

Target = int | str | Objective | None

_BATCH = 16  # pictures that go through the network together, where one picture becomes many
_warning_lock = threading.Lock()  # Python's filters of warnings belong to all threads


def saliency(network: Network, image: Image, target: Target = None) -> Tensor:
    """[N, 1, H, W]: how much the answer would change with each pixel, the largest |gradient| of its three colours.

    Simonyan, Vedaldi & Zisserman, "Deep inside convolutional networks" (2013).

    >>> from dreamkit.networks.network import as_network
    >>> network = as_network(nn.Sequential(nn.Conv2d(3, 1, 1), nn.Flatten()), (0, 0, 0), (1, 1, 1))
    >>> saliency(network, torch.zeros(1, 3, 1, 1), target=0).item() == network.module[
    ...     0
    ... ].weight.abs().max().item()
    True
    """
    from captum.attr import Saliency

    readable, picture = _readable(network, image, target)
    return _like(image, Saliency(readable).attribute(picture).amax(1, keepdim=True))


def guided_backprop(network: Network, image: Image, target: Target = None) -> Tensor:
    """[N, 3, H, W]: the gradient, but a ReLU hands down only what is positive and came up through it.

    Springenberg et al., "Striving for simplicity" (2014). ValueError for a network that calls no ReLU.
    """
    from captum.attr import GuidedBackprop

    return _by_relus(GuidedBackprop, network, image, target)


def deconvolution(network: Network, image: Image, target: Target = None) -> Tensor:
    """[N, 3, H, W]: the gradient, but a ReLU hands down what is positive, whatever came up: the deconvnet's rule, for an answer.

    Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2013); to project one activation as they
    did, see `project`. ValueError for a network that calls no ReLU.
    """
    from captum.attr import Deconvolution

    return _by_relus(Deconvolution, network, image, target)


def integrated_gradients(
    network: Network, image: Image, target: Target = None, baseline: float = 0.0, steps: int = 32
) -> Tensor:
    """[N, 3, H, W]: how much each value adds to the answer on the straight way from a plain picture of grey `baseline` to this one.

    The sum over a picture is the answer for it less that for the plain one, the nearer the more `steps` (Sundararajan,
    Taly & Yan, "Axiomatic attribution for deep networks", 2017).
    """
    from captum.attr import IntegratedGradients

    if steps < 1:
        raise ValueError(f"steps is at least 1; given: {steps!r}")
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
    """[N, 1, H, W]: how much the answer falls while a grey square covers the pixel, the mean over all squares that do.

    The square has `size` pixels a side and goes on by `stride`. In the pictures of Zeiler & Fergus each place of the
    square is one value instead: see `occlusion_panels`. ValueError for a square larger than the picture.
    """
    from captum.attr import Occlusion

    if not 1 <= size <= min(image.shape[-2:]) or not 1 <= stride <= size:
        raise ValueError(
            f"the square has 1 to {min(image.shape[-2:])} pixels a side (the picture's) and goes on by 1 to its size; "
            f"given: size {size}, stride {stride}"
        )
    readable, picture = _readable(network, image, target)
    with torch.no_grad():
        found = Occlusion(readable).attribute(
            picture, (3, size, size), (3, stride, stride), grey, perturbations_per_eval=_BATCH
        )
    return _like(image, found[:, :1])


def grad_cam(network: Network, image: Image, target: Target = None, layer: str = "") -> Tensor:
    """[N, 1, H, W]: where the features of a layer speak for the answer, each channel weighed by its mean gradient; never below 0.

    The layer's cells are brought smoothly to the picture's size; by default it is the last with maps (Selvaraju et al.,
    "Grad-CAM", 2016). ValueError for a layer without maps, or one that the target does not depend on.
    """
    from captum.attr import LayerGradCam

    layer = layer or layer_at(network, 1.0)
    info = layer_info(network, layer)
    if info.layout.kind != "map":  # captum sees the module's own output, [N, C, h, w] or not
        raise ValueError(
            f"layer {layer!r} has no feature maps; a layer that has, by default {layer_at(network, 1.0)!r}, is needed"
        )
    readable, picture = _readable(network, image, target)
    try:
        found = LayerGradCam(readable, readable.module.get_submodule(info.name)).attribute(
            picture, relu_attributions=True
        )
    except (AssertionError, RuntimeError) as error:
        if not any(
            words in str(error) for words in ("in the graph", "Forward hook")
        ):  # captum's ways to say that it was not reached
            raise
        raise ValueError(
            f"the target {readable.objective.name} does not depend on layer {layer!r}"
        ) from None
    return _like(
        image,
        F.interpolate(found, size=tuple(image.shape[-2:]), mode="bilinear", align_corners=False),
    )


def objective_of(network: Network, image: Image, target: Target) -> Objective:
    """The Objective of a target; None becomes the most probable class of the picture."""
    if isinstance(target, Objective):
        return target
    if target is None:
        if len(image) != 1:
            raise ValueError(
                f"for {len(image)} pictures name the target: each may have a most probable class of its own"
            )
        with torch.no_grad():
            target = int(capture(network, image, "")[""].argmax())
    return logit(target)


class _Readable(nn.Module):
    """What captum is handed: pictures in, one number for each out. Its `relus` are called in turn, one for each ReLU of a pass."""

    def __init__(self, network: Network, objective: Objective) -> None:
        super().__init__()
        self.network, self.objective, self.module = network, objective, network.module
        self.relus: nn.ModuleList | None = None

    def forward(self, image: Image) -> Tensor:
        waiting = iter(self.relus) if self.relus is not None else None
        with Rectifiers(lambda x: F.relu(x) if waiting is None else next(waiting)(x)):
            features = capture(self.network, image, self.objective.layers)
            return torch.stack(
                [
                    self._value({name: values[i : i + 1] for name, values in features.items()})
                    for i in range(len(image))
                ]
            )

    def _value(self, features: dict[str, Tensor]) -> Tensor:
        named = Features(features)
        named.labels = self.network.labels
        return self.objective.formula(named)


class _Relu(nn.Module):
    """Stands for an nn.ReLU without being one, so that captum hooks only the ReLUs it is given."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x)


def _readable(network: Network, image: Image, target: Target) -> tuple[_Readable, Tensor]:
    """The twin to be read, and a picture of its own that carries a gradient."""
    check_image(image)
    objective = objective_of(network, image, target)
    twin = share_layers(
        network, isolated(replace(network, module=module_for(network, image), precision="float32"))
    )
    relus: dict[nn.Module, nn.Module] = {}  # one module under several names stays one
    for layer in list(twin.module.modules()):
        if hasattr(layer, "inplace"):
            layer.inplace = False
        for name, child in list(layer._modules.items()):
            if type(child) is nn.ReLU:
                setattr(layer, name, relus.setdefault(child, _Relu()))
    return _Readable(twin, objective), image.detach().clone().requires_grad_()


def _by_relus(method: type, network: Network, image: Image, target: Target) -> Tensor:
    readable, picture = _readable(network, image, target)
    readable.relus = nn.ModuleList(nn.ReLU() for _ in range(_count_relus(readable, picture)))
    if not readable.relus:
        raise ValueError(
            f"{method.__name__} changes what ReLUs hand back, and network {network.name!r} calls none on the way to "
            f"{readable.objective.name}"
        )
    with _warning_lock, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Setting backward hooks on ReLU")
        return _like(image, method(readable).attribute(picture))


def _count_relus(readable: _Readable, picture: Image) -> int:
    calls: list[None] = []

    def count(x: Tensor) -> Tensor:
        calls.append(None)
        return F.relu(x)

    with torch.no_grad(), Rectifiers(count):
        capture(readable.network, picture[:1], readable.objective.layers)
    return len(calls)


def _like(image: Image, found: Tensor) -> Tensor:
    return found.detach().to(image.device, image.dtype)
