"""torchvision's vision transformers for pictures of any size: the places of the patches, learnt for one size, are resized."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class AnySize(nn.Module):
    """A torchvision VisionTransformer with the same layers under the same names, which does not insist on its picture size.

    What its position embedding says of a place between two patches is interpolated (bicubic), as its authors did
    between trainings at different sizes (Dosovitskiy et al., "An image is worth 16×16 words", 2021, section 3.2).
    At its own size nothing changes; pixels right and below that fill no patch are not seen.
    """

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.class_token = transformer.class_token
        self.conv_proj, self.encoder, self.heads = (
            transformer.conv_proj,
            transformer.encoder,
            transformer.heads,
        )

    def forward(self, x: Tensor) -> Tensor:
        patches = self.conv_proj(x)  # [N, C, h, w]
        tokens = functional.pad(
            patches.flatten(2).transpose(1, 2), (0, 0, 1, 0)
        )  # [N, 1 + h * w, C]
        tokens = tokens + self._places(patches.shape[-2:])
        tokens = self.encoder.ln(self.encoder.layers(self.encoder.dropout(tokens)))
        return self.heads(tokens[:, 0])

    def _places(self, grid: tuple[int, int]) -> Tensor:
        """What is added to the tokens [1, 1 + h * w, C]: the class token itself, and where each token stands."""
        known = self.encoder.pos_embedding
        first, places = (
            self.class_token + known[:, :1],
            known[:, 1:].transpose(1, 2),
        )  # [1, C, side * side]
        side = round(places.shape[2] ** 0.5)
        if tuple(grid) != (side, side):
            places = functional.interpolate(
                places.unflatten(2, (side, side)), tuple(grid), mode="bicubic", antialias=True
            ).flatten(2)
        return functional.pad(places.transpose(1, 2), (0, 0, 1, 0)) + functional.pad(
            first, (0, 0, 0, places.shape[2])
        )


def any_size(module: nn.Module) -> nn.Module:
    """The module, or for torchvision's VisionTransformer the AnySize made of it (which shares its layers)."""
    kind = type(module)
    known = (
        kind.__name__ == "VisionTransformer"
        and kind.__module__ == "torchvision.models.vision_transformer"
    )
    return AnySize(module) if known else module
