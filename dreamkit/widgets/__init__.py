"""Panels for notebooks: `explore` a network's layers, `cover` a photo, dream in the `studio`, `compare` settings, `slide` over one,
browse an `atlas`.

    dk.widgets.slide("smoothing σ (pixels)", [0.0, 0.5, 1.0, 2.0], make)     # make(value) -> picture, or (picture, text)

Each is shown by being the last value of a cell, works from the keyboard, and says in text what it shows. Beside the
live widget a panel puts itself into the notebook as a plain page, so that a saved lesson shows it without a kernel.
"""

from .browsing import AtlasPanel, atlas
from .explorer import Explorer, View, explore, liked, view
from .live import Studio, studio
from .occlusion import Cover, Covered, cover, covered_view
from .panel import Panel
from .sliding import Slide, compare, slide

__all__ = [
    "AtlasPanel",
    "Cover",
    "Covered",
    "Explorer",
    "Panel",
    "Slide",
    "Studio",
    "View",
    "atlas",
    "compare",
    "cover",
    "covered_view",
    "explore",
    "liked",
    "slide",
    "studio",
    "view",
]
