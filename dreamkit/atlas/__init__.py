"""A picture for every channel of a network, made on one machine or many, and browsed as one page.

    atlas = dk.atlas(network, folder="atlas")          # the same function as dk.atlas.atlas
    atlas = dk.atlas.open("atlas")                     # later
    for done, total in dk.atlas.making(network, folder="atlas", workers=2): ...

A stopped atlas continues where it was: pictures that exist and are undamaged are skipped. The bytes
of the pictures do not depend on the number of workers, or on which other channels were asked for.
"""

from __future__ import annotations

import sys
import types

from .build import atlas, making
from .channels import PictureSettings, channel_pictures
from .folder import Atlas, open_atlas

__all__ = ["Atlas", "PictureSettings", "atlas", "channel_pictures", "making", "open_atlas"]


class _AtlasModule(types.ModuleType):
    """The class of this module: it makes the module callable and adds `open`.

    A global name `open` would shadow the builtin in here. Python looks up `__call__` on the type of
    an object, so a module can be called only if its class defines it.
    """

    __call__ = staticmethod(atlas)
    open = staticmethod(open_atlas)


sys.modules[__name__].__class__ = _AtlasModule
