"""Whether a gradient of a picture fits into memory, and the exact tiles to take if it does not."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import torch

from ..networks.features import layer_info, layer_table
from ..networks.network import Network
from ..pictures.image import Image
from .tiles import fields_of

# types of layers whose features take no memory of their own
_IN_PLACE = ("ReLU", "ReLU6", "Identity", "Dropout")
# the tile in pixels when none is asked for: large against most fields, small against memory
_CONVENIENT = 1024


def bytes_needed(network: Network, layers: Sequence[str], image: Image) -> int:
    """About how many bytes a gradient of the picture takes.

    It keeps the features of all layers up to the last of `layers` until the way back.
    """
    table = layer_table(network)
    needed = [table.index(layer_info(network, name)) for name in layers if name]
    last = len(table) - 1 if "" in layers else max(needed, default=len(table) - 1)
    parents = {info.name.rpartition(".")[0] for info in table}
    values = 12.0  # for each pixel: the picture, the standardised picture and their gradients
    for info in table[: last + 1]:
        is_map = info.field is not None and info.is_map
        if is_map and info.name not in parents and info.kind not in _IN_PLACE:
            values += info.channels / math.prod(info.field.stride)
    pixels = image.shape[0] * image.shape[-2] * image.shape[-1]
    return int(1.6 * values * pixels * max(image.element_size(), 4))


def bytes_free(device: torch.device) -> int | None:
    """How many bytes are free on the device; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return None
    try:
        with open("/proc/meminfo") as file:
            available = next(line for line in file if line.startswith("MemAvailable"))
        return int(available.split()[1]) * 1024
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError, AttributeError):
        return None


def exceeds_memory(network: Network, layers: Sequence[str], image: Image) -> bool:
    """Whether a gradient of the whole picture would take more than 60 % of the free memory."""
    free = bytes_free(network.device)
    return free is not None and bytes_needed(network, layers, image) > 0.6 * free


def tile_that_fits(network: Network, layers: Sequence[str], image: Image) -> int:
    """The side of the exact tiles to take the picture in; 0 if it fits or tiles would not help."""
    if max(image.shape[-2:]) <= _CONVENIENT or not exceeds_memory(network, layers, image):
        return 0
    try:
        fields = [info.field for info in fields_of(network, layers).values()]
    except ValueError:
        return 0
    overlap = max(field.size[a] + 2 * field.stride[a] for field in fields for a in (0, 1))
    return max(_CONVENIENT, 2 * overlap)
