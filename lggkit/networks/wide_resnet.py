"""Wide residual networks of depth 28 in the post-activation form that paper 1's distillation uses."""

from __future__ import annotations

from torch import Tensor, nn

from lggkit.networks.blocks import ConvNorm, PostActivationBlock, conv3x3, global_pool, stack


class WideResNet28(nn.Module):
    """Three stages of four post-activation blocks at 16 × ``widen`` × (1, 2, 4) channels, after a stem of 16.

    The stem does not widen, so at ``widen`` other than 1 the first block's shortcut too is a convolution.
    Images (n, channels, h, w) -> logits (n, classes). ``depths`` are ``stage1``, ``stage2``, ``stage3``, each
    after its last ReLU, and ``penultimate``, the pooled vector; section 4.1 matches stages 1 and 2 and this.

    Raises:
        ValueError: ``widen`` leaves a stage without channels.
    """

    def __init__(self, widen: float = 1.0, classes: int = 10, width: int = 16, channels: int = 3) -> None:
        super().__init__()
        widths = [int(width * widen) << i for i in range(3)]
        if widths[0] < 1:
            raise ValueError(f"widen is {widen}; the stages need at least 1/{width} to have a channel")
        self.stem = ConvNorm(conv3x3(channels, width), nn.BatchNorm2d(width), nn.ReLU())
        self.stage1 = _stage(width, widths[0], 1)
        self.stage2 = _stage(widths[0], widths[1], 2)
        self.stage3 = _stage(widths[1], widths[2], 2)
        self.pool = global_pool()
        self.classifier = nn.Linear(widths[2], classes)
        self.depths = {name: name for name in ("stage1", "stage2", "stage3")} | {"penultimate": "pool"}

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.stage3(self.stage2(self.stage1(self.stem(x))))))


def _stage(inputs: int, width: int, stride: int) -> nn.Sequential:
    return nn.Sequential(*stack(PostActivationBlock, inputs, [width] * 4, [stride, 1, 1, 1]))


def wide_resnet28(widen: float = 1.0, classes: int = 10, width: int = 16, channels: int = 3) -> WideResNet28:
    """WRN-28-``widen``: 369,690 parameters and 55.0 MMAC at 1, 94,154 and 14.8 at 0.5, on 32×32 images."""
    return WideResNet28(widen, classes, width, channels)
