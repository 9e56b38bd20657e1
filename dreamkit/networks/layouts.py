"""How a layer's output is laid out, so that features come as maps [N, C, h, w] whatever the network's own order is.

Convolutional networks give [N, C, h, w]. Transformers give [N, h, w, C], or a row of tokens [N, T, C]: one token for
each patch of the picture, row by row, after the class token and its like, which have no place in the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

MOST_EXTRA = 16  # class, distillation and register tokens before the patches


@dataclass(frozen=True)
class Layout:
    """`kind` is "map" ([N, C, h, w]), "last" ([N, h, w, C]), "tokens" ([N, T, C]) or "numbers" (no map: left as it is).

    For tokens, `grid` is the layer whose map has one cell for each patch, and `extra` says how many tokens come first.
    """

    kind: str
    grid: str = ""
    extra: int = 0

    def lay(self, output: Tensor, grid: tuple[int, int] | None = None) -> Tensor:
        """The output as [N, C, h, w] (a view); `grid` is (h, w) of the layer of that name. ValueError where they do not agree.

        >>> import torch
        >>> Layout("tokens", "patches", 1).lay(torch.rand(1, 7, 5), (2, 3)).shape
        torch.Size([1, 5, 2, 3])
        """
        if self.kind == "last":
            return output.permute(0, 3, 1, 2)
        if self.kind != "tokens":
            return output
        if grid is None or output.shape[1] != self.extra + grid[0] * grid[1]:
            raise ValueError(
                f"{output.shape[1]} tokens are not {self.extra} and one for each of {grid} patches"
            )
        return output[:, self.extra :].transpose(1, 2).unflatten(2, grid)


def layout_of(
    output: Tensor, grids: Iterable[tuple[str, tuple[int, int]]], slides: bool = False
) -> Layout:
    """The Layout of a layer's output for one square picture; `grids` are (layer, (h, w)) of the maps so far, the latest first.

    A square picture makes square maps: of three sizes, those two that agree are height and width (where all do,
    channels come first). Maps are oblong only where a convolution or a pool made them so (`slides`: it is one itself).
    Tokens belong to the latest map that they fill but for a few extra ones.
    """
    grids = tuple(grids)
    if len(output) != 1:  # windows [windows, …] are parts of a picture
        return Layout("numbers")
    if output.dim() == 4:
        _, a, b, c = output.shape
        if b == c or slides or (b, c) in [size for _, size in grids]:
            return Layout("map")
        return Layout("last" if a == b else "numbers")
    if output.dim() == 3:
        for name, (height, width) in grids:
            extra = output.shape[1] - height * width
            if 0 <= extra <= MOST_EXTRA and extra < height * width:
                return Layout("tokens", name, extra)
    return Layout("numbers")
