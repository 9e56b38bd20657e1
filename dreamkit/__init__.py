"""dreamkit: see what a convolutional network sees.

The map, floor by floor (imports point down only; the table with reasons is in dreamkit/README.md):

    image       pictures in and out of files; sample photos; noise
    scales      sizes: resize, octaves, Laplacian pyramids
    steps       the verbs on a gradient: gradient, normalize, smooth, roll, ascend
    network     networks: the embedded two, torchvision's by name, your own
    features    a network's layers, and what they see in a picture
    receptive   which pixels a cell of a feature map sees
    objectives  what to want of a picture; scorer joins it to a network
    dream       Settings, dreaming, dream: the algorithm, which knows no network
    ladder      one photo dreamt with one more idea on each rung
    patches     the patches of pictures that excite a channel most

Reached as modules and loaded when first touched: scenes, show, widgets, exercises, recipes, figures, film, atlas, fourier, onnx, inside.
"""

from __future__ import annotations

import importlib

from . import _early as _early  # before all that takes seconds to load
from .dream import Settings, dream, dreaming
from .features import capture, classify, layer_aliases, layer_at, layer_names, layer_table, suggested_layers
from .image import Image, load_image, noise, read_passport, sample, samples, save_image
from .ladder import ladder
from .network import Network, as_network, cached_networks, course_network, load_network, randomized
from .objectives import Objective, channel, guide, layer, logit, neuron, scorer
from .scales import laplacian_merge, laplacian_split, octaves, resize
from .steps import Score, ascend, gradient, normalize, roll, smooth, smooth_laplacian, tiled_gradient

__version__ = "0.1.0"

_LAZY = ("scenes", "show", "widgets", "exercises", "recipes", "figures", "film", "atlas", "fourier", "onnx", "inside")
_LAZY_FUNCTIONS = {"from_timm": "_timm", "orientation_selectivity": "orientation", "top_patches": "patches"}       # few need them

__all__ = [
    "Image", "Network", "Objective", "Score", "Settings",
    "as_network", "ascend", "cached_networks", "capture", "channel", "classify", "course_network", "dream", "dreaming", "from_timm",
    "gradient", "guide", "ladder", "laplacian_merge", "laplacian_split", "layer", "layer_aliases", "layer_at", "layer_names",
    "layer_table", "load_image", "load_network", "logit", "neuron", "noise", "normalize", "octaves", "orientation_selectivity",
    "randomized", "read_passport", "resize", "roll", "sample", "samples", "save_image", "scorer", "smooth", "smooth_laplacian",
    "suggested_layers", "tiled_gradient", "top_patches",
    *_LAZY,
]  # fmt: skip


def __getattr__(name: str):
    if name in _LAZY:
        return importlib.import_module(f".{name}", __name__)
    if name in _LAZY_FUNCTIONS:
        return getattr(importlib.import_module(f".{_LAZY_FUNCTIONS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
