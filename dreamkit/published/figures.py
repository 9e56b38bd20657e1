"""The figures of the 2015 Inceptionism post, remade: what was shown, what is known, what we guess.

The code and settings behind the post's class pictures were never published; only the DeepDream
notebook was. Each `Figure` says which parts are known and which are our guess.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ..checks.names import unknown
from ..inside.channels_by_depth import channel_picture
from ..networks.network import Network
from ..networks.zoo import DEFAULT_NETWORK, load_network
from ..pictures.files import check_target_folder, make_folder, write_whole
from ..pictures.image import save_image
from . import figure_pictures as pictures
from .class_pictures import PRIORS, class_picture, home_side
from .figure_pictures import Picture, busiest

__all__ = [
    "FIGURES",
    "PRIORS",
    "Figure",
    "Picture",
    "busiest",
    "channel_picture",
    "class_picture",
    "figure",
    "home_side",
    "names",
    "write",
]


@dataclass(frozen=True)
class Figure:
    """A figure of the post: what it showed, what is known of its making, what we guess.

    `network` names the network that shows it best; `make(network, seed)` yields our
    pictures one by one, so that they can be saved as they come.
    """

    name: str
    network: str
    shown: str
    known: str
    guess: str
    make: Callable[[Network, int], Iterator[Picture]]


def names() -> tuple[str, ...]:
    """The names of the figures, in the order of the post.

    >>> names()[0]
    'noise-to-banana'
    """
    return tuple(FIGURES)


def figure(name: str) -> Figure:
    """The figure of that name. Raises KeyError with the nearest names for an unknown one."""
    if name not in FIGURES:
        raise unknown("figure", name, FIGURES)
    return FIGURES[name]


def write(
    folder: str | os.PathLike[str],
    chosen: Sequence[str] = (),
    network: Network | None = None,
    seed: int = 0,
) -> Iterator[Path]:
    """Write figures as PNG files with `captions.md`, and yield each path once its file is complete.

    The captions are written again after the pictures of each figure, so that they are right if the
    writing is stopped between two figures.

    Args:
        folder: where to write; it is made if it does not exist.
        chosen: names of figures, by default all.
        network: used for all figures, in place of the one that shows each figure best.
        seed: of the noise and the random shifts.

    Raises KeyError for an unknown figure, ValueError if the folder cannot be made.
    """
    wanted, folder = [figure(name) for name in chosen or names()], Path(folder)
    make_folder(folder)
    check_target_folder(folder)
    return _write(folder, wanted, network, seed)


def _write(
    folder: Path, wanted: list[Figure], network: Network | None, seed: int
) -> Iterator[Path]:
    lines, loaded = ["# The figures of the Inceptionism post, remade", ""], {}
    for item in wanted:
        if network is None and item.network not in loaded:
            loaded[item.network] = load_network(item.network)
        net = network or loaded[item.network]
        lines += [f"## {item.name}", "", f"- Shown: {item.shown}", f"- Known: {item.known}"]
        lines += [f"- Our guess: {item.guess}", f"- Network: {net.name}", ""]
        for index, made in enumerate(item.make(net, seed), 1):
            path = folder / f"{item.name}-{index:02d}-{made.name}.png"
            save_image(made.image, path, _passport(item, made, net, seed))
            parameters = json.dumps(made.parameters, sort_keys=True)
            lines += [f"![{made.caption}]({path.name})", ""]
            lines += [f"*{made.caption}* · `{parameters}`", ""]
            yield path
        text = "\n".join(lines).encode()
        write_whole(folder / "captions.md", lambda file, text=text: file.write(text))
        yield folder / "captions.md"


def _passport(item: Figure, made: Picture, network: Network, seed: int) -> dict[str, object]:
    return {
        "dreamkit": version("dreamkit"),
        "made": "figure",
        "figure": item.name,
        "picture": made.name,
        "network": network.name,
        "sha256": network.digest,
        "seed": seed,
        "parameters": made.parameters,
    }


# `known` holds what can be read in the opening of the post or in the published notebook;
# "as quoted" marks what we know only from quotations by others, "from memory" what nobody here
# could confirm.
_FIGURES = (
    Figure(
        "noise-to-banana",
        "efficientnet_lite0",
        "Noise beside a picture full of bananas (as quoted).",
        "The post's own words: a class is brought out of noise under the prior that neighbouring "
        "pixels be correlated.",
        "Which prior, and every number. Three are set side by side: none, blur, and a spectrum "
        "with decorrelated colours.",
        pictures.noise_to_banana,
    ),
    Figure(
        "classes",
        "efficientnet_lite0",
        "Eight class pictures: hartebeest, measuring cup, ant, starfish, anemone fish, banana, "
        "parachute, screw (from memory: nobody here could confirm the labels).",
        "Nothing: the code and settings of the class pictures were never published.",
        "All of it: a spectrum, random crops and fading noise came years later. Another network "
        "than ImageNet's shows those of the eight that it knows, and others of its own.",
        pictures.classes,
    ),
    Figure(
        "dumbbells",
        "efficientnet_lite0",
        "Dumbbells with arms attached: the network never saw one without (as quoted).",
        "Nothing of the settings.",
        "All settings; four starts are shown.",
        pictures.dumbbells,
    ),
    Figure(
        "strokes",
        DEFAULT_NETWORK,
        "An animal photo turned to strokes and ornaments by a low layer (as quoted).",
        "The published notebook does the like with inception_3b/5x5_reduce.",
        "That these were its layers. Ours are those of the styles strokes and patchwork; a network "
        "without styles takes layers at 15 and 40 percent of its depth.",
        pictures.strokes,
    ),
    Figure(
        "painting",
        DEFAULT_NETWORK,
        "A painting ornamented by a low layer (as quoted).",
        "Nothing of the settings.",
        "The picture (a painting in dots, drawn by us), and the channels: the styles spirals and "
        "ornament.",
        pictures.painting,
    ),
    Figure(
        "clouds",
        DEFAULT_NETWORK,
        "A sky that fills with animals (as quoted).",
        "The published notebook dreams inception_4c/output on a photo of a sky.",
        "That our layers, those of the style animals, answer to it.",
        pictures.clouds,
    ),
    Figure(
        "creatures",
        DEFAULT_NETWORK,
        "Crops of that sky, with names for the hybrids in it (as quoted).",
        "Nothing but the names.",
        "Our names are what the network itself calls the crops.",
        pictures.creatures,
    ),
    Figure(
        "photo-decides",
        DEFAULT_NETWORK,
        "A horizon, trees and leaves; the towers, buildings and birds they become (as quoted).",
        "The caption: the original picture influences what forms (as quoted).",
        "The layers (the style animals) and the scenes, drawn by us. Towers would need a network "
        "trained on places.",
        pictures.photo_decides,
    ),
    Figure(
        "landscapes",
        DEFAULT_NETWORK,
        "Pictures made from noise alone, by a network trained on places (as quoted).",
        "The published notebook holds the loop: dream, enlarge by 5 percent, dream again.",
        "The channels (the style buildings) and the number of turns. Our network was trained on "
        "things; only some channels of it see buildings.",
        pictures.landscapes,
    ),
)
#: The figures of the post by name.
FIGURES = {item.name: item for item in _FIGURES}
