"""Pictures of directions: what a layer responds to with a given mixture of its channels."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..ascent.fourier import spectrum
from ..ascent.gradients import Score
from ..atlas.channels import with_redirected_relus
from ..atlas.cluster import Ticket, network_of, spread, weights_digest
from ..networks.layers import layer_info, share_layers
from ..networks.network import Network
from ..objectives.formulas import towards
from ..objectives.objective import Objective
from ..objectives.scorer import scorer
from ..pictures.files import make_folder
from ..pictures.image import Image, load_image, save_image
from .channels_by_depth import Recipe, recipe

_BATCH = 12  # pictures that grow together
_SMALL = 2  # how much smaller the picture of one cell of a grid is, and how many fewer its steps


def vector_pictures(
    network: Network,
    layer: str,
    vectors: Tensor,
    small: bool = False,
    seed: int = 0,
    folder: Path | None = None,
) -> Iterator[Image]:
    """Pictures [n, 3, S, S] of directions in a layer, one batch after the other, grown from noise.

    Each raises the mean over its cells of dot · max(0.1, cos)² with its vector (`dk.direction`), in
    random crops, under fading noise and with low frequencies first, as `channel_picture` does.

    Args:
        network: the network.
        layer: a layer with channels.
        vectors: [K, channels of the layer], a direction in each row.
        small: half the side and half the steps, for the cells of a grid.
        seed: of the noise and the random views.
        folder: where each picture is kept as it comes, and taken from if it is there.

    Raises KeyError for an unknown layer, ValueError for vectors of another shape, that are not
    finite or all 0.
    """
    _check(network, layer, vectors)
    files = vector_files(network, layer, vectors, small, seed, folder) if folder else []
    return _batches(network, layer, vectors, small, seed, files)


def growing_vector(
    network: Network, layer: str, vector: Tensor, small: bool = False, seed: int = 0
) -> Iterator[Image]:
    """The picture [1, 3, S, S] of one direction [channels of the layer], after each step.

    The last one is that of `vector_pictures`.
    """
    return _steps(network, layer, vector[None], _plan(network, layer, small), small, seed)


def _plan(network: Network, layer: str, small: bool) -> Recipe:
    plan = recipe(network, layer)
    return replace(plan, side=plan.side // _SMALL, margin=plan.margin // _SMALL) if small else plan


def spread_pictures(
    network: Network,
    given: Network | Ticket,
    layer: str,
    vectors: Tensor,
    seed: int = 0,
    files: Sequence[Path] = (),
    client: object = None,
) -> Iterator[Image]:
    """The small pictures of `vector_pictures`, spread over the workers of a Dask client.

    Each batch is a job on one thread, so that the bytes do not depend on the number of workers.
    `given` is what `atlas.cluster.ticket` gives for the network, `files` where the pictures are
    kept: `vector_files`, or nothing.
    """
    _check(network, layer, vectors)
    return _batches(network, layer, vectors, True, seed, files, given, client)


def vector_files(
    network: Network, layer: str, vectors: Tensor, small: bool, seed: int, folder: Path
) -> list[Path]:
    """The file of each picture in `folder`, named by all that decides what it shows."""
    plan, digest = _plan(network, layer, small), weights_digest(network)
    return [
        folder / f"{hashlib.sha256(repr(what).encode()).hexdigest()[:24]}.png"
        for what in ((digest, layer, vector.tolist(), plan, seed) for vector in vectors)
    ]


def _check(network: Network, layer: str, vectors: Tensor) -> None:
    info = layer_info(network, layer)
    if vectors.dim() != 2 or vectors.shape[1] != info.channels or not len(vectors):
        raise ValueError(
            f"directions in layer {layer!r} are [K, {info.channels}]; given: {list(vectors.shape)}"
        )
    if not (vectors.isfinite().all() and vectors.any(1).all()):
        raise ValueError("each direction holds finite numbers that are not all 0")


def _batches(
    network: Network,
    layer: str,
    vectors: Tensor,
    small: bool,
    seed: int,
    kept: Sequence[Path],
    given: Network | Ticket | None = None,
    client: object = None,
) -> Iterator[Image]:
    """Batches in order; those that are kept are not grown again. Without `given`, all threads."""
    plan, parts = _plan(network, layer, small), vectors.split(_BATCH)
    if kept:
        make_folder(kept[0].parent)
    files = [kept[i : i + _BATCH] for i in range(0, len(kept), _BATCH)]
    missing = [i for i in range(len(parts)) if not files or not all(map(Path.is_file, files[i]))]
    jobs = ((given or network, layer, parts[i], plan, small, seed) for i in missing)
    grown: dict[int, Image] = {}
    with closing(spread(_grown, jobs, client) if given else _here(jobs)) as results:
        for i in range(len(parts)):
            while i in missing and i not in grown:
                number, pictures = next(results)
                grown[missing[number]] = pictures
                if files:
                    for picture, file in zip(pictures, files[missing[number]], strict=True):
                        save_image(picture[None], file)
            yield grown.pop(i) if i in grown else torch.cat([load_image(f) for f in files[i]])


def _here(jobs: Iterable[tuple]) -> Iterator[tuple[int, Image]]:
    yield from ((i, _grown(*job)) for i, job in enumerate(jobs))


def _grown(given: Network | Ticket, *rest: object) -> Image:
    return deque(_steps(network_of(given), *rest), maxlen=1).pop()


def _steps(
    network: Network, layer: str, vectors: Tensor, plan: Recipe, small: bool, seed: int
) -> Iterator[Image]:
    start = spectrum(plan.canvas, plan.canvas, seed, plan.strength)
    start = start.expand(len(vectors), -1, -1, -1, -1)
    awake = share_layers(network, with_redirected_relus(network))
    score = _score(awake, layer, vectors)
    steps, rate = (plan.steps // _SMALL, 0.08) if small else (plan.steps, 0.06)
    yield from plan.growing(score, start, steps, rate, seed)


def _score(network: Network, layer: str, vectors: Tensor) -> Score:
    def formula(features: Mapping[str, Tensor]) -> Tensor:
        values = features[layer]  # [N, C, h, w]
        return towards(values, vectors.to(values)[:, :, None, None], 2).mean((1, 2)).sum()

    return scorer(network, Objective((layer,), formula, f"directions of {layer!r}"))
