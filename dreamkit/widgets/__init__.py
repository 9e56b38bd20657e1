"""Panels for notebooks, with sliders: look into a network, cover a photo, dream, compare, browse.

    dk.widgets.slide("smoothing σ (pixels)", [0.0, 0.5, 1.0], make)   # make(value) -> picture

`explore` shows a network's layers, `look` what a layer sees at a place of a photo, `cover` covers a
part of the photo, `studio` dreams live, `compare` shows two dreams, `slide` shows anything that
depends on one parameter, `atlas` browses an atlas.

A panel is shown when it is the last value of a cell. It works from the keyboard, and says in text
what it shows. Beside the live widget it puts itself into the notebook as a plain page, so that a
saved lesson shows it without a kernel.
"""

from .browsing import AtlasPanel, atlas
from .channel_view import View, view
from .comparing import compare
from .explorer import Explorer, explore
from .likes import liked
from .live import Studio, studio
from .looking import Look, Looked, look, looked
from .occlusion import Cover, Covered, cover, covered_view
from .panel import Panel
from .sliding import Slide, slide

__all__ = [
    "AtlasPanel",
    "Cover",
    "Covered",
    "Explorer",
    "Look",
    "Looked",
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
    "look",
    "looked",
    "slide",
    "studio",
    "view",
]
