"""Why a score has no gradient with respect to the picture: found by trying, never guessed.

The score is computed again while each function of torch is watched. What takes a tensor with a
gradient and gives one without is a suspect: `detach`, what runs under `no_grad`, what gives
quantised or whole numbers. The suspects of one kind are put right, and only if the score then has a
gradient are they the cause.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

_DETACH = {Tensor.detach, torch.detach, Tensor.detach_, torch.detach_, Tensor.data.__get__}
_WORDS = {
    "off": "it is computed under {what}",
    "detached": "it is cut off with {what}",
    "quantised": "it is quantised ({what}), and quantised numbers have no gradient",
    "whole": "it is made into whole numbers or truth values ({what}), which have no gradient",
}
_ANYWHERE = object()
Layer = tuple[nn.Module, ...]  # a module and those that called it, the outermost first


def cause_of_constant(score: Callable[[Tensor], Tensor], image: Tensor) -> str:
    """Why the score of an image has no gradient, in words; "" if that could not be established.

    >>> cause_of_constant(lambda x: x.detach().sum(), torch.zeros(1, 3, 2, 2))
    'in the score it is cut off with detach'
    """
    if torch.is_inference_mode_enabled():
        return "it was asked for under torch.inference_mode()"
    try:
        if _Watch(()).mends(score, image):  # a score that is not the same each time
            return ""
        for count in (1, 2, 3):
            for kinds in combinations(_WORDS, count):
                watch = _Watch(kinds)
                if watch.mends(score, image):
                    return " and ".join(_told(kind, watch, score, image) for kind in kinds)
    except Exception:  # what a user's module does when it is run in another way: nothing is known
        pass
    return ""


def _told(kind: str, watch: _Watch, score: Callable, image: Tensor) -> str:
    places = watch.found[kind]
    if len(places) > 1 and watch.kinds == (kind,):  # most may do no harm
        alone = (p for p in places[:20] if _Watch((kind,), p[0]).mends(score, image))
        places = next(([place] for place in alone), places)
    layers = list(dict.fromkeys(layer for layer, _ in places))
    if kind == "off":  # it was switched off around them all
        layers = [_common(layers)]
    where = " and ".join(_place(layer, score) for layer in layers)
    return f"{where} {_WORDS[kind].format(what=places[0][1])}"


def _common(layers: Sequence[Layer]) -> Layer:
    shortest = min(layers, key=len)
    same = (n for n in range(len(shortest), 0, -1) if all(l[:n] == shortest[:n] for l in layers))
    return shortest[: next(same, 0)]


def _place(layers: Layer, score: Callable) -> str:
    if not layers:
        return "in the score"
    layer = layers[-1]
    module = getattr(getattr(score, "network", None), "module", nn.Module())
    names = {id(part): name for name, part in module.named_modules()}
    if id(layer) not in names:
        return f"in a {type(layer).__name__}"
    return f"in layer {names[id(layer)]!r}" if names[id(layer)] else "in the network's forward"


class _Watch(TorchFunctionMode):
    """Runs a score and puts right what cuts its gradient off, of the given kinds, in one layer.

    A tensor that should have a gradient gets 0 times one that it was made from added.
    """

    def __init__(self, kinds: Sequence[str], layer: object = _ANYWHERE) -> None:
        super().__init__()
        self.kinds, self.layer = tuple(kinds), layer
        self.found: dict[str, list[tuple[Layer, str]]] = {}  # {kind: its places}
        # {id of a tensor of whole or quantised numbers: (itself, 0 with a gradient, kind, place)}
        self.cut: dict[int, tuple[Tensor, Tensor, str, tuple]] = {}

    def mends(self, score: Callable[[Tensor], Tensor], image: Tensor) -> bool:
        """Whether the score now has a gradient."""
        with torch.enable_grad():
            leaf = image.detach().clone().requires_grad_(True)
            with self:
                value = score(leaf)
            if id(value) in self.cut:  # whole numbers to the end
                _, anchor, *how = self.cut[id(value)]
                value = anchor if self._mend(*how) else value
            if not value.requires_grad:
                return False
            return torch.autograd.grad(value.sum(), leaf, allow_unused=True)[0] is not None

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Run a function and, if it cuts the gradient off in a way looked for, mend its result."""
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") == "_set_grad_enabled":
            return func(*args, **kwargs)
        given = list(_tensors((args, kwargs)))
        live = next((tensor for tensor in given if tensor.requires_grad), None)
        if func in _DETACH and live is not None:
            place = (_layer(), resolve_name(func).partition(".__")[0].rpartition(".")[2])
            return args[0] if self._mend("detached", place) else func(*args, **kwargs)
        if torch.is_grad_enabled():
            result = func(*args, **kwargs)
        else:
            result = self._with_gradient(func, args, kwargs, live)
            if live is not None and not any(t.requires_grad for t in _tensors(result)):
                return result
        return self._attached(func, given, live, result)

    def _with_gradient(self, func: Callable, args: tuple, kwargs: dict, live: object) -> object:
        which = "torch.inference_mode()" if torch.is_inference_mode_enabled() else "torch.no_grad()"
        place = (_layer(), which)
        if "off" not in self.kinds or self.layer not in (_ANYWHERE, place[0]):
            return func(*args, **kwargs)
        with torch.inference_mode(False), torch.enable_grad():
            result = func(*args, **kwargs)
        if live is not None and any(tensor.requires_grad for tensor in _tensors(result)):
            self._mend("off", place)
        return result

    def _attached(self, func: Callable, given: list, live: Tensor | None, result: object) -> object:
        """The result, with a gradient where only its kind of numbers took it away.

        Whole and quantised numbers cannot have one: it is added when they are made into real ones.
        """
        name = resolve_name(func) or str(func)
        short = name.rpartition(".")[2]
        known = next((self.cut[id(t)] for t in given if id(t) in self.cut), None)
        if (live is None and known is None) or short.endswith("_like") or short.startswith("new_"):
            return result
        quantised = "quantized." in name  # its result claims a gradient, and has none
        for tensor in _tensors(result):
            if tensor.requires_grad and not quantised:
                continue
            _, anchor, kind, place = known or (None, None, "", None)
            if anchor is None:
                kind = "quantised" if tensor.is_quantized or quantised else "whole"
                anchor, place = _anchor(live), (_layer(), short)
            if tensor.is_quantized or not tensor.is_floating_point():
                self.cut[id(tensor)] = (tensor, anchor, kind, place)
            elif (known or kind == "quantised") and result is tensor and self._mend(kind, place):
                return tensor.detach() + anchor.to(tensor)
        return result

    def _mend(self, kind: str, place: tuple) -> bool:
        if kind not in self.kinds or self.layer not in (_ANYWHERE, place[0]):
            return False
        self.found.setdefault(kind, [])
        if place not in self.found[kind]:
            self.found[kind].append(place)
        return True


def _anchor(tensor: Tensor) -> Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        return (tensor * 0).sum()


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _tensors(part)


def _layer() -> Layer:
    """The modules whose methods are running."""
    frame, found = sys._getframe(2), []
    while frame is not None and frame.f_code is not _Watch.mends.__code__:
        own = frame.f_locals.get("self")
        if isinstance(own, nn.Module) and not any(own is other for other in found):
            found.append(own)
        frame = frame.f_back
    return tuple(reversed(found))
