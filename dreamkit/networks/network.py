"""Networks that can be looked into: the embedded two, torchvision's by name, and any module of your own."""

from __future__ import annotations

import contextlib
import copy
import os
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from ..pictures.image import Image
from .anysize import any_size
from .folding import fold_batchnorm
from .precision import fast_precision
from .zoo import build, cached_names

PRECISIONS = ("float32", "bfloat16", "float64", "auto")
_TRACE_SIDES = (
    64,
    224,
    299,
    32,
    28,
    96,
    128,
    256,
    384,
    512,
    160,
    192,
    240,
    448,
    518,
)  # sizes to try, for networks that take only some


@dataclass(frozen=True)
class Network:
    """A network ready to be looked into: in evaluation mode, parameters frozen, on one device, channels-last.

    `mean` and `std` (RGB, of pictures in [0, 1]) are what its inputs are standardised with; `labels` are its
    classes in order, where they are known; `digest` is the sha256 of its weights file, where there is one.
    """

    module: nn.Module = field(repr=False)
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    name: str = ""
    labels: tuple[str, ...] = field(default=(), repr=False)
    precision: str = "float32"
    digest: str = field(default="", repr=False)

    @property
    def device(self) -> torch.device:
        return next((p.device for p in self.module.parameters()), torch.device("cpu"))

    @property
    def dtype(self) -> torch.dtype:
        return next((p.dtype for p in self.module.parameters()), torch.float32)


def load_network(
    name: str = "dreamnet",
    *,
    weights: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    precision: str = "float32",
) -> Network:
    """The network of that name: "dreamnet", "dreamnet-robust" (both shipped), or any classification network of torchvision.

    `weights` is a file of your own (safetensors, or a PyTorch state dict), or "random" for untrained ones; without it
    torchvision's are taken from torch's cache, or fetched once. `device`: the best at hand. `precision`: "float32",
    "bfloat16" (by autocast; pictures stay as they are), "float64", or "auto". KeyError for an unknown name,
    ValueError for weights that are missing, broken or of another network.

    >>> load_network("dreamnet").labels[0]
    'goldfish'
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}; given: {precision!r}")
    model = build(name, weights)
    network = as_network(
        model.module,
        model.mean,
        model.std,
        name,
        model.labels,
        device=device,
        precision=precision,
        digest=model.digest,
    )
    return randomized(network) if weights == "random" else network


def course_network(name: str = "dreamnet") -> Network:
    """The network a lesson runs on: `name`, unless the environment says otherwise (DREAMKIT_NETWORK, and DREAMKIT_WEIGHTS for a file)."""
    chosen = os.environ.get("DREAMKIT_NETWORK", name)
    return load_network(
        chosen,
        weights=os.environ.get("DREAMKIT_WEIGHTS")
        if chosen == os.environ.get("DREAMKIT_NETWORK")
        else None,
    )


def cached_networks() -> tuple[str, ...]:
    """The networks that load without a connection: the embedded ones, then torchvision's whose weights lie in torch's cache.

    >>> cached_networks()[:2]
    ('dreamnet', 'dreamnet-robust')
    """
    return cached_names()


def as_network(
    module: nn.Module,
    mean: Sequence[float],
    std: Sequence[float],
    name: str = "",
    labels: Sequence[str] = (),
    *,
    device: str | torch.device | None = None,
    precision: str = "float32",
    digest: str = "",
) -> Network:
    """A Network made from a copy of any nn.Module that takes pictures [N, 3, H, W]; your module stays as it is.

    The copy is put into evaluation mode, frozen, laid out channels-last, and each BatchNorm is folded into the
    convolution before it (the features stay the same to rounding). `mean` and `std` are for RGB in [0, 1].

    >>> as_network(nn.Conv2d(3, 8, 3), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), name="tiny").name
    'tiny'
    """
    if not isinstance(module, nn.Module):
        raise ValueError(
            f"a network is made from a torch.nn.Module; given: {type(module).__name__}"
        )
    mean, std = tuple(float(v) for v in mean), tuple(float(v) for v in std)
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise ValueError(
            f"mean and std are three numbers each, for R, G and B, std above 0; given: {mean} and {std}"
        )
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}; given: {precision!r}")
    with torch.no_grad():
        module = any_size(copy.deepcopy(module).eval().requires_grad_(False))
        module = fold_batchnorm(module, trial_pictures(module))
        module = module.to(torch.float64) if precision == "float64" else module
        module = module.to(device=_device(device, module), memory_format=torch.channels_last)
    network = Network(module, mean, std, name, tuple(labels), precision, digest)
    return (
        network
        if precision != "auto"
        else replace(network, precision=fast_precision(network.device))
    )


def standardize(network: Network, image: Image) -> Tensor:
    """(image - mean) / std, on the network's device, in the wider of the two dtypes, channels-last: what the module takes."""
    image = image.to(network.device, torch.promote_types(image.dtype, network.dtype))
    mean, std = (
        torch.tensor(v, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
        for v in (network.mean, network.std)
    )
    return ((image - mean) / std).contiguous(memory_format=torch.channels_last)


def randomized(network: Network, seed: int = 0) -> Network:
    """The same network with random weights (He normal, biases 0): the baseline that shows what training adds."""
    module, generator = copy.deepcopy(network.module), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in module.modules():
            for name, weights in layer.named_parameters(recurse=False):
                if weights.dim() >= 2:
                    fresh = (
                        torch.randn(weights.shape, generator=generator)
                        * (2 / weights[0].numel()) ** 0.5
                    )
                    weights.copy_(fresh)
                else:
                    weights.fill_(
                        1.0 if name == "weight" else 0.0
                    )  # of a normalisation, and its shift
            if hasattr(layer, "raw_weight"):
                layer.raw_weight.copy_(layer.weight)
                layer.raw_bias.zero_()
    return replace(network, module=module, name=f"{network.name}-random", digest="")


def isolated(network: Network) -> Network:
    """The same network with module objects of its own around the same weights.

    Features are captured by hooks, and hooks see every call of their module: a panel's thread and the notebook's
    cells would otherwise meet in each other's.
    """
    weights = {
        id(tensor): tensor for tensor in (*network.module.parameters(), *network.module.buffers())
    }
    return replace(network, module=copy.deepcopy(network.module, weights))


def trial_pictures(module: nn.Module) -> Iterator[Tensor]:
    """Standardised noise of the sizes that networks usually take, in the dtype and on the device of the module."""
    like = next(module.parameters(), torch.zeros(()))
    for side in _TRACE_SIDES:
        generator = torch.Generator().manual_seed(0)
        yield torch.randn(1, 3, side, side, generator=generator).to(like.device, like.dtype)


_doubles: weakref.WeakKeyDictionary[nn.Module, nn.Module] = weakref.WeakKeyDictionary()


def module_for(network: Network, image: Image) -> nn.Module:
    """The network's module; for a float64 picture its float64 twin (made once), so that nothing is lost on the way."""
    if image.dtype != torch.float64 or network.dtype == torch.float64:
        return network.module
    if network.module not in _doubles:
        _doubles[network.module] = copy.deepcopy(network.module).double()
    return _doubles[network.module]


def autocast(network: Network, image: Image):
    on = network.precision == "bfloat16" and image.dtype != torch.float64
    return (
        torch.autocast(network.device.type, torch.bfloat16, cache_enabled=False)
        if on
        else contextlib.nullcontext()
    )


def _device(device: str | torch.device | None, module: nn.Module) -> torch.device:
    if device is not None:
        try:
            chosen = torch.device(device)
            torch.zeros(1, device=chosen)
        except (RuntimeError, AssertionError, NotImplementedError):
            raise ValueError(
                f"device {str(device)!r} cannot be used here; always there: 'cpu'"
            ) from None
        return chosen
    own = next((p.device for p in module.parameters()), torch.device("cpu"))
    if own.type != "cpu":
        return own
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps") if torch.backends.mps.is_available() else own
