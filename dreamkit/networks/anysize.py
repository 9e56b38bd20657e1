"""torchvision's vision transformers for pictures of any size.

Their position embeddings are learnt for one size; for another size they are interpolated.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn
from torch.nn import functional

_HOME = ("torchvision.models.vision_transformer", "VisionTransformer")


def any_size(module: nn.Module) -> nn.Module:
    """The module; in it each VisionTransformer of torchvision's takes pictures of any size.

    It is changed in place and keeps its layers and their names. A subclass with a forward pass of
    its own stays as it is.
    """
    for layer in module.modules():
        kinds = [kind for kind in type(layer).__mro__ if (kind.__module__, kind.__name__) == _HOME]
        own = "forward" in vars(layer)  # set by a user, or here before
        if (
            kinds
            and not own
            and all(
                getattr(type(layer), name) is getattr(kinds[0], name)
                for name in ("forward", "_process_input")
            )
        ):
            layer.forward = partial(_forward, layer)  # unlike a method, it can be pickled
    return module


def positions(transformer: nn.Module, grid: tuple[int, int]) -> Tensor:
    """The class token, then the position of each patch of the grid: [1, 1 + h * w, C].

    The position embedding is interpolated (bicubic), as its authors did between trainings at
    different sizes (Dosovitskiy et al., "An image is worth 16×16 words", 2021, section 3.2). At its
    own size nothing changes.
    """
    known = transformer.encoder.pos_embedding
    first = transformer.class_token + known[:, :1]  # [1, 1, C]
    patches = known[:, 1:].transpose(1, 2)  # [1, C, side * side]
    side = round(patches.shape[2] ** 0.5)
    if tuple(grid) != (side, side):
        patches = functional.interpolate(
            patches.unflatten(2, (side, side)), tuple(grid), mode="bicubic", antialias=True
        ).flatten(2)
    after = functional.pad(patches.transpose(1, 2), (0, 0, 1, 0))
    return after + functional.pad(first, (0, 0, 0, patches.shape[2]))


def _forward(transformer: nn.Module, x: Tensor) -> Tensor:
    """The forward pass at any size. Pixels at the right and the bottom that fill no patch are lost.

    The encoder is not called as a whole: it would add the positions of its own size.
    """
    patches = transformer.conv_proj(x)  # [N, C, h, w]
    tokens = patches.flatten(2).transpose(1, 2)  # [N, h * w, C]
    tokens = functional.pad(tokens, (0, 0, 1, 0))  # [N, 1 + h * w, C]
    tokens = tokens + positions(transformer, patches.shape[-2:])
    encoder = transformer.encoder
    tokens = encoder.ln(encoder.layers(encoder.dropout(tokens)))
    return transformer.heads(tokens[:, 0])
