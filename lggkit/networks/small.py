"""A small residual network that trains on 8×8 digits in about a second an epoch: for ``smoke``."""

from __future__ import annotations

from torch import Tensor, nn

from lggkit.networks.blocks import ConvNorm, PostActivationBlock, conv3x3, global_pool


class SmallNet(nn.Module):
    """Three post-activation blocks at ``width`` × (1, 2, 4) channels; no paper's network.

    Images (n, channels, h, w) of any size from 1×1 on -> logits (n, classes). ``depths`` are ``stage1``,
    ``middle`` and ``stage3``, each after its block's last ReLU, and ``penultimate``, the pooled vector of
    4 × width entries.
    """

    def __init__(self, classes: int = 10, width: int = 16, channels: int = 1) -> None:
        super().__init__()
        self.stem = ConvNorm(conv3x3(channels, width), nn.BatchNorm2d(width), nn.ReLU())
        self.stage1 = PostActivationBlock(width, width)
        self.stage2 = PostActivationBlock(width, 2 * width, 2)
        self.stage3 = PostActivationBlock(2 * width, 4 * width, 2)
        self.pool = global_pool()
        self.classifier = nn.Linear(4 * width, classes)
        self.depths = {"stage1": "stage1", "middle": "stage2", "stage3": "stage3", "penultimate": "pool"}

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.stage3(self.stage2(self.stage1(self.stem(x))))))


def small_net(classes: int = 10, width: int = 16, channels: int = 1) -> SmallNet:
    """The smoke network; 77,754 parameters by default."""
    return SmallNet(classes, width, channels)
