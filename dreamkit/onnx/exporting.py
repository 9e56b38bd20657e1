"""A network's layers as an ONNX file: a picture in [0, 1] of any size goes in, feature maps come out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence

import torch

from ..networks.features import capture
from ..networks.layers import layer_info
from ..networks.network import Network
from .model_files import check_name, one_line, onnx_package, write_model
from .tracing import PICTURE, trace

TOLERANCE = 1e-4  # of the largest value of a layer


def export(network: Network, layers: Iterable[str] | str, path: str | os.PathLike[str]) -> None:
    """Writes the network as far as the last of `layers` into an ONNX file (opset 17), whole or not at all.

    Its input "picture" [N, 3, H, W] is RGB in [0, 1]: standardising is part of the graph. Its outputs bear the names of
    the layers ("" is called "logits"), and so do all tensors inside. Batch, height and width are free, unless the
    network itself takes only one size. Before anything is written the graph is checked, run by onnxruntime at two
    sizes, and compared with torch. KeyError for an unknown layer, ValueError for what cannot be written.
    """
    names = (layers,) if isinstance(layers, str) else tuple(dict.fromkeys(layers))
    if not names:
        raise ValueError("export takes at least one layer")
    for name in filter(None, names):
        layer_info(network, name)
    onnx_package()
    check_name(path)
    builder, size = trace(network, names)
    fixed = None if free_size(network, names, size) else size
    results = {name or "logits": _shape(builder.shapes[name or "logits"], fixed) for name in names}
    model = builder.model(PICTURE, results, network.name or "network", notes(network), fixed)
    expected = lambda picture: {
        name or "logits": value for name, value in capture(network, picture, names).items()
    }
    compare(model.SerializeToString(), expected, trials(size, fixed))
    write_model(model, path)


def notes(network: Network) -> dict[str, str]:
    """What travels inside the file: that its picture is RGB in [0, 1], the network's name and its labels."""
    return {
        "dreamkit.picture": "RGB in [0, 1]",
        "dreamkit.name": network.name,
        "dreamkit.labels": json.dumps(list(network.labels)),
    }


def free_size(network: Network, names: Sequence[str], size: tuple[int, int]) -> bool:
    """Whether torch takes a picture of another size as far as those layers, too."""
    try:
        with torch.no_grad():
            capture(
                network, torch.zeros(1, 3, size[0] + 32, size[1] + 48, dtype=network.dtype), names
            )
    except (RuntimeError, ValueError):
        return False
    return not _pooled_to_size(network, names)


def trials(
    size: tuple[int, int], fixed: tuple[int, int] | None, seed: int = 1
) -> list[torch.Tensor]:
    """Pictures to try a graph with: two of the trial size, and one of another size where any will do."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [(2, 3, *size)] + ([] if fixed else [(1, 3, size[0] + 33, size[1] + 48)])
    return [torch.rand(shape, generator=generator) for shape in sizes]


def compare(data: bytes, expected, pictures: Iterable[torch.Tensor]) -> None:
    """ValueError unless onnxruntime gives what `expected(picture)` {name: tensor} says, for each picture, to 1e-4 of its largest value."""
    for picture in pictures:
        for name, (value, other) in both(data, expected, picture).items():
            far = float((value - other).abs().max())
            if not far <= TOLERANCE * float(value.abs().max()) + 1e-10:
                raise disagree(name, picture, far)


def both(
    data: bytes, expected, picture: torch.Tensor
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """{name: (what `expected(picture)` says, what onnxruntime gives)}, of one shape each. ValueError where it cannot be run."""
    from .running import quiet_session

    wanted = {name: value.detach().double().cpu() for name, value in expected(picture).items()}
    try:
        given = quiet_session(data).run(list(wanted), {PICTURE: picture.numpy()})
    except Exception as error:
        raise ValueError(
            f"onnxruntime could not run the graph at {list(picture.shape)}: {one_line(error)}"
        ) from None
    pairs = {
        name: (value, torch.from_numpy(other).double())
        for (name, value), other in zip(wanted.items(), given, strict=True)
    }
    for name, (value, other) in pairs.items():
        if value.shape != other.shape:
            raise disagree(name, picture, float("inf"))
    return pairs


def disagree(name: str, picture: torch.Tensor, far: float) -> ValueError:
    return ValueError(
        f"the ONNX graph does not give what torch gives for {name!r} at {list(picture.shape)} (off by {far:.2g})"
    )


def _pooled_to_size(network: Network, names: Sequence[str]) -> bool:
    """An adaptive pool to more than one cell on the way: ONNX has none, so the graph holds for the trial size only."""
    if "" not in names:
        return False
    sizes = [
        m.output_size for m in network.module.modules() if isinstance(m, torch.nn.AdaptiveAvgPool2d)
    ]
    return any(s not in (1, (1, 1)) for s in sizes)


def _shape(shape: Sequence[int], fixed: object) -> list[int | str | None]:
    free = [None, None] if fixed is None and len(shape) == 4 else list(shape[2:])
    return (
        ["batch", shape[1], *free]
        if len(shape) in (2, 4)
        else ["batch", *([None] * (len(shape) - 1))]
    )
