"""A plain convolutional network of four layers, each with half the resolution of the one before."""

from __future__ import annotations

from torch import Tensor, nn

from lggkit.networks.blocks import conv3x3, global_pool, stack

WIDTHS, SLOPE = (1, 4, 8, 16), 0.1


class SimpleCNN(nn.Module):
    """Convolution, BN, leaky ReLU and a maximum over 2×2, four times, at ``width`` × (1, 4, 8, 16) channels.

    Images (n, channels, h, w) of any size from 1×1 on -> logits (n, classes). ``depths`` are ``block1`` to
    ``block4`` and ``penultimate``, the pooled vector of 16 × width entries. Source: Hofer et al.,
    "Topologically densified distributions" (2020), the authors' network for MNIST, whose 28×28 images its
    last block leaves at one position; here the mean over positions follows.
    """

    def __init__(self, classes: int = 10, width: int = 8, channels: int = 1) -> None:
        super().__init__()
        widths = [width * factor for factor in WIDTHS]
        self.blocks = nn.Sequential(*stack(_block, channels, widths, [1] * len(widths)))
        self.pool = global_pool()
        self.classifier = nn.Linear(widths[-1], classes)
        self.depths = {f"block{i + 1}": f"blocks.{i}" for i in range(len(widths))} | {"penultimate": "pool"}

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.blocks(x)))


def _block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    halved = nn.MaxPool2d(2, ceil_mode=True)
    return nn.Sequential(
        conv3x3(inputs, outputs, stride), nn.BatchNorm2d(outputs), nn.LeakyReLU(SLOPE), halved
    )


def simple_cnn(classes: int = 10, width: int = 8, channels: int = 1) -> SimpleCNN:
    """The network for few images; 96,290 parameters by default."""
    return SimpleCNN(classes, width, channels)
