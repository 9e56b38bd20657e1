"""An atlas on disk: one picture a channel, a manifest with settings and hashes, and a page."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..checks import fields as kinds
from ..checks.names import unknown
from ..pictures.files import make_folder, write_whole
from ..pictures.image import Image, load_image
from .channels import LIMITS
from .page import html_page

MANIFEST, PAGE = "atlas.json", "index.html"
MAX_MANIFEST = 2**26  # bytes
MAX_LAYERS = 10_000
MAX_PICTURE = 2**26  # bytes


@dataclass(frozen=True)
class Entry:
    """One picture: the sha256 of its file, and the mean activation of its channel (0: silent)."""

    sha256: str
    activation: float


@dataclass(frozen=True)
class Atlas:
    """A folder of pictures, one for each channel of some layers, and the contents of its manifest.

    `head` has the fields network, settings and versions. `layers` is {name: {"channels": their
    number, "field": side of the receptive field in pixels or None, "labels": names of the channels,
    usually none}} in running order.
    """

    folder: Path
    head: Mapping[str, Mapping[str, object]]
    layers: Mapping[str, Mapping[str, object]]
    pictures: Mapping[str, Mapping[int, Entry]] = field(repr=False)

    def channels(self, layer: str) -> tuple[int, ...]:
        """The channels of a layer that have a picture. Raises KeyError for an unknown layer."""
        if layer not in self.layers:
            raise unknown("layer", layer, self.layers)
        return tuple(sorted(self.pictures.get(layer, {})))

    def file(self, layer: str, channel: int) -> Path:
        """The path of a picture. Raises KeyError if the atlas does not have it."""
        if channel not in self.channels(layer):
            raise KeyError(f"the atlas has no picture of channel {channel} of layer {layer!r}")
        return self.folder / file_of(layer, channel)

    def picture(self, layer: str, channel: int) -> Image:
        """The picture [1, 3, side, side] of a channel."""
        return load_image(self.file(layer, channel))

    def describe(self, layer: str, channel: int) -> str:
        """In words: the layer, the channel, its label if it has one, and its mean activation."""
        self.file(layer, channel)
        info, entry = self.layers[layer], self.pictures[layer][channel]
        label = f" ({info['labels'][channel]})" if channel < len(info["labels"]) else ""
        strength = f"mean activation {entry.activation:.3g}" if entry.activation else "silent"
        return f"{layer}, channel {channel} of {info['channels']}{label}: {strength}"

    def __len__(self) -> int:
        return sum(len(entries) for entries in self.pictures.values())


def file_of(layer: str, channel: int) -> str:
    """The relative path of a picture, made from the layer's name and never read from a file.

    >>> file_of("features.22", 7)
    'features.22/0007.png'
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", layer).strip(".")[:80]
    if plain != layer or not plain:
        plain = f"{plain or 'network'}-{hashlib.sha256(layer.encode()).hexdigest()[:8]}"
    return f"{plain}/{channel:04}.png"


def open_atlas(folder: str | os.PathLike[str]) -> Atlas:
    """The atlas in a folder.

    Raises FileNotFoundError if there is none, ValueError for a broken manifest.
    """
    folder, path = Path(folder), Path(folder) / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(
            f"no atlas in {str(folder)!r}; make one: dreamkit atlas -o {str(folder)!r}"
        )
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise ValueError("it is too large")
        return _checked(folder, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is broken: {' '.join(str(error).split())[:160]}") from None


def _list(value: object, where: str) -> list:
    if not isinstance(value, list):
        raise ValueError(f"{where} must be a list; given: {kinds.short(value)}")
    return value


def _labels(value: object, where: str) -> list[str]:
    return [kinds.text(label, where) for label in _list(value, where)]


# The fields of the manifest. The settings are called "recipe" there, as in all earlier versions.
_WHOLE = {"atlas": kinds.integer(1, 1), "layers": _list} | dict.fromkeys(
    ("network", "recipe", "versions"), kinds.anything
)
_NETWORK = {"name": kinds.text, "sha256": kinds.sha256, "precision": kinds.text}
_VERSIONS = {"dreamkit": kinds.text, "torch": kinds.text}
_LAYER = {
    "name": kinds.text,
    "channels": kinds.integer(1, 2**20),
    "field": kinds.optional(kinds.integer(1, 2**20)),
    "labels": _labels,
    "pictures": kinds.anything,
}
_ENTRY = {"sha256": kinds.sha256, "activation": kinds.number(-1e30, 1e30)}


def _checked(folder: Path, data: object) -> Atlas:
    whole = kinds.take(data, "the manifest", _WHOLE)
    head = {
        "network": kinds.take(whole["network"], "its network", _NETWORK),
        "settings": kinds.take(whole["recipe"], "its recipe", LIMITS),
        "versions": kinds.take(whole["versions"], "its versions", _VERSIONS),
    }
    layers, pictures = {}, {}
    if len(whole["layers"]) > MAX_LAYERS:
        raise ValueError(f"it has more than {MAX_LAYERS} layers")
    for part in whole["layers"]:
        layer = kinds.take(part, "a layer", _LAYER)
        pictures[layer["name"]] = _entries(layer.pop("pictures"), layer["channels"])
        layers[layer.pop("name")] = layer
    return Atlas(folder, head, layers, pictures)


def _entries(data: object, channels: int) -> dict[int, Entry]:
    if not isinstance(data, dict):
        raise ValueError("the pictures of a layer must be fields with values")
    for channel in data:
        if not re.fullmatch(r"\d{1,7}", channel) or int(channel) >= channels:
            raise ValueError(f"there is no channel {kinds.short(channel)}")
    return {int(c): Entry(**kinds.take(part, "a picture", _ENTRY)) for c, part in data.items()}


def write_picture(folder: Path, layer: str, channel: int, png: bytes) -> str:
    """Writes one picture, whole or not at all, and returns the sha256 of its file.

    Raises ValueError if the layer's folder is a link, which could lead out of the atlas.
    """
    path = folder / file_of(layer, channel)
    if path.parent.is_symlink():
        raise ValueError(
            f"{str(path.parent)!r} is a link; an atlas writes only into its own folder"
        )
    make_folder(path.parent)
    write_whole(path, lambda file: file.write(png))
    return hashlib.sha256(png).hexdigest()


def write_manifest(atlas: Atlas) -> None:
    """Writes the manifest: the same bytes in whatever order the pictures were made."""
    layers = []
    for name, info in atlas.layers.items():
        entries = {str(c): vars(atlas.pictures[name][c]) for c in atlas.channels(name)}
        layers.append({"name": name, **info, "pictures": entries})
    head = {("recipe" if part == "settings" else part): atlas.head[part] for part in atlas.head}
    text = json.dumps({"atlas": 1, **head, "layers": layers}, indent=0, ensure_ascii=False)
    write_whole(atlas.folder / MANIFEST, lambda file: file.write(text.encode()))


def write_page(atlas: Atlas) -> Path:
    """Writes the HTML page to browse the atlas by, and returns its path."""
    cells = {}
    for layer in filter(atlas.channels, atlas.layers):
        cells[layer] = [
            (c, file_of(layer, c), atlas.describe(layer, c), entry.activation == 0)
            for c, entry in sorted(atlas.pictures[layer].items())
        ]
    text = html_page(atlas.head, atlas.layers, cells)
    write_whole(atlas.folder / PAGE, lambda file: file.write(text.encode("utf-8", "replace")))
    return atlas.folder / PAGE


def is_whole(folder: Path, layer: str, channel: int, entry: Entry) -> bool:
    """Whether the picture's file exists and has not changed since it was written."""
    path = folder / file_of(layer, channel)
    try:  # a pipe would wait for ever, a device never end
        if not path.is_file() or path.stat().st_size > MAX_PICTURE:
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256
    except OSError:
        return False
