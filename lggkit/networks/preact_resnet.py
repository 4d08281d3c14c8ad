"""PreActResNet-18 (He et al. 2016b): the network of paper 1, section 4.3, and of paper 2."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from lggkit.networks.blocks import ParsevalConv2d, PreActivationBlock, conv3x3, global_pool, stack
from lggkit.networks.resnet import STRIDES


class PreActResNet18(nn.Module):
    """Eight pre-activation blocks at ``width`` × (1, 1, 2, 2, 4, 4, 8, 8) channels.

    As in the authors' code, the stem is a lone convolution and the last ReLU has no BN before it. Images
    (n, channels, h, w) -> logits (n, classes). ``depths`` are ``block1`` … ``block8``, the sums that leave
    the blocks (both signs: cosine similarity may be negative there), and ``penultimate``, the pooled vector
    of 8 × width entries. ``relu_depths`` are the 17 non-negative maps ``relu1`` … ``relu17`` of paper 1,
    eq. 8: two a block and the last one.

    With ``parseval`` it is the authors' Parseval network: every block gives the average of its branch and its
    shortcut, and every convolution divides its weight by √(2k² + 1), k being its kernel's side. Weights have
    the same names and shapes and are drawn alike.
    """

    def __init__(self, classes: int = 10, width: int = 64, channels: int = 3, parseval: bool = False) -> None:
        super().__init__()
        widths = [width << i // 2 for i in range(8)]
        self.stem = conv3x3(channels, width, kind=ParsevalConv2d if parseval else nn.Conv2d)
        block = partial(PreActivationBlock, parseval=parseval)
        self.blocks = nn.Sequential(*stack(block, width, widths, STRIDES))
        self.relu = nn.ReLU()
        self.pool = global_pool()
        self.classifier = nn.Linear(widths[-1], classes)
        self.depths = {f"block{i + 1}": f"blocks.{i}" for i in range(8)} | {"penultimate": "pool"}
        maps = [f"blocks.{i}.relu{j}" for i in range(8) for j in (1, 2)] + ["relu"]
        self.relu_depths = {f"relu{i}": path for i, path in enumerate(maps, start=1)}

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.relu(self.blocks(self.stem(x)))))


def preact_resnet18(
    classes: int = 10, width: int = 64, channels: int = 3, parseval: bool = False
) -> PreActResNet18:
    """PreActResNet-18; 11,171,146 parameters by default, as in the code of paper 1, section 4.3."""
    return PreActResNet18(classes, width, channels, parseval)
