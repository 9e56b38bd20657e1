"""Sample photos by name, from the installed packages scikit-learn and scikit-image."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ..checks.names import unknown
from .image import Image, check_side, fit, load_image
from .scenes import clouds

# name: (package, file inside it, credit and licence)
_SAMPLES = {
    "china": ("sklearn", "datasets/images/china.jpg", "danielbuechele, CC BY 2.0 (scikit-learn)"),
    "flower": ("sklearn", "datasets/images/flower.jpg", "vultilion, CC BY 2.0 (scikit-learn)"),
    "chelsea": ("skimage", "data/chelsea.png", "Stefan van der Walt, CC0 (scikit-image)"),
    "astronaut": ("skimage", "data/astronaut.png", "NASA, public domain (scikit-image)"),
    "coffee": ("skimage", "data/coffee.png", "Rachel Michetti, CC0 (scikit-image)"),
    "rocket": ("skimage", "data/rocket.jpg", "SpaceX, CC0 (scikit-image)"),
    "hubble": ("skimage", "data/hubble_deep_field.jpg", "NASA, public domain (scikit-image)"),
    "motorcycle": (
        "skimage",
        "data/motorcycle_left.png",
        "Middlebury stereo data of 2014, CC0 (scikit-image)",
    ),
    "brick": ("skimage", "data/brick.png", "CC0Textures, CC0 (scikit-image)"),
    "grass": ("skimage", "data/grass.png", "linolafett, CC0 (scikit-image)"),
    "gravel": ("skimage", "data/gravel.png", "CC0Textures, CC0 (scikit-image)"),
    "clouds": ("dreamkit", "", "drawn by dreamkit from fractal noise, CC0"),
}


def samples() -> tuple[str, ...]:
    """The names of the sample photos.

    >>> "china" in samples()
    True
    """
    return tuple(_SAMPLES)


def sample_credit(name: str) -> str:
    """Who made the sample photo, and its licence. KeyError for an unknown name."""
    return _known(name)[2]


def sample(name: str = "china", side: int | None = None) -> Image:
    """A sample photo [1, 3, H, W] by name; `side` is its longest side in pixels.

    scikit-learn brings china by danielbuechele and flower by vultilion (both CC BY 2.0);
    scikit-image brings chelsea the cat, coffee, rocket, motorcycle, the textures brick, grass and
    gravel (all CC0), astronaut and hubble (NASA, public domain); dreamkit draws clouds, a sky.
    KeyError for an unknown name, and if the package of the photo is not installed.

    >>> sample("clouds", side=64).shape
    torch.Size([1, 3, 43, 64])
    """
    package, inner, _ = _known(name)
    check_side(side)
    if name == "clouds":
        picture = clouds()
        return picture if side is None else fit(picture, side)
    found = importlib.util.find_spec(package)  # does not import the package, which is large
    if found is None or not found.submodule_search_locations:
        raise KeyError(f"sample {name!r} comes with the package {package}, which is not installed")
    return load_image(Path(found.submodule_search_locations[0]) / inner, side)


def _known(name: str) -> tuple[str, str, str]:
    if name not in _SAMPLES:
        raise unknown("sample", name, _SAMPLES)
    return _SAMPLES[name]
