"""What a network sees: its layers listed in the order in which they run, and their features captured.

A layer's name is PyTorch's own dotted module name (`inception4c`, `features.22`, `layer3.5`), nothing invented;
the empty name is the network itself, and its features are the logits.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ._names import unknown
from .image import Image
from .network import Network, autocast, check_image, module_for, standardize, trial_pictures
from .receptive import Field, field_of


@dataclass(frozen=True)
class LayerInfo:
    """What is known of a layer from one trial run: its name, module type, calls, features (0: no feature maps) and field."""

    name: str
    kind: str
    calls: int
    shape: tuple[int, ...]      # of its output for the trial picture, [N, C, h, w] or [N, C] or [N, tokens, C]
    field: Field | None         # None where it sees the whole picture

    @property
    def channels(self) -> int:
        return self.shape[-1] if len(self.shape) == 3 else self.shape[1]

    @property
    def is_map(self) -> bool:
        return len(self.shape) == 4


def layer_names(network: Network) -> tuple[str, ...]:
    """The names of all layers whose output is a tensor, in the order in which they finish (a layer called twice: its last call)."""
    return tuple(info.name for info in layer_table(network))


def layer_table(network: Network) -> tuple[LayerInfo, ...]:
    """One LayerInfo a layer, in the order in which they finish, found by one trial run and remembered with the module."""
    if network.module not in _tables:
        _tables[network.module] = _trace(network.module)
    return _tables[network.module]


def layer_info(network: Network, layer: str) -> LayerInfo:
    """The LayerInfo of one layer. KeyError with the nearest names where there is no such layer."""
    table = layer_table(network)
    for info in table:
        if info.name == layer:
            return info
    hint = f"all: dk.layer_names(network), or dreamkit layers {network.name}".rstrip()
    raise unknown("layer", layer, [info.name for info in table], hint)


# Types that end no block: what they give is seen better one layer earlier or later.
_NO_ENDS = {"Conv2d", "Identity", "Flatten", "BatchNorm2d", "LayerNorm", "LayerNorm2d", "Dropout", "StochasticDepth", "MaxPool2d",
            "AvgPool2d", "AdaptiveAvgPool2d"}


def suggested_layers(network: Network, count: int = 8) -> tuple[str, ...]:
    """Up to `count` layers from shallow to deep that are worth looking at: the ends of blocks, after their ReLU, on the main road.

    The shallowest depth of names that holds at least five such maps is taken (GoogLeNet's blocks, VGG's ReLUs,
    ResNet's stages); while there are too many, the most crowded resolution gives one up, never its last.

    >>> from dreamkit.network import load_network
    >>> suggested_layers(load_network("dreamnet"))[-3:]
    ('inception4e', 'inception5a', 'inception5b')
    """
    heads = ("classifier", "fc", "head", "AuxLogits")
    table = [info for info in layer_table(network) if info.is_map and not info.name.startswith(heads)]
    chosen = table
    for depth in range(1, 8):
        level = [info for info in table if info.name.count(".") < depth]
        level = [i for i in level if not any(j.name.startswith(i.name + ".") for j in level)]
        ends = [info for info in level if info.kind not in _NO_ENDS]
        chosen = ends or level or table
        if len(ends) >= 5:
            break
    while len(chosen) > count:
        groups: dict[tuple[int, ...], list[LayerInfo]] = {}
        for info in chosen:
            groups.setdefault(info.shape[2:], []).append(info)
        crowd = max(groups.values(), key=len)
        given_up = crowd[0 if len(crowd) <= 3 else 1 + (len(crowd) % 2 == 0)]
        chosen = [info for info in chosen if info is not given_up]
    return tuple(info.name for info in chosen)


def layer_at(network: Network, depth: float) -> str:
    """The suggested layer at a relative depth from 0 (edges) over 0.5 (textures and parts) to 1 (objects): for code that fits any network.

    >>> from dreamkit.network import load_network
    >>> layer_at(load_network("dreamnet"), 0.0)
    'conv1'
    """
    if not 0 <= depth <= 1:
        raise ValueError(f"depth lies from 0 (first layer) to 1 (last); given: {depth!r}")
    layers = suggested_layers(network)
    return layers[round(depth * (len(layers) - 1))]


def capture(network: Network, image: Image, layers: Iterable[str] | str) -> dict[str, Tensor]:
    """The features {name: tensor} of the named layers for a picture [N, 3, H, W], most often [N, C, h, w].

    The forward pass stops after the last layer asked for, so a classifier of fixed size does not matter and the rest
    of the network costs nothing. Features follow the picture's dtype, and carry its gradient if it has one.
    Raises KeyError for an unknown layer, ValueError for a picture of the wrong form or too small.

    >>> from dreamkit.network import as_network
    >>> net = as_network(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (0, 0, 0), (1, 1, 1))
    >>> capture(net, torch.rand(1, 3, 8, 8), ["1"])["1"].shape
    torch.Size([1, 8, 6, 6])
    """
    names = (layers,) if isinstance(layers, str) else tuple(dict.fromkeys(layers))
    check_image(image)
    infos = [layer_info(network, name) for name in names if name]
    _check_size(network, image, infos)
    if not names:
        return {}
    module = module_for(network, image)
    reached, calls_left = {}, {info.name: info.calls for info in infos}
    last = "" if "" in names else max(names, key=layer_names(network).index)

    here = threading.get_ident()

    def keep(name: str):
        def hook(layer: nn.Module, inputs: tuple, output: Tensor) -> None:
            if threading.get_ident() != here:                     # somebody else's pass through the same network
                return
            calls_left[name] -= 1
            if calls_left[name] == 0:
                stop = name == last
                raw = getattr(layer, "raw_weight", None)          # a folded convolution: what it gave before its BatchNorm
                reached[name] = (layer._conv_forward(inputs[0], raw, layer.raw_bias) if raw is not None
                                 else output if stop else output.clone())        # an in-place ReLU may come next
                if stop:
                    raise _Reached
        return hook

    try:
        with _hooks(module, {name: keep(name) for name in calls_left}), autocast(network, image), contextlib.suppress(_Reached):
            reached[""] = module(standardize(network, image))
    except RuntimeError as error:
        raise _too_small(network, image, infos, error) from None
    return {name: reached[name].to(image.device, image.dtype) for name in names}


def classify(network: Network, image: Image, top: int = 5) -> list[tuple[str, float]]:
    """The `top` most probable classes of one picture as (label, probability), the best first."""
    logits = capture(network, image, ("",))[""]
    if logits.dim() != 2 or len(logits) != 1:
        raise ValueError(f"classify takes one picture and a network that ends in classes; its output here: {tuple(logits.shape)}")
    best = logits.detach().softmax(1)[0].topk(min(top, logits.shape[1]))
    labels = network.labels or tuple(f"class {i}" for i in range(logits.shape[1]))
    return [(labels[i], float(p)) for p, i in zip(best.values, best.indices, strict=True)]


_tables: weakref.WeakKeyDictionary[nn.Module, tuple[LayerInfo, ...]] = weakref.WeakKeyDictionary()


class _Reached(Exception):
    """Ends a forward pass once the last layer asked for has run."""


@contextlib.contextmanager
def _hooks(module: nn.Module, hooks: dict[str, Callable]) -> Iterator[None]:
    """Forward hooks on the named layers, for as long as the `with` block runs and not a moment longer."""
    modules, handles = dict(module.named_modules()), []
    try:
        for name, hook in hooks.items():
            handles.append(modules[name].register_forward_hook(hook))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _trace(module: nn.Module) -> tuple[LayerInfo, ...]:
    best: dict[str, LayerInfo] = {}
    for picture in trial_pictures(module):
        seen: dict[str, LayerInfo] = {}
        memory: dict[object, Field | None] = {}

        def note(name: str, seen=seen, memory=memory):
            def hook(layer: nn.Module, inputs: tuple, output: object) -> None:
                if isinstance(output, Tensor) and output.dim() >= 2:
                    before = seen.pop(name, None)                 # popped and put back: the order is that of the last call
                    seen[name] = LayerInfo(name, type(layer).__name__, before.calls + 1 if before else 1, tuple(output.shape),
                                           field_of(output, memory))
            return hook

        try:
            with torch.enable_grad(), _hooks(module, {n: note(n) for n, _ in module.named_modules() if n}):
                module(picture.requires_grad_(True))
            return tuple(seen.values())
        except (RuntimeError, ValueError, AssertionError):        # not a size this network takes: try the next
            best = max(best, seen, key=len)
    return tuple(best.values())


def _check_size(network: Network, image: Image, infos: Sequence[LayerInfo]) -> None:
    for info in infos:
        least = max(info.field.stride) if info.field else 1
        if min(image.shape[-2:]) < least:
            raise _small(image, info.name, least)


def _too_small(network: Network, image: Image, infos: Sequence[LayerInfo], error: RuntimeError) -> Exception:
    """The clear error for a forward pass that failed because the picture is too small, else the error itself."""
    for info in infos[:1]:
        fails, works = min(image.shape[-2:]), 512
        if fails < works and not _runs(network, info, fails) and _runs(network, info, works):
            while works - fails > 1:
                middle = (fails + works) // 2
                fails, works = (fails, middle) if _runs(network, info, middle) else (middle, works)
            return _small(image, info.name, works)
    return error


def _runs(network: Network, info: LayerInfo, side: int) -> bool:
    """Whether a picture of that side reaches the layer."""
    picture = torch.zeros(1, 3, side, side, dtype=network.dtype, device=network.device)
    try:
        with torch.no_grad(), _hooks(network.module, {info.name: _stop}), contextlib.suppress(_Reached):
            network.module(picture)
    except RuntimeError:
        return False
    return True


def _stop(layer: nn.Module, inputs: tuple, output: object) -> None:
    raise _Reached


def _small(image: Image, layer: str, least: int) -> ValueError:
    height, width = image.shape[-2:]
    return ValueError(f"a picture of {height}×{width} pixels (height × width; octaves count) is too small for layer {layer!r}: "
                      f"it needs at least {least}×{least}")
