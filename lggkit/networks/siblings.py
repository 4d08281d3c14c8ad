"""Narrow, shallow siblings of VGG, GoogLeNet, MobileNetV2 and EfficientNet for small images (article 1).

They keep what a family is known by and are far from its sizes; no published number is theirs.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from lggkit.networks.blocks import ConvNorm, conv1x1, conv3x3, global_pool
from lggkit.networks.convolution import GuardedConv2d


class Sibling(nn.Module):
    """A stem, three stages and a linear layer: images (n, channels, h, w) -> logits (n, classes).

    ``depths`` are ``stage1`` to ``stage3`` and ``penultimate``, the pooled vector.
    """

    def __init__(self, stem: nn.Module, stages: list[nn.Module], d: int, classes: int) -> None:
        super().__init__()
        self.stem, self.stages = stem, nn.Sequential(*stages)
        self.pool, self.classifier = global_pool(), nn.Linear(d, classes)
        self.depths = {f"stage{i + 1}": f"stages.{i}" for i in range(len(stages))} | {"penultimate": "pool"}

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.stages(self.stem(x))))


def _unit(convolution: nn.Conv2d, bend: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    return ConvNorm(convolution, nn.BatchNorm2d(convolution.out_channels), bend())


def _halved() -> nn.Module:
    return nn.MaxPool2d(2, ceil_mode=True)


def vgg(classes: int = 10, width: int = 16, channels: int = 3) -> Sibling:
    """VGG's plain 3×3 convolutions, with BN: seven of them at ``width`` × (1, 2, 4, 8), maxima between."""
    stages = [
        nn.Sequential(_halved(), _unit(conv3x3(d, 2 * d)), _unit(conv3x3(2 * d, 2 * d)))
        for d in (width, 2 * width, 4 * width)
    ]
    return Sibling(_unit(conv3x3(channels, width)), stages, 8 * width, classes)


class Inception(nn.Module):
    """Four branches side by side (Szegedy et al., 2015): 1×1, 3×3, two 3×3 for a 5×5, and a maximum.

    (n, inputs, h, w) -> (n, 4 × width, h, w).
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        one, two, three = (_unit(conv1x1(inputs, width)) for _ in range(3))
        pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1), _unit(conv1x1(inputs, width)))
        two = nn.Sequential(two, _unit(conv3x3(width, width)))
        three = nn.Sequential(three, *(_unit(conv3x3(width, width)) for _ in range(2)))
        self.branches = nn.ModuleList([one, two, three, pooled])

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def googlenet(classes: int = 10, width: int = 16, channels: int = 3) -> Sibling:
    """GoogLeNet's inception blocks: four, of 4 × ``width`` × (1, 2, 2, 4) channels, maxima between."""
    w = width
    stages = [
        nn.Sequential(_halved(), Inception(2 * w, w)),
        nn.Sequential(_halved(), Inception(4 * w, 2 * w), Inception(8 * w, 2 * w)),
        nn.Sequential(_halved(), Inception(8 * w, 4 * w)),
    ]
    return Sibling(_unit(conv3x3(channels, 2 * w)), stages, 16 * w, classes)


class Squeeze(nn.Module):
    """Channels scaled by what their means say (Hu et al., 2018), with a quarter of them in between."""

    def __init__(self, d: int) -> None:
        super().__init__()
        inner = max(1, d // 4)
        self.gate = nn.Sequential(global_pool(), nn.Linear(d, inner), nn.SiLU(), nn.Linear(inner, d))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x).sigmoid()[..., None, None]


class InvertedResidual(nn.Module):
    """1×1 to three times as many channels, depthwise 3×3, 1×1 back (Sandler et al., 2018).

    The input is added where the shape stays. With ``squeeze`` it is EfficientNet's: SiLU, and a `Squeeze`.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, squeeze: bool = False) -> None:
        super().__init__()
        d, bend = 3 * inputs, nn.SiLU if squeeze else nn.ReLU
        depthwise = GuardedConv2d(d, d, 3, stride, 1, groups=d, bias=False)
        self.inner = nn.Sequential(
            *(_unit(conv1x1(inputs, d), bend), _unit(depthwise, bend)),
            Squeeze(d) if squeeze else nn.Identity(),
            ConvNorm(conv1x1(d, outputs), nn.BatchNorm2d(outputs)),
        )
        self.added = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + x if self.added else self.inner(x)


def _inverted(classes: int, width: int, channels: int, squeeze: bool) -> Sibling:
    bend, sizes = nn.SiLU if squeeze else nn.ReLU, (width, width, 2 * width, 4 * width)
    stages: list[nn.Module] = [
        nn.Sequential(InvertedResidual(a, b, 2, squeeze), InvertedResidual(b, b, 1, squeeze))
        for a, b in pairwise(sizes)
    ]
    stages[-1].append(_unit(conv1x1(4 * width, 8 * width), bend))
    return Sibling(_unit(conv3x3(channels, width), bend), stages, 8 * width, classes)


def mobilenet_v2(classes: int = 10, width: int = 16, channels: int = 3) -> Sibling:
    """MobileNetV2's inverted residuals: six at ``width`` × (1, 2, 4) channels, then a 1×1 to 8 × width."""
    return _inverted(classes, width, channels, False)


def efficientnet(classes: int = 10, width: int = 16, channels: int = 3) -> Sibling:
    """EfficientNet's blocks: those of `mobilenet_v2` with SiLU and channels that are scaled."""
    return _inverted(classes, width, channels, True)
