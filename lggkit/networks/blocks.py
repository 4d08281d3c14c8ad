"""The pieces that every network here is made of: convolutions, the two residual blocks, global pooling."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor, nn

from lggkit.networks.convolution import GuardedConv2d
from lggkit.networks.norm_relu import norm_relu


class ParsevalConv2d(GuardedConv2d):
    """A convolution by ``weight / √(2k² + 1)``, k being its kernel's side; weights are drawn as usual.

    An input enters k² of its patches, which can lengthen a signal k-fold at most: with orthonormal weights
    this map lengthens nothing. Source: the authors' code of paper 1, section 4.3.
    """

    def forward(self, x: Tensor) -> Tensor:
        scale = 1 / math.sqrt(2 * self.kernel_size[0] ** 2 + 1)
        return self._conv_forward(x, scale * self.weight, self.bias)


def conv3x3(
    inputs: int, outputs: int, stride: int = 1, kind: type[GuardedConv2d] = GuardedConv2d
) -> GuardedConv2d:
    """A 3×3 convolution without bias that keeps the size at stride 1."""
    return kind(inputs, outputs, 3, stride=stride, padding=1, bias=False)


def conv1x1(
    inputs: int, outputs: int, stride: int = 1, kind: type[GuardedConv2d] = GuardedConv2d
) -> GuardedConv2d:
    """A 1×1 convolution without bias, safe at any stride and width."""
    return kind(inputs, outputs, 1, stride=stride, bias=False)


def global_pool() -> nn.Sequential:
    """(n, d, h, w) -> (n, d): the mean over positions, as one module that a tap can be put on."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


class ConvNorm(nn.Sequential):
    """A convolution, its batch norm and, where there is one, its ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        conv, norm, *relu = self
        return norm_relu(norm, relu[0] if relu else None, conv(x))


class PostActivationBlock(nn.Module):
    """conv-BN-ReLU-conv-BN, plus the shortcut, ReLU (He et al. 2016a); the output is non-negative.

    The shortcut is the identity, or a 1×1 convolution with BN where the shape changes.
    (n, inputs, h, w) -> (n, outputs, ceil(h / stride), ceil(w / stride)).
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = conv3x3(inputs, outputs, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = conv3x3(outputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = ConvNorm(conv1x1(inputs, outputs, stride), nn.BatchNorm2d(outputs))
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        hidden = norm_relu(self.bn1, self.relu1, self.conv1(x))
        return norm_relu(self.bn2, self.relu2, self.conv2(hidden), self.shortcut(x))


class PreActivationBlock(nn.Module):
    """BN-ReLU-conv-BN-ReLU-conv, plus the shortcut (He et al. 2016b); the output has both signs.

    The shortcut is the identity on the block's input, or, where the shape changes, a 1×1 convolution without
    BN of the first ReLU map. (n, inputs, h, w) -> (n, outputs, ceil(h / stride), ceil(w / stride)).
    With ``parseval`` the convolutions are `ParsevalConv2d`, and the two branches are averaged.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, parseval: bool = False) -> None:
        super().__init__()
        self.parseval = parseval
        kind = ParsevalConv2d if parseval else GuardedConv2d
        self.bn1 = nn.BatchNorm2d(inputs)
        self.relu1 = nn.ReLU()
        self.conv1 = conv3x3(inputs, outputs, stride, kind)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()
        self.conv2 = conv3x3(outputs, outputs, kind=kind)
        reshapes = stride != 1 or inputs != outputs
        self.shortcut = conv1x1(inputs, outputs, stride, kind) if reshapes else None

    def forward(self, x: Tensor) -> Tensor:
        hidden = norm_relu(self.bn1, self.relu1, x)
        skip = x if self.shortcut is None else self.shortcut(hidden)
        total = self.conv2(norm_relu(self.bn2, self.relu2, self.conv1(hidden))) + skip
        return 0.5 * total if self.parseval else total


class PreActivationBottleneck(nn.Module):
    """Three pre-activated convolutions, 1×1, 3×3 and 1×1, plus the shortcut (He et al. 2016b, Figure 1).

    The first two have a quarter of the ``outputs`` channels; the stride is in the 3×3 one. The shortcut is as
    in `PreActivationBlock`. (n, inputs, h, w) -> (n, outputs, ceil(h / stride), ceil(w / stride)).
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        narrow = outputs // 4
        self.bn1, self.relu1 = nn.BatchNorm2d(inputs), nn.ReLU()
        self.conv1 = conv1x1(inputs, narrow)
        self.bn2, self.relu2 = nn.BatchNorm2d(narrow), nn.ReLU()
        self.conv2 = conv3x3(narrow, narrow, stride)
        self.bn3, self.relu3 = nn.BatchNorm2d(narrow), nn.ReLU()
        self.conv3 = conv1x1(narrow, outputs)
        reshapes = stride != 1 or inputs != outputs
        self.shortcut = conv1x1(inputs, outputs, stride) if reshapes else None

    def forward(self, x: Tensor) -> Tensor:
        first = norm_relu(self.bn1, self.relu1, x)
        narrow = norm_relu(self.bn2, self.relu2, self.conv1(first))
        hidden = norm_relu(self.bn3, self.relu3, self.conv2(narrow))
        return self.conv3(hidden) + (x if self.shortcut is None else self.shortcut(first))


def stack(
    block: Callable[..., nn.Module], inputs: int, widths: list[int], strides: list[int]
) -> list[nn.Module]:
    """Blocks of the given widths and strides, each fed by the one before; ``inputs`` feeds the first."""
    sources = [inputs, *widths[:-1]]
    return [block(*shape) for shape in zip(sources, widths, strides, strict=True)]
