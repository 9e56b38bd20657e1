"""How a layer's output is laid out, so that all features can be given as maps [N, C, h, w].

Convolutional networks give [N, C, h, w]. Transformers give [N, h, w, C], or a row of tokens
[N, T, C]: one token for each patch of the picture, row by row, after the class token and other
extra tokens, which have no place in the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

MOST_EXTRA = 16  # class, distillation and register tokens before the patches


@dataclass(frozen=True)
class Layout:
    """The layout of a layer's output.

    Its kind is "map" ([N, C, h, w]), "last" ([N, h, w, C]), "tokens" ([N, T, C]) or "numbers" (not
    a map).
    """

    kind: str
    grid: str = ""  # for tokens, the layer whose map has one cell for each patch
    extra: int = 0  # for tokens, how many come before those of the patches

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes of rows and columns, counted from the end; one if they are a row of tokens."""
        known = {"map": (-2, -1), "last": (-3, -2), "tokens": (-2,)}
        return known.get(self.kind, ())

    def lay(self, output: Tensor, grid: tuple[int, int] | None = None) -> Tensor:
        """A view of the output as [N, C, h, w]; the output itself if it is not a map.

        `grid` is (h, w) of the map of the layer `self.grid`. Raises ValueError if the tokens are
        not one for each of its cells and the extra ones.

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
                f"{output.shape[1]} tokens do not fill a grid of {grid} patches and {self.extra} "
                "extra tokens"
            )
        return output[:, self.extra :].transpose(1, 2).unflatten(2, grid)


def layout_of(
    output: Tensor, grids: Iterable[tuple[str, tuple[int, int]]], slides: bool = False
) -> Layout:
    """The Layout of a layer's output for one square picture.

    output: with a batch of 1; of 2 to 4 dimensions.
    grids: (layer, (h, w)) of the maps so far, the latest first.
    slides: whether the layer is a convolution or a pool, whose output is a map of any shape.

    A square picture gives square maps: of three sizes, the two that are equal are height and width;
    if all are equal, channels come first. Tokens belong to the latest map that they fill, but for a
    few extra ones.
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
