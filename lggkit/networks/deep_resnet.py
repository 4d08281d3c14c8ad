"""Pre-activation residual networks of any depth for small images: paper 3's teachers and students."""

from __future__ import annotations

from torch import Tensor, nn

from lggkit.networks.blocks import (
    PreActivationBlock,
    PreActivationBottleneck,
    conv3x3,
    global_pool,
    stack,
)
from lggkit.networks.norm_relu import norm_relu


class DeepPreActResNet(nn.Module):
    """Three stages of ``blocks`` blocks each, at ``widths`` channels, after a stem of ``width``.

    A stage halves the side but for the first. BN and ReLU follow the last block. Images (n, channels, h, w)
    -> logits (n, classes). ``depths`` are ``stage1``, ``stage2``, ``stage3``, the sums that leave the last
    blocks of the stages (both signs), and ``penultimate``, the pooled vector.
    """

    def __init__(
        self,
        block: type[nn.Module],
        blocks: int,
        width: int,
        widths: tuple[int, int, int],
        classes: int = 10,
        channels: int = 3,
    ) -> None:
        super().__init__()
        self.stem = conv3x3(channels, width)
        stages = zip((width, *widths), widths, (1, 2, 2), strict=False)
        self.stage1, self.stage2, self.stage3 = (
            nn.Sequential(*stack(block, inputs, [own] * blocks, [stride] + [1] * (blocks - 1)))
            for inputs, own, stride in stages
        )
        self.bn = nn.BatchNorm2d(widths[-1])
        self.relu = nn.ReLU()
        self.pool = global_pool()
        self.classifier = nn.Linear(widths[-1], classes)
        self.depths = {name: name for name in ("stage1", "stage2", "stage3")} | {"penultimate": "pool"}

    def forward(self, x: Tensor) -> Tensor:
        maps = self.stage3(self.stage2(self.stage1(self.stem(x))))
        return self.classifier(self.pool(norm_relu(self.bn, self.relu, maps)))


def bottleneck_resnet(
    depth: int = 56, width: int = 16, classes: int = 10, channels: int = 3
) -> DeepPreActResNet:
    """ResNet-``depth`` with bottlenecks at ``width`` × (4, 8, 16) channels (He et al. 2016b).

    Depth 1001 has 10,327,706 parameters, depth 56 has 590,426, and 150,386 at half the width: paper 3's large
    teacher and its medium and slim students. The pooled vector has 16 × ``width`` entries.

    Raises:
        ValueError: the depth is not 9 blocks + 2.
    """
    widths = (4 * width, 8 * width, 16 * width)
    return DeepPreActResNet(PreActivationBottleneck, _blocks(depth, 9, 2), width, widths, classes, channels)


def wide_preact_resnet(
    depth: int = 28, widen: float = 10.0, classes: int = 10, width: int = 16, channels: int = 3
) -> DeepPreActResNet:
    """WRN-``depth``-``widen`` as published: pre-activated (Zagoruyko and Komodakis 2016).

    At depth 28, widened tenfold, it has 36,479,194 parameters: paper 3's wide teacher. The pooled vector has
    64 × ``widen`` entries. `wide_resnet28` is another network: its blocks are activated behind.

    Raises:
        ValueError: the depth is not 6 blocks + 4.
    """
    first = int(width * widen)
    return DeepPreActResNet(
        PreActivationBlock, _blocks(depth, 6, 4), width, (first, 2 * first, 4 * first), classes, channels
    )


def _blocks(depth: int, layers: int, others: int) -> int:
    blocks, left = divmod(depth - others, layers)
    if left or blocks < 1:
        raise ValueError(f"depth is {depth}; give {layers} n + {others}, such as {layers + others}")
    return blocks
