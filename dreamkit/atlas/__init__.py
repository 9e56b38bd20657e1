"""A picture for every channel of a network: made on one machine or many, kept as they come, browsed as one page.

    atlas = dk.atlas(network, folder="atlas")          # the module is called; dk.atlas.atlas is the same function
    atlas = dk.atlas.open("atlas")                     # later
    for done, total in dk.atlas.making(network, folder="atlas", workers=2): ...

A stopped atlas goes on where it was: what is there and whole is skipped. The bytes of the pictures do not depend on how
many workers made them, or on which other channels were asked for.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from ..networks.layers import layer_info, layer_names
from ..networks.network import Network
from ..networks.suggestions import suggested_layers
from ..pictures.files import make_folder
from .channels import Recipe, batch, portraits
from .cluster import cluster, spread, ticket, weights_digest
from .folder import Atlas, Entry, is_whole, open_atlas, write_manifest, write_page, write_picture

__all__ = ["Atlas", "Recipe", "atlas", "making", "open", "portraits"]

open = open_atlas


def atlas(
    network: Network,
    layers: Sequence[str] | str | None = None,
    folder: str | os.PathLike[str] = "atlas",
    *,
    channels: Sequence[int] | None = None,
    client: object = None,
    workers: int | None = None,
    scheduler: str | None = None,
    recipe: Recipe | None = None,
) -> Atlas:
    """The Atlas of a network: a folder of pictures with a manifest and a page, one picture a channel.

    `layers` are `dk.suggested_layers(network)` and `channels` all of them where not given. With a Dask `client`, the address of a
    `scheduler` or a number of `workers` (processes of this machine) the batches are spread over those; else they run here.
    More layers can be added to a folder later. Raises KeyError for an unknown layer, ValueError for a channel that is not there and for a
    folder that holds another atlas.

    >>> import tempfile
    >>> from dreamkit import load_network
    >>> where = tempfile.mkdtemp()
    >>> len(
    ...     atlas(
    ...         load_network(),
    ...         "conv1",
    ...         where,
    ...         channels=[0, 7],
    ...         recipe=Recipe(side=16, steps=1, batch=2),
    ...     )
    ... )
    2
    """
    for _ in making(
        network,
        layers,
        folder,
        channels=channels,
        client=client,
        workers=workers,
        scheduler=scheduler,
        recipe=recipe,
    ):
        pass
    return open_atlas(folder)


def making(
    network: Network,
    layers: Sequence[str] | str | None = None,
    folder: str | os.PathLike[str] = "atlas",
    *,
    channels: Sequence[int] | None = None,
    client: object = None,
    workers: int | None = None,
    scheduler: str | None = None,
    recipe: Recipe | None = None,
) -> Iterator[tuple[int, int]]:
    """(pictures there are, pictures in all), at the start and after each batch: `atlas` step by step. Whoever stops keeps what is done."""
    recipe = recipe or Recipe()
    names = (
        suggested_layers(network)
        if layers is None
        else (layers,)
        if isinstance(layers, str)
        else tuple(dict.fromkeys(layers))
    )
    if not names:
        raise ValueError("an atlas has at least one layer")
    names = tuple(
        layer_info(network, name).name for name in names
    )  # a paper's name is understood, and kept as PyTorch's
    chosen = {name: _channels(network, name, channels) for name in names}
    begun = _begun(network, Path(folder), names, recipe)
    return _making(
        network, begun, chosen, recipe, dict(client=client, workers=workers, scheduler=scheduler)
    )


def _making(
    network: Network, atlas: Atlas, chosen: Mapping[str, list[int]], recipe: Recipe, where: dict
) -> Iterator[tuple[int, int]]:
    missing = {
        name: [c for c in wanted if c not in atlas.pictures[name]]
        for name, wanted in chosen.items()
    }
    total, left = sum(map(len, chosen.values())), sum(map(len, missing.values()))
    yield total - left, total
    try:
        if left:
            # Deep layers take longest, and come first, so that no worker is left over with a long batch at the end.
            parts = [
                (name, part)
                for name in reversed(list(missing))
                for part in _batches(missing[name], recipe.batch)
            ]
            with cluster(**where) as client:
                given = ticket(network, client)
                make_folder(atlas.folder)
                with closing(
                    spread(batch, ((given, name, part, recipe) for name, part in parts), client)
                ) as results:
                    for index, made in results:
                        _keep(atlas, *parts[index], made)
                        left -= len(made)
                        yield total - left, total
    finally:
        if any(atlas.pictures.values()):
            write_manifest(atlas)
            write_page(atlas)


def _keep(atlas: Atlas, layer: str, channels: list[int], made: list[tuple[bytes, float]]) -> None:
    for channel, (png, activation) in zip(channels, made, strict=True):
        atlas.pictures[layer][channel] = Entry(
            write_picture(atlas.folder, layer, channel, png), float(f"{activation:.6g}")
        )
    write_manifest(atlas)


def _batches(channels: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(channels), size):
        yield channels[start : start + size]


def _begun(network: Network, folder: Path, names: Sequence[str], recipe: Recipe) -> Atlas:
    """What of the atlas is in the folder and whole, with the layers asked for in place. ValueError where the folder holds another one."""
    head = {
        "network": {
            "name": network.name,
            "sha256": weights_digest(network),
            "precision": network.precision,
        },
        "recipe": asdict(recipe),
        "versions": {"dreamkit": _version("dreamkit"), "torch": torch.__version__},
    }
    layers: dict[str, Mapping[str, object]] = {}
    pictures: dict[str, dict[int, Entry]] = {}
    if (folder / "atlas.json").exists():
        before = open_atlas(folder)
        changed = [
            f"{part} {name}"
            for part in head
            for name in head[part]
            if before.head[part].get(name) != head[part][name]
        ]
        if changed:
            raise ValueError(
                f"{str(folder)!r} holds another atlas, which differs in its {', '.join(changed)}: give another folder, "
                "or remove that one"
            )
        layers = dict(before.layers)
        pictures = {
            name: {c: e for c, e in found.items() if is_whole(folder, name, c, e)}
            for name, found in before.pictures.items()
        }
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{str(folder)!r} is in the way: an atlas needs a folder of its own")
    order = layer_names(network)
    for name in sorted({*layers, *names}, key=order.index):
        layers[name] = layers.pop(name, None) or _about(network, name)
        pictures.setdefault(name, {})
    return Atlas(folder, head, layers, pictures)


def _about(network: Network, name: str) -> dict[str, object]:
    info = layer_info(network, name)
    classes = (
        name == layer_names(network)[-1]
        and not info.is_map
        and info.channels == len(network.labels)
    )
    return {
        "channels": info.channels,
        "field": max(info.field.size) if info.field else None,
        "labels": list(network.labels) if classes else [],
    }


def _channels(network: Network, layer: str, channels: Sequence[int] | None) -> list[int]:
    count = layer_info(network, layer).channels
    for channel in channels or ():
        if isinstance(channel, bool) or not isinstance(channel, int) or not 0 <= channel < count:
            raise ValueError(
                f"channel {channel!r} is out of range: layer {layer!r} has {count}, from 0 to {count - 1}"
            )
    return list(range(count)) if channels is None else sorted(set(channels))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # in a source tree that is not installed
        return "unknown"


class _Callable(types.ModuleType):
    """This module can be called: `dk.atlas(network)` is `dk.atlas.atlas(network)`."""

    def __call__(self, *arguments: object, **options: object) -> Atlas:
        return atlas(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
