"""Networks by name with their weights: the embedded ones, and torchvision's, from its own cache or a file.

Weights are read as plain tensors only (safetensors, or `weights_only`): a file can be wrong, but it cannot run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checks.names import unknown
from .dreamnet import DreamNet, fold

FOLDER = Path(__file__).parent.parent / "weights"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Model:
    """A module with what must travel with its weights."""

    module: nn.Module
    mean: tuple[float, ...]
    std: tuple[float, ...]
    labels: tuple[str, ...]
    digest: str = ""  # sha256 of the weights file


def build(name: str, weights: str | os.PathLike[str] | None) -> Model:
    """The named network with its own weights, those of a file, or (weights="random") as it was born."""
    if name in embedded_names():
        return _embedded(name, weights)
    if name not in torchvision_names():
        raise unknown(
            "network",
            name,
            [*embedded_names(), *torchvision_names()],
            "a module of your own: dk.as_network",
        )
    return _torchvision(name, weights)


def embedded_names() -> tuple[str, ...]:
    return tuple(_manifest())


def embedded_digest(name: str) -> str | None:
    """The sha256 of an embedded network's own weights; None for any other name."""
    return _manifest().get(name, {}).get("sha256")


@lru_cache
def torchvision_names() -> tuple[str, ...]:
    import torchvision  # a second of import, so only when a name asks for it

    return tuple(torchvision.models.list_models(module=torchvision.models))


@lru_cache
def _manifest() -> dict[str, dict]:
    return json.loads((FOLDER / "manifest.json").read_text())


def _embedded(name: str, weights: str | os.PathLike[str] | None) -> Model:
    entry = _manifest()[name]
    labels = tuple((FOLDER / "labels.txt").read_text(encoding="utf-8").split("\n")[:200])
    model = Model(
        DreamNet(len(labels), folded=True), tuple(entry["mean"]), tuple(entry["std"]), labels
    )
    if weights == "random":
        return model
    path = FOLDER / entry["file"] if weights is None else Path(weights)
    state, digest = read_weights(path)
    if weights is None and digest != entry["sha256"]:
        raise ValueError(
            f"the weights of {name} are damaged (sha256 {digest[:12]}…, "
            f"expected {entry['sha256'][:12]}…): install dreamkit again"
        )
    if "conv1.bn.weight" in state:  # a checkpoint of training, BatchNorm not yet folded
        trained = DreamNet(len(labels))
        fill(trained, state, path)
        return replace(model, module=fold(trained.eval()), digest=digest)
    fill(model.module, state, path)
    return replace(model, digest=digest)


def _torchvision(name: str, weights: str | os.PathLike[str] | None) -> Model:
    import torchvision

    chosen = _chosen(name)
    transform = chosen.transforms()
    mean, std = (
        tuple(getattr(transform, key, default))
        for key, default in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD))
    )
    labels = tuple(chosen.meta["categories"])
    if weights is None:
        path = _cache(chosen.url)
        state, digest = _cached(name, chosen.url, path)
    elif weights != "random":
        path = Path(weights)
        state, digest = read_weights(path)
    else:
        state, digest, path = None, "", None
    options = (
        {"init_weights": False, "transform_input": state is not None}
        if name in ("googlenet", "inception_v3")
        else {}
    )
    if options:
        options["aux_logits"] = False
    classes = len(labels)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        module = torchvision.models.get_model(name, weights=None, num_classes=classes, **options)
    if state is not None:
        fill(
            module,
            {k: v for k, v in state.items() if not k.startswith(("aux1.", "aux2.", "AuxLogits."))},
            path,
        )
    return Model(module, mean, std, labels, digest)


def cached_names() -> tuple[str, ...]:
    """The embedded networks, and torchvision's whose weights file is in torch's cache (it is checked when it is read)."""
    return (
        *embedded_names(),
        *(name for name in torchvision_names() if _cache(_chosen(name).url).is_file()),
    )


def _chosen(name: str):
    """Torchvision's weights of that name: the first recipe of several, for the later train longer for accuracy, and dream worse."""
    import torchvision

    choices = torchvision.models.get_model_weights(name)
    return next((w for w in choices if w.name == "IMAGENET1K_V1"), choices.DEFAULT)


def _cache(url: str) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]


def _cached(name: str, url: str, path: Path) -> tuple[dict[str, Tensor], str]:
    """The weights from torch's cache; fetched into it first where they are missing and there is a connection."""
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(
                url, str(path), hash_prefix=_hash_of(path), progress=False
            )
        except Exception as error:  # no connection, a full disk, a wrong hash: one line for all
            reason = " ".join(str(getattr(error, "reason", error)).split())
            raise ValueError(
                f"the weights of {name} are not in torch's cache and could not be fetched ({reason}): put {path.name} "
                f"(from {url}) into {path.parent}, or give a file with weights=, or take an embedded network: "
                f"{', '.join(embedded_names())}"
            ) from None
    if not _sha256(path).startswith(_hash_of(path)):  # before anything in it is read
        raise ValueError(
            f"{str(path)!r} is damaged (its sha256 should begin with {_hash_of(path)}): delete it, and it is fetched again"
        )
    return read_weights(path)


def _hash_of(path: Path) -> str:
    """Torchvision's files carry the beginning of their sha256 in their names: resnet50-0676ba61.pth."""
    return path.stem.rpartition("-")[2]


def read_weights(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], str]:
    """(state dict, sha256) of a weights file, safetensors or PyTorch's own format, in float32. Never unpickles code."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"weights are a file, and {str(path)!r} is a folder")
    if not path.is_file():
        raise ValueError(f"no weights at {str(path)!r}")
    try:
        digest = _sha256(path)
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken file can raise nearly anything
        reason = " ".join(str(error).split())[:120]
        raise ValueError(
            f"{str(path)!r} is not a readable weights file (safetensors, or a PyTorch state dict): {reason}"
        ) from None
    state = state.get("state_dict", state) if isinstance(state, dict) else None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError(f"{str(path)!r} holds no state dict (names and tensors)")
    state = {
        key.removeprefix("module."): v.float() if v.is_floating_point() else v
        for key, v in state.items()
    }
    return state, digest


def fill(module: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Loads the state dict into the module; ValueError with the first name or shape that does not fit."""
    wanted = module.state_dict()
    for key, value in wanted.items():
        if key not in state and not key.endswith("num_batches_tracked"):
            raise ValueError(
                f"{str(path)!r} holds the weights of another network: it lacks {key!r}"
            )
        if key in state and state[key].shape != value.shape:
            raise ValueError(
                f"{str(path)!r} holds the weights of another network: {key!r} is {list(state[key].shape)}, "
                f"not {list(value.shape)}"
            )
    extra = next((key for key in state if key not in wanted), None)
    if extra is not None:
        raise ValueError(
            f"{str(path)!r} holds the weights of another network: {extra!r} has no place in it"
        )
    if any(not torch.isfinite(v).all() for v in state.values() if v.is_floating_point()):
        raise ValueError(f"{str(path)!r} holds NaN or infinite weights")
    module.load_state_dict(state, strict=False)


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
