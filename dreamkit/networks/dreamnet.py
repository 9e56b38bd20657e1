"""DreamNet, a small GoogLeNet for pictures of 64×64 pixels, with GoogLeNet's names of blocks.

3.35 million parameters and about 0.55 GFLOP (multiplications and additions counted separately) for
one 64×64 picture. Architecture after Szegedy et al., "Going deeper with convolutions" (2014), with
BatchNorm, a first layer of stride 1 (the pictures are small) and no auxiliary classifiers.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from .folding import fold_batchnorm

SIDE = 64  # of the pictures that it was trained on

MEAN = (0.480, 0.448, 0.398)  # of Tiny ImageNet, RGB in [0, 1]
STD = (0.277, 0.269, 0.282)


class Conv(nn.Sequential):
    """A convolution and its ReLU, with a BatchNorm between them unless it is `folded`."""

    def __init__(self, inputs: int, outputs: int, kernel: int, folded: bool):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=folded)
        if not folded:
            self.bn = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)


class Inception(nn.Module):
    """Four branches, joined along channels: 1×1; 1×1, 3×3; 1×1, 5×5; 3×3 max-pool, 1×1."""

    def __init__(
        self, inputs: int, b1: int, b3_in: int, b3: int, b5_in: int, b5: int, b4: int, folded: bool
    ):
        super().__init__()
        self.branch1 = Conv(inputs, b1, 1, folded)
        self.branch2 = nn.Sequential(Conv(inputs, b3_in, 1, folded), Conv(b3_in, b3, 3, folded))
        self.branch3 = nn.Sequential(Conv(inputs, b5_in, 1, folded), Conv(b5_in, b5, 5, folded))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), Conv(inputs, b4, 1, folded))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class DreamNet(nn.Module):
    """The network: standardised pictures [N, 3, H, W] in, logits [N, classes] out.

    `folded=True` builds it without BatchNorm, as the shipped weights need it. Comments give the
    sizes for a picture of 64×64 pixels.
    """

    def __init__(self, classes: int = 200, folded: bool = False):
        super().__init__()
        self.conv1 = Conv(3, 48, 7, folded)  # 48 × 64×64
        self.pool1 = nn.MaxPool2d(3, 2, 1)
        self.conv2 = nn.Sequential(Conv(48, 48, 1, folded), Conv(48, 112, 3, folded))  # 112 × 32×32
        self.pool2 = nn.MaxPool2d(3, 2, 1)
        self.inception3a = Inception(112, 48, 64, 96, 16, 32, 32, folded)  # 208 × 16×16
        self.inception3b = Inception(208, 80, 80, 128, 24, 48, 32, folded)  # 288
        self.pool3 = nn.MaxPool2d(3, 2, 1)
        self.inception4a = Inception(288, 112, 80, 160, 20, 48, 48, folded)  # 368 × 8×8
        self.inception4b = Inception(368, 104, 80, 176, 24, 56, 56, folded)  # 392
        self.inception4c = Inception(392, 96, 96, 192, 24, 56, 56, folded)  # 400
        self.inception4d = Inception(400, 96, 104, 208, 28, 56, 56, folded)  # 416
        self.inception4e = Inception(416, 160, 112, 224, 32, 80, 80, folded)  # 544
        self.pool4 = nn.MaxPool2d(3, 2, 1)
        self.inception5a = Inception(544, 176, 112, 240, 32, 80, 80, folded)  # 576 × 4×4
        self.inception5b = Inception(576, 256, 144, 288, 40, 96, 96, folded)  # 736
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(736, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool2(self.conv2(self.pool1(self.conv1(x))))
        x = self.pool3(self.inception3b(self.inception3a(x)))
        x = self.inception4c(self.inception4b(self.inception4a(x)))
        x = self.pool4(self.inception4e(self.inception4d(x)))
        x = self.inception5b(self.inception5a(x))
        return self.fc(self.dropout(self.avgpool(x).flatten(1)))


def fold(network: DreamNet) -> DreamNet:
    """A copy of a trained DreamNet in evaluation mode, its BatchNorms folded (see `folding`)."""
    folded = DreamNet(network.fc.out_features, folded=True)
    fused = fold_batchnorm(copy.deepcopy(network).eval())
    folded.load_state_dict(fused.state_dict())
    return folded.eval()
