"""Attribution maps: which pixels count for an answer, computed in six ways.

Every function takes a Network, pictures [N, 3, H, W] in [0, 1] and a target, and returns a map of
the pictures' size, computed in the precision of the weights. The target is a class (index or
label), any Objective, or None for the most probable class of a single picture. A class is looked at
before the softmax, as by `dk.logit`. One out of range raises ValueError, an unknown label KeyError.

Three maps are gradients, two of them with another rule for ReLUs; the others come from captum.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from ..ascent.gradients import gradient
from ..networks.ends import share_end
from ..networks.features import capture
from ..networks.layers import layer_info, share_layers
from ..networks.network import Network, isolated, module_for
from ..networks.outputs import scores_of
from ..networks.suggestions import layer_at
from ..objectives.objective import Objective, logit
from ..objectives.scorer import Features, features_of, scorer
from ..pictures.image import Image, check_image
from .relus import Rectifiers, Rule, guided_back, rectified_back

Target = int | str | Objective | None

_BATCH = 16  # pictures in one forward pass where a method makes many pictures of one


def saliency(network: Network, image: Image, target: Target = None) -> Tensor:
    """The largest `|gradient|` of each pixel's three colours, [N, 1, H, W].

    It says how much the target would change with the pixel (Simonyan, Vedaldi & Zisserman, "Deep
    inside convolutional networks", 2013).

    >>> from dreamkit.networks.network import as_network
    >>> module = torch.nn.Sequential(torch.nn.Conv2d(3, 1, 1), torch.nn.Flatten())
    >>> network = as_network(module, (0, 0, 0), (1, 1, 1))
    >>> found = saliency(network, torch.zeros(1, 3, 1, 1), target=0)
    >>> found.item() == module[0].weight.abs().max().item()
    True
    """
    network, objective = _question(network, image, target)
    return gradient(scorer(network, objective), image).abs().amax(1, keepdim=True)


def guided_backprop(network: Network, image: Image, target: Target = None) -> Tensor:
    """The gradient [N, 3, H, W] where a ReLU passes only positive signals at active places.

    A signal passes down through a ReLU where both the signal and the ReLU's input are positive
    (Springenberg et al., "Striving for simplicity", 2014); through a ReLU6 where the input is also
    below 6. Raises ValueError for a network that calls neither.
    """
    return _gradient_by_rule(guided_back, network, image, target)


def deconvolution(network: Network, image: Image, target: Target = None) -> Tensor:
    """The gradient [N, 3, H, W] where a ReLU passes every positive signal, active or not.

    This is the rule of the deconvnet, applied to an answer (Zeiler & Fergus, "Visualizing and
    understanding convolutional networks", 2013). To project one activation as they did, see
    `project`. A ReLU6 counts as a ReLU. Raises ValueError for a network that calls neither.
    """
    return _gradient_by_rule(rectified_back, network, image, target)


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
    found = IntegratedGradients(partial(_values, *_question(network, image, target))).attribute(
        image.detach().clone().requires_grad_(),
        torch.full_like(image, baseline),
        n_steps=steps,
        internal_batch_size=max(_BATCH, len(image)),
    )
    return found.detach().to(image)


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

    Args:
        size: the side of the square in pixels, at most the picture's shorter side.
        stride: the distance between neighbouring squares in pixels, from 1 to `size`.
        grey: the value of the square's pixels.
    """
    from captum.attr import Occlusion

    shorter = min(image.shape[-2:])
    if not 1 <= size <= shorter or not 1 <= stride <= size:
        raise ValueError(
            f"size must be from 1 to {shorter} pixels (the picture's shorter side) and stride from "
            f"1 to size; given: size {size}, stride {stride}"
        )
    values = partial(_values, *_question(network, image, target))
    with torch.no_grad():
        found = Occlusion(values).attribute(
            image, (3, size, size), (3, stride, stride), grey, perturbations_per_eval=_BATCH
        )
    return found[:, :1].to(image)


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
    network, objective = _question(network, image, target)
    twin = _twin(network, image)
    values, module = partial(_values, twin, objective), twin.module.get_submodule(info.name)
    try:
        found = LayerGradCam(values, module).attribute(
            image.detach().clone().requires_grad_(), relu_attributions=True
        )
    except (AssertionError, RuntimeError) as error:
        # captum's two messages for a layer that the target does not reach
        if not any(words in str(error) for words in ("in the graph", "Forward hook")):
            raise
        raise ValueError(
            f"the target {objective.name} does not depend on layer {layer!r}"
        ) from None
    size = tuple(image.shape[-2:])
    enlarged = F.interpolate(found.detach(), size=size, mode="bilinear", align_corners=False)
    return enlarged.to(image)


def _question(network: Network, image: Image, target: Target) -> tuple[Network, Objective]:
    """The network in the precision of its weights, and the Objective of a target."""
    check_image(image)
    if target is None:
        if len(image) != 1:
            raise ValueError(f"target must be given for more than one picture; given: {len(image)}")
        with torch.no_grad():
            target = int(scores_of(capture(network, image, "")[""]).argmax())
    objective = target if isinstance(target, Objective) else logit(target)
    return replace(network, precision="float32"), objective


def _twin(network: Network, image: Image) -> Network:
    """A copy for captum's hooks: the same weights in other module objects, and no work in place.

    Other threads never see the hooks, and nothing changes the features that captum keeps.
    """
    plain = replace(network, module=module_for(network, image))
    twin = share_end(network, share_layers(network, isolated(plain)))
    for module in twin.module.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    return twin


def _values(network: Network, objective: Objective, images: Image) -> Tensor:
    """The objective's value for each of the pictures, [N]."""
    features, values = features_of(network, images, objective.layers), []
    for index in range(len(images)):
        one = Features({name: maps[index : index + 1] for name, maps in features.items()})
        one.labels = network.labels
        one.logits = None if features.logits is None else features.logits[index : index + 1]
        values.append(objective.formula(one))
    if images.requires_grad and torch.is_grad_enabled() and not values[0].requires_grad:
        gradient(scorer(network, objective), images)  # raises the error that says why
    return torch.stack(values)


def _gradient_by_rule(rule: Rule, network: Network, image: Image, target: Target) -> Tensor:
    """The gradient of the target where each ReLU is computed by `rule`."""
    network, objective = _question(network, image, target)
    with Rectifiers(rule) as rectifiers:
        found = gradient(scorer(network, objective), image)
    if not rectifiers.calls:
        raise ValueError(
            f"the network must call ReLUs; network {network.name!r} calls none on the way to "
            f"{objective.name}"
        )
    return found
