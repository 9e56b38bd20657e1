"""The pictures of each figure of the 2015 post, made one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from ..ascent.film import zooming
from ..ascent.loop import dream
from ..ascent.settings import Settings
from ..ascent.steps import smooth
from ..networks.features import capture
from ..networks.network import Network
from ..networks.suggestions import layer_at
from ..objectives.objective import layer
from ..objectives.scorer import scorer
from ..pictures.image import Image, noise
from ..pictures.samples import sample
from ..pictures.scales import resize
from ..pictures.scenes import forest, horizon, leaves
from .class_pictures import class_picture, home_side

_CLASSES = (  # the post's eight tiles
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
    side = home_side(network) * 3 // 2
    start = noise(side, side, seed, contrast=0.5)
    yield Picture("noise", start, "noise", {"kind": "noise", "seed": seed, "contrast": 0.5})
    for prior in ("none", "blur", "fourier"):
        yield _class(network, "banana", seed, prior, f"banana-{prior}")


def classes(network: Network, seed: int) -> Iterator[Picture]:
    """The classes of the post that the network knows; a small network adds others of its own."""
    wanted = _CLASSES + (_OTHER_CLASSES if len(network.labels) < 1000 else ())
    for label in wanted:
        if label in network.labels:
            yield _class(network, label, seed)


def dumbbells(network: Network, seed: int) -> Iterator[Picture]:
    """The class dumbbell from four starts."""
    for start in range(seed, seed + 4):
        yield _class(network, "dumbbell", start, name=f"dumbbell-{start}")


def _dreamt(
    network: Network, image: Image, depth: float, settings: Settings, name: str, caption: str
) -> Picture:
    chosen = layer_at(network, depth)
    return Picture(
        name,
        dream(scorer(network, layer(chosen)), image, settings),
        f"{caption}: {chosen}",
        {"kind": "dream", "layer": chosen, "settings": asdict(settings)},
    )


def _photo(name: str, image: Image, caption: str) -> Picture:
    return Picture(name, image, caption, {"kind": "photo", "name": name})


def strokes(network: Network, seed: int) -> Iterator[Picture]:
    """A photo, and its dreams by two low layers."""
    photo, settings = sample("chelsea", 384), Settings(seed=seed, step_size=0.006, octaves=3)
    yield _photo("photo", photo, "the photo")
    for depth, name in ((0.15, "strokes"), (0.4, "ornaments")):
        yield _dreamt(network, photo, depth, settings, name, "a low layer turned up")


def painting(network: Network, seed: int) -> Iterator[Picture]:
    """Two dreams of a blurred photo, which replaces a painting: the package contains none."""
    photo = smooth(sample("china", 384), 1.5)
    settings = Settings(seed=seed, step_size=0.008, octaves=3)
    yield _photo("picture", photo, "a photo softened like a painting")
    for depth, name in ((0.45, "scales"), (0.57, "beads")):
        yield _dreamt(network, photo, depth, settings, name, "the same, ornamented")


def clouds(network: Network, seed: int) -> Iterator[Picture]:
    """A sky, and its dream by a deep layer."""
    sky, settings = sample("clouds", 512), Settings(seed=seed, steps=14, octaves=5)
    yield _photo("sky", sky, "a sky drawn from fractal noise")
    caption = "what the network sees in the clouds"
    yield _dreamt(network, sky, 0.86, settings, "creatures", caption)


def creatures(network: Network, seed: int) -> Iterator[Picture]:
    """The four busiest squares of the dreamt sky, each named by the network."""
    *_, sky = clouds(network, seed)
    for index, (crop, label) in enumerate(busiest(network, sky.image, 4), 1):
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
        scene = draw(240, 360, seed)
        yield _photo(name, scene, f"{name}, drawn by the package")
        yield _dreamt(network, scene, 0.86, Settings(seed=seed), f"{name}-dreamt", f"{name} become")


def landscapes(network: Network, seed: int, frames: int = 16) -> Iterator[Picture]:
    """Frames of the notebook's last loop, from noise: dream, enlarge by 1 / 0.95, dream again."""
    start = noise(192, 288, seed, contrast=0.1)
    settings = Settings(seed=seed, steps=6, octaves=4, step_size=0.01)
    chosen = layer_at(network, 0.95)  # so deep that a ground appears, and things on it
    zoom = 1 / 0.95  # the enlargement of a frame
    made = {"kind": "zoom", "layer": chosen, "settings": asdict(settings), "zoom": zoom}
    yield Picture("frame-00", start, "noise", made | {"frames": 0})
    score = scorer(network, layer(chosen))
    film = zooming(score, start, settings, frames=frames, fps=1, zoom=zoom)
    for index, frame in enumerate(film, 1):
        if index in (1, frames // 2, frames):
            caption = f"after {index} dreams, each on the one before, enlarged"
            caption = "after one dream" if index == 1 else caption
            yield Picture(f"frame-{index:02d}", frame, caption, made | {"frames": index})
