"""An atlas on disk: one picture a channel, a manifest with settings and hashes, and the page; all that is there is whole."""

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
from .page import html_page

MANIFEST, PAGE = "atlas.json", "index.html"
MAX_MANIFEST = 2**26  # bytes


@dataclass(frozen=True)
class Entry:
    """What is known of one picture: the sha256 of its file, and how strongly it excites its channel (0: not at all)."""

    sha256: str
    activation: float


@dataclass(frozen=True)
class Atlas:
    """A folder of pictures, one for each channel of some layers, with what the manifest says of them.

    `layers` is {name: {"channels": how many it has, "field": side of its receptive field or None, "labels": of its
    channels, most often none}} in the order in which they run.
    """

    folder: Path
    head: Mapping[str, object]  # dreamkit, network, recipe, versions
    layers: Mapping[str, Mapping[str, object]]
    pictures: Mapping[str, Mapping[int, Entry]] = field(repr=False)

    def channels(self, layer: str) -> tuple[int, ...]:
        """The channels of a layer that have a picture. KeyError for a layer that the atlas lacks."""
        if layer not in self.layers:
            raise unknown("layer", layer, self.layers)
        return tuple(sorted(self.pictures.get(layer, {})))

    def file(self, layer: str, channel: int) -> Path:
        """The picture's file. KeyError where the atlas has no such picture."""
        if channel not in self.channels(layer):
            raise KeyError(f"the atlas has no picture of channel {channel} of layer {layer!r}")
        return self.folder / file_of(layer, channel)

    def picture(self, layer: str, channel: int) -> Image:
        """The picture [1, 3, side, side] of a channel."""
        return load_image(self.file(layer, channel))

    def describe(self, layer: str, channel: int) -> str:
        """In words: which channel this is, and how strongly its picture excites it."""
        self.file(layer, channel)
        return described(layer, channel, self.layers[layer], self.pictures[layer][channel])

    def __len__(self) -> int:
        return sum(len(entries) for entries in self.pictures.values())


def described(layer: str, channel: int, info: Mapping[str, object], entry: Entry) -> str:
    label = f" ({info['labels'][channel]})" if channel < len(info["labels"]) else ""
    strength = (
        f"mean activation {entry.activation:.3g}" if entry.activation else "silent: nothing woke it"
    )
    return f"{layer}, channel {channel} of {info['channels']}{label}: {strength}"


def file_of(layer: str, channel: int) -> str:
    """The picture's file within the atlas, as a relative path with slashes: made from the layer's name, never read from a file.

    >>> file_of("features.22", 7)
    'features.22/0007.png'
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", layer).strip(".")[:80]
    if plain != layer or not plain:
        plain = f"{plain or 'network'}-{hashlib.sha256(layer.encode()).hexdigest()[:8]}"
    return f"{plain}/{channel:04}.png"


def open_atlas(folder: str | os.PathLike[str]) -> Atlas:
    """The atlas in a folder. FileNotFoundError where there is none, ValueError for a manifest that is not as dreamkit writes it."""
    folder, path = Path(folder), Path(folder) / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(
            f"no atlas in {str(folder)!r}: dreamkit atlas -o {str(folder)!r} makes one"
        )
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise ValueError("it is too large")
        return _checked(folder, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is broken: {' '.join(str(error).split())[:160]}") from None


def _checked(folder: Path, data: object) -> Atlas:
    whole = kinds.take(
        data,
        "the manifest",
        {
            "atlas": kinds.integer(1, 1),
            "network": kinds.anything,
            "recipe": kinds.anything,
            "versions": kinds.anything,
            "layers": kinds.anything,
        },
    )
    head = {
        "network": kinds.take(
            whole["network"],
            "its network",
            {"name": kinds.text, "sha256": kinds.sha256, "precision": kinds.text},
        ),
        "recipe": kinds.take(
            whole["recipe"],
            "its recipe",
            {
                "side": kinds.integer(16, 1024),
                "steps": kinds.integer(1, 4096),
                "rate": kinds.number(0, 10),
                "seed": kinds.integer(0, 2**62),
                "batch": kinds.integer(1, 1024),
            },
        ),
        "versions": kinds.take(
            whole["versions"], "its versions", {"dreamkit": kinds.text, "torch": kinds.text}
        ),
    }
    layers, pictures = {}, {}
    if not isinstance(whole["layers"], list) or len(whole["layers"]) > 10_000:
        raise ValueError("its layers must be a list")
    for part in whole["layers"]:
        layer = kinds.take(
            part,
            "a layer",
            {
                "name": kinds.text,
                "channels": kinds.integer(1, 2**20),
                "field": kinds.optional(kinds.integer(1, 2**20)),
                "labels": _labels,
                "pictures": kinds.anything,
            },
        )
        pictures[layer["name"]] = _entries(layer.pop("pictures"), layer["channels"])
        layers[layer.pop("name")] = layer
    return Atlas(folder, head, layers, pictures)


def _labels(value: object, where: str) -> list[str]:
    if not isinstance(value, list):
        raise ValueError(f"{where} must be a list of texts")
    return [kinds.text(label, where) for label in value]


def _entries(data: object, channels: int) -> dict[int, Entry]:
    if not isinstance(data, dict):
        raise ValueError("pictures must be fields with values")
    found = {}
    for channel, part in data.items():
        if not re.fullmatch(r"\d{1,7}", channel) or int(channel) >= channels:
            raise ValueError(f"there is no channel {kinds.short(channel)}")
        found[int(channel)] = Entry(
            **kinds.take(
                part, "a picture", {"sha256": kinds.sha256, "activation": kinds.number(-1e30, 1e30)}
            )
        )
    return found


def write_picture(folder: Path, layer: str, channel: int, png: bytes) -> str:
    """The sha256 of the file, which is written whole."""
    path = folder / file_of(layer, channel)
    make_folder(path.parent)
    write_whole(path, lambda file: file.write(png))
    return hashlib.sha256(png).hexdigest()


def write_manifest(atlas: Atlas) -> None:
    """Writes what there is so far: the same bytes in whatever order the pictures came."""
    layers = [
        {
            "name": name,
            **info,
            "pictures": {
                str(c): vars(entry) for c, entry in sorted(atlas.pictures.get(name, {}).items())
            },
        }
        for name, info in atlas.layers.items()
    ]
    text = json.dumps({"atlas": 1, **atlas.head, "layers": layers}, indent=0, ensure_ascii=False)
    write_whole(atlas.folder / MANIFEST, lambda file: file.write(text.encode()))


def write_page(atlas: Atlas) -> Path:
    """The path of the page to browse the atlas by, one HTML file."""
    cells = {
        layer: [
            (
                channel,
                file_of(layer, channel),
                described(layer, channel, info, atlas.pictures[layer][channel]),
                atlas.pictures[layer][channel].activation == 0,
            )
            for channel in atlas.channels(layer)
        ]
        for layer, info in atlas.layers.items()
        if atlas.channels(layer)
    }
    text = html_page(atlas.head, atlas.layers, cells)
    write_whole(atlas.folder / PAGE, lambda file: file.write(text.encode("utf-8", "replace")))
    return atlas.folder / PAGE


def is_whole(folder: Path, layer: str, channel: int, entry: Entry) -> bool:
    """Whether the picture's file is there and has not changed since."""
    try:
        return (
            hashlib.sha256((folder / file_of(layer, channel)).read_bytes()).hexdigest()
            == entry.sha256
        )
    except OSError:
        return False
