"""The figures of the 2015 Inceptionism post, remade: what was shown, what is known of how, and what is our guess.

The code and settings behind the post's class pictures were never published; only the DeepDream notebook was. Each
Figure says what it stands on. `make` gives its pictures one by one, so that they can be saved as they come; `write`
saves them with their captions, and each with its recipe inside.
"""

from __future__ import annotations

import json
import numbers
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from ..ascent.film import zooming
from ..ascent.fourier import growing
from ..ascent.gradients import Score, gradient
from ..ascent.loop import dream
from ..ascent.settings import Settings
from ..ascent.steps import ascend, normalize, smooth
from ..checks.names import unknown
from ..networks.features import capture
from ..networks.network import Network
from ..networks.suggestions import layer_at
from ..networks.zoo import load_network
from ..objectives.kinds import class_index
from ..objectives.objective import layer, logit
from ..objectives.scorer import scorer
from ..pictures.files import check_target_folder, make_folder, write_whole
from ..pictures.image import Image, noise, save_image
from ..pictures.samples import sample
from ..pictures.scales import resize
from ..pictures.scenes import forest, horizon, leaves

CLASSES = (
    "hartebeest",
    "measuring cup",
    "ant",
    "starfish",
    "anemone fish",
    "banana",
    "parachute",
    "screw",
)  # the post's eight tiles


@dataclass(frozen=True)
class Picture:
    """One picture of a figure, with its caption and the recipe (plain data) that made it."""

    name: str
    image: Image
    caption: str
    recipe: dict[str, object]


@dataclass(frozen=True)
class Figure:
    """A figure of the post: what it showed, what is known of how it was made, what we guess, and the pictures of ours."""

    name: str
    network: str  # the embedded network that shows it best
    shown: str
    known: str
    guess: str
    make: Callable[[Network, int], Iterator[Picture]]  # (network, seed)


def names() -> tuple[str, ...]:
    """The names of the figures, in the order of the post.

    >>> names()[0]
    'noise-to-banana'
    """
    return tuple(FIGURES)


def figure(name: str) -> Figure:
    """The figure of that name. KeyError with the nearest names."""
    if name not in FIGURES:
        raise unknown("figure", name, FIGURES)
    return FIGURES[name]


def write(
    folder: str | os.PathLike[str],
    chosen: Sequence[str] = (),
    network: Network | None = None,
    seed: int = 0,
) -> Iterator[Path]:
    """Writes the chosen figures (by default all) as PNG files into `folder`, with `captions.md`; yields each path once it is whole.

    The captions are written anew, and yielded, after the pictures of each figure: stopped half-way, they tell of what is finished.
    `network` in place of the one that shows a figure best. KeyError for an unknown figure, ValueError for a folder that
    does not exist and cannot be made.
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
        lines += [
            f"## {item.name}",
            "",
            f"- Shown: {item.shown}",
            f"- Known: {item.known}",
            f"- Our guess: {item.guess}",
            f"- Network: {net.name}",
            "",
        ]
        for index, made in enumerate(item.make(net, seed), 1):
            path = folder / f"{item.name}-{index:02d}-{made.name}.png"
            passport = {
                "dreamkit": version("dreamkit"),
                "made": "figure",
                "figure": item.name,
                "picture": made.name,
                "network": net.name,
                "sha256": net.digest,
                "seed": seed,
                "recipe": made.recipe,
            }
            save_image(made.image, path, passport)
            lines += [
                f"![{made.caption}]({path.name})",
                "",
                f"*{made.caption}* · `{json.dumps(made.recipe, sort_keys=True)}`",
                "",
            ]
            yield path
        text = "\n".join(lines).encode()
        write_whole(folder / "captions.md", lambda file, text=text: file.write(text))
        yield folder / "captions.md"


# --- class pictures


def class_picture(
    network: Network,
    label: int | str,
    prior: str = "fourier",
    steps: int | None = None,
    seed: int = 0,
    side: int | None = None,
) -> Image:
    """What the network thinks a class looks like, from noise: a picture [1, 3, S, S] that raises one logit under a prior.

    `prior`: "fourier" (held as a spectrum, seen from random views), "blur" (blurred after each step and grown in
    stages, after the public recipe of Øygard's deepdraw), or "none" (plain ascent on pixels: the control). S is `side`
    (with "blur", which grows by 1.2 twice, a few pixels less), by default 1.5 times what the network was trained on: 96
    for the embedded ones. KeyError for a label it does not have; ValueError for another prior, or a side below 16.
    """
    if prior not in PRIORS:
        raise ValueError(f"prior must be one of {', '.join(PRIORS)}; given: {prior!r}")
    side = home_side(network) * 3 // 2 if side is None else side
    if isinstance(side, bool) or not isinstance(side, numbers.Integral) or side < 16:
        raise ValueError(
            f"side is that of the picture in pixels, a whole number of at least 16; given: {side!r}"
        )
    score = scorer(
        network, logit(class_index(network.labels, label) if isinstance(label, str) else label)
    )
    return PRIORS[prior](score, side, steps, seed)


def home_side(network: Network) -> int:
    """The side in pixels of the pictures that the network was trained on: 64 for the embedded ones, 224 for ImageNet's."""
    return 64 if network.name.startswith("dreamnet") else 224


def _fourier(score: Score, side: int, steps: int | None, seed: int) -> Image:
    for picture in growing(score, side, side, 150 if steps is None else steps, seed=seed):
        pass
    return picture


def _blur(score: Score, side: int, steps: int | None, seed: int) -> Image:
    """Ascent by mean |g|, then a blur that weakens from step to step; two enlargements by 1.2, seen through random crops.

    The published numbers (steps of 11 and 6 grey levels, blurs of 2.5 to 0.78 pixels) belong to 224 pixels; blurs
    shrink with the side.
    """
    side = round(side / 1.5)
    generator, small = torch.Generator().manual_seed(seed), side / 224
    x = (200 + 8 * torch.randn(1, 3, side, side, generator=generator)).div(255).clamp(0, 1)
    total = 190 if steps is None else steps
    stages = (
        (1.0, total, (2.5, 0.78), 11),
        (1.2, total * 15 // 19, (0.936, 0.78), 6),
        (1.2, total * 15 // 19, (0.936, 0.44), 4),
    )
    for growth, count, (first, last), levels in stages:
        x = resize(x, (round(x.shape[-2] * growth), round(x.shape[-1] * growth)), "bilinear")
        for step in range(count):
            top, left = (
                int(torch.randint(0, free + 1, (), generator=generator))
                for free in (x.shape[-2] - side, x.shape[-1] - side)
            )
            window = (..., slice(top, top + side), slice(left, left + side))
            x = x.clone()
            x[window] = ascend(
                x[window], normalize(gradient(score, x[window]), by="mean_abs"), levels / 255
            )
            sigma = small * (first + (last - first) * step / max(count - 1, 1))
            x = smooth(x, sigma).clamp(0, 1)
    return x


def _plain(score: Score, side: int, steps: int | None, seed: int) -> Image:
    x = noise(side, side, seed, contrast=0.1)
    for _ in range(150 if steps is None else steps):
        x = ascend(x, normalize(gradient(score, x), by="mean_abs"), 2 / 255)
    return x


PRIORS = {"fourier": _fourier, "blur": _blur, "none": _plain}


def _class(
    network: Network, label: str, seed: int, prior: str = "fourier", name: str = ""
) -> Picture:
    image = class_picture(network, label, prior, seed=seed)
    recipe = {"kind": "class picture", "label": label, "prior": prior, "seed": seed}
    return Picture(
        name or label.replace(" ", "-"), image, f"{label}, from noise ({prior} prior)", recipe
    )


def _banana(network: Network, seed: int) -> Iterator[Picture]:
    start = noise(home_side(network) * 3 // 2, home_side(network) * 3 // 2, seed, contrast=0.5)
    yield Picture("noise", start, "noise", {"kind": "noise", "seed": seed, "contrast": 0.5})
    for prior in ("none", "blur", "fourier"):
        yield _class(network, "banana", seed, prior, f"banana-{prior}")


def _classes(network: Network, seed: int) -> Iterator[Picture]:
    for label in _known(network, CLASSES):
        yield _class(network, label, seed)


def _dumbbells(network: Network, seed: int) -> Iterator[Picture]:
    for start in range(seed, seed + 4):
        yield _class(network, "dumbbell", start, name=f"dumbbell-{start}")


def _known(network: Network, wanted: tuple[str, ...]) -> list[str]:
    """Those of the wanted labels that the network has; its first labels of other things where it has too few to show."""
    found = [label for label in wanted if label in network.labels]
    others = (
        "goldfish",
        "king penguin",
        "golden retriever",
        "school bus",
        "monarch",
        "lighthouse",
        "mushroom",
    )
    return found + [
        label for label in others if label in network.labels and len(network.labels) < 1000
    ]


# --- dreams on pictures


def _dreamt(
    network: Network, image: Image, at: float | str, settings: Settings, name: str, caption: str
) -> Picture:
    chosen = layer_at(network, at) if isinstance(at, float) else at
    result = dream(scorer(network, layer(chosen)), image, settings)
    return Picture(
        name,
        result,
        f"{caption}: {chosen}",
        {"kind": "dream", "layer": chosen, "settings": asdict(settings)},
    )


def _photo(name: str, image: Image, what: str) -> Picture:
    return Picture(name, image, what, {"kind": "photo", "name": name})


def _strokes(network: Network, seed: int) -> Iterator[Picture]:
    photo = sample("chelsea", 384)
    yield _photo("photo", photo, "the photo")
    for depth, name in ((0.15, "strokes"), (0.4, "ornaments")):
        yield _dreamt(
            network,
            photo,
            depth,
            Settings(seed=seed, step_size=0.006, octaves=3),
            name,
            "a low layer turned up",
        )


def _painting(network: Network, seed: int) -> Iterator[Picture]:
    """No painting comes with the package: a photo without its finest detail stands in for one."""
    photo = smooth(sample("china", 384), 1.5)
    yield _photo("picture", photo, "a photo softened like a painting")
    for depth, name in ((0.45, "scales"), (0.57, "beads")):
        yield _dreamt(
            network,
            photo,
            depth,
            Settings(seed=seed, step_size=0.008, octaves=3),
            name,
            "the same, ornamented",
        )


def _clouds(network: Network, seed: int) -> Iterator[Picture]:
    sky = sample("clouds", 512)
    yield _photo("sky", sky, "a sky drawn from fractal noise")
    yield _dreamt(
        network,
        sky,
        0.86,
        Settings(seed=seed, steps=14, octaves=5),
        "creatures",
        "what the network sees in the clouds",
    )


def _creatures(network: Network, seed: int) -> Iterator[Picture]:
    """The four busiest places of the dreamt sky, enlarged, each named by what the network calls it."""
    sky = list(_clouds(network, seed))[-1].image
    for index, (crop, label) in enumerate(busiest(network, sky, 4), 1):
        caption = f"“The {label}-cloud”: a crop that the network calls {label}"
        yield Picture(f"creature-{index}", crop, caption, {"kind": "crop", "label": label})


def busiest(network: Network, image: Image, count: int, side: int = 96) -> list[tuple[Image, str]]:
    """The `count` squares of the picture, apart from each other, in which some class's logit is greatest: (square, label).

    Logits, not probabilities: of an empty square a network may be sure for want of anything else, but its logits are low.
    """
    found = []
    for top in range(0, image.shape[-2] - side + 1, side // 4):
        for left in range(0, image.shape[-1] - side + 1, side // 4):
            crop = image[..., top : top + side, left : left + side]
            logit, index = capture(network, resize(crop, (home_side(network),) * 2), "")[""][0].max(
                0
            )
            found.append(
                (
                    float(logit),
                    top,
                    left,
                    network.labels[int(index)] if network.labels else f"class {int(index)}",
                )
            )
    chosen: list[tuple[float, int, int, str]] = []
    for entry in sorted(found, reverse=True):
        apart = all(
            abs(entry[1] - c[1]) >= side * 3 // 4 or abs(entry[2] - c[2]) >= side * 3 // 4
            for c in chosen
        )
        if apart and entry[3] not in (c[3] for c in chosen):
            chosen.append(entry)
    return [(image[..., t : t + side, le : le + side], label) for _, t, le, label in chosen[:count]]


def _decides(network: Network, seed: int) -> Iterator[Picture]:
    for name, draw in (("horizon", horizon), ("trees", forest), ("leaves", leaves)):
        scene = draw(240, 360, seed)
        yield _photo(name, scene, f"{name}, drawn by the package")
        yield _dreamt(network, scene, 0.86, Settings(seed=seed), f"{name}-dreamt", f"{name} become")


def _landscapes(network: Network, seed: int, frames: int = 16) -> Iterator[Picture]:
    """The endless zoom from noise: dream, enlarge by 1 / 0.95 about the centre, dream again (the notebook's last loop)."""
    start, settings = (
        noise(192, 288, seed, contrast=0.1),
        Settings(seed=seed, steps=6, octaves=4, step_size=0.01),
    )
    chosen = layer_at(network, 0.95)  # so near the classes there is a ground, and something on it
    recipe = {
        "kind": "zoom",
        "layer": chosen,
        "settings": asdict(settings),
        "zoom": 1 / 0.95,
    }  # the enlargement of a frame
    yield Picture("frame-00", start, "noise", recipe | {"frames": 0})
    film = zooming(
        scorer(network, layer(chosen)), start, settings, frames=frames, fps=1, zoom=1 / 0.95
    )
    for index, frame in enumerate(film, 1):
        if index in (1, frames // 2, frames):
            caption = (
                f"after {index} dreams, each on the one before, enlarged"
                if index > 1
                else "after one dream"
            )
            yield Picture(f"frame-{index:02d}", frame, caption, recipe | {"frames": index})


# "known" holds what can be read in the post's opening or in the published notebook; "as quoted" marks what only others quote.
FIGURES = {figure.name: figure for figure in (
    Figure("noise-to-banana", "dreamnet-robust", "Noise beside a picture full of bananas (as quoted).",
           "The post's own words: a class is brought out of noise under the prior that neighbouring pixels be correlated.",
           "Which prior, and every number. Three are set side by side: none, blur, and a spectrum with decorrelated colours.", _banana),
    Figure("classes", "dreamnet-robust", "Eight class pictures, ant, starfish and banana among them (as quoted).",
           "Nothing: the code and settings of the class pictures were never published.",
           "All of it. Classes that this network knows are shown, and others of its own.", _classes),
    Figure("dumbbells", "dreamnet-robust", "Dumbbells with arms attached: the network never saw one without (as quoted).",
           "Nothing of the settings.", "All settings; four starts are shown.", _dumbbells),
    Figure("strokes", "dreamnet", "An animal photo turned to strokes and ornaments by a low layer (as quoted).",
           "The published notebook does the like with inception_3b/5x5_reduce.",
           "That these were its layers: ours lie at 15 and 40 percent of the depth.", _strokes),
    Figure("painting", "dreamnet", "A painting ornamented by a low layer (as quoted).", "Nothing of the settings.",
           "The picture (a photo, softened) and the layers.", _painting),
    Figure("clouds", "dreamnet", "A sky that fills with animals (as quoted).",
           "The published notebook dreams inception_4c/output on a photo of a sky.",
           "That our layer, at 86 percent of the depth, answers to it.", _clouds),
    Figure("creatures", "dreamnet", "Crops of that sky, with names for the hybrids in it (as quoted).", "Nothing but the names.",
           "Our names are what the network itself calls the crops.", _creatures),
    Figure("photo-decides", "dreamnet", "A horizon, trees and leaves; the towers, buildings and birds they become (as quoted).",
           "The caption: the original picture influences what forms (as quoted).",
           "The layer and the scenes, drawn by us. Towers would need a network trained on places.", _decides),
    Figure("landscapes", "dreamnet-robust", "Pictures made from noise alone, by a network trained on places (as quoted).",
           "The published notebook holds the loop: dream, enlarge by 5 percent, dream again.",
           "Layer and number of turns. Our network was trained on things, and so dreams of things.", _landscapes),
)}  # fmt: skip
