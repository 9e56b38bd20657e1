"""The competitors of `python -m benchmarks`: each gives a function for one step."""

import dreamkit as dk  # isort: skip  (before torch: it says how threads wait)
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import nn

NAMES = (
    "dreamkit",
    "dreamkit bfloat16",
    "tutorial loop",
    "lucent",
    "torch-dreams",
    "tensorflow tutorial",
)
KERAS_NAMES = {
    "Mixed_6a": "mixed3",
    "Mixed_6c": "mixed5",
}  # of InceptionV3's layers: torchvision's and Keras's
# of EfficientNet-Lite's layers: in dreamkit's network, and in timm's
TIMM_NAMES = {"block5c.expand": "blocks.4.2.bn1"}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def step(name: str, network: str, layer: str, size: tuple[int, int]) -> Callable[[], object]:
    """One step of that competitor.

    Raises ImportError if it is not installed, ValueError if it cannot do the work.
    """
    picture = dk.resize(dk.sample("china"), size)
    if name.startswith("dreamkit"):
        return _ours(network, layer, picture, name.partition(" ")[2])
    if name == "tensorflow tutorial":
        return _tensorflow(network, layer, picture)
    return {"tutorial loop": tutorial_step, "lucent": _lucent, "torch-dreams": _torch_dreams}[name](
        module_of(network), TIMM_NAMES.get(layer, layer), picture
    )


def module_of(network: str) -> nn.Module:
    """The architecture with random weights and gradients, as in a tutorial.

    It is torchvision's, and for EfficientNet-Lite timm's.
    """
    torch.manual_seed(0)
    if network.startswith("efficientnet_lite"):
        import timm

        return timm.create_model(f"tf_{network}", pretrained=False).eval()
    if network == "dreamnet":
        from dreamkit.networks.dreamnet import DreamNet

        return DreamNet().eval()
    import torchvision

    options = (
        {"aux_logits": False, "init_weights": False}
        if network in ("googlenet", "inception_v3")
        else {}
    )
    return torchvision.models.get_model(network, weights=None, **options).eval()


def _ours(network: str, layer: str, picture: torch.Tensor, how: str) -> Callable[[], object]:
    precision = "bfloat16" if how == "bfloat16" else "float32"
    net = our_network(network, precision)
    score = dk.scorer(net, dk.layer(layer))
    return lambda: dk.ascend(picture, dk.normalize(dk.gradient(score, picture)), 0.01)


def our_network(network: str, precision: str = "float32", device: str = "cpu") -> dk.Network:
    if network.startswith("efficientnet_lite"):
        return dk.load_network(network, weights="random", precision=precision, device=device)
    return dk.as_network(module_of(network), MEAN, STD, precision=precision, device=device)


def tutorial_step(module: nn.Module, layer: str, picture: torch.Tensor) -> Callable[[], object]:
    """The loop of tutorials: a hook keeps features, the whole network runs, all gets gradients."""
    kept = {}
    dict(module.named_modules())[layer].register_forward_hook(
        lambda layer, inputs, output: kept.update(features=output)
    )
    mean, std = (torch.tensor(v, device=picture.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    image = ((picture - mean) / std).requires_grad_(True)

    def take() -> None:
        module.zero_grad()
        module(image)
        kept["features"].square().mean().backward()
        gradient = image.grad
        image.data += 0.01 * gradient / (gradient.std() + 1e-8)
        image.grad.zero_()

    return take


def _lucent(module: nn.Module, layer: str, picture: torch.Tensor) -> Callable[[], object]:
    """One step of torch-lucent: its own loop and parametrisation (Fourier), without transforms."""
    from lucent.optvis import objectives, param, render

    height, width = picture.shape[-2:]
    kept = param.image(width, h=height)  # the same parameters go on from step to step
    wanted = objectives.Objective(lambda outputs: -outputs(layer.replace(".", "_")).square().mean())
    return lambda: render.render_vis(
        module,
        wanted,
        lambda: kept,
        transforms=[],
        thresholds=(1,),
        progress=False,
        show_image=False,
    )


def _torch_dreams(module: nn.Module, layer: str, picture: torch.Tensor) -> Callable[[], object]:
    """One step of torch-dreams: its own loop and default parametrisation, without transforms."""
    from torch_dreams import Dreamer
    from torch_dreams.auto_image_param import AutoImageParam

    height, width = picture.shape[-2:]
    dreamer = Dreamer(module, quiet=True, device="cpu")
    dreamer.set_custom_transforms(nn.Identity())
    start = AutoImageParam(height=height, width=width, device="cpu", standard_deviation=0.01)
    chosen, wanted = (
        [dict(module.named_modules())[layer]],
        lambda features: -features[0].square().mean(),
    )
    return lambda: dreamer.render(chosen, image_parameter=start, iters=1, custom_func=wanted)


def _tensorflow(network: str, layer: str, picture: torch.Tensor) -> Callable[[], object]:
    """The step of TensorFlow's tutorial on Keras's InceptionV3, as a tf.function."""
    if network != "inception_v3":
        raise ValueError("its tutorial has InceptionV3 only")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(torch.get_num_threads())
    base = tf.keras.applications.InceptionV3(include_top=False, weights=None)
    model = tf.keras.Model(base.input, base.get_layer(KERAS_NAMES[layer]).output)

    @tf.function
    def step(image: "tf.Tensor") -> "tf.Tensor":
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = tf.reduce_mean(model(image[None])[0])
        gradient = tape.gradient(loss, image)
        return tf.clip_by_value(
            image + 0.01 * gradient / (tf.math.reduce_std(gradient) + 1e-8), -1, 1
        )

    image = tf.constant(2 * picture[0].permute(1, 2, 0).numpy() - 1)
    return lambda: step(image).numpy()


@lru_cache
def flops(network: str, layer: str, size: tuple[int, int]) -> float:
    """Floating-point operations of the forward pass to the layer, and as many for the gradient."""
    net, found = our_network(network), []

    def count(conv: nn.Conv2d, inputs: tuple, output: torch.Tensor) -> None:
        found.append(2 * output.numel() * conv.weight[0].numel())

    handles = [
        m.register_forward_hook(count) for m in net.module.modules() if isinstance(m, nn.Conv2d)
    ]
    dk.capture(net, torch.zeros(1, 3, *size), layer)
    for handle in handles:
        handle.remove()
    return 2.0 * sum(found)
