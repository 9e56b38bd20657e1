"""Writes a network as an ONNX file that takes a picture in [0, 1] and gives feature maps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..networks.features import capture
from ..networks.layers import layer_info
from ..networks.network import Network
from .agreement import check_features, random_pictures
from .model_files import check_name, onnx_package, write_model
from .tracing import OUTPUT, trace


def export(network: Network, layers: Iterable[str] | str, path: str | os.PathLike[str]) -> None:
    """Writes the network as far as the last of `layers` to an ONNX file (opset 17).

    The input "picture" [N, 3, H, W] is RGB in [0, 1]: standardising is part of the graph. The
    outputs, and all tensors inside, have the layers' own names ("" is called "logits"), also where
    an alias is given. Batch, height and width are free, unless the network takes one size only.
    Before anything is written, the graph is checked: its form, and its features at two sizes
    against those of torch.

    Raises KeyError for an unknown layer, ValueError for a network or a path that cannot be written.
    """
    names = (layers,) if isinstance(layers, str) else tuple(layers)
    if not names:
        raise ValueError("export takes at least one layer")
    names = tuple(dict.fromkeys(name and layer_info(network, name).name for name in names))
    onnx_package()
    check_name(path)
    builder, size = trace(network, names)
    fixed = fixed_size(network, names, size)
    results = {name or OUTPUT: _shape(builder.shapes[name or OUTPUT], fixed) for name in names}
    model = builder.model(results, network.name or "network", metadata(network), fixed)

    def expected(picture: Tensor) -> dict[str, Tensor]:
        return {name or OUTPUT: v for name, v in capture(network, picture, names).items()}

    check_features(model.SerializeToString(), expected, random_pictures(size, fixed))
    write_model(model, path)


def metadata(network: Network) -> dict[str, str]:
    """The notes inside the file: the range of its picture, the network's name and its labels."""
    return {
        "dreamkit.picture": "RGB in [0, 1]",
        "dreamkit.name": network.name,
        "dreamkit.labels": json.dumps(list(network.labels)),
    }


def fixed_size(
    network: Network, layers: Sequence[str], size: tuple[int, int]
) -> tuple[int, int] | None:
    """`size`, if the graph as far as `layers` holds for that size only; None if it is free."""
    pools = (m for m in network.module.modules() if isinstance(m, torch.nn.AdaptiveAvgPool2d))
    if "" in layers and any(pool.output_size not in (1, (1, 1)) for pool in pools):
        return size  # ONNX has no adaptive pool to more than one cell
    larger = torch.zeros(1, 3, size[0] + 32, size[1] + 48, dtype=network.dtype)
    try:
        with torch.no_grad():
            capture(network, larger, layers)
    except (RuntimeError, ValueError):
        return size
    return None


def _shape(shape: Sequence[int], fixed: object) -> list[int | str | None]:
    if len(shape) == 4 and fixed is None:
        return ["batch", shape[1], None, None]
    return ["batch", *(shape[1:] if len(shape) in (2, 4) else [None] * (len(shape) - 1))]
