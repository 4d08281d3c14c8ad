"""The autoencoder of article 10: its code is cut into blocks, each with an autoencoder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from lggkit.generative.patches import PatchConv, PatchDeconv
from lggkit.graph._precision import integer

HIDDEN = (128, 64, 32)
MAPS, STRIDES = (16, 32), (4, 2)


class BlockAutoencoder(nn.Module):
    """Encoder, k attribute autoencoders, decoder (Table 1 of article 10).

    ``z = e(x)`` is cut into k blocks of n_in = width / k numbers. Block j goes through a bottleneck of n_j
    and back to n_in; the k results, side by side, are decoded to an image. Two slips of the table are read as
    what composes: the encoder ends in a layer from 128, an attribute decoder in n_in numbers.

    Args:
        size: side of the square images, a multiple of 8.
        bottlenecks: n_j, one a block; two or more.
        width: of the code; a multiple of the number of blocks.
        channels: of the images.
        hidden: widths of an attribute's encoder, in reverse those of its decoder; the first is also that of
            the layer between convolutions and code. The article's by default.

    Raises:
        ValueError: a number is out of range, or blocks do not divide the code.
        TypeError: a number is no int.
    """

    def __init__(
        self,
        size: int,
        bottlenecks: Sequence[int],
        width: int,
        channels: int = 3,
        hidden: Sequence[int] = HIDDEN,
    ) -> None:
        super().__init__()
        hidden = tuple(integer(n, "a hidden width") for n in hidden)
        if not hidden:
            raise ValueError("hidden is empty; give one width or more, such as (128, 64, 32)")
        inner = tuple(integer(n, "a bottleneck") for n in bottlenecks)
        self.blocks, self.width = len(inner), integer(width, "width")
        self.size, self.channels = integer(size, "size"), integer(channels, "channels")
        if self.blocks < 2 or self.width % self.blocks:
            raise ValueError(
                f"width is {width}, which {self.blocks} blocks do not divide; give two bottlenecks or more, "
                "and a multiple of their number"
            )
        if self.size % 8:
            raise ValueError(f"size is {size}, no multiple of 8; resize the images, e.g. to 32 or 64")
        side, n_in = self.size // 8, self.width // self.blocks
        flat = MAPS[1] * side**2
        self.encoder = nn.Sequential(
            *(PatchConv(self.channels, MAPS[0], 4, STRIDES[0]), nn.ELU()),
            *(PatchConv(MAPS[0], MAPS[1], 2, STRIDES[1]), nn.ELU(), nn.Flatten()),
            *(nn.Linear(flat, hidden[0]), nn.ELU(), nn.Linear(hidden[0], self.width), nn.ELU()),
        )
        several = [[n] * self.blocks for n in (n_in, *hidden)]
        self.attribute_encoder = _layers([*several, list(inner)])
        self.attribute_decoder = _layers([list(inner), *several[::-1]])
        self.bottlenecks = inner
        self.decoder = nn.Sequential(
            *(nn.Linear(self.width, hidden[0]), nn.ELU(), nn.Linear(hidden[0], flat), nn.ELU()),
            nn.Unflatten(1, (MAPS[1], side, side)),
            *(PatchDeconv(MAPS[1], MAPS[0], 2, STRIDES[1]), nn.ELU()),
            *(PatchDeconv(MAPS[0], self.channels, 4, STRIDES[0]), nn.Sigmoid()),
        )

    def encode(self, x: Tensor) -> Tensor:
        """Codes (n, width) of images in [0, 1], (n, c, size, size).

        Raises:
            ValueError: the images have another size or number of channels.
        """
        sides = (self.channels, self.size, self.size)
        if x.ndim != 4 or x.shape[1:] != sides:
            wanted = ", ".join(map(str, sides))
            raise ValueError(f"images have shape {tuple(x.shape)}; give (n, {wanted}), resized first")
        return self.encoder(x)

    def split(self, z: Tensor) -> tuple[Tensor, ...]:
        """The k blocks (n, n_in) of codes (n, width)."""
        return self._stacked(z).unbind()

    def bottleneck(self, z: Tensor) -> list[Tensor]:
        """What each block becomes in its bottleneck, (n, n_j) each."""
        blocks = self.attribute_encoder(self._stacked(z))
        return [one[:, :n] for one, n in zip(blocks, self.bottlenecks, strict=True)]

    def attributes(self, z: Tensor) -> Tensor:
        """What the attribute autoencoders make of the blocks of codes, (n, width)."""
        blocks = self.attribute_decoder(self.attribute_encoder(self._stacked(z)))
        return blocks.transpose(0, 1).flatten(1)

    def generate(self, z: Tensor) -> Tensor:
        """Images (n, c, size, size) of codes or of noise (n, width)."""
        return self.decoder(self.attributes(z))

    def _stacked(self, z: Tensor) -> Tensor:
        """Codes (n, width) as (k, n, n_in)."""
        if z.ndim != 2 or z.shape[1] != self.width:
            raise ValueError(f"codes have shape {tuple(z.shape)}; give (n, {self.width})")
        return z.unflatten(1, (self.blocks, -1)).transpose(0, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions of images."""
        return self.generate(self.encode(x))

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n images of standard normal noise; the generator is of the network's device."""
        where = next(self.parameters())
        noise = torch.randn(n, self.width, generator=generator, device=where.device, dtype=where.dtype)
        return self.generate(noise)


class _BlockLinear(nn.Module):
    """A linear layer for each block, of widths of its own, in one product; (k, n, most in) to most out.

    Where a block is narrower than the widest, weights and outputs beyond its width are 0 and stay so.
    """

    def __init__(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        super().__init__()
        layers = [nn.Linear(a, b) for a, b in zip(inputs, outputs, strict=True)]
        shape = (len(layers), max(inputs), max(outputs))
        self.weight, self.bias = (
            nn.Parameter(torch.zeros(shape)),
            nn.Parameter(torch.zeros(shape[0], 1, shape[2])),
        )
        mask = torch.zeros(shape[0], 1, shape[2])
        with torch.no_grad():
            for place, layer in enumerate(layers):
                self.weight[place, : inputs[place], : outputs[place]] = layer.weight.T
                self.bias[place, :, : outputs[place]] = layer.bias
                mask[place, :, : outputs[place]] = 1
        self.mask = None if min(outputs) == max(outputs) else mask

    def forward(self, x: Tensor) -> Tensor:
        out = torch.baddbmm(self.bias, x, self.weight)
        return out if self.mask is None else out * self.mask.to(out)


def _layers(widths: Sequence[Sequence[int]]) -> nn.Sequential:
    """A layer between each two lists of the blocks' widths, with ELUs between layers."""
    parts = [part for a, b in pairwise(widths) for part in (_BlockLinear(a, b), nn.ELU())]
    return nn.Sequential(*parts[:-1])
