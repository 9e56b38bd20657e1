"""The pictures of each figure of the 2015 post, made one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from ..ascent.film import zooming
from ..ascent.loop import dream
from ..ascent.settings import Settings
from ..networks.features import capture
from ..networks.network import Network
from ..networks.suggestions import layer_at
from ..objectives.objective import Objective, layer
from ..objectives.scorer import scorer
from ..objectives.styles import settings_for, styles_of
from ..pictures.image import Image, noise
from ..pictures.samples import sample
from ..pictures.scales import resize
from ..pictures.scenes import evening, forest, horizon, leaves, riverside
from .class_pictures import class_picture, home_side, usual_side

POST_CLASSES = (  # the post's eight tiles
    "hartebeest",
    "measuring cup",
    "ant",
    "starfish",
    "anemone fish",
    "banana",
    "parachute",
    "screw",
)
_OTHER_CLASSES = (  # of the embedded networks, which know few of those eight
    "goldfish",
    "king penguin",
    "golden retriever",
    "school bus",
    "monarch",
    "lighthouse",
    "mushroom",
)


@dataclass(frozen=True)
class Picture:
    """One picture of a figure, with its caption and the parameters (plain data) that made it."""

    name: str
    image: Image
    caption: str
    parameters: dict[str, object]


def _class(
    network: Network, label: str, seed: int, prior: str = "fourier", name: str = ""
) -> Picture:
    return Picture(
        name or label.replace(" ", "-"),
        class_picture(network, label, prior, seed=seed),
        f"{label}, from noise ({prior} prior)",
        {"kind": "class picture", "label": label, "prior": prior, "seed": seed},
    )


def noise_to_banana(network: Network, seed: int) -> Iterator[Picture]:
    """Noise, and a banana grown from noise under each of three priors."""
    side = usual_side(network)
    start = noise(side, side, seed, contrast=0.5)
    yield Picture("noise", start, "noise", {"kind": "noise", "seed": seed, "contrast": 0.5})
    for prior in ("none", "blur", "fourier"):
        yield _class(network, "banana", seed, prior, f"banana-{prior}")


def classes(network: Network, seed: int) -> Iterator[Picture]:
    """The classes of the post that the network knows; a small network adds others of its own."""
    wanted = POST_CLASSES + (_OTHER_CLASSES if len(network.labels) < 1000 else ())
    for label in wanted:
        if label in network.labels:
            yield _class(network, label, seed)


def dumbbells(network: Network, seed: int) -> Iterator[Picture]:
    """The class dumbbell from four starts."""
    for start in range(seed, seed + 4):
        yield _class(network, "dumbbell", start, name=f"dumbbell-{start}")


def _dreamt(
    network: Network, image: Image, style: str, depth: float, seed: int, name: str, caption: str
) -> Picture:
    """The dream of a style if the network has it, else of the layer at that depth."""
    objective, settings = _chosen(network, style, depth)
    settings = replace(settings, seed=seed)
    what = f"the style {style}" if style in styles_of(network) else objective.layers[0]
    return Picture(
        name,
        dream(scorer(network, objective), image, settings),
        f"{caption}: {what}",
        {"kind": "dream", "objective": objective.name, "settings": asdict(settings)},
    )


def _chosen(network: Network, style: str, depth: float) -> tuple[Objective, Settings]:
    if found := styles_of(network).get(style):
        return found.objective, found.settings
    name = layer_at(network, depth)
    return layer(name), settings_for(network, name)


def _photo(name: str, image: Image, caption: str) -> Picture:
    return Picture(name, image, caption, {"kind": "photo", "name": name})


def strokes(network: Network, seed: int) -> Iterator[Picture]:
    """A photo, and its dreams by two low layers."""
    photo = sample("chelsea", 448)
    yield _photo("photo", photo, "the photo")
    for style, depth, name in (("strokes", 0.15, "strokes"), ("patchwork", 0.4, "ornaments")):
        yield _dreamt(network, photo, style, depth, seed, name, "a low layer turned up")


def painting(network: Network, seed: int) -> Iterator[Picture]:
    """A painting in dots, drawn by the package, and two dreams of it."""
    photo = riverside(427, 640, seed)
    yield _photo("picture", photo, "a painting in dots, drawn by code")
    for style, depth, name in (("spirals", 0.45, "spirals"), ("ornament", 0.57, "ornaments")):
        yield _dreamt(network, photo, style, depth, seed, name, "the same, ornamented")


def clouds(network: Network, seed: int) -> Iterator[Picture]:
    """A sky, and its dream by a deep layer."""
    sky = evening(600, 900)
    yield _photo("sky", sky, "an evening sky drawn from fractal noise")
    caption = "what the network sees in the clouds"
    yield _dreamt(network, sky, "animals", 0.86, seed, "creatures", caption)


def creatures(network: Network, seed: int) -> Iterator[Picture]:
    """The four busiest squares of the dreamt sky, each named by the network."""
    *_, sky = clouds(network, seed)
    for index, (crop, label) in enumerate(busiest(network, sky.image, 4, side=160), 1):
        caption = f"“The {label}-cloud”: a crop that the network calls {label}"
        yield Picture(f"creature-{index}", crop, caption, {"kind": "crop", "label": label})


def busiest(network: Network, image: Image, count: int, side: int = 96) -> list[tuple[Image, str]]:
    """The `count` squares, apart from each other, where some class has the largest logit.

    Returns pairs (square [1, 3, side, side], label), the largest logit first, no label twice.
    Logits are compared, not probabilities: a network may be sure of an empty square because no
    other class fits, but its logits are low.
    """
    found = []
    for top in range(0, image.shape[-2] - side + 1, side // 4):
        for left in range(0, image.shape[-1] - side + 1, side // 4):
            crop = image[..., top : top + side, left : left + side]
            logits = capture(network, resize(crop, (home_side(network),) * 2), "")[""][0]
            best = int(logits.argmax())
            label = network.labels[best] if network.labels else f"class {best}"
            found.append((float(logits[best]), top, left, label))
    chosen: list[tuple[float, int, int, str]] = []
    for entry in sorted(found, reverse=True):
        _, top, left, label = entry
        apart = all(max(abs(top - t), abs(left - l)) >= side * 3 // 4 for _, t, l, _ in chosen)
        if apart and label not in [c[3] for c in chosen]:
            chosen.append(entry)
    return [(image[..., t : t + side, l : l + side], label) for _, t, l, label in chosen[:count]]


def photo_decides(network: Network, seed: int) -> Iterator[Picture]:
    """Three drawn scenes and their dreams by one layer."""
    for name, draw in (("horizon", horizon), ("trees", forest), ("leaves", leaves)):
        scene = draw(320, 480, seed)
        yield _photo(name, scene, f"{name}, drawn by the package")
        caption = f"{name} become"
        yield _dreamt(network, scene, "animals", 0.86, seed, f"{name}-dreamt", caption)


def landscapes(network: Network, seed: int, frames: int = 8) -> Iterator[Picture]:
    """Frames of the notebook's last loop, from noise: dream, enlarge by 1 / 0.95, dream again."""
    start = noise(256, 384, seed, contrast=0.1)
    # so deep that a ground appears, and things on it
    objective, settings = _chosen(network, "buildings", 0.95)
    settings = replace(settings, seed=seed, steps=6, octaves=4)
    zoom = 1 / 0.95  # the enlargement of a frame
    made = {"kind": "zoom", "objective": objective.name, "settings": asdict(settings), "zoom": zoom}
    made["layers"] = list(objective.layers)
    yield Picture("frame-00", start, "noise", made | {"frames": 0})
    score = scorer(network, objective)
    film = zooming(score, start, settings, frames=frames, fps=1, zoom=zoom)
    for index, frame in enumerate(film, 1):
        if index in (1, frames // 2, frames):
            caption = f"after {index} dreams, each on the one before, enlarged"
            caption = "after one dream" if index == 1 else caption
            yield Picture(f"frame-{index:02d}", frame, caption, made | {"frames": index})
