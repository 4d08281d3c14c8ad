"""ResNet-18 for small images (He et al. 2016a, with a 3×3 stem): the network of paper 1, Figure 2."""

from __future__ import annotations

from torch import Tensor, nn

from lggkit.networks.blocks import ConvNorm, PostActivationBlock, conv3x3, global_pool, stack

STRIDES = [1, 1, 2, 1, 2, 1, 2, 1]


class ResNet18(nn.Module):
    """Eight post-activation blocks at ``width`` × (1, 1, 2, 2, 4, 4, 8, 8) channels.

    Images (n, channels, h, w) -> logits (n, classes). ``depths`` are ``block1`` … ``block8``, each after its
    block's last ReLU, and ``penultimate``, the pooled vector of 8 × width entries.
    """

    def __init__(self, classes: int = 10, width: int = 64, channels: int = 3) -> None:
        super().__init__()
        widths = [width << i // 2 for i in range(8)]
        self.stem = ConvNorm(conv3x3(channels, width), nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.Sequential(*stack(PostActivationBlock, width, widths, STRIDES))
        self.pool = global_pool()
        self.classifier = nn.Linear(widths[-1], classes)
        self.depths = {f"block{i + 1}": f"blocks.{i}" for i in range(8)} | {"penultimate": "pool"}

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.blocks(self.stem(x))))


def resnet18(classes: int = 10, width: int = 64, channels: int = 3) -> ResNet18:
    """ResNet-18; 11,173,962 parameters by default, ``width=16`` is its narrow sister for short schedules."""
    return ResNet18(classes, width, channels)
