"""One node of an ONNX file, with its attributes and constants checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .onnx_modules import Window

MAX_PAD, MAX_WINDOW = 4096, 4096  # cells: a larger number would only fill the memory


@dataclass(frozen=True)
class FileNode:
    """One node of a file. `constants` holds an array for each input, or None if it is computed."""

    op_type: str
    name: str
    attributes: dict[str, object]
    constants: tuple[np.ndarray | None, ...]
    opset: int

    def get(self, key: str, default: object = None) -> object:
        """An attribute."""
        return self.attributes.get(key, default)

    def constant(self, index: int, attribute: str, default: object = None) -> object:
        """A value that is a constant input in newer opsets and an attribute in older ones."""
        if index < len(self.constants) and self.constants[index] is not None:
            return self.constants[index].tolist()
        return self.get(attribute, default)

    def weights(self, index: int, rank: int) -> Tensor:
        """A constant input with `rank` axes as float32. Raises ValueError for any other input."""
        value = self.constants[index] if index < len(self.constants) else None
        if value is None or value.ndim != rank or value.dtype.kind != "f" or 0 in value.shape:
            raise self.error(f"its input {index} must be constant weights with {rank} axes")
        weights = torch.from_numpy(np.array(value, np.float32))
        if not torch.isfinite(weights).all():
            raise self.error("its weights are not all finite numbers")
        return weights

    def window(self, kernel: Sequence[int]) -> Window:
        """The window of a convolution or a pool. Raises ValueError for what is out of range."""
        ones, auto = [1, 1], self.get("auto_pad", "NOTSET")
        kernel = list(kernel)
        strides, dilations = self.get("strides", ones), self.get("dilations", ones)
        pads = self.get("pads", [0, 0, 0, 0])
        if any(len(n) != 2 for n in (kernel, strides, dilations)) or len(pads) != 4:
            raise self.error("only two-dimensional maps are read, [N, C, H, W]")
        if any(not 1 <= n <= MAX_WINDOW for n in (*kernel, *strides, *dilations)) or any(
            not 0 <= n <= MAX_PAD for n in pads
        ):
            raise self.error(
                f"out of range: kernel {kernel}, strides {list(strides)}, "
                f"dilations {list(dilations)} or pads {list(pads)}"
            )
        if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
            raise self.error(f"unknown auto_pad {auto!r}")
        pads = (0, 0, 0, 0) if auto == "VALID" else tuple(pads)
        ceil = bool(self.get("ceil_mode", 0))
        return Window(tuple(kernel), tuple(strides), tuple(dilations), pads, auto, ceil)

    def error(self, why: str) -> ValueError:
        return ValueError(f"{self.op_type} {self.name!r}: {why}")
