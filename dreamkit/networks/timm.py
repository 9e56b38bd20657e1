"""Networks of timm, Hugging Face's collection of image models, with their mean, std and labels."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import nn

from ..checks.names import unknown
from ..checks.packages import optional_package
from .network import Network, as_network, randomized
from .weight_files import fill, read_weights


def from_timm(
    model: str | nn.Module,
    *,
    weights: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    precision: str = "float32",
) -> Network:
    """A Network from timm, by name or from a model that was made with it.

    Its mean and std come along, and ImageNet's labels if those are its classes. Vision transformers
    take pictures of any size if timm can do that. Needs timm: pip install 'dreamkit[timm]'.

    Args:
        model: a name ("convnext_atto", "vit_tiny_patch16_224"), or a model of timm.create_model.
        weights: for a name, a file (safetensors, or a PyTorch state dict) or "random"; by default
            timm's are taken from Hugging Face's cache, or downloaded once.
        device, precision: see `load_network`.

    Raises KeyError for a name that timm does not know, and ValueError if timm is not installed, or
    if the weights are missing, broken or of another network.
    """
    timm = optional_package("timm.data", "networks of timm need timm", "timm")
    digest = ""
    if isinstance(model, str):
        name, module = model, _made(timm, model, pretrained=weights is None)
        if weights not in (None, "random"):
            state, digest = read_weights(weights)
            fill(module, state, Path(weights))
    elif isinstance(model, nn.Module) and weights is not None:
        raise ValueError("a model that is already made has its weights; give weights= with a name")
    elif isinstance(model, nn.Module) and hasattr(model, "pretrained_cfg"):
        name, module = model.pretrained_cfg.get("architecture", type(model).__name__), model
    else:
        raise ValueError(
            "from_timm takes a name, or a model made by timm.create_model; given: "
            f"{type(model).__name__} (any other module: dk.as_network)"
        )
    config = timm.data.resolve_model_data_config(module)
    mean, std, side = config["mean"], config["std"], config["input_size"][-1]
    options = {"device": device, "precision": precision, "digest": digest, "side": side}
    network = as_network(module, mean, std, name, _labels(timm, module), **options)
    return randomized(network) if weights == "random" else network


def _made(timm, name: str, pretrained: bool) -> nn.Module:
    if not timm.is_model(name.partition(".")[0]):
        raise unknown("timm network", name, timm.list_models(), "all: timm.list_models()")
    try:
        with torch.random.fork_rng(devices=[]):
            try:
                return timm.create_model(
                    name, pretrained=pretrained, dynamic_img_size=True, dynamic_img_pad=True
                )
            except TypeError:  # a model without these options
                return timm.create_model(name, pretrained=pretrained)
    except Exception as error:  # no connection, a broken file: Hugging Face's errors are many
        hub = timm.get_pretrained_cfg(name)
        where = f" (huggingface.co/{hub.hf_hub_id})" if hub is not None and hub.hf_hub_id else ""
        reason = " ".join(str(error).split())[:160]
        raise ValueError(
            f"timm could not give {name} with its weights{where}: {reason}; fetch "
            "model.safetensors from there once, on a machine with a connection, and give it with "
            "weights=, or take weights='random'"
        ) from None


def _labels(timm, module: nn.Module) -> tuple[str, ...]:
    """ImageNet's short labels, if the module's classes are a subset of them that timm knows."""
    subset = timm.data.infer_imagenet_subset(module)
    names = timm.data.ImageNetInfo(subset).label_descriptions() if subset else ()
    return tuple(name.partition(",")[0] for name in names)
