"""What a network sees: its layers listed in the order in which they run, and their features captured.

A layer's name is PyTorch's own dotted module name (`inception4c`, `features.22`, `layer3.5`), nothing invented;
the empty name is the network itself, and its features are the logits. Where a network has names of its own in the
papers (`relu4_3`, `inception_4c/output`), these are understood too. Features come as maps [N, C, h, w], also those
of transformers: channels are put first, and tokens are laid out on the grid of their patches (`_layouts`).
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ..checks.names import unknown
from ..pictures.image import Image, check_image
from .aliases import aliases_of
from .layouts import Layout, layout_of
from .network import Network, autocast, module_for, standardize, trial_pictures
from .receptive import Field, field_of


@dataclass(frozen=True)
class LayerInfo:
    """What is known of a layer from one trial run: its name, module type, calls, features (0: no feature maps) and field."""

    name: str
    kind: str
    calls: int
    shape: tuple[
        int, ...
    ]  # of its features for the trial picture, [N, C, h, w] or [N, C] or [N, tokens, C]
    field: Field | None  # None where it sees the whole picture
    layout: Layout = Layout("map")
    side: int = 0  # of the trial picture

    @property
    def channels(self) -> int:
        return self.shape[-1] if len(self.shape) == 3 else self.shape[1]

    @property
    def is_map(self) -> bool:
        return self.layout.kind != "numbers"

    @property
    def stride(self) -> tuple[int, int] | None:
        """How many pixels of the picture (down, across) lie between neighbours of its map; None for a layer without one."""
        if not self.is_map:
            return None
        return (
            self.field.stride
            if self.field
            else tuple(max(1, round(self.side / cells)) for cells in self.shape[2:])
        )


def layer_names(network: Network) -> tuple[str, ...]:
    """The names of all layers whose output is a tensor, in the order in which they finish (a layer called twice: its last call)."""
    return tuple(info.name for info in layer_table(network))


def layer_table(network: Network) -> tuple[LayerInfo, ...]:
    """One LayerInfo a layer, in the order in which they finish, found by one trial run and remembered with the module."""
    if network.module not in _tables:
        _tables[network.module] = _trace(network.module)
    return _tables[network.module]


def layer_aliases(network: Network) -> dict[str, str]:
    """{alias: layer}: the papers' names of a network's layers, which are understood wherever a layer is named.

    VGG has `relu4_3`; GoogLeNet and the embedded networks Caffe's `inception_4c/output`, and `inception_3b/5x5_reduce`
    before its ReLU, and TensorFlow's `mixed4c`; Inception v3 `mixed0` to `mixed10`; ResNets `conv4_block6_out`.
    Empty for networks without such names.

    >>> from dreamkit.networks.network import load_network
    >>> layer_aliases(load_network("dreamnet"))["inception_4c/output"]
    'inception4c'
    """
    if network.module not in _aliases:
        listed = [(info.name, info.kind) for info in layer_table(network)]
        _aliases[network.module] = aliases_of(type(network.module).__name__, listed)
    return dict(_aliases[network.module])


def layer_info(network: Network, layer: str) -> LayerInfo:
    """The LayerInfo of one layer, by its name or an alias. KeyError with the nearest names where there is no such layer."""
    table = {info.name: info for info in layer_table(network)}
    if layer in table:
        return table[layer]
    aliases = layer_aliases(network)
    if layer in aliases:
        return table[aliases[layer]]
    hint = f"all: dk.layer_names(network), or dreamkit layers {network.name}".rstrip()
    raise unknown("layer", layer, [*table, *aliases], hint)


def share_layers(network: Network, twin: Network) -> Network:
    """The twin, which has the network's layers, and so needs no trial run of its own."""
    _tables[twin.module] = layer_table(network)
    return twin


# Types that end no block: what they give is seen better one layer earlier or later.
_NO_ENDS = {
    "Conv2d",
    "Identity",
    "Flatten",
    "BatchNorm2d",
    "LayerNorm",
    "LayerNorm2d",
    "Dropout",
    "StochasticDepth",
    "MaxPool2d",
    "AvgPool2d",
    "AdaptiveAvgPool2d",
    "Permute",
    "Standardize",
}


def suggested_layers(network: Network, count: int = 8) -> tuple[str, ...]:
    """Up to `count` layers from shallow to deep that are worth looking at: the ends of blocks, after their ReLU, on the main road.

    The shallowest depth of names that holds at least five such maps is taken (GoogLeNet's blocks, VGG's ReLUs,
    ResNet's stages); while there are too many, the most crowded resolution gives one up, never its last. Where all have
    one resolution, as in a vision transformer, they are taken at even distances.

    >>> from dreamkit.networks.network import load_network
    >>> suggested_layers(load_network("dreamnet"))[-3:]
    ('inception4e', 'inception5a', 'inception5b')
    """
    heads = ("classifier", "fc", "head", "AuxLogits")
    table = [
        info for info in layer_table(network) if info.is_map and not info.name.startswith(heads)
    ]
    chosen = table
    for depth in range(1, 8):
        level = [info for info in table if info.name.count(".") < depth]
        level = [i for i in level if not any(j.name.startswith(i.name + ".") for j in level)]
        ends = [info for info in level if info.kind not in _NO_ENDS]
        chosen = ends or level or table
        if len(ends) >= 5:
            break
    if len(chosen) > count and len({info.shape[2:] for info in chosen}) == 1:
        return tuple(chosen[round(i * (len(chosen) - 1) / (count - 1))].name for i in range(count))
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

    >>> from dreamkit.networks.network import load_network
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
    of the network costs nothing. Features follow the picture's dtype, and carry its gradient if it has one. Those of a
    transformer are maps as well: channels first, tokens laid out as their patches lie, the class token left out.
    Raises KeyError for an unknown layer, ValueError for a picture of the wrong form, too small, or of a size that the
    network does not take.

    >>> from dreamkit.networks.network import as_network
    >>> net = as_network(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (0, 0, 0), (1, 1, 1))
    >>> capture(net, torch.rand(1, 3, 8, 8), ["1"])["1"].shape
    torch.Size([1, 8, 6, 6])
    """
    given = (layers,) if isinstance(layers, str) else tuple(dict.fromkeys(layers))
    check_image(image)
    found = {
        name: layer_info(network, name) for name in given if name
    }  # by the name that was given: aliases too
    infos = {info.name: info for info in found.values()}
    _check_size(network, image, tuple(infos.values()))
    if not given:
        return {}
    module = module_for(network, image)
    last = "" if "" in given else max(infos, key=layer_names(network).index)
    watch = _Watch(infos, last)
    try:
        with _hooks(module, watch.hooks()), autocast(network, image), contextlib.suppress(_Reached):
            watch.reached[""] = module(standardize(network, image))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise _size_error(network, image, tuple(infos.values()), error) from None
    reached = {name: watch.reached[found[name].name if name else ""] for name in given}
    return {name: features.to(image.device, image.dtype) for name, features in reached.items()}


class _Watch:
    """What one forward pass gives at the wanted layers, as `reached`: {name: features}, taken by `hooks` in this thread only."""

    def __init__(self, infos: Mapping[str, LayerInfo], last: str) -> None:
        self.infos, self.last, self.thread = infos, last, threading.get_ident()
        self.calls_left = {name: info.calls for name, info in infos.items()}
        self.grids: dict[str, tuple[int, int]] = {
            info.layout.grid: (0, 0) for info in infos.values() if info.layout.grid
        }
        self.reached: dict[str, Tensor] = {}

    def hooks(self) -> dict[str, Callable]:
        return {name: partial(self._hook, name) for name in {*self.infos, *self.grids}}

    def _hook(self, name: str, layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        if threading.get_ident() != self.thread:  # somebody else's pass through the same network
            return
        if name in self.grids:
            self.grids[name] = tuple(output.shape[-2:])
        if name not in self.infos:
            return
        self.calls_left[name] -= 1
        if self.calls_left[name] == 0:
            raw = getattr(
                layer, "raw_weight", None
            )  # a folded convolution: what it gave before its BatchNorm
            features = (
                layer._conv_forward(inputs[0], raw, layer.raw_bias)
                if raw is not None
                else output
                if name == self.last
                else output.clone()
            )  # an in-place ReLU may come next
            layout = self.infos[name].layout
            self.reached[name] = layout.lay(features, self.grids.get(layout.grid))
            if name == self.last:
                raise _Reached


def classify(network: Network, image: Image, top: int = 5) -> list[tuple[str, float]]:
    """The `top` most probable classes of one picture as (label, probability), the best first."""
    logits = capture(network, image, ("",))[""]
    if logits.dim() != 2 or len(logits) != 1:
        raise ValueError(
            f"classify takes one picture and a network that ends in classes; its output here: {tuple(logits.shape)}"
        )
    best = logits.detach().softmax(1)[0].topk(min(top, logits.shape[1]))
    labels = network.labels or tuple(f"class {i}" for i in range(logits.shape[1]))
    return [(labels[i], float(p)) for p, i in zip(best.values, best.indices, strict=True)]


_tables: weakref.WeakKeyDictionary[nn.Module, tuple[LayerInfo, ...]] = weakref.WeakKeyDictionary()
_aliases: weakref.WeakKeyDictionary[nn.Module, dict[str, str]] = weakref.WeakKeyDictionary()


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
        trial = _Trial(picture.shape[-1])
        try:
            with (
                torch.enable_grad(),
                _hooks(
                    module,
                    {name: partial(trial.hook, name) for name, _ in module.named_modules() if name},
                ),
            ):
                module(picture.requires_grad_(True))
            return tuple(trial.seen.values())
        except (
            RuntimeError,
            ValueError,
            AssertionError,
        ):  # not a size this network takes: try the next
            best = max(best, trial.seen, key=len)
    return tuple(best.values())


class _Trial:
    """What hooks on all layers note in a trial run with a square picture, as `seen`: {name: LayerInfo}, in the order of the last calls."""

    def __init__(self, side: int) -> None:
        self.side, self.seen = side, {}
        self.memory: dict[object, Field | None] = {}
        self.grids: dict[str, tuple[int, int]] = {}  # of maps whose channels come first, by layer

    def hook(self, name: str, layer: nn.Module, inputs: tuple, output: object) -> None:
        if not isinstance(output, Tensor) or output.dim() < 2:
            return
        before = self.seen.pop(
            name, None
        )  # popped and put back: the order is that of the last call
        layout = layout_of(
            output, reversed(self.grids.items()), slides=hasattr(layer, "kernel_size")
        )
        if layout.kind == "map":
            self.grids.pop(name, None)
            self.grids[name] = tuple(output.shape[-2:])
        shape = tuple(layout.lay(output, self.grids.get(layout.grid)).shape)
        self.seen[name] = LayerInfo(
            name,
            type(layer).__name__,
            before.calls + 1 if before else 1,
            shape,
            field_of(output, self.memory),
            layout,
            self.side,
        )


def _check_size(network: Network, image: Image, infos: Sequence[LayerInfo]) -> None:
    for info in infos:
        least = max(info.field.stride) if info.field else 1
        if min(image.shape[-2:]) < least:
            raise _small(image, info.name, least)


def _size_error(
    network: Network, image: Image, infos: Sequence[LayerInfo], error: Exception
) -> Exception:
    """The clear error for a forward pass that failed because of the picture's size, else the error itself."""
    for info in infos[:1] or layer_table(network)[-1:]:
        fails, works = min(image.shape[-2:]), 512
        if step := _step(network, info, image):
            return _in_steps(network, image, info, step)
        if fails < works and not _runs(network, info, fails) and _runs(network, info, works):
            while works - fails > 1:
                middle = (fails + works) // 2
                fails, works = (fails, middle) if _runs(network, info, middle) else (middle, works)
            return _small(image, info.name, works)
        if tuple(image.shape[-2:]) != (info.side, info.side) and _runs(network, info, info.side):
            return _fixed(network, image, info)
    return error


def _step(network: Network, info: LayerInfo, image: Image) -> int:
    """The number whose multiples a picture's sides must be, where that is what is wrong with this one, else 0."""
    side = max(image.shape[-2:])
    if _runs(network, info, side + side % 2) and not any(size % 2 for size in image.shape[-2:]):
        return 0  # something else is wrong
    for step in (2, 4, 7, 8, 14, 16, 28, 32, 64):
        least = -(-side // step) * step
        if any(size % step for size in image.shape[-2:]) and all(
            _runs(network, info, least + k * step) for k in (0, 1)
        ):
            return 0 if _runs(network, info, least + 1) else step
    return 0


def _in_steps(network: Network, image: Image, info: LayerInfo, step: int) -> ValueError:
    height, width = (round(size / step) * step or step for size in image.shape[-2:])
    given = "×".join(map(str, image.shape[-2:]))
    return ValueError(
        f"{network.name or 'this network'} takes pictures whose height and width are multiples of {step}, up to layer "
        f"{info.name!r}; given: {given} (height × width; octaves count). The nearest: dk.resize(image, ({height}, {width}))"
    )


def _fixed(network: Network, image: Image, info: LayerInfo) -> ValueError:
    height, width = image.shape[-2:]
    return ValueError(
        f"{network.name or 'this network'} takes pictures of {info.side}×{info.side} pixels only, up to layer "
        f"{info.name!r}; given: {height}×{width} (height × width; octaves count). Resize it: dk.resize(image, "
        f"({info.side}, {info.side})), and dream with octaves=1"
    )


def _runs(network: Network, info: LayerInfo, side: int) -> bool:
    """Whether a picture of that side reaches the layer."""
    picture = torch.zeros(1, 3, side, side, dtype=network.dtype, device=network.device)
    try:
        with (
            torch.no_grad(),
            _hooks(network.module, {info.name: _stop}),
            contextlib.suppress(_Reached),
        ):
            network.module(picture)
    except (RuntimeError, ValueError, AssertionError):
        return False
    return True


def _stop(layer: nn.Module, inputs: tuple, output: object) -> None:
    raise _Reached


def _small(image: Image, layer: str, least: int) -> ValueError:
    height, width = image.shape[-2:]
    return ValueError(
        f"a picture of {height}×{width} pixels (height × width; octaves count) is too small for layer {layer!r}: "
        f"it needs at least {least}×{least}"
    )
