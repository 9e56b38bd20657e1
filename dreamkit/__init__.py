"""dreamkit: see what a convolutional network sees.

The rooms, from the top floor down. Imports point down only (dreamkit/README.md has the table):

    cli         the command line
    widgets     sliders and live panels for notebooks
    page        DeepDream as static files that dream in the browser
    exercises   the lessons' self-checking exercises
    training    how the embedded networks were trained
    published   the four published programs and the figures of the 2015 post
    inside      looking inside a network: patches, attribution, occlusion, inversion
    atlas       a picture for every channel of a network
    onnx        networks to and from ONNX files
    objectives  what a picture should excite; `scorer` joins an objective to a network
    ascent      gradient ascent on a picture; knows no network
    networks    networks, their layers and features; knows no dream
    pictures    pictures in and out of files; sizes; synthetic scenes
    checks      checks of what is given

Names are loaded when they are first used, so importing dreamkit is light.
"""

from __future__ import annotations

import importlib

from .waiting import spin_briefly

spin_briefly()  # before PyTorch is loaded

__version__ = "0.1.0"

# module: the public names that it defines
_NAMES = {
    "ascent.loop": ("dream", "dreaming"),
    "ascent.settings": ("Settings",),
    "ascent.gradients": ("Score", "gradient", "tiled_gradient"),
    "ascent.steps": (
        "ascend",
        "normalize",
        "roll",
        "scale_chroma",
        "smooth",
        "smooth_laplacian",
    ),
    "inside.orientation": ("orientation_selectivity",),
    "inside.patches": ("top_patches",),
    "networks.features": ("capture", "classify"),
    "networks.layers": ("layer_aliases", "layer_info", "layer_names", "layer_table"),
    "networks.network": ("Network", "as_network", "randomized"),
    "networks.suggestions": ("layer_at", "suggested_layers"),
    "networks.timm": ("from_timm",),
    "networks.zoo": ("cached_networks", "course_network", "load_network"),
    "objectives.objective": (
        "Objective",
        "caricature",
        "channel",
        "direction",
        "diversity",
        "guide",
        "layer",
        "logit",
        "neuron",
        "penalty",
    ),
    "objectives.scorer": ("scorer",),
    "objectives.styles": ("Style", "settings_for", "styles"),
    "pictures.bank": ("collection",),
    "pictures.frequencies": ("fine_share", "spectrum"),
    "pictures.image": (
        "Image",
        "load_image",
        "noise",
        "read_passport",
        "save_image",
    ),
    "pictures.samples": ("sample", "samples"),
    "pictures.scales": ("laplacian_merge", "laplacian_split", "octaves", "resize"),
    "published.ladder": ("ladder",),
}
# public modules: where each lies
_MODULES = {
    "atlas": "atlas",
    "exercises": "exercises",
    "figures": "published.figures",
    "film": "ascent.film",
    "fourier": "ascent.fourier",
    "inside": "inside",
    "maco": "ascent.maco",
    "onnx": "onnx",
    "recipes": "published.recipes",
    "scenes": "pictures.scenes",
    "show": "show",
    "widgets": "widgets",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [*sorted(_HOME), *sorted(_MODULES)]


def __getattr__(name: str):
    if name in _MODULES:
        found = importlib.import_module(f".{_MODULES[name]}", __name__)
    elif name in _HOME:
        found = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
