"""Makes an atlas: finds the missing pictures, draws them in batches, keeps each batch at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from ..networks.layers import layer_info, layer_names
from ..networks.network import Network
from ..networks.suggestions import suggested_layers
from ..pictures.files import make_folder
from ..pictures.folder_lock import FolderLock, check_unused
from .channels import PictureSettings, batch
from .cluster import cluster, spread, ticket, weights_digest
from .folder import (
    MANIFEST,
    Atlas,
    Entry,
    is_whole,
    open_atlas,
    write_manifest,
    write_page,
    write_picture,
)


def atlas(
    network: Network,
    layers: Sequence[str] | str | None = None,
    folder: str | os.PathLike[str] = "atlas",
    *,
    channels: Sequence[int] | None = None,
    client: object = None,
    workers: int | str | None = None,
    scheduler: str | None = None,
    settings: PictureSettings | None = None,
) -> Atlas:
    """The Atlas of a network: a folder with one picture for each channel, a manifest and a page.

    Args:
        network: whose channels are drawn.
        layers: their names, `dk.suggested_layers(network)` by default. More can be added to a
            folder later.
        folder: a new or empty one, or one that holds an atlas of the same network with the same
            settings.
        channels: the channels of each layer, all by default.
        client, workers, scheduler: at most one. A Dask client, a number of processes of this
            machine ("auto": one for each core), or the address of a Dask scheduler: the batches are
            spread over its workers. By default they run in this process.
        settings: how each picture is made, `PictureSettings()` by default.

    Raises KeyError for an unknown layer; ValueError for a channel that does not exist and for a
    folder that holds something else.

    >>> import tempfile
    >>> from dreamkit import load_network
    >>> quick = PictureSettings(side=16, steps=1, batch=2)
    >>> len(
    ...     atlas(
    ...         load_network("dreamnet"),
    ...         "conv1",
    ...         tempfile.mkdtemp(),
    ...         channels=[0, 7],
    ...         settings=quick,
    ...     )
    ... )
    2
    """
    where = {"client": client, "workers": workers, "scheduler": scheduler}
    for _ in making(network, layers, folder, channels=channels, settings=settings, **where):
        pass
    return open_atlas(folder)


def making(
    network: Network,
    layers: Sequence[str] | str | None = None,
    folder: str | os.PathLike[str] = "atlas",
    *,
    channels: Sequence[int] | None = None,
    client: object = None,
    workers: int | str | None = None,
    scheduler: str | None = None,
    settings: PictureSettings | None = None,
) -> Iterator[tuple[int, int]]:
    """Yields (pictures that exist, pictures asked for) at the start and after each batch.

    Takes the arguments of `atlas` and makes the same atlas step by step. Whoever stops the
    iteration keeps the finished batches.
    """
    settings = settings or PictureSettings()
    layers = suggested_layers(network) if layers is None else layers
    asked = (layers,) if isinstance(layers, str) else layers
    # An alias is understood; the atlas keeps PyTorch's name.
    names = tuple(dict.fromkeys(layer_info(network, name).name for name in asked))
    if not names:
        raise ValueError("an atlas needs at least one layer; given: none")
    chosen = {name: _check_channels(network, name, channels) for name in names}
    there = _opened(network, Path(folder), names, settings)  # what is wrong is said at once
    lacking = any(set(chosen[name]) - set(there.pictures[name]) for name in names)
    where = {"client": client, "workers": workers, "scheduler": scheduler}
    return _locked(network, Path(folder), chosen, settings, where if lacking else None)


def _locked(
    network: Network,
    folder: Path,
    chosen: Mapping[str, list[int]],
    settings: PictureSettings,
    where: Mapping[str, object] | None,
) -> Iterator[tuple[int, int]]:
    # A cluster that cannot be had leaves no trace of an atlas.
    with cluster(**where) if where else nullcontext() as client:
        make_folder(folder)
        with FolderLock(folder):
            atlas = _opened(network, folder, tuple(chosen), settings)
            write_manifest(atlas)  # from here on it is an atlas, and the same command continues it
            yield from _making(network, atlas, chosen, settings, client)


def _making(
    network: Network,
    atlas: Atlas,
    chosen: Mapping[str, list[int]],
    settings: PictureSettings,
    client: object,
) -> Iterator[tuple[int, int]]:
    batches = []
    # Deep layers take longest and come first, so that no worker has a long batch left at the end.
    for name in reversed(list(chosen)):
        missing = [channel for channel in chosen[name] if channel not in atlas.pictures[name]]
        starts = range(0, len(missing), settings.batch)
        batches += [(name, missing[start : start + settings.batch]) for start in starts]
    total = sum(map(len, chosen.values()))
    done = total - sum(len(part) for _, part in batches)
    yield done, total
    try:
        if not batches:
            return
        given = ticket(network, client)
        jobs = ((given, name, part, settings) for name, part in batches)
        with closing(spread(batch, jobs, client)) as results:
            for index, made in results:
                _keep(atlas, *batches[index], made)
                done += len(made)
                yield done, total
    finally:
        write_manifest(atlas)
        if any(atlas.pictures.values()):
            write_page(atlas)


def _keep(atlas: Atlas, layer: str, channels: list[int], made: list[tuple[bytes, float]]) -> None:
    for channel, (png, activation) in zip(channels, made, strict=True):
        digest = write_picture(atlas.folder, layer, channel, png)
        atlas.pictures[layer][channel] = Entry(digest, float(f"{activation:.6g}"))
    write_manifest(atlas)


def _opened(
    network: Network, folder: Path, names: Sequence[str], settings: PictureSettings
) -> Atlas:
    """The atlas in the folder: its undamaged pictures, and the layers asked for in running order.

    Raises ValueError for a folder that holds another atlas or other files.
    """
    head = {
        "network": {
            "name": network.name,
            "sha256": weights_digest(network),
            "precision": network.precision,
        },
        "settings": asdict(settings),
        "versions": {"dreamkit": _version("dreamkit"), "torch": torch.__version__},
    }
    layers: dict[str, Mapping[str, object]] = {}
    pictures: dict[str, dict[int, Entry]] = {}
    if (folder / MANIFEST).exists():
        before = open_atlas(folder)
        old, new = (
            {f"{part} {name}": value for part in head for name, value in each[part].items()}
            for each in (before.head, head)
        )
        if changed := [name for name in new if new[name] != old.get(name)]:
            raise ValueError(
                f"{str(folder)!r} holds another atlas, which differs in {', '.join(changed)}; "
                "give another folder, or delete that one"
            )
        layers = dict(before.layers)
        for name, entries in before.pictures.items():
            whole = {c: e for c, e in entries.items() if is_whole(folder, name, c, e)}
            pictures[name] = whole
    else:
        check_unused(folder, "an atlas")
    for name in sorted({*layers, *names}, key=layer_names(network).index):
        layers[name] = layers.pop(name, None) or _about(network, name)
        pictures.setdefault(name, {})
    return Atlas(folder, head, layers, pictures)


def _about(network: Network, name: str) -> dict[str, object]:
    """The manifest's facts about a layer; labels only if its channels are the classes."""
    info = layer_info(network, name)
    last = name == layer_names(network)[-1] and not info.is_map
    return {
        "channels": info.channels,
        "field": max(info.field.size) if info.field else None,
        "labels": list(network.labels) if last and info.channels == len(network.labels) else [],
    }


def _check_channels(network: Network, layer: str, channels: Sequence[int] | None) -> list[int]:
    """The channels asked for, sorted, each once. Raises ValueError for one that does not exist."""
    count = layer_info(network, layer).channels
    for channel in channels or ():
        if isinstance(channel, bool) or not isinstance(channel, int) or not 0 <= channel < count:
            raise ValueError(
                f"channel {channel!r} is out of range: layer {layer!r} has {count}, "
                f"from 0 to {count - 1}"
            )
    return list(range(count)) if channels is None else sorted(set(channels))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # in a source tree that is not installed
        return "unknown"
