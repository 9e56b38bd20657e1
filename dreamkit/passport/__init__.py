"""Passports: how a picture was made, as plain data that travels inside its file, and its replay.

A passport is data, never code: it is read field by field, each size is bounded, an objective is
rebuilt from the registry of its kinds, and no path in it is ever opened. What the picture was made
from (a photo, a guide picture, a weights file of the user) is known by its sha256 only, and the
user must give it again.
"""

from ..objectives.picture_info import PictureInfo, pixels_digest
from ..pictures.image import MAX_PIXELS
from .entries import check_objective, entry, guide_pictures, objective
from .reading import MADE, Plan, make, picture_spec, read, recipe_objective, recipe_spec
from .remaking import following, full_size, replaying
from .wording import command, expression, python

__all__ = [
    "MADE",
    "MAX_PIXELS",
    "PictureInfo",
    "Plan",
    "check_objective",
    "command",
    "entry",
    "expression",
    "following",
    "full_size",
    "guide_pictures",
    "make",
    "objective",
    "picture_spec",
    "pixels_digest",
    "python",
    "read",
    "recipe_objective",
    "recipe_spec",
    "replaying",
]
