"""torchvision's vision transformers for pictures of any size.

Their position embeddings are learnt for one size; for another size they are interpolated.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class AnySize(nn.Module):
    """A torchvision VisionTransformer that takes any size, with the same layers and names.

    The position embedding is interpolated (bicubic), as its authors did between trainings at
    different sizes (Dosovitskiy et al., "An image is worth 16×16 words", 2021, section 3.2). At its
    own size nothing changes. Pixels at the right and the bottom that fill no patch are not seen.
    """

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.class_token = transformer.class_token
        self.conv_proj = transformer.conv_proj
        self.encoder = transformer.encoder
        self.heads = transformer.heads

    def forward(self, x: Tensor) -> Tensor:
        patches = self.conv_proj(x)  # [N, C, h, w]
        tokens = patches.flatten(2).transpose(1, 2)  # [N, h * w, C]
        tokens = functional.pad(tokens, (0, 0, 1, 0))  # [N, 1 + h * w, C]
        tokens = tokens + self._positions(patches.shape[-2:])
        tokens = self.encoder.ln(self.encoder.layers(self.encoder.dropout(tokens)))
        return self.heads(tokens[:, 0])

    def _positions(self, grid: tuple[int, int]) -> Tensor:
        """The class token, then the position of each patch of the grid: [1, 1 + h * w, C]."""
        known = self.encoder.pos_embedding
        first = self.class_token + known[:, :1]  # [1, 1, C]
        patches = known[:, 1:].transpose(1, 2)  # [1, C, side * side]
        side = round(patches.shape[2] ** 0.5)
        if tuple(grid) != (side, side):
            patches = functional.interpolate(
                patches.unflatten(2, (side, side)), tuple(grid), mode="bicubic", antialias=True
            ).flatten(2)
        after = functional.pad(patches.transpose(1, 2), (0, 0, 1, 0))
        return after + functional.pad(first, (0, 0, 0, patches.shape[2]))


def any_size(module: nn.Module) -> nn.Module:
    """The module; for torchvision's VisionTransformer, the AnySize that shares its layers."""
    kind = type(module)
    home = (kind.__module__, kind.__name__)
    known = home == ("torchvision.models.vision_transformer", "VisionTransformer")
    return AnySize(module) if known else module
