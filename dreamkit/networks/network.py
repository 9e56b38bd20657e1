"""A network that can be looked into, and copies of it."""

from __future__ import annotations

import contextlib
import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from ..pictures.image import Image
from .anysize import any_size
from .folding import fold_batchnorm
from .hooks import copy_module
from .module_kinds import check_kind
from .precision import fast_precision
from .quick_gradients import quicken
from .run_check import check_runs, in_full_precision

PRECISIONS = ("float32", "bfloat16", "float64", "auto")


@dataclass(frozen=True)
class Network:
    """A module in evaluation mode, its parameters frozen, on one device, with what it needs.

    Its pictures [N, 3, H, W] are RGB in [0, 1]; they are standardised with `mean` and `std`.
    """

    module: nn.Module = field(repr=False)  # takes standardised pictures
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    name: str = ""
    labels: tuple[str, ...] = field(default=(), repr=False)  # of its classes, in order
    precision: str = "float32"  # of the arithmetic: "float32", "bfloat16" (autocast), "float64"
    digest: str = field(default="", repr=False)  # SHA-256 of its weights file
    side: int = field(default=224, repr=False)  # in pixels, of the pictures it was trained on
    output: str = field(default="", repr=False)  # which of several outputs: `out`, `0`
    random: bool = field(default=False, repr=False)  # random weights: its name ends in "-random"

    @property
    def base_name(self) -> str:
        """The name, without the "-random" of a network with random weights."""
        return self.name.removesuffix("-random") if self.random else self.name

    @property
    def device(self) -> torch.device:
        return next((p.device for p in self.module.parameters()), torch.device("cpu"))

    @property
    def dtype(self) -> torch.dtype:
        return next((p.dtype for p in self.module.parameters()), torch.float32)


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
    side: int = 224,
    output: str = "",
) -> Network:
    """A Network made from a copy of any module; the module itself is not changed.

    The copy is put into evaluation mode, frozen, and laid out channels-last. Each BatchNorm is
    folded into the convolution before it, which changes features by rounding only. What cannot be
    copied, such as a lock or an open file in an attribute, is shared with the module. Weights of 16
    bits become float32, unless the module takes float32 pictures as it is.

    Args:
        module: takes pictures [N, 3, H, W].
        mean, std: three numbers each, for RGB in [0, 1]; std above 0. Those for values of 0 to 255
            are divided by 255: a module that takes such values as they are has mean 0 and std 1 /
            255.
        name, labels, digest, side: see Network.
        device: where it runs; by default the module's own, or a GPU if the module is on the CPU.
        output: of a module that gives several tensors, the name or index of the one with the
            classes (`out`, `0`, `heads.1`); by default its only tensor, or its only one [N,
            classes].
        precision: "float32", "bfloat16", "float64", or "auto" for the device's fastest.

    Raises ValueError for an argument outside these ranges, a device that cannot be used, and a
    module that does not take pictures; the module's own error if a trial run fails otherwise.

    >>> as_network(nn.Conv2d(3, 8, 3), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), name="tiny").name
    'tiny'
    """
    if not isinstance(module, nn.Module):
        raise ValueError(
            f"a network is made from a torch.nn.Module; given: {type(module).__name__}"
        )
    mean, std = tuple(float(v) for v in mean), tuple(float(v) for v in std)
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0 or not all(map(math.isfinite, mean + std)):
        raise ValueError(
            "mean and std are three numbers each, for R, G and B, std above 0; "
            f"given: {mean} and {std}"
        )
    _check_scale(mean, std)
    check_precision(precision)
    check_kind(module)
    module = any_size(copy_module(module).eval().requires_grad_(False))
    module = quicken(fold_batchnorm(in_full_precision(module)))
    module = module.double() if precision == "float64" else module
    module = module.to(_device(device, module))
    with contextlib.suppress(RuntimeError):  # a Conv3d's weights cannot be channels-last
        module = module.to(memory_format=torch.channels_last)
    check_runs(module)
    network = Network(module, mean, std, name, tuple(labels), precision, digest, side, output)
    if precision == "auto":
        return replace(network, precision=fast_precision(network.device))
    return network


def _check_scale(mean: Sequence[float], std: Sequence[float]) -> None:
    """Raise ValueError for a mean or std of pictures of 0 to 255.

    For pictures in [0, 1] a mean beyond ±2, or a std above 5, would leave next to nothing of them.
    """
    large = {"mean": max(map(abs, mean)) > 2, "std": max(std) > 5}
    large["std"] |= large["mean"] and min(std) >= 1  # such as 104, 117, 123 with 1, 1, 1
    if any(large.values()):
        raise ValueError(
            "mean and std are those of pictures in [0, 1], here they seem to be for values of 0 to "
            f"255: divide {' and '.join(name for name in large if large[name])} by 255; "
            f"given: {mean} and {std}"
        )


def check_precision(precision: str) -> None:
    """Raise ValueError unless `precision` is one of PRECISIONS."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}; given: {precision!r}")


def standardize(network: Network, image: Image) -> Tensor:
    """(image - mean) / std, channels-last: what the network's module takes.

    It lies on the network's device, in the wider of the picture's and the network's dtypes.
    """
    image = image.to(network.device, torch.promote_types(image.dtype, network.dtype))
    mean, std = (
        torch.tensor(v, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
        for v in (network.mean, network.std)
    )
    return ((image - mean) / std).contiguous(memory_format=torch.channels_last)


def randomized(network: Network, seed: int = 0) -> Network:
    """The same network with random weights (He normal, biases 0): shows what training adds.

    Weights of normalisations are 1. The network's name gets "-random" at its end.
    """
    module, generator = copy_module(network.module), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in module.modules():
            for name, weights in layer.named_parameters(recurse=False):
                if weights.dim() >= 2:
                    fresh = torch.randn(weights.shape, generator=generator)
                    weights.copy_(fresh * (2 / weights[0].numel()) ** 0.5)
                else:  # of a normalisation, or a shift
                    weights.fill_(1.0 if name == "weight" else 0.0)
            if hasattr(layer, "raw_weight"):
                layer.raw_weight.copy_(layer.weight)
                layer.raw_bias.zero_()
    return replace(network, module=module, name=f"{network.name}-random", digest="", random=True)


def isolated(network: Network) -> Network:
    """The same network with module objects of its own around the same weights.

    Features are captured by hooks on modules, so threads with modules of their own cannot meet.
    """
    weights = (*network.module.parameters(), *network.module.buffers())
    return replace(network, module=copy_module(network.module, {id(v): v for v in weights}))


_doubles: weakref.WeakKeyDictionary[nn.Module, nn.Module] = weakref.WeakKeyDictionary()


def module_for(network: Network, image: Image) -> nn.Module:
    """The network's module, or for a float64 picture a float64 copy of it, which is made once."""
    if image.dtype != torch.float64 or network.dtype == torch.float64:
        return network.module
    if network.module not in _doubles:
        _doubles[network.module] = copy_module(network.module).double()
    return _doubles[network.module]


def autocast(network: Network, image: Image) -> contextlib.AbstractContextManager:
    """The context in which the network's module runs: autocast for bfloat16, else no change."""
    if network.precision == "bfloat16" and image.dtype != torch.float64:
        return torch.autocast(network.device.type, torch.bfloat16, cache_enabled=False)
    return contextlib.nullcontext()


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
