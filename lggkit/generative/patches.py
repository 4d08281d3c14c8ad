"""Convolutions whose stride is their kernel, as one product: grouped ones are slow on processors.

So they stay fast where the weights of several networks are stacked (`torch.func.vmap`).
"""

from __future__ import annotations

from torch import Tensor, nn


class PatchConv(nn.Conv2d):
    """``nn.Conv2d`` with square kernel = stride and sides that it divides."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps (n, o, h / p, w / p) of (n, c, h, w)."""
        p = self.kernel_size[0]
        patches = x.unflatten(3, (-1, p)).unflatten(2, (-1, p)).permute(0, 2, 4, 1, 3, 5).flatten(3)
        return (patches @ self.weight.flatten(1).mT + self.bias).permute(0, 3, 1, 2)


class PatchDeconv(nn.ConvTranspose2d):
    """``nn.ConvTranspose2d`` with square kernel = stride."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps (n, o, h p, w p) of (n, c, h, w)."""
        p = self.kernel_size[0]
        patches = (x.permute(0, 2, 3, 1) @ self.weight.flatten(1)).unflatten(3, (-1, p, p))
        return patches.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3) + self.bias[:, None, None]
